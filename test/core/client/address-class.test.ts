import assert from "node:assert/strict"
import { describe, test } from "node:test"
import fc from "fast-check"
import { classOfAddress, isDoubleNat, specialBlockOf } from "../../../core/client/address-class.ts"
import { ADDRESS_CLASSES, type AddressClass, SPECIAL_BLOCKS } from "../../../core/client/special-block.ts"
import { addressFromIpv4, addressFromWords, formatMapped } from "../../../core/wire/index.ts"
import { address as anyAddress } from "../wire/arbitrary.ts"
import { address } from "../wire/vectors.ts"

/**
 * The rows of IANA's registries as numbers, apart from the table: first address, last address, class. IPv4 as it stands in
 * IPv6, from ::ffff:0:0.
 */
const V4 = 0xffffn << 32n
const v4 = (first: bigint, last: bigint, kind: AddressClass): readonly [bigint, bigint, AddressClass] => [
  V4 + first,
  V4 + last,
  kind,
]
const ROWS: readonly (readonly [bigint, bigint, AddressClass])[] = [
  v4(0x00000000n, 0x00ffffffn, "this-network"),
  v4(0x00000000n, 0x00000000n, "unspecified"),
  v4(0x0a000000n, 0x0affffffn, "private"),
  v4(0x64400000n, 0x647fffffn, "shared"),
  v4(0x7f000000n, 0x7fffffffn, "loopback"),
  v4(0xa9fe0000n, 0xa9feffffn, "link-local"),
  v4(0xac100000n, 0xac1fffffn, "private"),
  v4(0xc0000000n, 0xc00000ffn, "protocol"),
  v4(0xc0000000n, 0xc0000007n, "service-continuity"),
  v4(0xc0000008n, 0xc0000008n, "protocol"),
  v4(0xc0000009n, 0xc0000009n, "anycast"),
  v4(0xc000000an, 0xc000000an, "anycast"),
  v4(0xc00000aan, 0xc00000aan, "protocol"),
  v4(0xc00000abn, 0xc00000abn, "protocol"),
  v4(0xc0000200n, 0xc00002ffn, "documentation"),
  v4(0xc01fc400n, 0xc01fc4ffn, "anycast"),
  v4(0xc034c100n, 0xc034c1ffn, "anycast"),
  v4(0xc0586300n, 0xc05863ffn, "anycast"),
  v4(0xc0a80000n, 0xc0a8ffffn, "private"),
  v4(0xc0af3000n, 0xc0af30ffn, "anycast"),
  v4(0xc6120000n, 0xc613ffffn, "benchmarking"),
  v4(0xc6336400n, 0xc63364ffn, "documentation"),
  v4(0xcb007100n, 0xcb0071ffn, "documentation"),
  v4(0xe0000000n, 0xefffffffn, "multicast"),
  v4(0xf0000000n, 0xffffffffn, "reserved"),
  v4(0xffffffffn, 0xffffffffn, "broadcast"),
  [0x0n, 0x1fffffffffffffffffffffffffffffffn, "reserved"],
  [0x40000000000000000000000000000000n, 0x7fffffffffffffffffffffffffffffffn, "reserved"],
  [0x80000000000000000000000000000000n, 0xffffffffffffffffffffffffffffffffn, "reserved"],
  [0x0n, 0x0n, "unspecified"],
  [0x1n, 0x1n, "loopback"],
  [0x0064ff9b000000000000000000000000n, 0x0064ff9b0000000000000000ffffffffn, "nat64"],
  [0x0064ff9b000100000000000000000000n, 0x0064ff9b0001ffffffffffffffffffffn, "nat64"],
  [0x01000000000000000000000000000000n, 0x0100000000000000ffffffffffffffffn, "discard"],
  [0x01000000000000010000000000000000n, 0x0100000000000001ffffffffffffffffn, "discard"],
  [0x20010000000000000000000000000000n, 0x200101ffffffffffffffffffffffffffn, "protocol"],
  [0x20010000000000000000000000000000n, 0x20010000ffffffffffffffffffffffffn, "teredo"],
  [0x20010001000000000000000000000001n, 0x20010001000000000000000000000001n, "anycast"],
  [0x20010001000000000000000000000002n, 0x20010001000000000000000000000002n, "anycast"],
  [0x20010001000000000000000000000003n, 0x20010001000000000000000000000003n, "anycast"],
  [0x20010002000000000000000000000000n, 0x200100020000ffffffffffffffffffffn, "benchmarking"],
  [0x20010003000000000000000000000000n, 0x20010003ffffffffffffffffffffffffn, "anycast"],
  [0x20010004011200000000000000000000n, 0x200100040112ffffffffffffffffffffn, "anycast"],
  [0x20010010000000000000000000000000n, 0x2001001fffffffffffffffffffffffffn, "identifier"],
  [0x20010020000000000000000000000000n, 0x2001002fffffffffffffffffffffffffn, "identifier"],
  [0x20010030000000000000000000000000n, 0x2001003fffffffffffffffffffffffffn, "identifier"],
  [0x20010db8000000000000000000000000n, 0x20010db8ffffffffffffffffffffffffn, "documentation"],
  [0x20020000000000000000000000000000n, 0x2002ffffffffffffffffffffffffffffn, "6to4"],
  [0x2620004f800000000000000000000000n, 0x2620004f8000ffffffffffffffffffffn, "anycast"],
  [0x3fff0000000000000000000000000000n, 0x3fff0fffffffffffffffffffffffffffn, "documentation"],
  [0x5f000000000000000000000000000000n, 0x5f00ffffffffffffffffffffffffffffn, "segment-routing"],
  [0xfc000000000000000000000000000000n, 0xfdffffffffffffffffffffffffffffffn, "unique-local"],
  [0xfe800000000000000000000000000000n, 0xfebfffffffffffffffffffffffffffffn, "link-local"],
  [0xfec00000000000000000000000000000n, 0xfeffffffffffffffffffffffffffffffn, "site-local"],
  [0xff000000000000000000000000000000n, 0xffffffffffffffffffffffffffffffffn, "multicast"],
]

const ALL = (1n << 128n) - 1n
const isV4 = (value: bigint): boolean => value >> 32n === 0xffffn

/** The class by the rows above: that of the smallest one around. */
const expected = (value: bigint): AddressClass => {
  const around = ROWS.filter(([first, last]) => first <= value && value <= last && isV4(first) === isV4(value))
  return around.toSorted((one, other) => (one[1] - one[0] < other[1] - other[0] ? -1 : 1))[0]?.[2] ?? "public"
}

const addressOf = (value: bigint) => {
  const word = (shift: bigint): number => Number((value >> shift) & 0xffffffffn)
  return addressFromWords(word(96n), word(64n), word(32n), word(0n))
}

const numberOf = (text: string): bigint =>
  [...address(text)].reduce((sum, unit) => (sum << 16n) | BigInt(unit.charCodeAt(0)), 0n)

describe("classes of external addresses (RFC 6890)", () => {
  test("the first and last address of each row of IANA's registries, and those before and after, have their class", () => {
    for (const [first, last] of ROWS) {
      for (const value of [first - 1n, first, first + 1n, last - 1n, last, last + 1n]) {
        if (value < 0n || value > ALL) continue
        assert.equal(classOfAddress(addressOf(value)), expected(value), formatMapped(addressOf(value)))
      }
    }
  })

  test("the table has each row once, and nothing else", () => {
    const rows = SPECIAL_BLOCKS.map(({ prefix, class: kind }) => {
      const [text, length] = prefix.split("/")
      const first = numberOf(text)
      return [first, first + (1n << BigInt((isV4(first) ? 32 : 128) - Number(length))) - 1n, kind]
    })
    const inOrder = (list: readonly (readonly unknown[])[]) => list.map((row) => row.join(" ")).toSorted()
    assert.deepEqual(inOrder(rows), inOrder(ROWS))
  })

  test("a block's own name and source come with it", () => {
    assert.deepEqual(specialBlockOf(address("192.0.0.9")), {
      prefix: "192.0.0.9/32",
      class: "anycast",
      name: "Port Control Protocol Anycast",
      source: "RFC 7723",
    })
    assert.equal(specialBlockOf(address("192.0.0.11"))?.prefix, "192.0.0.0/24")
    assert.equal(specialBlockOf(address("8.8.8.8")), undefined)
    assert.equal(specialBlockOf(address("2600::1")), undefined)
  })

  test("any address has the class that the rows give it", () => {
    fc.assert(
      fc.property(anyAddress, (value) => {
        assert.equal(classOfAddress(value), expected(numberOf(formatMapped(value))))
      }),
    )
    fc.assert(
      fc.property(fc.nat(0xffffffff), (value) => {
        assert.equal(classOfAddress(addressFromIpv4(value)), expected(V4 + BigInt(value)))
      }),
    )
  })

  test("addresses that gateways answered with are told apart", () => {
    const seen: readonly (readonly [string, AddressClass, boolean])[] = [
      ["0.0.0.0", "unspecified", false],
      ["100.64.0.1", "shared", true],
      ["100.127.255.254", "shared", true],
      ["10.0.0.7", "private", true],
      ["172.31.1.1", "private", true],
      ["192.168.1.2", "private", true],
      ["169.254.3.4", "link-local", true],
      ["192.0.0.2", "service-continuity", true],
      ["fd00::1", "unique-local", true],
      ["127.0.0.1", "loopback", false],
      ["203.0.113.7", "documentation", false],
      ["8.8.8.8", "public", false],
      ["100.63.255.255", "public", false],
      ["100.128.0.0", "public", false],
      ["2a00:1450::1", "public", false],
    ]
    for (const [text, kind, double] of seen) {
      assert.equal(classOfAddress(address(text)), kind, text)
      assert.equal(isDoubleNat(kind), double, text)
    }
  })

  test("each class has its line for people, and only those between two NATs mean a second one (RFC 6598, RFC 6888)", () => {
    const kinds = new Set<string>(["public", ...SPECIAL_BLOCKS.map((block) => block.class)])
    assert.deepEqual(Object.keys(ADDRESS_CLASSES).toSorted(), [...kinds].toSorted())
    for (const line of Object.values(ADDRESS_CLASSES)) assert.match(line, /^\S[^\n]{10,110}\S$/)
    const all = SPECIAL_BLOCKS.map((block) => block.class)
    assert.deepEqual([...new Set(all.filter(isDoubleNat))].toSorted(), [
      "link-local",
      "private",
      "service-continuity",
      "shared",
      "site-local",
      "unique-local",
    ])
    assert.equal(isDoubleNat("public"), false)
  })
})
