/**
 * What real programs print of the octets in REQUEST and their like: xxd 9.0, hexdump of util-linux 2.38, od and base64 of coreutils 9.1,
 * tcpdump 4.99.3, tshark 4.0.17, each run as its command says on a file of those octets or a capture of them.
 */

/** A MAP request of 192.0.2.2 for port 8080, nonce "Sally nonce!". */
export const REQUEST =
  "0201000000000e1000000000000000000000ffffc000020253616c6c79206e6f6e636521110000001f901f9000000000000000000000ffff00000000"
/** The answer to it. */
export const RESPONSE =
  "0281000000000e100000303900000000000000000000000053616c6c79206e6f6e636521110000001f901f9000000000000000000000ffffcb007107"
/** NAT-PMP: the external address request and its response. */
export const NATPMP = "0000"
export const NATPMP_RESPONSE = "0080000000003039cb007107"
/** Octets of an odd count, and 80 zeros, of which dumps leave rows out. */
export const ODD = "020000"
export const FIVE = "0201000005"
export const ZEROS = "00".repeat(80)

/** A command, its output, and the packets in it as hex. */
export type Printed = {
  readonly command: string
  readonly lines: readonly string[]
  readonly packets: readonly string[]
}

/** Dumps that are read without doubt. */
export const DUMPS: readonly Printed[] = [
  {
    command: "xxd req.bin",
    packets: [REQUEST],
    lines: [
      "00000000: 0201 0000 0000 0e10 0000 0000 0000 0000  ................",
      "00000010: 0000 ffff c000 0202 5361 6c6c 7920 6e6f  ........Sally no",
      "00000020: 6e63 6521 1100 0000 1f90 1f90 0000 0000  nce!............",
      "00000030: 0000 0000 0000 ffff 0000 0000            ............",
    ],
  },
  {
    command: "xxd -u -g1 req.bin",
    packets: [REQUEST],
    lines: [
      "00000000: 02 01 00 00 00 00 0E 10 00 00 00 00 00 00 00 00  ................",
      "00000010: 00 00 FF FF C0 00 02 02 53 61 6C 6C 79 20 6E 6F  ........Sally no",
      "00000020: 6E 63 65 21 11 00 00 00 1F 90 1F 90 00 00 00 00  nce!............",
      "00000030: 00 00 00 00 00 00 FF FF 00 00 00 00              ............",
    ],
  },
  {
    command: "xxd -g4 req.bin",
    packets: [REQUEST],
    lines: [
      "00000000: 02010000 00000e10 00000000 00000000  ................",
      "00000010: 0000ffff c0000202 53616c6c 79206e6f  ........Sally no",
      "00000020: 6e636521 11000000 1f901f90 00000000  nce!............",
      "00000030: 00000000 0000ffff 00000000           ............",
    ],
  },
  {
    command: "xxd -g0 req.bin",
    packets: [REQUEST],
    lines: [
      "00000000: 0201000000000e100000000000000000  ................",
      "00000010: 0000ffffc000020253616c6c79206e6f  ........Sally no",
      "00000020: 6e636521110000001f901f9000000000  nce!............",
      "00000030: 000000000000ffff00000000          ............",
    ],
  },
  {
    command: "xxd -c 8 natr.bin",
    packets: [NATPMP_RESPONSE],
    lines: ["00000000: 0080 0000 0000 3039  ......09", "00000008: cb00 7107            ..q."],
  },
  {
    command: "xxd -e req.bin",
    packets: [REQUEST],
    lines: [
      "00000000: 00000102 100e0000 00000000 00000000  ................",
      "00000010: ffff0000 020200c0 6c6c6153 6f6e2079  ........Sally no",
      "00000020: 2165636e 00000011 901f901f 00000000  nce!............",
      "00000030: 00000000 ffff0000 00000000           ............",
    ],
  },
  {
    command: "xxd -b natr.bin",
    packets: [NATPMP_RESPONSE],
    lines: [
      "00000000: 00000000 10000000 00000000 00000000 00000000 00000000  ......",
      "00000006: 00110000 00111001 11001011 00000000 01110001 00000111  09..q.",
    ],
  },
  {
    command: "xxd five.bin",
    packets: [FIVE],
    lines: ["00000000: 0201 0000 05                             ....."],
  },
  {
    command: "xxd -a z.bin",
    packets: [ZEROS],
    lines: [
      "00000000: 0000 0000 0000 0000 0000 0000 0000 0000  ................",
      "*",
      "00000040: 0000 0000 0000 0000 0000 0000 0000 0000  ................",
    ],
  },
  {
    command: "hexdump -C req.bin",
    packets: [REQUEST],
    lines: [
      "00000000  02 01 00 00 00 00 0e 10  00 00 00 00 00 00 00 00  |................|",
      "00000010  00 00 ff ff c0 00 02 02  53 61 6c 6c 79 20 6e 6f  |........Sally no|",
      "00000020  6e 63 65 21 11 00 00 00  1f 90 1f 90 00 00 00 00  |nce!............|",
      "00000030  00 00 00 00 00 00 ff ff  00 00 00 00              |............|",
      "0000003c",
    ],
  },
  {
    command: "hexdump -C odd.bin",
    packets: [ODD],
    lines: ["00000000  02 00 00                                          |...|", "00000003"],
  },
  {
    command: "hexdump -C z.bin",
    packets: [ZEROS],
    lines: ["00000000  00 00 00 00 00 00 00 00  00 00 00 00 00 00 00 00  |................|", "*", "00000050"],
  },
  {
    command: "hexdump -b natr.bin",
    packets: [NATPMP_RESPONSE],
    lines: ["0000000 000 200 000 000 000 000 060 071 313 000 161 007                ", "000000c"],
  },
  {
    command: "od -Ax -tx1 req.bin",
    packets: [REQUEST],
    lines: [
      "000000 02 01 00 00 00 00 0e 10 00 00 00 00 00 00 00 00",
      "000010 00 00 ff ff c0 00 02 02 53 61 6c 6c 79 20 6e 6f",
      "000020 6e 63 65 21 11 00 00 00 1f 90 1f 90 00 00 00 00",
      "000030 00 00 00 00 00 00 ff ff 00 00 00 00",
      "00003c",
    ],
  },
  {
    command: "od -Ax -tx1 -v z.bin",
    packets: [ZEROS],
    lines: [
      "000000 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00",
      "000010 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00",
      "000020 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00",
      "000030 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00",
      "000040 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00",
      "000050",
    ],
  },
  {
    command: "od -Ax -tx1 z.bin",
    packets: [ZEROS],
    lines: ["000000 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00", "*", "000050"],
  },
  {
    command: "od -Ax -tx1z natr.bin",
    packets: [NATPMP_RESPONSE],
    lines: ["000000 00 80 00 00 00 00 30 39 cb 00 71 07              >......09..q.<", "00000c"],
  },
  {
    command: "od -Ad -tx1 req.bin",
    packets: [REQUEST],
    lines: [
      "0000000 02 01 00 00 00 00 0e 10 00 00 00 00 00 00 00 00",
      "0000016 00 00 ff ff c0 00 02 02 53 61 6c 6c 79 20 6e 6f",
      "0000032 6e 63 65 21 11 00 00 00 1f 90 1f 90 00 00 00 00",
      "0000048 00 00 00 00 00 00 ff ff 00 00 00 00",
      "0000060",
    ],
  },
  {
    command: "od -tx1 req.bin",
    packets: [REQUEST],
    lines: [
      "0000000 02 01 00 00 00 00 0e 10 00 00 00 00 00 00 00 00",
      "0000020 00 00 ff ff c0 00 02 02 53 61 6c 6c 79 20 6e 6f",
      "0000040 6e 63 65 21 11 00 00 00 1f 90 1f 90 00 00 00 00",
      "0000060 00 00 00 00 00 00 ff ff 00 00 00 00",
      "0000074",
    ],
  },
  {
    command: "od -b natr.bin",
    packets: [NATPMP_RESPONSE],
    lines: ["0000000 000 200 000 000 000 000 060 071 313 000 161 007", "0000014"],
  },
  {
    command: "od -Ad -tu1 natr.bin",
    packets: [NATPMP_RESPONSE],
    lines: ["0000000   0 128   0   0   0   0  48  57 203   0 113   7", "0000012"],
  },
]

/** Dumps of words, whose octets depend on the machine that printed them: this one is little-endian. */
export const WORDS: readonly Printed[] = [
  {
    command: "hexdump req.bin",
    packets: [REQUEST],
    lines: [
      "0000000 0102 0000 0000 100e 0000 0000 0000 0000",
      "0000010 0000 ffff 00c0 0202 6153 6c6c 2079 6f6e",
      "0000020 636e 2165 0011 0000 901f 901f 0000 0000",
      "0000030 0000 0000 0000 ffff 0000 0000          ",
      "000003c",
    ],
  },
  {
    command: "hexdump odd.bin",
    packets: [ODD],
    lines: ["0000000 0002 0000                              ", "0000003"],
  },
  {
    command: "hexdump -x natr.bin",
    packets: [NATPMP_RESPONSE],
    lines: ["0000000    8000    0000    0000    3930    00cb    0771                ", "000000c"],
  },
  {
    command: "hexdump -o natr.bin",
    packets: [NATPMP_RESPONSE],
    lines: ["0000000  100000  000000  000000  034460  000313  003561                ", "000000c"],
  },
  {
    command: "hexdump -d natr.bin",
    packets: [NATPMP_RESPONSE],
    lines: ["0000000   32768   00000   00000   14640   00203   01905                ", "000000c"],
  },
  {
    command: "od req.bin",
    packets: [REQUEST],
    lines: [
      "0000000 000402 000000 000000 010016 000000 000000 000000 000000",
      "0000020 000000 177777 000300 001002 060523 066154 020171 067556",
      "0000040 061556 020545 000021 000000 110037 110037 000000 000000",
      "0000060 000000 000000 000000 177777 000000 000000",
      "0000074",
    ],
  },
  {
    command: "od odd.bin",
    packets: [ODD],
    lines: ["0000000 000002 000000", "0000003"],
  },
  {
    command: "od -x five.bin",
    packets: [FIVE],
    lines: ["0000000 0102 0000 0005", "0000005"],
  },
  {
    command: "od -tx4 req.bin",
    packets: [REQUEST],
    lines: [
      "0000000 00000102 100e0000 00000000 00000000",
      "0000020 ffff0000 020200c0 6c6c6153 6f6e2079",
      "0000040 2165636e 00000011 901f901f 00000000",
      "0000060 00000000 ffff0000 00000000",
      "0000074",
    ],
  },
  {
    command: "od -tu2 natr.bin",
    packets: [NATPMP_RESPONSE],
    lines: ["0000000 32768     0     0 14640   203  1905", "0000014"],
  },
  {
    command: "od z.bin",
    packets: [ZEROS],
    lines: ["0000000 000000 000000 000000 000000 000000 000000 000000 000000", "*", "0000120"],
  },
]

/** Digits without offsets. */
export const PLAIN: readonly Printed[] = [
  {
    command: "xxd -p req.bin",
    packets: [REQUEST],
    lines: [
      "0201000000000e1000000000000000000000ffffc000020253616c6c7920",
      "6e6f6e636521110000001f901f9000000000000000000000ffff00000000",
    ],
  },
  {
    command: "xxd -i req.bin",
    packets: [REQUEST],
    lines: [
      "unsigned char req_bin[] = {",
      "  0x02, 0x01, 0x00, 0x00, 0x00, 0x00, 0x0e, 0x10, 0x00, 0x00, 0x00, 0x00,",
      "  0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xc0, 0x00, 0x02, 0x02,",
      "  0x53, 0x61, 0x6c, 0x6c, 0x79, 0x20, 0x6e, 0x6f, 0x6e, 0x63, 0x65, 0x21,",
      "  0x11, 0x00, 0x00, 0x00, 0x1f, 0x90, 0x1f, 0x90, 0x00, 0x00, 0x00, 0x00,",
      "  0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00",
      "};",
      "unsigned int req_bin_len = 60;",
    ],
  },
  {
    command: "od -An -tx1 natr.bin",
    packets: [NATPMP_RESPONSE],
    lines: [" 00 80 00 00 00 00 30 39 cb 00 71 07"],
  },
  {
    command: "basenc --base16 natr.bin",
    packets: [NATPMP_RESPONSE],
    lines: ["0080000000003039CB007107"],
  },
  {
    command: "base64 req.bin",
    packets: [REQUEST],
    lines: ["AgEAAAAADhAAAAAAAAAAAAAA///AAAICU2FsbHkgbm9uY2UhEQAAAB+QH5AAAAAAAAAAAAAA//8A", "AAAA"],
  },
  {
    command: "base64 -w0 req.bin",
    packets: [REQUEST],
    lines: ["AgEAAAAADhAAAAAAAAAAAAAA///AAAICU2FsbHkgbm9uY2UhEQAAAB+QH5AAAAAAAAAAAAAA//8AAAAA"],
  },
  {
    command: "basenc --base64url res.bin",
    packets: [RESPONSE],
    lines: ["AoEAAAAADhAAADA5AAAAAAAAAAAAAAAAU2FsbHkgbm9uY2UhEQAAAB-QH5AAAAAAAAAAAAAA___L", "AHEH"],
  },
  {
    command: 'python3 -c \'print(list(open("req.bin","rb").read()))\'',
    packets: [REQUEST],
    lines: [
      "[2, 1, 0, 0, 0, 0, 14, 16, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 192, 0, 2, 2, 83, 97, 108, 108, 121, 32, 110, 111, 110, 99, 101, 33, 17, 0, 0, 0, 31, 144, 31, 144, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 0, 0, 0, 0]",
    ],
  },
  {
    command: 'python3 -c \'print(open("res.bin","rb").read())\'',
    packets: [RESPONSE],
    lines: [
      "b'\\x02\\x81\\x00\\x00\\x00\\x00\\x0e\\x10\\x00\\x0009\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00Sally nonce!\\x11\\x00\\x00\\x00\\x1f\\x90\\x1f\\x90\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\xff\\xff\\xcb\\x00q\\x07'",
    ],
  },
  {
    command: 'python3 -c \'import binascii; print(binascii.hexlify(open("res.bin","rb").read()))\'',
    packets: [RESPONSE],
    lines: [
      "b'0281000000000e100000303900000000000000000000000053616c6c79206e6f6e636521110000001f901f9000000000000000000000ffffcb007107'",
    ],
  },
  {
    command: "node -p 'fs.readFileSync(\"natr.bin\")'",
    packets: [NATPMP_RESPONSE],
    lines: ["<Buffer 00 80 00 00 00 00 30 39 cb 00 71 07>"],
  },
  {
    command: "node -p 'JSON.stringify(fs.readFileSync(\"natr.bin\"))'",
    packets: [NATPMP_RESPONSE],
    lines: ['{"type":"Buffer","data":[0,128,0,0,0,0,48,57,203,0,113,7]}'],
  },
  {
    command: "node -p 'new Uint8Array(fs.readFileSync(\"natr.bin\"))'",
    packets: [NATPMP_RESPONSE],
    lines: ["Uint8Array(12) [", "    0, 128,  0,   0, 0,", "    0,  48, 57, 203, 0,", "  113,   7", "]"],
  },
  {
    command: "node -p 'JSON.stringify(new Uint8Array(fs.readFileSync(\"natr.bin\")))'",
    packets: [NATPMP_RESPONSE],
    lines: ['{"0":0,"1":128,"2":0,"3":0,"4":0,"5":0,"6":48,"7":57,"8":203,"9":0,"10":113,"11":7}'],
  },
]
