import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import {
  ANY4,
  ANY6,
  addressFromIpv4,
  addressFromWords,
  addressWord,
  formatAddress,
  formatMapped,
  ipv4Value,
  isAny,
  isIpv4,
  parseAddress,
  readAddress,
  readIpv4,
  writeAddress,
} from "../../../core/wire/index.ts"
import { address as anyAddress } from "./arbitrary.ts"
import { hex, toHex } from "./hex.ts"
import { address } from "./vectors.ts"

/** Reads text and prints it again. */
const canonical = (text: string): string => formatAddress(address(text))

test("the forms of RFC 5952 section 1 and 2 all print as section 4 wants", () => {
  for (const [text, printed] of [
    // Section 1: eight ways to write one address.
    ["2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
    ["2001:0db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
    ["2001:db8::1:0:0:1", "2001:db8::1:0:0:1"],
    ["2001:db8::0:1:0:0:1", "2001:db8::1:0:0:1"],
    ["2001:0db8::1:0:0:1", "2001:db8::1:0:0:1"],
    ["2001:db8:0:0:1::1", "2001:db8::1:0:0:1"],
    ["2001:db8:0000:0:1::1", "2001:db8::1:0:0:1"],
    ["2001:DB8:0:0:1::1", "2001:db8::1:0:0:1"],
    // Section 2.1, leading zeros.
    ["2001:db8:aaaa:bbbb:cccc:dddd:eeee:0001", "2001:db8:aaaa:bbbb:cccc:dddd:eeee:1"],
    ["2001:db8:aaaa:bbbb:cccc:dddd:eeee:01", "2001:db8:aaaa:bbbb:cccc:dddd:eeee:1"],
    // Section 2.2, zero compression.
    ["2001:db8:aaaa:bbbb:cccc:dddd::1", "2001:db8:aaaa:bbbb:cccc:dddd:0:1"],
    ["2001:db8:aaaa:bbbb:cccc:dddd:0:1", "2001:db8:aaaa:bbbb:cccc:dddd:0:1"],
    ["2001:db8:0:0:0::1", "2001:db8::1"],
    ["2001:db8:0:0::1", "2001:db8::1"],
    ["2001:db8:0::1", "2001:db8::1"],
    ["2001:db8::aaaa:0:0:1", "2001:db8::aaaa:0:0:1"],
    ["2001:db8:0:0:aaaa::1", "2001:db8::aaaa:0:0:1"],
    // Section 2.3, upper case.
    ["2001:DB8:aaaa:bbbb:CCCC:dddd:eeee:AAAA", "2001:db8:aaaa:bbbb:cccc:dddd:eeee:aaaa"],
    // Section 4.1 and 4.2.
    ["2001:0db8::0001", "2001:db8::1"],
    ["2001:db8:0:0:0:0:2:1", "2001:db8::2:1"],
    ["2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"],
    ["2001:0:0:1:0:0:0:1", "2001:0:0:1::1"],
    ["2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
    // The ends.
    ["::", "::"],
    ["0:0:0:0:0:0:0:0", "::"],
    ["::1", "::1"],
    ["1::", "1::"],
    ["ff02::1", "ff02::1"],
    ["1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"],
    ["1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"],
    ["::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"],
  ] as const) {
    assert.equal(canonical(text), printed, text)
  }
})

test("IPv4 and IPv4-mapped are one address, printed either way (RFC 5952 section 5)", () => {
  const mapped = hex("00 00 00 00 00 00 00 00 00 00 ff ff c0 00 02 01")
  const value = readAddress(mapped, 0)
  assert.equal(value, address("192.0.2.1"))
  assert.equal(value, address("::ffff:192.0.2.1"))
  assert.equal(value, address("::FFFF:c000:201"))
  assert.equal(value, address("0:0:0:0:0:ffff:192.0.2.1"))
  assert.equal(value, readIpv4(hex("c0 00 02 01"), 0))
  assert.equal(value, addressFromIpv4(0xc0000201))
  assert.equal(value, addressFromIpv4(0xc0000201 | 0))
  assert.equal(formatAddress(value), "192.0.2.1")
  assert.equal(formatMapped(value), "::ffff:192.0.2.1")
  assert.equal(formatMapped(address("2001:db8::1")), "2001:db8::1")
  assert.equal(ipv4Value(value), 0xc0000201)
  assert.equal(ipv4Value(address("255.255.255.255")), 0xffffffff)
  assert.equal(formatAddress(address("64:ff9b::192.0.2.1")), "64:ff9b::c000:201")
})

test("B-01 all of the first 96 bits decide what is IPv4", () => {
  assert.ok(isIpv4(address("::ffff:0.0.0.0")))
  const mapped = hex("00 00 00 00 00 00 00 00 00 00 ff ff c0 00 02 01")
  for (let bit = 0; bit < 96; bit++) {
    const near = mapped.with(bit >> 3, mapped[bit >> 3] ^ (0x80 >> (bit & 7)))
    assert.equal(isIpv4(readAddress(near, 0)), false, `bit ${bit}`)
  }
  assert.equal(isIpv4(address("::192.0.2.1")), false)
})

test("B-01 the all-zeros address of either family", () => {
  assert.equal(address("::"), ANY6)
  assert.equal(address("0.0.0.0"), ANY4)
  assert.equal(address("::ffff:0:0"), ANY4)
  assert.equal(formatAddress(ANY6), "::")
  assert.equal(formatAddress(ANY4), "0.0.0.0")
  assert.equal(formatMapped(ANY4), "::ffff:0.0.0.0")
  assert.ok(isAny(ANY4) && isAny(ANY6) && !isAny(address("::1")) && !isAny(address("0.0.0.1")))
  assert.notEqual(ANY4, ANY6)
})

test("what is no address", () => {
  for (const text of [
    "",
    ":",
    ":::",
    "1",
    "1.2.3",
    "1.2.3.4.5",
    "1.2.3.256",
    "1.2.3.04",
    "1.2.3.-4",
    " 1.2.3.4",
    "1.2.3.4 ",
    "1.2.3.4\n",
    "1..2.3",
    "0x1.2.3.4",
    "１.2.3.4",
    "1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:8:9",
    "1:2:3:4:5:6:7:8::",
    "::1:2:3:4:5:6:7:8",
    "1::2::3",
    ":1::2",
    "1::2:",
    "::1:",
    "1:",
    ":1",
    "12345::",
    "g::",
    "::1.2.3",
    "::1.2.3.4.5",
    "1.2.3.4::",
    "::1.2.3.4:1",
    "1:2:3:4:5:6:7:1.2.3.4",
    "fe80::1%eth0",
    "[::1]",
    "::1/128",
  ]) {
    assert.equal(parseAddress(text), undefined, JSON.stringify(text))
  }
})

test("value equality, order and use as a key", () => {
  const map = new Map([[address("2001:db8::1"), "found"]])
  assert.equal(map.get(readAddress(hex("20 01 0d b8 00 00 00 00 00 00 00 00 00 00 00 01"), 0)), "found")
  assert.ok(address("10.0.0.9") < address("10.0.0.10"))
  assert.ok(address("2001:db8::ffff") < address("2001:db8::1:0"))
})

test("every address: octets, words and text come back", () => {
  fc.assert(
    fc.property(anyAddress, fc.nat(5), (value, offset) => {
      const bytes = new Uint8Array(16 + offset)
      writeAddress(bytes, offset, value)
      assert.equal(readAddress(bytes, offset), value)
      const again = addressFromWords(
        addressWord(value, 0),
        addressWord(value, 1),
        addressWord(value, 2),
        addressWord(value, 3),
      )
      assert.equal(again, value)
      assert.equal(parseAddress(formatAddress(value)), value)
      assert.equal(parseAddress(formatMapped(value)), value)
      // The plain long form, made from the octets alone.
      const long = (toHex(bytes.subarray(offset)).match(/.{4}/g) ?? []).join(":")
      assert.equal(parseAddress(long), value)
      assert.equal(parseAddress(long.toUpperCase()), value)
    }),
    { numRuns: 2000 },
  )
})

test("printing agrees with the host's own URL parser, which follows RFC 5952 for IPv6", () => {
  fc.assert(
    fc.property(anyAddress, (value) => {
      if (isIpv4(value)) return
      assert.equal(new URL(`http://[${formatAddress(value)}]/`).hostname, `[${formatAddress(value)}]`)
    }),
    { numRuns: 1000 },
  )
})

test("no text makes it throw", () => {
  const soup = fc.string({ unit: fc.constantFrom("0", "1", "f", "F", ":", "::", ".", "255", "g", " ") })
  fc.assert(
    fc.property(fc.oneof(soup, fc.string()), (text) => {
      const value = parseAddress(text)
      if (value !== undefined) assert.equal(value.length, 8)
    }),
    { numRuns: 3000 },
  )
})
