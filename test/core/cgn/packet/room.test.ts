import assert from "node:assert/strict"
import { Buffer } from "node:buffer"
import { describe, test } from "node:test"
import {
  CROSSING_DEFAULTS,
  createRing,
  createSlabs,
  decapsulate,
  encapsulate,
  fitLink,
  KEEP,
  nptv6Inbound,
  nptv6Outbound,
  rewrite,
  toIpv4,
  toIpv6,
} from "../../../../core/cgn/packet/index.ts"
import { makeTranslator } from "../../../../core/cgn/stateless/prefix.ts"
import { ip4, ip6, type PortEnds, tcp } from "./build.ts"
import { address, bytesOf, onlyOf, prefix, read, same } from "./scene.ts"

const ENDS: PortEnds = { source: "192.0.2.1", sourcePort: 7, destination: "192.0.2.2", destinationPort: 9 }
const SIX: PortEnds = { ...ENDS, source: "2001:db8:1::1", destination: "2001:db8:2::2" }

describe("room for packets", () => {
  test("cuts of a slab do not overlap, are zero, and have the length that was asked for", () => {
    const allocate = createSlabs(1000)
    const cuts = Array.from({ length: 300 }, (_, i) => allocate(i % 140))
    cuts.forEach((cut, i) => {
      assert.equal(cut.length, i % 140)
      assert.ok(cut.every((octet) => octet === 0))
      cut.fill(i)
    })
    cuts.forEach((cut, i) => {
      assert.ok(cut.every((octet) => octet === i % 256))
    })
  })

  test("cuts of a ring are zero, and the newest of them do not overlap", () => {
    const allocate = createRing(1000)
    const cuts = Array.from({ length: 300 }, (_, i) => {
      const cut = allocate(65 + (i % 60))
      assert.equal(cut.length, 65 + (i % 60))
      assert.ok(cut.every((octet) => octet === 0))
      return cut.fill(i)
    })
    // Of at most 128 octets each, with what rounds them up: seven fit, and the end of the ring may be too short for one.
    cuts.slice(-6).forEach((cut, i) => {
      assert.ok(cut.every((octet) => octet === (294 + i) % 256))
    })
    assert.ok(new Set(cuts.map(({ buffer }) => buffer)).size === 1)
    assert.equal(allocate(126).length, 126)
  })

  test("a packet in a ring has nothing of those that lay there before, translated by whatever writes all its octets", () => {
    const dirty = createRing(16_384)
    const large = { ...CROSSING_DEFAULTS, lowestIpv6Mtu: 1500 }
    const to6 = { ...KEEP, source: address("2001:db8::1"), destination: address("2001:db8::2") }
    const to4 = { ...KEEP, source: address("192.0.2.3"), destination: address("192.0.2.4") }
    for (const length of [45, 46, 47, 97, 100, 1300]) {
      const four = read(ip4({ ...ENDS, protocol: 6 }, tcp(ENDS, new Uint8Array(length).fill(9))))
      const six = read(ip6({ ...SIX, protocol: 6 }, tcp(SIX, new Uint8Array(length).fill(9))))
      for (let n = 0; n < 10; n++) dirty(2000, true).fill(0xff)
      same(bytesOf(rewrite(four, to4, 1, dirty)), bytesOf(rewrite(four, to4)))
      same(onlyOf(toIpv6(four, to6, large, dirty)), onlyOf(toIpv6(four, to6, large)))
      same(onlyOf(toIpv4(six, to4, 9, large, dirty)), onlyOf(toIpv4(six, to4, 9, large)))
    }
  })

  test("a Buffer is copied too, though its own `slice` would not", () => {
    const inner = ip4({ ...ENDS, protocol: 6, ttl: 9 }, tcp(ENDS, [1]))
    const buffer = Buffer.from(inner)
    const to = { ...KEEP, source: address("192.0.2.3") }
    same(bytesOf(rewrite(read(buffer), to)), bytesOf(rewrite(read(inner), to)))
    onlyOf(fitLink(read(buffer), 100)).fill(0)
    const tunnelled = Buffer.from(ip6({ ...SIX, protocol: 4, trafficClass: 8 }, inner))
    const before = Uint8Array.from(tunnelled)
    assert.ok(decapsulate(read(tunnelled)).ok)
    same(buffer, inner)
    same(tunnelled, before)
  })

  test("what is translated is the same, wherever it is written", () => {
    const slabs = createSlabs()
    const npt = makeTranslator({ internal: prefix("2001:db8:1::/48"), external: prefix("2001:db8:abcd::/48") })
    const back = makeTranslator({ internal: prefix("2001:db8:1::/48"), external: prefix("2001:db8:2::/48") })
    const to6 = { ...KEEP, source: address("2001:db8::1"), destination: address("2001:db8::2") }
    const to4 = { ...KEEP, source: address("192.0.2.3"), destination: address("192.0.2.4") }
    const tunnel = { local: to6.source, remote: to6.destination, mtu: 1500, hopLimit: 1 }
    for (const length of [0, 1, 4, 5, 40, 100, 1300]) {
      const four = read(ip4({ ...ENDS, protocol: 6 }, tcp(ENDS, new Uint8Array(length).fill(9))))
      const six = read(ip6({ ...SIX, protocol: 6 }, tcp(SIX, new Uint8Array(length).fill(9))))
      const large = { ...CROSSING_DEFAULTS, lowestIpv6Mtu: 1500 }
      same(bytesOf(rewrite(four, to4, 1, slabs)), bytesOf(rewrite(four, to4)))
      same(onlyOf(toIpv6(four, to6, large, slabs)), onlyOf(toIpv6(four, to6, large)))
      same(onlyOf(toIpv4(six, to4, 9, large, slabs)), onlyOf(toIpv4(six, to4, 9, large)))
      same(bytesOf(nptv6Outbound(npt, six, 1, slabs)), bytesOf(nptv6Outbound(npt, six)))
      same(bytesOf(nptv6Inbound(back, six, 1, slabs)), bytesOf(nptv6Inbound(back, six)))
      same(onlyOf(encapsulate(four, tunnel, 1, slabs)), onlyOf(encapsulate(four, tunnel, 1)))
    }
  })
})
