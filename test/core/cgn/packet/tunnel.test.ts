import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { decapsulate, encapsulate, type Tunnel } from "../../../../core/cgn/packet/index.ts"
import { formatAddress } from "../../../../core/wire/index.ts"
import { DATA, fragmentHeader, ip4, ip6, octets, type PortEnds, tcp, udp } from "./build.ts"
import { address, dropOf, onlyOf, packetsOf, read, same } from "./scene.ts"

/** RFC 6333 appendix B: a B4 and its AFTR. */
const B4 = "2001:db8:0:1::1"
const AFTR = "2001:db8:0:2::1"
const TUNNEL: Tunnel = { local: address(AFTR), remote: address(B4), mtu: 1500, hopLimit: 64 }
const ENDS: PortEnds = { source: "198.51.100.2", sourcePort: 80, destination: "10.0.0.1", destinationPort: 10000 }
const OUTER = { source: AFTR, destination: B4, protocol: 4 }
const BACK = { source: B4, destination: AFTR, protocol: 4 }

describe("the tunnel of Dual-Stack Lite", () => {
  test("NAT-6333-6.2, NAT-6333-7.1: IPv4 goes in octet for octet, its TOS becomes the traffic class", () => {
    const inner = ip4({ ...ENDS, protocol: 6, tos: 0xb9, options: [1, 1, 1, 0] }, tcp(ENDS))
    same(onlyOf(encapsulate(read(inner), TUNNEL, 1)), ip6({ ...OUTER, trafficClass: 0xb9 }, inner))
  })

  test("NAT-6333-6.6: and comes out, with the B4 that sent it", () => {
    const inner = ip4({ ...ENDS, protocol: 6, tos: 0x28 }, tcp(ENDS))
    for (const extensions of [[], [[60, [1, 4, 0, 0, 0, 0]]], [fragmentHeader(0, false, 1)]] as const) {
      const out = decapsulate(read(octets(ip6({ ...BACK, trafficClass: 0x28, extensions }, inner), [0, 0])))
      assert.ok(out.ok)
      assert.deepEqual([formatAddress(out.remote), formatAddress(out.local)], [B4, AFTR])
      same(out.packet.bytes.subarray(out.packet.start, out.packet.end), inner)
    }
  })

  test("NAT-6333-7.1: the traffic class of the tunnel becomes the TOS, ECN by RFC 6040 figure 4", () => {
    const came = (tos: number, trafficClass: number) =>
      decapsulate(read(ip6({ ...BACK, trafficClass }, ip4({ ...ENDS, protocol: 17, tos }, udp(ENDS)))))
    const [none, ect1, ect0, ce] = [0, 1, 2, 3]
    const figure = [
      [none, none, none, -1],
      [ect1, ect1, ect1, ce],
      [ect0, ect1, ect0, ce],
      [ce, ce, ce, ce],
    ]
    for (const inner of [none, ect1, ect0, ce])
      for (const outer of [none, ect1, ect0, ce]) {
        const result = came(0x10 | inner, 0xb8 | outer)
        const ecn = figure[inner][outer]
        if (ecn < 0) dropOf(result, "tunnel-congestion")
        else {
          assert.ok(result.ok)
          same(
            result.packet.bytes.subarray(result.packet.start, result.packet.end),
            ip4({ ...ENDS, protocol: 17, tos: 0xb8 | ecn }, udp(ENDS)),
          )
        }
      }
  })

  const data = (length: number) => Uint8Array.from({ length }, (_, i) => i * 3)
  const long = (total: number, flags: number) => ip4({ ...ENDS, protocol: 17, flags }, udp(ENDS, data(total - 28)))

  test("NAT-6333-6.3, NAT-2473-7.2: too long without DF: IPv6 fragments of the whole IPv4 packet", () => {
    const inner = long(1500, 0)
    const [one, two, ...more] = packetsOf(encapsulate(read(inner), TUNNEL, 0xcafe0001))
    same(one, ip6({ ...OUTER, extensions: [fragmentHeader(0, true, 0xcafe0001)] }, inner.subarray(0, 1448)))
    same(two, ip6({ ...OUTER, extensions: [fragmentHeader(181, false, 0xcafe0001)] }, inner.subarray(1448)))
    assert.equal(more.length, 0)
    assert.equal(packetsOf(encapsulate(read(long(1460, 0)), TUNNEL, 1)).length, 1)
    const largest = packetsOf(encapsulate(read(long(65535, 0)), TUNNEL, 1))
    same(octets(...largest.map((bytes) => bytes.subarray(48))), long(65535, 0))
  })

  test("NAT-2473-7.2: too long with DF: dropped, with the MTU less 40", () => {
    assert.deepEqual(dropOf(encapsulate(read(long(1461, 2)), TUNNEL, 1), "too-big").reply, {
      kind: "too-big",
      mtu: 1460,
    })
    assert.equal(onlyOf(encapsulate(read(long(1460, 2)), TUNNEL, 1)).length, 1500)
    const narrow = encapsulate(read(long(1460, 2)), { ...TUNNEL, mtu: 500 }, 1)
    assert.deepEqual(dropOf(narrow, "too-big").reply, { kind: "too-big", mtu: 1240 })
  })

  test("NAT-6333-6.3: fragments are not decapsulated, nor is anything that is no IPv4", () => {
    const inner = long(500, 0)
    const part = ip6({ ...BACK, extensions: [fragmentHeader(0, true, 1)] }, inner.subarray(0, 400))
    dropOf(decapsulate(read(part)), "tunnel-fragment")
    dropOf(decapsulate(read(ip6({ ...BACK, extensions: [fragmentHeader(1, false, 1)] }, inner))), "tunnel-fragment")
    dropOf(decapsulate(read(ip6({ ...BACK, protocol: 41 }, inner))), "not-a-tunnel")
    dropOf(decapsulate(read(ip6(BACK, ip6(BACK, inner)))), "not-a-tunnel")
    dropOf(decapsulate(read(ip6(BACK, inner.subarray(0, 100)))), "truncated")
    dropOf(decapsulate(read(inner)), "wrong-family")
    dropOf(encapsulate(read(ip6({ ...BACK, protocol: 59 }, DATA)), TUNNEL, 1), "wrong-family")
  })
})
