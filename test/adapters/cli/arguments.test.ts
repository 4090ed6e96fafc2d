import assert from "node:assert/strict"
import { describe, it } from "node:test"
import fc from "fast-check"
import { readPrefix } from "../../../adapters/cli/config/text.ts"
import { formatEndpoint, readEndpoint } from "../../../adapters/cli/endpoint.ts"
import { poolAddresses, readPool, readPorts } from "../../../adapters/cli/pool.ts"
import { wrap } from "../../../adapters/cli/wrap.ts"
import { formatAddress } from "../../../core/wire/index.ts"

describe("an address with a port", () => {
  for (const [text, printed] of [
    ["127.0.0.1", "127.0.0.1:5351"],
    ["127.0.0.1:0", "127.0.0.1:0"],
    ["::1", "[::1]:5351"],
    ["[::1]", "[::1]:5351"],
    ["[::1]:5352", "[::1]:5352"],
    ["2001:DB8:0::5351", "[2001:db8::5351]:5351"],
    ["fe80::1%eth0", "[fe80::1%eth0]:5351"],
    ["[fe80::1%eth0]:9", "[fe80::1%eth0]:9"],
    ["0.0.0.0", "0.0.0.0:5351"],
  ]) {
    it(`is read and printed: ${text}`, () => {
      const read = readEndpoint(text)
      assert.ok(read.ok)
      assert.equal(formatEndpoint(read.value), printed)
    })
  }

  for (const text of [
    "",
    ":",
    ":5351",
    "localhost",
    "1.2.3",
    "127.0.0.1:",
    "127.0.0.1:65536",
    "127.0.0.1:1:2",
    "[::1",
    "[::1]5351",
  ]) {
    it(`is refused: "${text}"`, () => assert.equal(readEndpoint(text).ok, false))
  }

  it("says what was expected with the port that it would take", () => {
    const read = readEndpoint("here", 9351)
    assert.match(read.ok ? "" : read.text, /expected 192\.0\.2\.1, 192\.0\.2\.1:9351, ::1 or \[::1\]:9351\.$/)
  })
})

describe("a pool", () => {
  const list = (text: string): string[] => {
    const read = readPool(text)
    assert.ok(read.ok, read.ok ? "" : read.text)
    return poolAddresses(read.value).map(formatAddress)
  }

  it("is addresses, prefixes and ranges", () => {
    assert.deepEqual(list("192.0.2.1"), ["192.0.2.1"])
    assert.deepEqual(list("192.0.2.4/31, 198.51.100.254-198.51.101.1"), [
      "192.0.2.4",
      "192.0.2.5",
      "198.51.100.254",
      "198.51.100.255",
      "198.51.101.0",
      "198.51.101.1",
    ])
    assert.equal(list("203.0.113.0/24").length, 256)
  })

  for (const text of [
    "",
    ",",
    "192.0.2.1,",
    "192.0.2.0/",
    "192.0.2.0/x",
    "192.0.2.0/24-192.0.2.9",
    "192.0.2.9-192.0.2.1",
    "::1-::2",
    "1.2.3.4.5",
  ]) {
    it(`is refused: "${text}"`, () => assert.equal(readPool(text).ok, false))
  }

  it("has a range of ports", () => {
    assert.deepEqual(readPorts("1024-65535"), { ok: true, value: { first: 1024, last: 65535 } })
    assert.deepEqual(readPorts("7"), { ok: true, value: { first: 7, last: 7 } })
    for (const text of ["", "0", "0-5", "5-4", "1-65536", "a-b", "1-2-3", "-5"]) assert.equal(readPorts(text).ok, false)
  })
})

describe("a prefix of addresses", () => {
  it("has the bits of the 128 on the wire, and none after them", () => {
    const prefix = (text: string): string => {
      const read = readPrefix(text)
      return read.ok ? `${formatAddress(read.value.address)} ${read.value.prefixLength}` : "refused"
    }
    for (const [text, expected] of [
      ["192.0.2.0/24", "192.0.2.0 120"],
      ["192.0.2.1", "192.0.2.1 128"],
      ["0.0.0.0/0", "0.0.0.0 96"],
      ["2001:db8::/32", "2001:db8:: 32"],
      ["::/0", ":: 0"],
      ["2001:db8::1/128", "2001:db8::1 128"],
      ["2001:db8:8000::/33", "2001:db8:8000:: 33"],
      ["2001:db8:8000::/32", "refused"],
      ["192.0.2.1/31", "refused"],
      ["192.0.2.0/33", "refused"],
      ["2001:db8::/129", "refused"],
      ["192.0.2.0/24/8", "refused"],
      ["192.0.2.0/", "refused"],
      ["home/8", "refused"],
      ["", "refused"],
    ])
      assert.equal(prefix(text), expected, text)
  })

  it("takes its own address and lengths, and any text without a throw", () => {
    fc.assert(fc.property(fc.string(), (text) => typeof readPrefix(text).ok === "boolean"))
    fc.assert(
      fc.property(fc.ipV4(), fc.integer({ min: 0, max: 32 }), (text, bits) => {
        const [a, b, c, d] = text.split(".").map(Number)
        const value = ((a << 24) | (b << 16) | (c << 8) | d) >>> 0
        const isWhole = value % 2 ** (32 - bits) === 0
        assert.equal(readPrefix(`${text}/${bits}`).ok, isWhole)
      }),
    )
  })
})

describe("wrapped text", () => {
  it("breaks at spaces, cuts words that are too long, and loses nothing", () => {
    assert.deepEqual(wrap("one two three", 7), ["one two", "three"])
    assert.deepEqual(wrap("abcdefghij kl", 4), ["abcd", "efgh", "ij", "kl"])
    assert.deepEqual(wrap("", 10), [""])
    assert.deepEqual(wrap("one two three four", 9, 2), ["one two", "  three", "  four"])
    assert.deepEqual(wrap("abcdefghij", 4, 2), ["abcd", "  ef", "  gh", "  ij"])
  })
})
