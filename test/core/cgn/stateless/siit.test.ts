import assert from "node:assert/strict"
import { describe, test } from "node:test"
import fc from "fast-check"
import {
  createSiit,
  type Out,
  PROFILES,
  REASON_CLAUSES,
  type Side,
  type SiitSettings,
  type SiitState,
  siitAddress,
  siitCgn,
  translateSiit,
} from "../../../../core/cgn/index.ts"
import { addressFromIpv4, formatAddress } from "../../../../core/wire/index.ts"
import { map, octets as octetsOf, preferFailure } from "../../server/scene.ts"
import { type Ends, icmp4, icmp6, ip4, ip6, type PortEnds, tcp, udp } from "../packet/build.ts"
import { address, prefix, same } from "../packet/scene.ts"
import { digits, Stage } from "../stage.ts"

/** RFC 7915 appendix A: H4 and H6 behind 2001:db8:100::/40. */
const H4 = "198.51.100.2"
const H4_AS_6 = "2001:db8:1c6:3364:2::"
const H6_AS_4 = "192.0.2.33"
const H6 = "2001:db8:1c0:2:21::"
/** RFC 7757 section 3: addresses of which nothing is the other's. */
const PAIR = { ipv4: address("::ffff:192.0.2.1"), ipv6: address("2001:db8:aaaa::7") }
const ROUTERS = { ipv4: address("::ffff:203.0.113.1"), ipv6: address("2001:db8:f::1") }

const BASE: SiitSettings = { inside: "ipv4", prefix: prefix("2001:db8:100::/40"), pairs: [PAIR], routers: ROUTERS }

const make = (settings: Partial<SiitSettings> = {}): SiitState => {
  const made = createSiit({ ...BASE, ...settings })
  assert.ok(made.ok, made.ok ? "" : made.error.text)
  return made.state
}
const STATE = make()

const pass = (bytes: Uint8Array, side: Side, state = STATE): Out => {
  const passed = translateSiit(state, { bytes, side, now: 0 })
  assert.deepEqual([passed.changes, passed.next], [[], undefined])
  return passed.out
}
const forwarded = (out: Out, side: Side): Uint8Array => {
  assert.ok(out.kind === "forwarded", JSON.stringify(out))
  assert.deepEqual([out.side, out.packets.length], [side, 1])
  return out.packets[0]
}

const four = (source: string, destination: string): PortEnds => ({
  source,
  sourcePort: 5000,
  destination,
  destinationPort: 80,
})
const FOUR = four(H4, H6_AS_4)
const SIX = four(H4_AS_6, H6)
const turned = (of: PortEnds): PortEnds => ({
  source: of.destination,
  sourcePort: of.destinationPort,
  destination: of.source,
  destinationPort: of.sourcePort,
})

describe("a stateless NAT46", () => {
  test("NAT-7915-6, NAT-7915-A: both ends by the prefix, out and back", () => {
    const out = forwarded(pass(ip4({ ...FOUR, protocol: 6, flags: 2 }, tcp(FOUR)), "inside"), "outside")
    same(out, ip6({ ...SIX, protocol: 6, hopLimit: 63 }, tcp(SIX)))
    const [back, seen] = [turned(SIX), turned(FOUR)]
    const came = forwarded(pass(ip6({ ...back, protocol: 6 }, tcp(back)), "outside"), "inside")
    same(came, ip4({ ...seen, protocol: 6, ttl: 63, id: 0 }, tcp(seen)))
  })

  test("NAT-7915-6, NAT-7757-3.2: a pair comes before the prefix, both ways, and hides nothing else", () => {
    const out = forwarded(
      pass(ip4({ ...four("192.0.2.1", H6_AS_4), protocol: 17, flags: 2 }, udp(four("192.0.2.1", H6_AS_4))), "inside"),
      "outside",
    )
    same(out, ip6({ ...four("2001:db8:aaaa::7", H6), protocol: 17, hopLimit: 63 }, udp(four("2001:db8:aaaa::7", H6))))
    const back = turned(four("2001:db8:aaaa::7", H6))
    const seen = turned(four("192.0.2.1", H6_AS_4))
    const came = forwarded(pass(ip6({ ...back, protocol: 17 }, udp(back)), "outside"), "inside")
    same(came, ip4({ ...seen, protocol: 17, ttl: 63, id: 0 }, udp(seen)))
    assert.equal(siitAddress(STATE, address("2001:db8:bbbb::7")), undefined)
  })

  test("each packet to IPv4 without an identification gets the next", () => {
    const back = turned(SIX)
    const bytes = ip6({ ...back, protocol: 17 }, udp(back))
    let state = make()
    const ids = [0, 1, 2].map(() => {
      const passed = translateSiit(state, { bytes, side: "outside", now: 0 })
      state = passed.state
      const packet = forwarded(passed.out, "inside")
      return (packet[4] << 8) | packet[5]
    })
    assert.deepEqual(ids, [0, 1, 2])
    assert.equal(STATE.packetId, 0)
  })

  test("NAT-5508-REQ-1, NAT-7915-4.2: ICMP queries pass with their identifier, whatever it is, out and back", () => {
    for (const id of [0, 1, 0xffff]) {
      const rest = [id >> 8, id & 255, 0, 1]
      const asked = ip4({ ...FOUR, protocol: 1, flags: 2 }, icmp4(8, 0, rest, [1, 2, 3]))
      same(
        forwarded(pass(asked, "inside"), "outside"),
        ip6({ ...SIX, protocol: 58, hopLimit: 63 }, icmp6(SIX, 128, 0, rest, [1, 2, 3])),
      )
      const back = turned(SIX)
      const answer = ip6({ ...back, protocol: 58 }, icmp6(back, 129, 0, rest, [1, 2, 3]))
      same(
        forwarded(pass(answer, "outside"), "inside"),
        ip4({ ...turned(FOUR), protocol: 1, ttl: 63, id: 0 }, icmp4(0, 0, rest, [1, 2, 3])),
      )
    }
  })

  test("NAT-7915-6: ICMP errors: the router's own address where it has one, else that of the far end, and the packet in error", () => {
    const error = (source: string) => {
      const ends: Ends = { source, destination: H4_AS_6 }
      const inner = ip6({ ...SIX, protocol: 17 }, udp(SIX))
      return ip6({ ...ends, protocol: 58 }, icmp6(ends, 3, 0, [0, 0, 0, 0], inner))
    }
    const seen = (source: string) => {
      const ends: Ends = { source, destination: H4 }
      const inner = ip4({ ...FOUR, protocol: 17, id: 0 }, udp(FOUR))
      return ip4({ ...ends, protocol: 1, ttl: 63, id: 0 }, icmp4(11, 0, [0, 0, 0, 0], inner))
    }
    same(forwarded(pass(error("2001:db8:aaaa::7"), "outside"), "inside"), seen("192.0.2.1"))
    same(forwarded(pass(error("2001:db8:bbbb::7"), "outside"), "inside"), seen(H6_AS_4))
  })

  test("NAT-7915-4.6, NAT-7915-5.6: an address that none stands for: no route to it, nothing from it; the last hop", () => {
    const state = make({ prefix: undefined, pairs: [PAIR, { ipv4: address(`::ffff:${H4}`), ipv6: address(H4_AS_6) }] })
    const sent = ip4({ ...FOUR, protocol: 17 }, udp(FOUR))
    const told = pass(sent, "inside", state)
    assert.ok(told.kind === "returned" && told.reason === "prefix-unmapped")
    same(told.packet.subarray(20), icmp4(3, 0, [0, 0, 0, 0], sent))
    same(told.packet.subarray(12, 20), Uint8Array.of(203, 0, 113, 1, 198, 51, 100, 2))
    const from = four("192.0.2.200", "192.0.2.1")
    assert.deepEqual(pass(ip4({ ...from, protocol: 17 }, udp(from)), "inside", state), {
      kind: "dropped",
      reason: "illegal-source",
    })
    const last = ip6({ ...turned(SIX), protocol: 17, hopLimit: 1 }, udp(turned(SIX)))
    const over = pass(last, "outside")
    assert.ok(over.kind === "returned" && over.reason === "hop-limit")
    assert.deepEqual(pass(last, "outside", make({ routers: undefined })), { kind: "dropped", reason: "hop-limit" })
  })

  test("a packet of the other side's family does not pass; with IPv6 inside the sides are the other way round", () => {
    const six = ip6({ ...turned(SIX), protocol: 17 }, udp(turned(SIX)))
    assert.deepEqual(pass(six, "inside"), { kind: "dropped", reason: "wrong-family" })
    forwarded(pass(six, "inside", make({ inside: "ipv6" })), "outside")
  })

  test("settings that cannot be are named", () => {
    const code = (settings: Partial<SiitSettings>): string | undefined => {
      const made = createSiit({ ...BASE, ...settings })
      return made.ok ? undefined : made.error.code
    }
    assert.equal(code({ prefix: undefined, pairs: [] }), "empty-pool")
    assert.equal(code({ prefix: prefix("2001:db8::/41") }), "bad-prefix")
    assert.equal(code({ pairs: [{ ipv4: PAIR.ipv6, ipv6: PAIR.ipv6 }] }), "bad-address")
    assert.equal(code({ pairs: [PAIR, { ...PAIR, ipv6: address("2001:db8::1") }] }), "overlap")
    assert.equal(code({ pairs: [PAIR, { ...PAIR, ipv4: address("::ffff:192.0.2.9") }] }), "overlap")
    assert.equal(code({ routers: { ...ROUTERS, ipv4: ROUTERS.ipv6 } }), "bad-address")
    for (const crossing of [
      { ipv4Mtu: 67 },
      { ipv4Mtu: Number.NaN },
      { ipv6Mtu: 1279 },
      { lowestIpv6Mtu: 1279 },
      { trafficClass: 256 },
      { tos: 0.5 },
    ])
      assert.equal(code({ crossing }), "bad-translation")
  })

  test("NAT-7915-4.1: what may be fragmented fits the next link, however long the lowest IPv6 MTU is said to be", () => {
    const state = make({ crossing: { lowestIpv6Mtu: 9000, ipv6Mtu: 1400 } })
    const out = pass(ip4({ ...FOUR, protocol: 17 }, udp(FOUR, new Uint8Array(2000))), "inside", state)
    assert.ok(out.kind === "forwarded")
    assert.deepEqual(
      out.packets.map(({ length }) => length <= 1400),
      [true, true],
    )
  })

  test("NAT-7915-5.1: no packet comes out to or from an IPv4 address that no host elsewhere has", () => {
    const state = make({ inside: "ipv6", prefix: prefix("2001:db8:64::/96"), pairs: [] })
    const [one, other] = ["2001:db8:64::c633:6402", "2001:db8:64::c000:221"]
    for (const none of ["0:0", "1:2", "7f00:1", "e000:1", "ffff:ffff"]) {
      const address6 = `2001:db8:64::${none}`
      const [from, to] = [four(address6, other), four(one, address6)]
      assert.deepEqual(pass(ip6({ ...from, protocol: 17 }, udp(from)), "inside", state), {
        kind: "dropped",
        reason: "illegal-source",
      })
      const out = pass(ip6({ ...to, protocol: 17 }, udp(to)), "inside", state)
      assert.ok(out.kind === "returned" && out.reason === "prefix-unmapped")
    }
    const group = four("192.0.2.7", "224.0.0.1")
    assert.deepEqual(pass(ip4({ ...group, protocol: 17 }, udp(group)), "outside", state), {
      kind: "dropped",
      reason: "prefix-unmapped",
    })
  })

  test("any IPv4 address behind any prefix comes back, and random octets never throw", () => {
    fc.assert(
      fc.property(fc.constantFrom(32, 40, 48, 56, 64, 96), fc.nat(0xffffffff), (length, value) => {
        const state = make({ prefix: prefix(`2001:db8::/${length}`), pairs: [] })
        const ipv4 = addressFromIpv4(value | 0)
        const ipv6 = siitAddress(state, ipv4)
        assert.ok(ipv6 !== undefined)
        assert.equal(siitAddress(state, ipv6), ipv4, formatAddress(ipv6))
      }),
    )
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 90 }),
        fc.constantFrom(0x45, 0x60),
        fc.boolean(),
        (bytes, first, inside) => {
          if (bytes.length > 0) bytes[0] = first
          const out = pass(bytes, inside ? "inside" : "outside")
          if (out.kind === "dropped" || out.kind === "returned") assert.ok(REASON_CLAUSES[out.reason])
        },
      ),
    )
  })
})

describe("a PCP server over a stateless NAT46", () => {
  const stage = () => new Stage(siitCgn, STATE, { profile: PROFILES.nat46 })

  test("MAP is answered with the IPv6 address that stands for the host, the port as it is", () => {
    const server = stage()
    const reply = server.send(map({ client: "192.0.2.1", suggested: "0".repeat(32) }), "192.0.2.1")
    assert.deepEqual(
      [reply.result, reply.externalPort, reply.external],
      [0, 4000, octetsOf(digits("2001:db8:aaaa::7"))],
    )
    const other = server.send(map({ client: H4, suggested: "0".repeat(32) }), H4)
    assert.deepEqual([other.result, other.external], [0, octetsOf(digits(H4_AS_6))])
    assert.deepEqual(server.changes, [])
  })

  test("PREFER_FAILURE with another suggestion is CANNOT_PROVIDE_EXTERNAL", () => {
    const fields = { client: H4, suggested: digits("2001:db8::1"), suggestedPort: 4000, options: preferFailure() }
    assert.equal(stage().send(map(fields), H4).result, 11)
  })
})
