import assert from "node:assert/strict"
import { test } from "node:test"
import type { Dissection, FieldNode } from "../../../core/wire/index.ts"
import { dissect, leaves, rawValue, walk } from "../../../core/wire/index.ts"
import { describe, expand, fieldValues } from "../../../core/wire/text/index.ts"

const bytes = (...hex: string[]): Uint8Array => {
  const digits = hex.join("").replace(/\s/g, "")
  return Uint8Array.from({ length: digits.length / 2 }, (_, i) => Number.parseInt(digits.slice(2 * i, 2 * i + 2), 16))
}

/** Each leaf as `offset length name = text`; bits as `offset.first/count`, missing octets as `length-missing`. */
const lines = (packet: Uint8Array): string[] => {
  const d = dissect(packet)
  return [...leaves(d.root)].map((node) => {
    const { field, offset, length, missing } = node
    const at = field.bits > 0 ? `${offset}.${field.bit}/${field.bits}` : `${offset} ${length}`
    return `${at}${missing > 0 ? `-${missing}` : ""} ${field.name} = ${describe(d, node)}`
  })
}

const find = (d: Dissection, name: string): FieldNode => {
  for (const node of walk(d.root)) if (node.field.name === name) return node
  return assert.fail(`no field ${name}`)
}

const CLIENT = "00000000 00000000 0000ffff c0000201"
const REQUEST = `02 01 0000 00000e10 ${CLIENT}`
const NONCE = "0102030405060708090a0b0c"
const MAP = `${NONCE} 11 000000 1f90 0000 00000000 00000000 0000ffff 00000000`
const HEADER_LINES = [
  "0 1 Version = 2 (PCP)",
  "1.0/1 R = 0 (request)",
  "1.1/7 Opcode = MAP (1)",
  "2 2 Reserved = zero",
  "4 4 Requested Lifetime = 3600 s (1 h)",
  "8 16 PCP Client's IP Address = 192.0.2.1 (::ffff:192.0.2.1)",
]
const MAP_LINES = [
  "24 12 Mapping Nonce = 0102030405060708090a0b0c",
  "36 1 Protocol = UDP (17)",
  "37 3 Reserved = zero",
  "40 2 Internal Port = 8080",
  "42 2 Suggested External Port = 0 (no preference)",
  "44 16 Suggested External IP Address = 0.0.0.0 (::ffff:0.0.0.0) (no preference)",
]

/** The lines that an option adds to a MAP request. */
const optionLines = (hex: string): string[] => {
  const all = lines(bytes(REQUEST, MAP, hex))
  assert.deepEqual(all.slice(0, 12), [...HEADER_LINES, ...MAP_LINES])
  return all.slice(12)
}

test("a MAP request, octet by octet (RFC 6887 sections 7.1 and 11.1)", () => {
  const packet = bytes(REQUEST, MAP)
  assert.equal(packet.length, 60)
  assert.deepEqual(lines(packet), [...HEADER_LINES, ...MAP_LINES])
  const d = dissect(packet)
  assert.equal(describe(d, d.root), "PCP MAP request, 60 octets")
  assert.equal(find(d, "Internal Port").field.rfc, "RFC 6887 section 11.1, figure 9")
  assert.equal(find(d, "PCP Client's IP Address").field.rfc, "RFC 6887 section 7.1")
  assert.equal(rawValue(d, find(d, "Requested Lifetime")), 3600)
  assert.deepEqual(rawValue(d, find(d, "Mapping Nonce")), bytes(NONCE))
})

test("a MAP response with an error (RFC 6887 sections 7.2, 7.4 and 11.1)", () => {
  const packet = bytes(
    "02 81 00 08 0000001e 00015180 00000000 00000000 00000001",
    NONCE,
    "06 000100 0050 ffff 20010db8 00000000 00000000 00000001",
  )
  assert.deepEqual(lines(packet), [
    "0 1 Version = 2 (PCP)",
    "1.0/1 R = 1 (response)",
    "1.1/7 Opcode = MAP (1)",
    "2 1 Reserved = zero",
    "3 1 Result Code = NO_RESOURCES (8): The request is valid, but the server has insufficient resources for it at this time.",
    "4 4 Lifetime = 30 s",
    "8 4 Epoch Time = 86400 s (1 d)",
    "12 12 Reserved = not zero: 000000000000000000000001",
    "24 12 Mapping Nonce = 0102030405060708090a0b0c",
    "36 1 Protocol = TCP (6)",
    "37 3 Reserved = not zero: 000100",
    "40 2 Internal Port = 80",
    "42 2 Assigned External Port = 65535",
    "44 16 Assigned External IP Address = 2001:db8::1",
  ])
})

test("a PEER request and a PEER response (RFC 6887 section 12.1)", () => {
  const body = `${NONCE} 84 000000 c350 c351 ${CLIENT} 01bb abcd 00000000 00000000 00000000 00000000`
  const request = lines(bytes(`02 02 0000 00000000 ${CLIENT}`, body))
  assert.deepEqual(request.slice(6), [
    "24 12 Mapping Nonce = 0102030405060708090a0b0c",
    "36 1 Protocol = SCTP (132)",
    "37 3 Reserved = zero",
    "40 2 Internal Port = 50000",
    "42 2 Suggested External Port = 50001",
    "44 16 Suggested External IP Address = 192.0.2.1 (::ffff:192.0.2.1)",
    "60 2 Remote Peer Port = 443",
    "62 2 Reserved = not zero: abcd",
    "64 16 Remote Peer IP Address = ::",
  ])
  const response = lines(bytes("02 82 0000 00000078 00000001 000000000000000000000000", body))
  assert.deepEqual(
    response.slice(8).map((line) => line.split(" = ")[0]),
    [
      "24 12 Mapping Nonce",
      "36 1 Protocol",
      "37 3 Reserved",
      "40 2 Internal Port",
      "42 2 Assigned External Port",
      "44 16 Assigned External IP Address",
      "60 2 Remote Peer Port",
      "62 2 Reserved",
      "64 16 Remote Peer IP Address",
    ],
  )
})

test("AUTHENTICATION: the second reserved octet is a result code, then session and sequence (RFC 7652 section 5)", () => {
  const request = bytes(
    `02 03 00 0e 00000000 ${CLIENT}`,
    "00000007 00000008",
    "04 00 0004 deadbeef",
    "05 00 0010 00000001 00000002 00000000 01020304",
    "06 00 0008 00000005 0a0b0c0d",
    "07 00 0005 0201000501 000000",
    "08 00 0004 00000005",
    "09 00 0004 0000000c",
    "0a 00 0004 00000e10",
    "0b 00 0004 00000009",
    "0c 00 0003 61626e 00",
  )
  assert.deepEqual(lines(request).slice(3), [
    "2 1 Reserved = zero",
    "3 1 Result Code = INITIATION (14): The client asks the server for authentication.",
    "4 4 Requested Lifetime = 0 s",
    "8 16 PCP Client's IP Address = 192.0.2.1 (::ffff:192.0.2.1)",
    "24 4 Session ID = 7",
    "28 4 Sequence Number = 8",
    ...["32 1 Option Code = NONCE (4)", "33 1 Reserved = zero", "34 2 Option Length = 4", "36 4 Nonce = deadbeef"],
    ...["40 1 Option Code = AUTHENTICATION_TAG (5)", "41 1 Reserved = zero", "42 2 Option Length = 16"],
    ...["44 4 Session ID = 1", "48 4 Sequence Number = 2", "52 4 Key ID = 0 (the MSK itself)"],
    "56 4 Authentication Data = 01020304",
    ...["60 1 Option Code = PA_AUTHENTICATION_TAG (6)", "61 1 Reserved = zero", "62 2 Option Length = 8"],
    ...["64 4 Key ID = 5", "68 4 Authentication Data = 0a0b0c0d"],
    ...["72 1 Option Code = EAP_PAYLOAD (7)", "73 1 Reserved = zero", "74 2 Option Length = 5"],
    ...["76 5 EAP Message = 0201000501", "81 3 Padding = zero"],
    ...["84 1 Option Code = PRF (8)", "85 1 Reserved = zero", "86 2 Option Length = 4"],
    "88 4 PRF = PRF_HMAC_SHA2_256 (5)",
    ...["92 1 Option Code = MAC_ALGORITHM (9)", "93 1 Reserved = zero", "94 2 Option Length = 4"],
    "96 4 MAC Algorithm ID = AUTH_HMAC_SHA2_256_128 (12)",
    ...["100 1 Option Code = SESSION_LIFETIME (10)", "101 1 Reserved = zero", "102 2 Option Length = 4"],
    "104 4 Session Lifetime = 3600 s (1 h)",
    ...["108 1 Option Code = RECEIVED_PAK (11)", "109 1 Reserved = zero", "110 2 Option Length = 4"],
    "112 4 Received Sequence Number = 9",
    ...["116 1 Option Code = ID_INDICATOR (12)", "117 1 Reserved = zero", "118 2 Option Length = 3"],
    ...['120 3 ID Indicator = "abn"', "123 1 Padding = zero"],
  ])
  const response = lines(bytes("02 83 00 0f 00000000 00000001 000000000000000000000000 00000007 00000008"))
  assert.equal(response[4], "3 1 Result Code = AUTHENTICATION_REQUIRED (15): EAP authentication is required.")
  assert.deepEqual(response.slice(8), ["24 4 Session ID = 7", "28 4 Sequence Number = 8"])
})

test("THIRD_PARTY, PREFER_FAILURE and FILTER (RFC 6887 section 13)", () => {
  const heading = (at: number, name: string, code: number, length: number) => [
    `${at} 1 Option Code = ${name} (${code})`,
    `${at + 1} 1 Reserved = zero`,
    `${at + 2} 2 Option Length = ${length}`,
  ]
  const option = `01 00 0010 20010db8 00000000 00000000 00000002  02 00 0000  03 00 0014 00 78 0050 ${CLIENT}`
  assert.deepEqual(optionLines(option), [
    ...heading(60, "THIRD_PARTY", 1, 16),
    "64 16 Internal IP Address = 2001:db8::2",
    ...heading(80, "PREFER_FAILURE", 2, 0),
    ...heading(84, "FILTER", 3, 20),
    "88 1 Reserved = zero",
    "89 1 Prefix Length = 120 (IPv4 /24)",
    "90 2 Remote Peer Port = 80",
    "92 16 Remote Peer IP Address = 192.0.2.1 (::ffff:192.0.2.1)",
  ])
  assert.deepEqual(optionLines(`03 00 0014 00 00 0000 ${CLIENT}`).slice(4, 6), [
    "65 1 Prefix Length = 0 (remove all filters)",
    "66 2 Remote Peer Port = 0 (all ports)",
  ])
  assert.equal(optionLines(`03 00 0014 00 18 0000 ${CLIENT}`)[4], "65 1 Prefix Length = 24 (not valid for IPv4)")
  assert.deepEqual(
    [...walk(dissect(bytes(REQUEST, MAP, option)).root)]
      .filter(({ field }) => field.kind === "option")
      .map(({ offset, length }) => [offset, length]),
    [
      [60, 20],
      [80, 4],
      [84, 24],
    ],
  )
})

test("DESCRIPTION is text, padded; NUL and control characters show as escapes (RFC 7220 section 2)", () => {
  assert.deepEqual(optionLines("80 00 0005 68c3a9 1b00 000000").slice(3), [
    '64 5 Description = "hé\\u{1b}\\u{0}"',
    "69 3 Padding = zero",
  ])
  assert.deepEqual(optionLines("80 00 0003 61ff22 01").slice(3), [
    '64 3 Description = "a\uFFFD\\""',
    "67 1 Padding = not zero: 01",
  ])
  assert.equal(optionLines("80 00 0000").length, 3, "an empty description has no octet and no leaf")
})

test("PREFIX64 with and without an IPv4 prefix list (RFC 7225 section 4.1)", () => {
  assert.deepEqual(optionLines("81 00 000e 000c 0064ff9b 00000000 00000000 0000").slice(2), [
    "62 2 Option Length = 14",
    "64 2 Prefix64 Length = 12 octets (/96)",
    "66 12 Prefix64 = 64:ff9b::/96",
    "78 0 Suffix = none",
    "78 2 Padding = zero",
  ])
  const list = "81 00 001c 0004 20010db8 0000000000000001 0002 0018 c0000200 0000 00000000"
  assert.deepEqual(optionLines(list).slice(3), [
    "64 2 Prefix64 Length = 4 octets (/32)",
    "66 4 Prefix64 = 2001:db8::/32",
    "70 8 Suffix = 0000000000000001",
    "78 2 IPv4 Prefix Count = 2",
    "80 2 IPv4 Prefix Length = 24",
    "82 4 IPv4 Address = 192.0.2.0",
    "86 2 IPv4 Prefix Length = 0",
    "88 4 IPv4 Address = 0.0.0.0",
  ])
  const d = dissect(bytes(REQUEST, MAP, list))
  assert.equal(describe(d, find(d, "IPv4 Prefix")), "192.0.2.0/24")
  assert.deepEqual(optionLines("81 00 0012 0009 20010db8 00000000 00000000 0001 0018 0000").slice(3), [
    "64 2 Prefix64 Length = 9 octets (not one of 4, 5, 6, 7, 8, 12)",
    "66 9 Prefix64 = 2001:db8::/72",
    "75 3 Suffix = 000000",
    "78 2 IPv4 Prefix Count = 1",
    "80 2 IPv4 Prefix Length = 24",
    "82 0-4 IPv4 Address = missing: 4 octets",
    "82 2 Padding = zero",
  ])
  assert.deepEqual(optionLines("81 00 0010 0020 20010db8 00000000 00000000 0000").slice(3), [
    "64 2 Prefix64 Length = 32 octets (not one of 4, 5, 6, 7, 8, 12)",
    "66 12 Prefix64 and Suffix = 20010db80000000000000000",
    "78 2 IPv4 Prefix Count = 0",
  ])
})

test("PORT_SET: seven reserved bits and the parity bit share an octet (RFC 7753 section 4)", () => {
  assert.deepEqual(optionLines("82 00 0005 0010 1f90 01 000000").slice(3), [
    "64 2 Port Set Size = 16",
    "66 2 First Internal Port = 8080",
    "68.0/7 Reserved = zero",
    "68.7/1 P (parity bit) = 1 (set)",
    "69 3 Padding = zero",
  ])
  assert.equal(optionLines("82 00 0005 0010 1f90 fe 000000")[5], "68.0/7 Reserved = not zero: 127")
})

test("THIRD_PARTY_ID and options nobody has assigned stay octets (RFC 7843 section 4, RFC 6887 section 7.3)", () => {
  assert.deepEqual(optionLines("0d 00 0003 0a0b0c 00").slice(3), [
    "64 3 THIRD_PARTY_ID = 0a0b0c",
    "67 1 Padding = zero",
  ])
  assert.deepEqual(optionLines("4d 07 0002 0102 0000  00 00 0000"), [
    "60 1 Option Code = unassigned option 77",
    "61 1 Reserved = not zero: 07",
    "62 2 Option Length = 2",
    "64 2 Data = 0102",
    "66 2 Padding = zero",
    ...["68 1 Option Code = reserved option 0", "69 1 Reserved = zero", "70 2 Option Length = 0"],
  ])
})

test("an option longer or shorter than its fields, and one that runs past the end (RFC 6887 section 7.3)", () => {
  assert.deepEqual(optionLines("01 00 0014 20010db8 00000000 00000000 00000002 01020304").slice(3), [
    "64 16 Internal IP Address = 2001:db8::2",
    "80 4 Trailing option data = 01020304",
  ])
  assert.deepEqual(optionLines("01 00 0004 c0000201  02 00 0000").slice(3), [
    "64 4-12 Internal IP Address = cut short, 4 of 16 octets: c0000201",
    ...["68 1 Option Code = PREFER_FAILURE (2)", "69 1 Reserved = zero", "70 2 Option Length = 0"],
  ])
  assert.deepEqual(optionLines("03 00 0014 00 80 0050 2001").slice(6), [
    "68 2-14 Remote Peer IP Address = cut short, 2 of 16 octets: 2001",
  ])
  assert.deepEqual(optionLines("80 00 0010 6162").slice(3), ["64 2-14 Description = cut short, 2 of 16 octets: 6162"])
  assert.deepEqual(optionLines("80 00 0010").slice(3), ["64 0-16 Description = missing: 16 octets"])
  assert.deepEqual(optionLines("02 00 0008 6162").slice(3), [
    "64 2-6 Trailing option data = cut short, 2 of 8 octets: 6162",
  ])
  assert.deepEqual(optionLines("80 00 0002 6162 00").slice(4), ["66 1-1 Padding = cut short, 1 of 2 octets: 00"])
  assert.deepEqual(optionLines("02 00 00"), [
    "60 1 Option Code = PREFER_FAILURE (2)",
    "61 1 Reserved = zero",
    "62 1-1 Option Length = cut short, 1 of 2 octets: 00",
  ])
})

test("what remains of a cut header or opcode is a leaf that says so", () => {
  assert.deepEqual(lines(bytes("02")), ["0 1 Version = 2 (PCP)", "1.0/1-1 R = missing: 1 octet"])
  assert.deepEqual(lines(bytes("0201000000000e10c0")).slice(5), [
    "8 1-15 PCP Client's IP Address = cut short, 1 of 16 octets: c0",
  ])
  assert.deepEqual(lines(bytes(REQUEST, NONCE)).slice(7), ["36 0-1 Protocol = missing: 1 octet"])
  assert.deepEqual(lines(bytes("020300")).slice(3), ["2 1 Reserved = zero", "3 0-1 Result Code = missing: 1 octet"])
})

test("ANNOUNCE has options at once; an unknown opcode keeps what follows as octets (RFC 6887 sections 7 and 14.1)", () => {
  assert.equal(lines(bytes(`02 00 0000 00000000 ${CLIENT}`)).length, 6)
  assert.equal(lines(bytes(`02 00 0000 00000000 ${CLIENT} 02000000`))[6], "24 1 Option Code = PREFER_FAILURE (2)")
  assert.deepEqual(lines(bytes(`02 60 0000 00000000 ${CLIENT} 02000000`)).slice(2, 3), [
    "1.1/7 Opcode = private use opcode 96",
  ])
  assert.deepEqual(lines(bytes(`02 60 0000 00000000 ${CLIENT} 02000000`)).slice(6), [
    "24 4 Opcode-specific information = 02000000",
  ])
})

test("other versions show their version and nothing they may not mean (RFC 6887 section 9, RFC 6886 section 1.1)", () => {
  assert.deepEqual(lines(bytes("01 01 0000")), [
    "0 1 Version = 1 (a draft of PCP, ruled out by RFC 6886 section 1.1)",
    "1 3 Data = 010000",
  ])
  assert.deepEqual(lines(bytes("ff")), ["0 1 Version = 255 (unknown)"])
  assert.equal(describe(dissect(bytes("")), dissect(bytes("")).root), "nothing, 0 octets")
})

test("NAT-PMP: external address and mappings, both ways (RFC 6886 sections 3.2 and 3.3)", () => {
  assert.deepEqual(lines(bytes("0000")), ["0 1 Vers = 0 (NAT-PMP)", "1 1 OP = 0 (external address request)"])
  assert.deepEqual(lines(bytes("00 80 0000 00000007 cb007105")).slice(1), [
    "1 1 OP = 128 (external address response)",
    "2 2 Result Code = Success (0): Success.",
    "4 4 Seconds Since Start of Epoch = 7 s",
    "8 4 External IPv4 Address = 203.0.113.5",
  ])
  assert.deepEqual(lines(bytes("00 01 0000 1f90 0000 00001c20")).slice(1), [
    "1 1 OP = 1 (map UDP request)",
    "2 2 Reserved = zero",
    "4 2 Internal Port = 8080",
    "6 2 Suggested External Port = 0 (no preference)",
    "8 4 Requested Port Mapping Lifetime in Seconds = 7200 s (2 h)",
  ])
  assert.deepEqual(lines(bytes("00 82 0002 00000007 1f90 0000 00000000 aa")).slice(1), [
    "1 1 OP = 130 (map TCP response)",
    "2 2 Result Code = Not Authorized/Refused (2): The gateway supports mapping, but its user has turned the feature off.",
    "4 4 Seconds Since Start of Epoch = 7 s",
    "8 2 Internal Port = 8080",
    "10 2 Mapped External Port = 0 (none)",
    "12 4 Port Mapping Lifetime in Seconds = 0 s (no mapping)",
    "16 1 Trailing data = aa",
  ])
})

test("NAT-PMP: the version error without response bit, and the echo of an unsupported opcode (RFC 6886 section 3.5)", () => {
  const error = bytes("00 00 0001 00000e10")
  assert.deepEqual(lines(error).slice(2), [
    "2 2 Result Code = Unsupported Version (1): The gateway does not speak the version of the request.",
    "4 4 Seconds Since Start of Epoch = 3600 s (1 h)",
  ])
  assert.equal(describe(dissect(error), dissect(error).root), "NAT-PMP unsupported version response, 8 octets")
  assert.deepEqual(lines(bytes("00 85 0005 0102")).slice(1), [
    "1 1 OP = 133 (opcode 5 response)",
    "2 2 Result Code = Unsupported opcode (5): The gateway does not know the opcode of the request.",
    "4 2 Rest of the request = 0102",
  ])
  assert.deepEqual(lines(bytes("00 05 0102")).slice(2), ["2 2 Data = 0102"])
  assert.deepEqual(lines(bytes("00 01 00")).slice(2), ["2 1-1 Reserved = cut short, 1 of 2 octets: 00"])
})

test("values by Wireshark's names, as tshark -T fields prints them", () => {
  const d = dissect(
    bytes(
      REQUEST,
      MAP,
      "80 00 0004 61090a7a",
      "81 00 000e 000c 0064ff9b 00000000 00000000 0000",
      "82 00 0005 0010 1f90 ff 000000",
    ),
  )
  const expected: readonly (readonly [string, readonly string[]])[] = [
    ["portcontrol.version", ["2"]],
    ["portcontrol.r", ["0"]],
    ["portcontrol.request", ["1"]],
    ["portcontrol.response", []],
    ["portcontrol.client_ip", ["::ffff:192.0.2.1"]],
    ["portcontrol.map.nonce", [NONCE]],
    ["portcontrol.map.reserved", ["0"]],
    ["portcontrol.options", ["1"]],
    ["portcontrol.option", ["1", "1", "1"]],
    ["portcontrol.option.code", ["128", "129", "130"]],
    ["portcontrol.option.description", ["a\\t\\nz"]],
    ["portcontrol.option.p64.prefix64", ["0064ff9b0000000000000000"]],
    ["portcontrol.option.p64.suffix", ["<MISSING>"]],
    ["portcontrol.option.portset.reserved", ["0x7f"]],
    ["portcontrol.option.portset.parity", ["1"]],
    ["portcontrol.option.padding", ["0000", "000000"]],
    ["portcontrol.option.unknown", []],
    ["portcontrol.no_such_field", []],
  ]
  for (const [name, values] of expected) assert.deepEqual(fieldValues(d, name), values, name)
  assert.deepEqual(fieldValues(dissect(bytes(`02 60 0000 00000000 ${CLIENT}`)), "portcontrol.opcode.unknown"), ["1"])
  assert.deepEqual(fieldValues(dissect(bytes("0085")), "nat-pmp.opcode.unknown"), ["1"])
  assert.deepEqual(
    fieldValues(dissect(bytes("0080000000000007cb")), "nat-pmp.external_ip"),
    [],
    "a cut field has no value",
  )
})

test("expand gives the whole tree as plain data", () => {
  const tree = expand(dissect(bytes(REQUEST)))
  assert.deepEqual(JSON.parse(JSON.stringify(tree)), tree)
  const [header, map] = tree.children ?? []
  assert.deepEqual(header.children?.[1], {
    name: "R",
    offset: 1,
    length: 1,
    bits: { first: 0, count: 1 },
    value: 0,
    text: "0 (request)",
    rfc: "RFC 6887 section 7.1",
    wireshark: "portcontrol.r",
  })
  assert.equal(header.children?.[5].value, "00000000000000000000ffffc0000201")
  assert.deepEqual(map.children, [
    {
      name: "Mapping Nonce",
      offset: 24,
      length: 0,
      missing: 12,
      value: "",
      text: "missing: 12 octets",
      rfc: "RFC 6887 section 11.1, figure 9",
      wireshark: "portcontrol.map.nonce",
    },
  ])
})
