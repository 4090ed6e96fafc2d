import assert from "node:assert/strict"
import { test } from "node:test"
import { formatAddress } from "../../../../core/wire/index.ts"
import type { FoundPacket, Reading } from "../../../../core/wire/text/index.ts"
import { read, toHex } from "../../../../core/wire/text/index.ts"
import { FRAMES } from "./frames.ts"
import type { Printed } from "./printed.ts"
import { DUMPS, PLAIN, WORDS } from "./printed.ts"

const textOf = (printed: Printed): string => `${printed.lines.join("\n")}\n`

const ok = (reading: Reading): Extract<Reading, { ok: true }> => {
  assert.ok(reading.ok, JSON.stringify(reading))
  return reading
}
const codes = (reading: Reading): string[] => ok(reading).problems.map((problem) => problem.code)

/** The characters that gave each octet, one string an octet. */
const spans = (text: string, { bytes, map }: FoundPacket): string[] => {
  assert.ok(map.kind === "text")
  assert.equal(map.starts.length, bytes.length)
  assert.equal(map.ends.length, bytes.length)
  return Array.from(bytes, (_, i) => text.slice(map.starts[i], map.ends[i]))
}

for (const printed of DUMPS)
  test(`${printed.command}: its octets, and nothing to say about it`, () => {
    const text = textOf(printed)
    const reading = ok(read(text))
    assert.deepEqual(
      reading.packets.map((packet) => toHex(packet.bytes)),
      printed.packets,
    )
    assert.equal(reading.form.kind, "dump")
    assert.deepEqual(reading.problems, [])
    assert.deepEqual(reading.ambiguous, [])
  })

for (const printed of WORDS)
  test(`${printed.command}: its octets, and that their order is the machine's`, () => {
    const reading = ok(read(textOf(printed)))
    assert.deepEqual(
      reading.packets.map((packet) => toHex(packet.bytes)),
      printed.packets,
    )
    assert.ok(codes(reading).includes("word-order"), codes(reading).join())
    assert.ok(reading.form.kind === "dump" && reading.form.order === "little")
  })

for (const printed of PLAIN)
  test(`${printed.command}: its octets`, () => {
    const reading = ok(read(textOf(printed)))
    assert.deepEqual(
      reading.packets.map((packet) => toHex(packet.bytes)),
      printed.packets,
    )
  })

for (const printed of FRAMES)
  test(`${printed.command}: the UDP payloads`, () => {
    const reading = ok(read(textOf(printed)))
    assert.deepEqual(
      reading.packets.map((packet) => toHex(packet.bytes)),
      printed.packets,
    )
    assert.ok(codes(reading).includes("headers-stripped"))
    assert.ok(!codes(reading).includes("header-differs"), "the header lines agree with the packets")
    const ports = reading.packets.map((packet) => [packet.sourcePort, packet.destinationPort])
    assert.ok(ports.every((pair) => pair.includes(5351)))
  })

test("every file that tools print is read the same with CRLF line ends, as a file in UTF-8, and in UTF-16", () => {
  for (const printed of [...DUMPS, ...WORDS, ...PLAIN, ...FRAMES]) {
    const text = textOf(printed)
    const wide = new Uint8Array(2 + 2 * text.length)
    wide.set([0xff, 0xfe])
    for (let i = 0; i < text.length; i++) wide.set([text.charCodeAt(i) & 255, text.charCodeAt(i) >> 8], 2 + 2 * i)
    for (const input of [text.replaceAll("\n", "\r\n"), new TextEncoder().encode(text), wide])
      assert.deepEqual(
        ok(read(input)).packets.map((packet) => toHex(packet.bytes)),
        printed.packets,
        printed.command,
      )
  }
})

test("the byte map of a hex dump points at the two digits of each octet, in words too", () => {
  for (const printed of [...DUMPS, ...WORDS, ...PLAIN, ...FRAMES]) {
    const text = textOf(printed)
    const reading = ok(read(text))
    for (const packet of reading.packets) {
      const digits = spans(text, packet)
      const hexUnits = reading.form.kind === "dump" ? reading.form.base === 16 : reading.form.kind === "hex"
      if (hexUnits)
        digits.forEach((span, i) => {
          // A row that was left out has its star for each of its octets.
          if (span !== "*") assert.equal(Number.parseInt(span, 16), packet.bytes[i], printed.command)
        })
    }
  }
})

test("the byte map of od's octal words points at the word that two octets share", () => {
  const printed = WORDS.find(({ command }) => command === "od req.bin")
  assert.ok(printed !== undefined)
  const text = textOf(printed)
  const [packet] = ok(read(text)).packets
  spans(text, packet).forEach((word, i) => {
    const value = Number.parseInt(word, 8)
    assert.equal(i % 2 === 0 ? value & 255 : value >> 8, packet.bytes[i])
  })
})

test("which tool printed a dump is told by its habits", () => {
  const tool = (command: string): string => {
    const printed = [...DUMPS, ...WORDS, ...FRAMES].find((p) => p.command === command)
    assert.ok(printed !== undefined, command)
    const { form } = ok(read(textOf(printed)))
    assert.ok(form.kind === "dump")
    return form.tool
  }
  assert.equal(tool("xxd req.bin"), "xxd")
  assert.equal(tool("hexdump -C req.bin"), "hexdump -C")
  assert.equal(tool("hexdump req.bin"), "hexdump")
  assert.equal(tool("od req.bin"), "od")
  assert.equal(tool("od -Ax -tx1 req.bin"), "od")
  assert.equal(tool("tcpdump -n -x -r eth.pcap"), "tcpdump")
  assert.equal(tool("tshark -x -r eth.pcap"), "tshark")
})

test("tcpdump's header line gives the time: a moment with -tt, the text of it otherwise", () => {
  const packet = (command: string): FoundPacket => {
    const printed = FRAMES.find((p) => p.command === command)
    assert.ok(printed !== undefined, command)
    return ok(read(textOf(printed))).packets[0]
  }
  const seconds = packet("tcpdump -n -tt -x -c 1 -r raw.pcap")
  assert.deepEqual(seconds.at, { seconds: 1700000000, nanoseconds: 123456000 })
  assert.equal(seconds.timeText, undefined)
  assert.equal(packet("tcpdump -n -x -r eth.pcap").timeText, "22:13:20.123456")
  assert.equal(packet("tcpdump -n -tttt -v -x -c 2 -r eth.pcap").timeText, "2023-11-14 22:13:20.123456")
  const ends = packet("tcpdump -n -x -r eth.pcap")
  assert.ok(ends.source !== undefined && ends.destination !== undefined)
  assert.equal(`${formatAddress(ends.source)} ${ends.sourcePort}`, "192.0.2.2 49152")
  assert.equal(`${formatAddress(ends.destination)} ${ends.destinationPort}`, "192.0.2.1 5351")
  assert.equal(ends.encapsulation?.headers, 28)
  assert.equal(ends.encapsulation?.udpChecksum, "valid")
})

test("a tcpdump header that names other ends than the packet below is reported", () => {
  const printed = FRAMES[0]
  const text = textOf(printed).replace("192.0.2.2.49152 >", "192.0.2.9.49152 >")
  const problem = ok(read(text)).problems.find((p) => p.code === "header-differs")
  assert.deepEqual(problem?.places, [{ offset: 0, line: 1, column: 1 }])
})

test("tcpdump without -x has no octets, and that is said with the place", () => {
  const printed = FRAMES[0]
  const text = printed.lines.filter((line) => !line.startsWith("\t")).join("\n")
  const reading = read(text)
  assert.ok(!reading.ok)
  assert.equal(reading.error.code, "no-octets")
  assert.equal(reading.error.place.line, 1)
})

test("octets edited in a dump whose characters were left as they were: the octets count, the row is named", () => {
  const printed = DUMPS.find(({ command }) => command === "hexdump -C req.bin")
  assert.ok(printed !== undefined)
  const text = textOf(printed).replace("6c 6c 79 20", "6c 6c 79 21")
  const reading = ok(read(text))
  assert.equal(toHex(reading.packets[0].bytes), printed.packets[0].replace("6c6c7920", "6c6c7921"))
  const problem = reading.problems.find((p) => p.code === "characters-differ")
  assert.equal(problem?.places[0].line, 2)
})

test("a row missing from a dump starts a new packet, and the row after the gap is named", () => {
  const printed = DUMPS.find(({ command }) => command === "xxd req.bin")
  assert.ok(printed !== undefined)
  const lines = printed.lines.filter((_, i) => i !== 1)
  const reading = ok(read(lines.join("\n")))
  assert.deepEqual(
    reading.packets.map((packet) => packet.bytes.length),
    [16, 28],
  )
  const problem = reading.problems.find((p) => p.code === "offset-gap")
  assert.deepEqual(problem?.places, [{ offset: lines[0].length + 1, line: 2, column: 1 }])
})

test("several dumps in one text: offset 0 starts a packet, and text around them is passed over with a note", () => {
  const [first, second] = [DUMPS[0], DUMPS[0]]
  const text = `$ ${first.command}\n${textOf(first)}some words\n${textOf(second)}`
  const reading = ok(read(text))
  assert.deepEqual(
    reading.packets.map((packet) => toHex(packet.bytes)),
    [...first.packets, ...second.packets],
  )
  const problem = reading.problems.find((p) => p.code === "text-ignored")
  assert.equal(problem?.count, 2)
  assert.deepEqual(
    problem?.places.map((place) => place.line),
    [1, first.lines.length + 2],
  )
})

test("a star repeats the row before it", () => {
  // `od -Ax -tx1` of three equal rows and one octet.
  const text = "000000 02 01 00 00 00 00 0e 10 00 00 00 00 00 00 00 00\n*\n000030 00\n000031\n"
  const reading = ok(read(text))
  assert.equal(toHex(reading.packets[0].bytes), `${"0201000000000e100000000000000000".repeat(3)}00`)
  assert.deepEqual(spans(text, reading.packets[0]).slice(15, 17), ["00", "*"])
})

test("characters that read as hex are no octets: the next row's offset and the column of the rows before bound a row", () => {
  // Edited octets beside stale characters, in the middle and in the last row.
  const rows = ["00000000: 0201 4142  ..AB", "00000004: 0000 0000  0e10", "00000008: 0001       0e"]
  const reading = ok(read(rows.join("\n")))
  assert.equal(toHex(reading.packets[0].bytes), "020141420000" + "00000001")
  const differ = reading.problems.find((p) => p.code === "characters-differ")
  assert.deepEqual(
    differ?.places.map((place) => [place.line, place.column]),
    [
      [2, 22],
      [3, 22],
    ],
  )
})

test("the next row's offset bounds a row whose characters read as hex, before any row has shown their column", () => {
  const reading = ok(read("00000000: 0201 4142  0e10\n00000004: 0000\n"))
  assert.equal(toHex(reading.packets[0].bytes), "020141420000")
})

test("a star that stands for gigabytes is an error at its offset, not a try", () => {
  const reading = read("00000000  02 01 00 00\n*\nffffff00\n")
  assert.ok(!reading.ok)
  assert.equal(reading.error.code, "too-large")
  assert.deepEqual(reading.error.place, { offset: 24, line: 3, column: 1 })
})
