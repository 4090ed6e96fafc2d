import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import type { FoundPacket, PcapPacket, Reading } from "../../../../core/wire/text/index.ts"
import { formatForm, read, toHex, toHexdump, toPcap } from "../../../../core/wire/text/index.ts"
import { address as anyAddress } from "../arbitrary.ts"
import * as captured from "./captured.ts"
import { FRAMES } from "./frames.ts"
import { DUMPS, PLAIN, WORDS } from "./printed.ts"

const ok = (input: string | Uint8Array): Extract<Reading, { ok: true }> => {
  const reading = read(input)
  assert.ok(reading.ok, JSON.stringify([input, reading]))
  return reading
}

/** A reading of anything holds together: each octet has its span, places lie in the input and count lines rightly. */
const check = (input: string | Uint8Array): void => {
  const reading = read(input)
  const size = input.length
  const lines = typeof input === "string" ? input.split("\n") : undefined
  const place = ({ offset, line, column }: { offset: number; line?: number; column?: number }): void => {
    assert.ok(offset >= 0 && offset <= size, `${offset} of ${size}`)
    if (lines === undefined) return
    assert.ok(line !== undefined && column !== undefined)
    const before = lines.slice(0, line - 1).reduce((sum, text) => sum + text.length + 1, 0)
    assert.equal(before + column - 1, offset)
  }
  if (!reading.ok) {
    place(reading.error.place)
    return
  }
  formatForm(reading.form)
  for (const problem of reading.problems) {
    assert.ok(problem.count >= problem.places.length && problem.places.length > 0)
    problem.places.forEach(place)
  }
  for (const skipped of reading.skipped) place(skipped.first)
  for (const { bytes, map } of reading.packets) {
    if (map.kind === "file") assert.ok(map.offset + bytes.length <= size)
    else {
      assert.equal(map.starts.length, bytes.length)
      for (let i = 0; i < bytes.length; i++)
        assert.ok(map.starts[i] >= 0 && map.starts[i] < map.ends[i] && map.ends[i] <= size)
    }
  }
}

/** Fragments of all forms, put together at random: far nearer to them than random characters. */
const piece = fc.oneof(
  fc.string({ unit: "binary", maxLength: 4 }),
  fc.constantFrom(
    ..."0 1 2 a f 00 02 ff 0x \\x \\ \" ' ` { } [ ] ( ) < > | , : ; - . ... = == + # // /* */ * b x".split(" "),
  ),
  fc.constantFrom(
    " ",
    "  ",
    "\t",
    "\n",
    "\r\n",
    "\n\n",
    "0000",
    "0000000",
    "00000010",
    "0x0000:",
    "00000000:",
    "0201 0000",
  ),
  fc.constantFrom(
    "<Buffer ",
    "bytes.fromhex(",
    "hex(",
    "base64",
    "[4]byte{",
    "(byte)",
    "AgEA",
    "IP 1.2.3.4.5 > 6.7.8.9.5351: ",
    "\ufeff",
    "…",
    "é",
  ),
)
const soup = fc.array(piece, { maxLength: 40 }).map((pieces) => pieces.join(""))

test("any string gives a value", () => {
  fc.assert(fc.property(fc.string({ unit: "binary" }), check), { numRuns: 2000 })
  fc.assert(fc.property(soup, check), { numRuns: 5000 })
})

test("any octets give a value, also behind the magic of a capture", () => {
  const magic = fc.constantFrom(
    "",
    "a1b2c3d4",
    "d4c3b2a1",
    "a1b23c4d",
    "4d3cb2a1",
    "a1b2cd34",
    "0a0d0d0a",
    "fffe",
    "efbbbf",
  )
  const start = magic.map((digits) => Uint8Array.from(digits.match(/../g) ?? [], (octet) => Number.parseInt(octet, 16)))
  fc.assert(
    fc.property(start, fc.uint8Array({ maxLength: 200 }), (head, tail) => check(Uint8Array.from([...head, ...tail]))),
    { numRuns: 3000 },
  )
})

/** One change: a part replaced by another. */
const edit = fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(6), piece)

test("what tools print, changed at random places, gives a value", () => {
  const texts = [...DUMPS, ...WORDS, ...PLAIN, ...FRAMES].map((printed) => printed.lines.join("\n"))
  fc.assert(
    fc.property(fc.constantFrom(...texts), fc.array(edit, { minLength: 1, maxLength: 4 }), (text, edits) => {
      let changed = text
      for (const [where, length, part] of edits) {
        const at = Math.floor(where * changed.length)
        changed = changed.slice(0, at) + part + changed.slice(at + length)
      }
      check(changed)
    }),
    { numRuns: 2000 },
  )
})

test("captures with octets changed at random places give a value", () => {
  const files = Object.values(captured)
  const change = fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(255))
  fc.assert(
    fc.property(fc.constantFrom(...files), fc.array(change, { minLength: 1, maxLength: 6 }), (file, changes) => {
      const changed = file.slice()
      for (const [where, value] of changes) changed[Math.min(file.length - 1, Math.floor(where * file.length))] = value
      check(changed)
    }),
    { numRuns: 3000 },
  )
})

/** Octets as a message has them: a version first, which also keeps them from being a frame by themselves. */
const message = fc
  .tuple(fc.constantFrom(0, 1, 2), fc.uint8Array({ minLength: 1, maxLength: 80 }))
  .map(([version, rest]) => Uint8Array.from([version, ...rest]))

const joined = (packets: readonly FoundPacket[]): string => packets.map((packet) => toHex(packet.bytes)).join(" ")

const forms: readonly (readonly [name: string, write: (bytes: Uint8Array) => string, span: RegExp])[] = [
  ["plain hex", (b) => toHex(b), /^[0-9a-f]{2}$/],
  ["spaced capitals", (b) => toHex(b, { spaced: true, upper: true }), /^[0-9A-F]{2}$/],
  ["colons", (b) => toHex(b, { separator: ":" }), /^[0-9a-f]{2}$/],
  ["0x numbers", (b) => toHex(b, { prefix: "0x", separator: ", " }), /^[0-9a-f]{2}$/],
  ["C array", (b) => `unsigned char p[] = {${toHex(b, { prefix: "0x", separator: ",\n " })}};`, /^0x[0-9a-f]{2}$/],
  ["JavaScript array", (b) => `new Uint8Array([${Array.from(b).join(", ")}])`, /^\d{1,3}$/],
  ["Python bytes", (b) => `b"${toHex(b, { prefix: "\\x" })}"`, /^\\x[0-9a-f]{2}$/],
  ["bytes.fromhex", (b) => `bytes.fromhex("${toHex(b)}")`, /^[0-9a-f]{2}$/],
  ["base64", (b) => btoa(String.fromCharCode(...b)), /^[A-Za-z0-9+/]{2}$/],
  ["hexdump", toHexdump, /^[0-9a-f]{2}$/],
]

for (const [name, write, span] of forms)
  test(`${name}: what is written reads back, and the map points at each octet's characters`, () => {
    fc.assert(
      fc.property(message, (bytes) => {
        const text = write(bytes)
        // Base64 of nothing but hex digits is taken for hex, and said to be ambiguous.
        fc.pre(name !== "base64" || !/^[0-9a-f]+$/i.test(text))
        const { packets } = ok(text)
        assert.equal(joined(packets), toHex(bytes))
        const { map } = packets[0]
        assert.ok(map.kind === "text")
        bytes.forEach((octet, i) => {
          const part = text.slice(map.starts[i], map.ends[i])
          assert.match(part, span)
          if (name !== "base64" && name !== "JavaScript array")
            assert.equal(Number.parseInt(part.replace(/^\\?0?x/, ""), 16), octet)
          if (name === "JavaScript array") assert.equal(Number(part), octet)
        })
      }),
      { numRuns: 300 },
    )
  })

test("several hexdumps after each other read back as as many packets", () => {
  fc.assert(
    fc.property(fc.array(message, { minLength: 1, maxLength: 5 }), (messages) => {
      assert.equal(
        joined(ok(messages.map(toHexdump).join("")).packets),
        messages.map((bytes) => toHex(bytes)).join(" "),
      )
    }),
    { numRuns: 200 },
  )
})

test("toPcap reads back: payload, ends and time, on both link types and in both resolutions", () => {
  const port = fc.nat(65535)
  const packet: fc.Arbitrary<Required<Omit<PcapPacket, "direction">>> = fc.record(
    {
      bytes: fc.uint8Array({ maxLength: 100 }),
      source: anyAddress,
      sourcePort: port,
      destination: anyAddress,
      destinationPort: fc.constantFrom(5350, 5351),
      at: fc.record({ seconds: fc.nat(0xffffffff), nanoseconds: fc.nat(999999999) }, { noNullPrototype: true }),
    },
    { noNullPrototype: true },
  )
  const link = fc.constantFrom("raw", "ethernet")
  const precision = fc.constantFrom("microseconds", "nanoseconds")
  fc.assert(
    fc.property(fc.array(packet, { maxLength: 5 }), link, precision, (packets, l, p) => {
      const file = toPcap(packets, { link: l, precision: p })
      const reading = ok(file)
      assert.deepEqual(
        reading.packets.map(({ bytes, source, sourcePort, destination, destinationPort, at }) => ({
          ...{ bytes, source, sourcePort, destination, destinationPort, at },
        })),
        packets.map((one) => ({
          ...one,
          at: { ...one.at, nanoseconds: one.at.nanoseconds - (p === "nanoseconds" ? 0 : one.at.nanoseconds % 1000) },
        })),
      )
      for (const { map, bytes, encapsulation } of reading.packets) {
        assert.ok(map.kind === "file")
        assert.deepEqual(file.slice(map.offset, map.offset + bytes.length), bytes)
        assert.equal(encapsulation?.udpChecksum, "valid")
      }
    }),
    { numRuns: 500 },
  )
})
