/** RFC 7915 as a NAT64 has it: what its sections leave to the translator's settings and answers. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { createCgn, type Out } from "../../../../core/cgn/index.ts"
import { icmp4, ip4, ip6, udp, w16, w32 } from "../packet/build.ts"
import { address, BASE } from "../scene.ts"
import { EXTERNAL, ends, error4, isPacket, REMOTE, reason, sent, sourceOf, udp4 } from "./scene.ts"
import { error6, HOST6, nat64, REMOTE6, ROUTER6, udp6 } from "./scene6.ts"

type Network = ReturnType<typeof nat64>
const returned = (out: Out): Uint8Array => {
  assert.ok(out.kind === "returned", JSON.stringify(out))
  return out.packet
}
const portOf = (cgn: Network): number => sourceOf(sent(cgn.out(udp6(ends(HOST6, 5000, REMOTE6, 53))), "outside")).port

describe("a translator is a router", () => {
  test("NAT-7915-1.4, NAT-7915-4.1: what IPv6's link does not carry: Fragmentation Needed with its MTU less 20", () => {
    const cgn = nat64({ mtu: { inside: 1400, outside: 1500 } })
    const at = ends(REMOTE, 53, EXTERNAL, portOf(cgn))
    const packet = (octets: number) => ip4({ ...at, protocol: 17, flags: 2 }, udp(at, Array(octets - 28).fill(1)))
    assert.equal(sent(cgn.in(packet(1380)), "inside").length, 1400)
    const told = returned(cgn.in(packet(1381)))
    assert.deepEqual([...told.subarray(20, 22), ...told.subarray(24, 28)], [3, 4, 0, 0, ...w16(1380)])
  })

  test("NAT-7915-1.4, NAT-7915-5.1: what IPv4's link does not carry: Packet Too Big with its MTU plus 20", () => {
    const cgn = nat64({ mtu: { inside: 1500, outside: 1400 } })
    const at = ends(HOST6, 5000, REMOTE6, 53)
    const packet = (octets: number) => udp6(at, 64, Array(octets - 48).fill(1))
    assert.equal(sent(cgn.out(packet(1420)), "outside").length, 1400)
    const told = returned(cgn.out(packet(1421)))
    assert.deepEqual([...told.subarray(40, 42), ...told.subarray(44, 48)], [2, 0, ...w32(1420)])
    assert.equal(told.length, 1280)
  })

  test("NAT-7915-4, NAT-7915-4.1: without DF, fragments of lowest-ipv6-mtu, which the administrator may raise", () => {
    for (const lowestIpv6Mtu of [undefined, 1400, 9000]) {
      const cgn = nat64({ crossing: lowestIpv6Mtu === undefined ? {} : { lowestIpv6Mtu } })
      const at = ends(REMOTE, 53, EXTERNAL, portOf(cgn))
      const least = Math.min(1500, lowestIpv6Mtu ?? 1280)
      const packet = (octets: number) => ip4({ ...at, protocol: 17 }, udp(at, Array(octets - 28).fill(1)))
      assert.equal(sent(cgn.in(packet(least - 20)), "inside").length, least, "no Fragment header")
      const out = cgn.in(packet(least - 19))
      assert.ok(out.kind === "forwarded")
      assert.deepEqual(
        out.packets.map((one) => [one[6], one.length <= least]),
        [
          [44, true],
          [44, true],
        ],
      )
    }
  })

  test("NAT-7915-4.1, NAT-7915-5.1: traffic class and TOS are copied, or set to what the administrator says", () => {
    const tos = (cgn: Network) => {
      const at = ends(HOST6, 5000, REMOTE6, 53)
      const out = sent(cgn.out(ip6({ ...at, protocol: 17, trafficClass: 0xb9 }, udp(at))), "outside")
      const back = ends(REMOTE, 53, EXTERNAL, sourceOf(out).port)
      const into = sent(cgn.in(ip4({ ...back, protocol: 17, tos: 0x2e }, udp(back))), "inside")
      return [out[1], ((into[0] & 15) << 4) | (into[1] >> 4)]
    }
    assert.deepEqual(tos(nat64()), [0xb9, 0x2e])
    assert.deepEqual(tos(nat64({ crossing: { trafficClass: 0, tos: 0x10 } })), [0x10, 0])
  })

  test("NAT-7915-4.1, NAT-7915-5.1: the last hop: TTL Exceeded, Hop Limit Exceeded", () => {
    const cgn = nat64()
    const at = ends(REMOTE, 53, EXTERNAL, portOf(cgn))
    const four = udp4(at, 1)
    isPacket(
      returned(cgn.in(four)),
      ip4({ source: EXTERNAL, destination: REMOTE, protocol: 1, id: 0, flags: 2 }, icmp4(11, 0, [0, 0, 0, 0], four)),
    )
    const six = udp6(ends(HOST6, 5000, REMOTE6, 53), 1)
    isPacket(returned(cgn.out(six)), error6(3, 0, { source: ROUTER6, destination: HOST6 }, six))
  })
})

describe("errors that the translator sends", () => {
  test("NAT-7915-4.4: over IPv4: sent, rate-limited or not sent, as the administrator says; none about an error", () => {
    const kinds = (translation: Parameters<typeof nat64>[0]) => {
      const cgn = nat64(translation)
      return [0, 0, 0].map((now) => cgn.in(udp4(ends(REMOTE, 53, EXTERNAL, 2000), 1), now).kind)
    }
    assert.deepEqual(kinds({}), ["returned", "returned", "returned"])
    assert.deepEqual(kinds({ errorRate: { perSecond: 1, burst: 1 } }), ["returned", "dropped", "dropped"])
    assert.deepEqual(kinds({ ownErrors: { inside: true, outside: false } }), ["dropped", "dropped", "dropped"])
    const about = udp4(ends(EXTERNAL, 2000, REMOTE, 53))
    assert.equal(nat64().in(error4(3, 3, REMOTE, EXTERNAL, about, 1)).kind, "dropped")
  })

  test("NAT-7915-5.4: over IPv6 likewise", () => {
    const kinds = (translation: Parameters<typeof nat64>[0]) => {
      const cgn = nat64(translation)
      return [0, 0, 0].map((now) => cgn.out(udp6(ends(HOST6, 5000, REMOTE6, 53), 1), now).kind)
    }
    assert.deepEqual(kinds({}), ["returned", "returned", "returned"])
    assert.deepEqual(kinds({ errorRate: { perSecond: 1, burst: 1 } }), ["returned", "dropped", "dropped"])
    assert.deepEqual(kinds({ ownErrors: { inside: false, outside: true } }), ["dropped", "dropped", "dropped"])
    const inner = udp6(ends(REMOTE6, 53, HOST6, 5000))
    assert.equal(nat64().out(error6(1, 4, { source: HOST6, destination: REMOTE6 }, inner, 1)).kind, "dropped")
  })
})

describe("which packets", () => {
  test("NAT-7915-4.6, NAT-7915-5.6: those to the other family's hosts are translated, and no others", () => {
    const cgn = nat64()
    const port = portOf(cgn)
    sent(cgn.in(udp4(ends(REMOTE, 53, EXTERNAL, port))), "inside")
    assert.equal(reason(cgn.out(udp6(ends(HOST6, 5000, "2001:db8:1::99", 53)))), "not-served")
    assert.equal(reason(cgn.in(udp4(ends(REMOTE, 53, "203.0.113.9", port)))), "no-mapping")
    assert.equal(reason(cgn.out(udp4(ends("10.0.0.1", 5000, REMOTE, 53)))), "wrong-family")
    assert.equal(reason(cgn.in(udp6(ends(REMOTE6, 53, HOST6, 5000)))), "wrong-family")
  })

  test("NAT-7915-6: by RFC 6052: the Well-Known Prefix stands for global IPv4 addresses", () => {
    const inside = { kind: "nat64", prefix: { address: address("64:ff9b::"), prefixLength: 96 } } as const
    const cgn = nat64({ inside })
    const there = "64:ff9b::808:808"
    const out = sent(cgn.out(udp6(ends(HOST6, 5000, there, 53))), "outside")
    assert.equal(out.subarray(16, 20).join("."), "8.8.8.8")
    const { port } = sourceOf(out)
    isPacket(sent(cgn.in(udp4(ends("8.8.8.8", 53, EXTERNAL, port))), "inside"), udp6(ends(there, 53, HOST6, 5000), 63))
  })

  test("settings of translation that make no sense are refused", () => {
    for (const crossing of [{ lowestIpv6Mtu: 1279 }, { trafficClass: 256 }, { tos: -1 }]) {
      const made = createCgn({ ...BASE, translation: { crossing } })
      assert.equal(made.ok ? "" : made.error.code, "bad-translation")
    }
  })
})
