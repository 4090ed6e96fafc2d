import assert from "node:assert/strict"
import { describe, test } from "node:test"
import fc from "fast-check"
import { embedIpv4, extractIpv4, prefix64Fault, WELL_KNOWN_PREFIX } from "../../../../core/cgn/packet/index.ts"
import { addressFromIpv4, formatAddress } from "../../../../core/wire/index.ts"
import { address, prefix } from "./scene.ts"

/** RFC 6052 section 2.4, table 1. */
const TABLE_1 = [
  ["2001:db8::/32", "2001:db8:c000:221::"],
  ["2001:db8:100::/40", "2001:db8:1c0:2:21::"],
  ["2001:db8:122::/48", "2001:db8:122:c000:2:2100::"],
  ["2001:db8:122:300::/56", "2001:db8:122:3c0:0:221::"],
  ["2001:db8:122:344::/64", "2001:db8:122:344:c0:2:2100::"],
  ["2001:db8:122:344::/96", "2001:db8:122:344::c000:221"],
] as const

describe("RFC 6052 addresses", () => {
  for (const [text, ipv6] of TABLE_1)
    test(`NAT-6052-2.4: 192.0.2.33 behind ${text}, both ways`, () => {
      assert.equal(prefix64Fault(prefix(text)), undefined)
      assert.equal(embedIpv4(prefix(text), address("192.0.2.33")), address(ipv6))
      assert.equal(extractIpv4(prefix(text), address(ipv6)), address("192.0.2.33"))
    })

  test("NAT-6052-2.2: bits behind the address are not looked at, those of the prefix are", () => {
    for (const [text, ipv6] of TABLE_1.slice(0, 5)) {
      assert.equal(
        extractIpv4(prefix(text), address(ipv6.replace(/::$/, text.endsWith("64") ? ":1" : "::1"))),
        address("192.0.2.33"),
      )
      assert.equal(extractIpv4(prefix(text), address(ipv6.replace("2001:db8", "2001:db9"))), undefined)
    }
    const others = ["2001:db8:2c0:2:21::", "2001:db8:123:c000:2:2100::", "2001:db8:122:4c0:0:221::"]
    others.push("2001:db8:122:345:c0:2:2100::", "2001:db8:122:344:1::c000:221")
    TABLE_1.slice(1).forEach(([text], i) => {
      assert.equal(extractIpv4(prefix(text), address(others[i])), undefined)
    })
  })

  test("NAT-6052-3.1: the Well-Known Prefix is for global addresses alone", () => {
    for (const ipv4 of [
      "10.0.0.1",
      "127.0.0.1",
      "169.254.1.1",
      "172.31.0.1",
      "192.168.1.1",
      "224.0.0.1",
      "0.1.2.3",
      "192.0.2.200",
      "198.19.0.1",
    ]) {
      assert.equal(embedIpv4(WELL_KNOWN_PREFIX, address(ipv4)), undefined, ipv4)
      const embedded = embedIpv4(prefix("2001:db8::/96"), address(ipv4))
      assert.ok(embedded !== undefined)
      assert.equal(extractIpv4(prefix("2001:db8::/96"), embedded), address(ipv4))
      assert.equal(extractIpv4(WELL_KNOWN_PREFIX, address(`64:ff9b::${formatAddress(embedded).slice(10)}`)), undefined)
    }
    for (const ipv4 of ["8.8.8.8", "172.32.0.1", "192.0.3.1", "100.64.0.1", "198.20.0.1"]) {
      const embedded = embedIpv4(WELL_KNOWN_PREFIX, address(ipv4))
      assert.ok(embedded !== undefined, ipv4)
      assert.equal(extractIpv4(WELL_KNOWN_PREFIX, embedded), address(ipv4))
    }
  })

  test("NAT-6052-2.2: prefixes that cannot be", () => {
    for (const text of [
      "2001:db8::/33",
      "2001:db8::1/96",
      "::/96",
      "ff00::/32",
      "2001:db8:0:0:100::/96",
      "2001:db8:1::/40",
    ])
      assert.notEqual(prefix64Fault(prefix(text)), undefined, text)
    assert.equal(prefix64Fault(WELL_KNOWN_PREFIX), undefined)
    assert.equal(embedIpv4(WELL_KNOWN_PREFIX, address("2001:db8::1")), undefined)
  })

  test("NAT-6052-2.3: behind prefixes with their top bits set", () => {
    for (const text of [
      "fd00:db8:ff00::/40",
      "fd00:db8:ff00::/48",
      "fd00:db8:ff00:ff00::/56",
      "fd00:db8:ff00:ff00::/64",
    ]) {
      const embedded = embedIpv4(prefix(text), address("203.0.113.254"))
      assert.ok(embedded !== undefined)
      assert.equal(extractIpv4(prefix(text), embedded), address("203.0.113.254"), text)
    }
  })

  test("NAT-6052-2.3: every address, behind every length, comes back; octet 8 is zero", () => {
    fc.assert(
      fc.property(fc.nat(0xffffffff), fc.constantFrom(...TABLE_1), (value, [text]) => {
        const embedded = embedIpv4(prefix(text), addressFromIpv4(value))
        assert.ok(embedded !== undefined)
        assert.equal(embedded.charCodeAt(4) >>> 8, 0)
        assert.equal(extractIpv4(prefix(text), embedded), addressFromIpv4(value))
      }),
    )
  })
})
