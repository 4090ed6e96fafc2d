import assert from "node:assert/strict"
import { describe, it } from "node:test"
import fc from "fast-check"
import { fill, match, readTemplate, toHex, wantedText } from "../../adapters/conformance/template.ts"
import { broken, numberOf } from "../../adapters/conformance/where.ts"

const octets = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, "hex"))
const NONE = new Map<string, Uint8Array>()

describe("templates", () => {
  it("stand for octets: hex in any spacing, and variables", () => {
    const filled = fill("02 81\n0a0B {port} ff", new Map([["port", octets("1234")]]))
    assert.ok(filled.ok && "bytes" in filled)
    assert.equal(toHex(filled.bytes), "02810a0b1234ff")
  })

  it("can't be sent with free octets or unknown variables", () => {
    for (const text of ["02 ?1", "02 ...", "{port}", "{port:2}"]) assert.equal(fill(text, NONE).ok, false, text)
  })

  it("match octet by octet, and say where they do not", () => {
    assert.ok(match("02 ?2 05", octets("02aabb05"), NONE).ok)
    const met = match("02 ?2 05", octets("02aabb06"), NONE)
    assert.ok(!met.ok)
    assert.deepEqual(
      met.mismatches.map(({ offset }) => offset),
      [3],
    )
  })

  it("want the whole packet, unless they end with ...", () => {
    assert.equal(match("02 03", octets("020304"), NONE).ok, false)
    assert.equal(match("02 03", octets("02"), NONE).ok, false)
    assert.ok(match("02 ...", octets("020304"), NONE).ok)
    assert.ok(match("02 ...", octets("02"), NONE).ok)
  })

  it("keep octets under a name once, and want them again after", () => {
    const first = match("{port:2} 00", octets("123400"), NONE)
    assert.ok(first.ok)
    assert.equal(numberOf(first.bindings.get("port") ?? octets("")), 0x1234n)
    assert.ok(match("{port:2}", octets("1234"), first.bindings).ok)
    assert.equal(match("{port:2}", octets("1235"), first.bindings).ok, false)
    assert.equal(match("{port}", octets("1235"), first.bindings).ok, false)
    assert.equal(wantedText("ff {port} {other:1} ?1 ...", first.bindings), "ff1234.... ...".replaceAll(" ", ""))
  })

  it("name what can't be read", () => {
    for (const text of ["0", "02 8", "{", "{1a}", "?", "?x", "02 ... 03", "zz", "{a:}"])
      assert.equal(readTemplate(text).ok, false, text)
  })

  it("match what they stand for, whatever the octets", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), fc.nat(64), fc.uint8Array({ maxLength: 8 }), (bytes, at, more) => {
        const hex = toHex(bytes)
        assert.ok(match(hex, bytes, NONE).ok)
        assert.ok(match(`?${bytes.length}`, bytes, NONE).ok)
        assert.equal(match(hex, Uint8Array.of(...bytes, ...more), NONE).ok, more.length === 0)
        if (at < bytes.length) {
          const other = bytes.slice()
          other[at] ^= 1
          const met = match(hex, other, NONE)
          assert.ok(!met.ok)
          assert.equal(met.mismatches[0].offset, at)
        }
      }),
    )
  })

  it("never throw, whatever the text and the octets", () => {
    fc.assert(
      fc.property(fc.string(), fc.uint8Array({ maxLength: 32 }), (text, bytes) => {
        match(text, bytes, NONE)
        fill(text, NONE)
      }),
    )
  })
})

describe("limits on kept values", () => {
  const kept = new Map([
    ["a", octets("00000010")],
    ["b", octets("00000013")],
  ])
  it("hold or are told", () => {
    assert.deepEqual(broken([{ name: "a", atLeast: 16, atMost: 16 }], kept), [])
    assert.deepEqual(broken([{ name: "b", minus: "a", atLeast: 3, atMost: 3 }], kept), [])
    assert.deepEqual(broken([{ name: "a", minus: "b", atLeast: -3, atMost: -3 }], kept), [])
    assert.deepEqual(broken([{ name: "a", differsFrom: "b" }], kept), [])
    for (const limit of [
      { name: "a", atLeast: 17 },
      { name: "a", atMost: 15 },
      { name: "b", minus: "a", atMost: 2 },
      { name: "a", differsFrom: "a" },
      { name: "a", parityOf: "b" },
      { name: "c", atLeast: 0 },
    ])
      assert.equal(broken([limit], kept).length, 1, JSON.stringify(limit))
  })
})
