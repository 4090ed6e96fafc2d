import assert from "node:assert/strict"
import { Buffer } from "node:buffer"
import { test } from "node:test"
import fc from "fast-check"
import { encode, encodeWith, NO_RESIDUE, parse } from "../../../core/wire/index.ts"
import { anyBytes, canonicalBytes, packet, pcpRequest } from "./arbitrary.ts"
import { toHex } from "./hex.ts"

const RUNS = 5000

test("parse is the inverse of encode: every packet comes back from its own bytes, with no residue", () => {
  let encodedCount = 0
  fc.assert(
    fc.property(packet, (value) => {
      const encoded = encode(value)
      if (!encoded.ok) return assert.equal(encoded.error.code, "too-long")
      encodedCount++
      assert.deepEqual(parse(encoded.bytes), { ok: true, packet: value, residue: NO_RESIDUE })
    }),
    { numRuns: RUNS },
  )
  assert.ok(encodedCount > RUNS * 0.95, `only ${encodedCount} packets had bytes`)
})

test("encode is the inverse of parse: canonical bytes come back as they were", () => {
  fc.assert(
    fc.property(canonicalBytes, (bytes) => {
      const parsed = parse(bytes)
      assert.ok(parsed.ok)
      const encoded = encode(parsed.packet)
      assert.ok(encoded.ok)
      assert.equal(toHex(encoded.bytes), toHex(bytes))
    }),
    { numRuns: RUNS },
  )
})

test("any bytes at all: no throw, and with the residue every octet of what parses comes back", () => {
  let parsedCount = 0
  let residueCount = 0
  fc.assert(
    fc.property(anyBytes, (bytes) => {
      const before = toHex(bytes)
      const parsed = parse(bytes)
      assert.equal(toHex(bytes), before, "parse changed its input")
      if (!parsed.ok) {
        assert.ok(parsed.error.offset >= 0 && parsed.error.offset <= bytes.length)
        assert.match(parsed.error.clause, /^RFC \d{4} \d/)
        return
      }
      parsedCount++
      if (parsed.residue.length > 0) residueCount++
      const again = encodeWith(parsed.packet, parsed.residue)
      assert.ok(again.ok, !again.ok ? again.error.text : "")
      assert.equal(toHex(again.bytes), before)
    }),
    { numRuns: 4 * RUNS },
  )
  assert.ok(parsedCount > RUNS && residueCount > RUNS / 10, `parsed ${parsedCount}, with residue ${residueCount}`)
})

test("without residue the canonical form is the packet itself, with residue it differs", () => {
  fc.assert(
    fc.property(anyBytes, (bytes) => {
      const parsed = parse(bytes)
      if (!parsed.ok) return
      const encoded = encode(parsed.packet)
      assert.ok(encoded.ok)
      assert.equal(toHex(encoded.bytes) === toHex(bytes), parsed.residue.length === 0)
    }),
    { numRuns: RUNS },
  )
})

test("what parse gives shares no memory with its input, nor is it of another kind where that is a Buffer", () => {
  fc.assert(
    fc.property(anyBytes, (bytes) => {
      for (const overwritten of [bytes.slice(), Buffer.from(bytes)]) {
        const parsed = parse(overwritten)
        overwritten.fill(0xaa)
        assert.deepEqual(parsed, parse(bytes))
      }
    }),
    { numRuns: RUNS },
  )
})

test("a packet with parts cut out of a larger buffer parses the same", () => {
  fc.assert(
    fc.property(pcpRequest, fc.nat(7), (value, shift) => {
      const encoded = encode(value)
      if (!encoded.ok) return
      const buffer = new Uint8Array(encoded.bytes.length + shift + 9).fill(0xff)
      buffer.set(encoded.bytes, shift)
      assert.deepEqual(parse(buffer.subarray(shift, shift + encoded.bytes.length)), parse(encoded.bytes))
    }),
    { numRuns: 500 },
  )
})
