import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { test } from "node:test"
import fc from "fast-check"
import { Protocol, protocolName } from "../../../core/wire/index.ts"
import { protocolNumber } from "../../../core/wire/text/index.ts"

/** IANA's protocol-numbers-1.csv, columns Decimal and Keyword: rows that have a keyword. */
const REGISTRY = readFileSync(new URL("protocol-numbers.csv", import.meta.url), "utf8")
  .trim()
  .split("\n")
  .slice(1)
  .map((line): readonly [number, string] => {
    const comma = line.indexOf(",")
    return [Number(line.slice(0, comma)), line.slice(comma + 1)]
  })

test("every keyword of IANA's registry is its number, in either case", () => {
  assert.equal(REGISTRY.length, 148 - 5)
  for (const [number, keyword] of REGISTRY)
    for (const text of [keyword, keyword.toLowerCase(), keyword.toUpperCase()])
      assert.equal(protocolNumber(text), number, text)
})

test("a number is called by the registry's keyword, but for what PCP means by 0", () => {
  const named = new Map(REGISTRY)
  for (let number = 1; number < 253; number++)
    assert.equal(protocolName(number), named.get(number) ?? `protocol ${number}`)
  assert.equal(protocolName(0), "all protocols")
})

test("a decimal number is itself, 0 to 255, and nothing else is", () => {
  for (let number = 0; number < 256; number++) assert.equal(protocolNumber(`${number}`), number)
  for (const text of ["256", "-1", "+6", "06", "1e1", "6.0", " 6", "0x6", "", "nobody", "protocol 6"])
    assert.equal(protocolNumber(text), undefined, text)
})

test("names that systems use besides", () => {
  assert.equal(protocolNumber("ICMPv6"), 58)
  assert.equal(protocolNumber("ospf"), 89)
  assert.equal(protocolNumber("udp-lite"), Protocol.UDP_LITE)
  assert.equal(protocolNumber("ipencap"), 4)
})

test("any text gives a number of 0 to 255 or nothing", () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      const number = protocolNumber(text)
      assert.ok(number === undefined || (Number.isInteger(number) && number >= 0 && number <= 255))
    }),
  )
})
