import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { classOfAddress, isDoubleNat } from "../../../core/client/index.ts"
import { formatAddress, parseAddress } from "../../../core/wire/index.ts"
import { address } from "./scene.ts"

test("the class of an external address, at both ends of its block and beside it", () => {
  const rows: readonly (readonly [string, string])[] = [
    ["0.0.0.0", "unspecified"],
    ["0.0.0.1", "this-network"],
    ["1.0.0.0", "public"],
    ["8.8.8.8", "public"],
    ["9.255.255.255", "public"],
    ["10.0.0.0", "private"],
    ["10.255.255.255", "private"],
    ["11.0.0.0", "public"],
    ["100.63.255.255", "public"],
    ["100.64.0.0", "shared"],
    ["100.127.255.255", "shared"],
    ["100.128.0.0", "public"],
    ["127.0.0.1", "loopback"],
    ["169.254.1.1", "link-local"],
    ["172.15.255.255", "public"],
    ["172.16.0.0", "private"],
    ["172.31.255.255", "private"],
    ["172.32.0.0", "public"],
    ["192.0.0.1", "service-continuity"],
    ["192.0.0.9", "anycast"],
    ["192.167.255.255", "public"],
    ["192.168.0.0", "private"],
    ["192.169.0.0", "public"],
    ["203.0.113.7", "documentation"],
    ["223.255.255.255", "public"],
    ["224.0.0.1", "multicast"],
    ["255.255.255.255", "broadcast"],
    ["::", "unspecified"],
    ["::1", "loopback"],
    ["2606:4700::1", "public"],
    ["2001:db8::1", "documentation"],
    ["fd00::1", "unique-local"],
    ["fe80::1", "link-local"],
    ["64:ff9b::1", "nat64"],
    ["4000::1", "reserved"],
  ]
  for (const [text, kind] of rows) assert.equal(classOfAddress(address(text)), kind, text)
})

test("an IPv4 address is public exactly where no IPv4 block has it", () => {
  // By RFC 6890's tables, as numbers.
  const blocks: readonly (readonly [number, number])[] = [
    [0x00000000, 8],
    [0x0a000000, 8],
    [0x64400000, 10],
    [0x7f000000, 8],
    [0xa9fe0000, 16],
    [0xac100000, 12],
    [0xc0000000, 24],
    [0xc0000200, 24],
    [0xc01fc400, 24],
    [0xc034c100, 24],
    [0xc0586300, 24],
    [0xc0a80000, 16],
    [0xc0af3000, 24],
    [0xc6120000, 15],
    [0xc6336400, 24],
    [0xcb007100, 24],
    [0xe0000000, 4],
    [0xf0000000, 4],
  ]
  fc.assert(
    fc.property(fc.oneof(fc.nat(0xffffffff), fc.constantFrom(...blocks.map(([base]) => base))), (bits) => {
      const text = [24, 16, 8, 0].map((shift) => (bits >>> shift) & 255).join(".")
      const parsed = parseAddress(text)
      assert.ok(parsed !== undefined && formatAddress(parsed) === text)
      const isSpecial = blocks.some(
        ([base, length]) => Math.floor(bits / 2 ** (32 - length)) === Math.floor(base / 2 ** (32 - length)),
      )
      assert.equal(classOfAddress(parsed) !== "public", isSpecial, text)
    }),
    { numRuns: 1000 },
  )
})

test("double NAT: what hosts have and the Internet does not reach", () => {
  for (const text of ["10.0.0.1", "172.20.0.1", "192.168.0.1", "100.64.0.1", "169.254.0.1", "192.0.0.1", "fd00::1"])
    assert.ok(isDoubleNat(classOfAddress(address(text))), text)
  for (const text of ["8.8.8.8", "0.0.0.0", "203.0.113.7", "2606:4700::1", "224.0.0.1"])
    assert.ok(!isDoubleNat(classOfAddress(address(text))), text)
})
