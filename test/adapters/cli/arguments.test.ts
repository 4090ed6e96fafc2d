import assert from "node:assert/strict"
import { describe, it } from "node:test"
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

describe("wrapped text", () => {
  it("breaks at spaces, cuts words that are too long, and loses nothing", () => {
    assert.deepEqual(wrap("one two three", 7), ["one two", "three"])
    assert.deepEqual(wrap("abcdefghij kl", 4), ["abcd", "efgh", "ij", "kl"])
    assert.deepEqual(wrap("", 10), [""])
    assert.deepEqual(wrap("one two three four", 9, 2), ["one two", "  three", "  four"])
    assert.deepEqual(wrap("abcdefghij", 4, 2), ["abcd", "  ef", "  gh", "  ij"])
  })
})
