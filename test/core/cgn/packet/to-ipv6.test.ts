import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { CROSSING_DEFAULTS, type Crossing, embedIpv4, toIpv6 } from "../../../../core/cgn/packet/index.ts"
import {
  DATA,
  dccp,
  fragmentHeader,
  icmp4,
  icmp6,
  inet,
  ip4,
  ip6,
  octets,
  type PortEnds,
  sctp,
  tcp,
  udp,
  udpLite,
} from "./build.ts"
import { address, dropOf, onlyOf, packetsOf, prefix, read, same } from "./scene.ts"

/** RFC 7915 appendix A: H4 and H6 behind 2001:db8:100::/40. */
const H4 = "198.51.100.2"
const H4_AS_6 = "2001:db8:1c6:3364:2::"
const H6_AS_4 = "192.0.2.33"
const H6 = "2001:db8:1c0:2:21::"

const FOUR: PortEnds = { source: H4, sourcePort: 5000, destination: H6_AS_4, destinationPort: 80 }
const SIX: PortEnds = { ...FOUR, source: H4_AS_6, destination: H6 }
const SAME_PORTS: Crossing = {
  source: address(H4_AS_6),
  sourcePort: undefined,
  destination: address(H6),
  destinationPort: undefined,
}
/** The same with a port from a NAT64's binding. */
const BOUND: Crossing = { ...SAME_PORTS, destinationPort: 8080 }
const SIX_BOUND: PortEnds = { ...SIX, destinationPort: 8080 }

const turned = ({ source, sourcePort, destination, destinationPort }: PortEnds): PortEnds => ({
  source: destination,
  sourcePort: destinationPort,
  destination: source,
  destinationPort: sourcePort,
})

const cross = (bytes: Uint8Array, more: Partial<typeof CROSSING_DEFAULTS> = {}, to = SAME_PORTS) =>
  toIpv6(read(bytes), to, { ...CROSSING_DEFAULTS, ...more })

describe("RFC 7915 section 4.1: the header", () => {
  test("NAT-7915-A: the addresses of appendix A", () => {
    const nsp = prefix("2001:db8:100::/40")
    assert.equal(embedIpv4(nsp, address(H4)), address(H4_AS_6))
    assert.equal(embedIpv4(nsp, address(H6_AS_4)), address(H6))
  })

  for (const [name, protocol, make] of [
    ["TCP", 6, (ends: PortEnds) => tcp(ends)],
    ["UDP", 17, (ends: PortEnds) => udp(ends)],
    ["UDP-Lite", 136, (ends: PortEnds) => udpLite(ends, DATA, 9)],
    ["DCCP", 33, (ends: PortEnds) => dccp(ends)],
  ] as const)
    test(`NAT-7915-4.5, NAT-6146-3.7: ${name}: header, checksum, port`, () => {
      const bytes = ip4({ ...FOUR, protocol, tos: 0xb9, ttl: 33 }, make(FOUR))
      same(onlyOf(cross(bytes)), ip6({ ...SIX, protocol, trafficClass: 0xb9, hopLimit: 32 }, make(SIX)))
      const bound = ip6({ ...SIX_BOUND, protocol, trafficClass: 0xb9, hopLimit: 32 }, make(SIX_BOUND))
      same(onlyOf(cross(bytes, {}, BOUND)), bound)
    })

  test("NAT-7915-4.1: other transport protocols go over as they are", () => {
    for (const [protocol, payload] of [
      [132, sctp(1, 2)],
      [50, DATA],
      [51, DATA],
      [47, DATA],
      [59, DATA],
    ] as const)
      same(onlyOf(cross(ip4({ ...FOUR, protocol }, payload))), ip6({ ...SIX, protocol, hopLimit: 63 }, payload))
  })

  test("NAT-7915-4.1: traffic class zero, hop limit left alone, as set", () => {
    const out = onlyOf(
      cross(ip4({ ...FOUR, protocol: 17, tos: 0xff, ttl: 1 }, udp(FOUR)), { trafficClass: 0, hops: 0 }),
    )
    same(out, ip6({ ...SIX, protocol: 17, trafficClass: 0, hopLimit: 1 }, udp(SIX)))
  })

  test("NAT-7915-4.1: the TTL runs out", () => {
    for (const ttl of [0, 1])
      assert.deepEqual(dropOf(cross(ip4({ ...FOUR, protocol: 17, ttl }, udp(FOUR))), "hop-limit").reply, {
        kind: "hop-limit",
      })
  })

  test("NAT-7915-4.1: options are ignored, an unexpired source route is refused", () => {
    const plain = ip4({ ...FOUR, protocol: 17, options: [7, 7, 4, 0, 0, 0, 0, 0] }, udp(FOUR))
    same(onlyOf(cross(plain)), ip6({ ...SIX, protocol: 17, hopLimit: 63 }, udp(SIX)))
    for (const type of [131, 137]) {
      const routed = ip4({ ...FOUR, protocol: 17, options: [type, 7, 4, 1, 2, 3, 4, 0] }, udp(FOUR))
      assert.deepEqual(dropOf(cross(routed), "source-route").reply, { kind: "source-route-failed" })
      assert.ok(cross(ip4({ ...FOUR, protocol: 17, options: [type, 7, 8, 1, 2, 3, 4, 0] }, udp(FOUR))).ok)
    }
  })

  test("NAT-7915-4.1: illegal sources are dropped in silence", () => {
    for (const source of ["0.0.0.0", "127.0.0.1", "224.0.0.5", "255.255.255.255", "240.0.0.1"]) {
      const { reply } = dropOf(
        cross(ip4({ ...FOUR, source, protocol: 17 }, udp({ ...FOUR, source }))),
        "illegal-source",
      )
      assert.equal(reply, undefined)
    }
  })

  test("IPv6, IGMP and ICMPv6 over IPv4 are not translated (NAT-7915-4.2)", () => {
    dropOf(cross(ip6({ ...SIX, protocol: 17 }, udp(SIX))), "wrong-family")
    for (const protocol of [2, 58]) dropOf(cross(ip4({ ...FOUR, protocol }, DATA)), "not-translatable")
  })

  test("IPv4's protocol does not become an extension header", () => {
    for (const protocol of [0, 43, 44, 60]) {
      const bytes = ip4({ ...FOUR, protocol }, [17, 0, 0, 0, 0, 0, 0, 0])
      dropOf(cross(bytes), "not-translatable")
      const error = ip4({ ...FOUR, protocol: 1 }, icmp4(3, 1, [0, 0, 0, 0], bytes))
      dropOf(cross(error), "not-translatable")
    }
  })
})

describe("SCTP", () => {
  test("NAT-6887-16.3.3: keeps its ports, which its CRC32c covers", () => {
    dropOf(cross(ip4({ ...FOUR, protocol: 132 }, sctp(5000, 80)), {}, BOUND), "port-not-rewritable")
  })
})

describe("RFC 7915 section 4.1: fragments and MTU", () => {
  const data = (length: number) => Uint8Array.from({ length }, (_, i) => i * 7)
  const whole = (length: number, flags: number) =>
    ip4({ ...FOUR, protocol: 17, flags, id: 0xabcd }, udp(FOUR, data(length)))

  test("NAT-7915-4.1: a fragment gets a Fragment header with its offset, M and identification", () => {
    const bytes = udp(FOUR, data(200))
    const first = ip4({ ...FOUR, protocol: 17, flags: 1, id: 0xabcd }, bytes.subarray(0, 104))
    const six = udp(SIX, data(200))
    const header = { ...SIX, protocol: 17, hopLimit: 63 }
    same(onlyOf(cross(first)), ip6({ ...header, extensions: [fragmentHeader(0, true, 0xabcd)] }, six.subarray(0, 104)))
    const last = ip4({ ...FOUR, protocol: 17, offset: 13, id: 0xabcd }, bytes.subarray(104))
    same(onlyOf(cross(last)), ip6({ ...header, extensions: [fragmentHeader(13, false, 0xabcd)] }, six.subarray(104)))
  })

  test("NAT-7915-4: a whole packet that fits gets none, DF or not", () => {
    for (const flags of [0, 2])
      same(
        onlyOf(cross(whole(1280 - 48, flags))),
        ip6({ ...SIX, protocol: 17, hopLimit: 63 }, udp(SIX, data(1280 - 48))),
      )
  })

  test("NAT-7915-4.1: without DF, what is longer than lowest-ipv6-mtu is fragmented to it", () => {
    for (const [length, lowestIpv6Mtu, most] of [
      [1233, 1280, 1280],
      [1400, 1280, 1280],
      [8000, 1280, 1280],
      [8000, 1500, 1496],
      [8000, 100, 1280],
    ]) {
      const packets = packetsOf(cross(whole(length, 0), { lowestIpv6Mtu }))
      const six = udp(SIX, data(length))
      let at = 0
      for (const [i, bytes] of packets.entries()) {
        const more = i < packets.length - 1
        const part = six.subarray(at, at + (bytes.length - 48))
        const extensions = [fragmentHeader(at / 8, more, 0xabcd)]
        same(bytes, ip6({ ...SIX, protocol: 17, hopLimit: 63, extensions }, part))
        if (more) assert.equal(bytes.length, most)
        at += part.length
      }
      assert.equal(at, six.length)
    }
  })

  test("NAT-7915-4.1: a fragment that is too long is fragmented again", () => {
    const bytes = ip4({ ...FOUR, protocol: 17, flags: 1, offset: 20, id: 5 }, data(1400))
    const packets = packetsOf(cross(bytes))
    assert.deepEqual(
      packets.map((part) => [part.length, read(part).fragmentOffset, read(part).moreFragments]),
      [
        [1280, 160, true],
        [48 + 1400 - 1232, 160 + 1232, true],
      ],
    )
  })

  test("NAT-7915-4.1: with DF, what the next hop cannot carry is dropped, with its MTU less 20", () => {
    assert.equal(onlyOf(cross(whole(1500 - 48, 2))).length, 1500)
    assert.deepEqual(dropOf(cross(whole(1500 - 47, 2)), "too-big").reply, { kind: "too-big", mtu: 1480 })
    assert.deepEqual(dropOf(cross(whole(1400, 2), { ipv6Mtu: 1280 }), "too-big").reply, { kind: "too-big", mtu: 1260 })
  })
})

describe("RFC 7915 section 4.5: UDP without checksum", () => {
  const none = (flags = 0) => ip4({ ...FOUR, protocol: 17, flags }, udp(FOUR, DATA.subarray(0, 16), 0))

  test("NAT-7915-4.5: computed for IPv6, or dropped", () => {
    same(onlyOf(cross(none())), ip6({ ...SIX, protocol: 17, hopLimit: 63 }, udp(SIX, DATA.subarray(0, 16))))
    const bound = ip6({ ...SIX_BOUND, protocol: 17, hopLimit: 63 }, udp(SIX_BOUND, DATA.subarray(0, 16)))
    same(onlyOf(cross(none(), {}, BOUND)), bound)
    dropOf(cross(none(), { udpZeroChecksum: "drop" }), "udp-zero-checksum")
  })

  test("NAT-7915-4.5: in the first fragment, dropped", () => {
    dropOf(cross(none(1)), "udp-zero-checksum")
  })

  test("NAT-7915-4.5: over the length that UDP has, not over what follows it", () => {
    const odd = udp(FOUR, DATA.subarray(0, 5), 0)
    const out = onlyOf(cross(ip4({ ...FOUR, protocol: 17 }, octets(odd, [1, 2, 3]))))
    same(out.subarray(40, 53), udp(SIX, DATA.subarray(0, 5)))
  })

  test("NAT-8200-8.1: a computed zero is sent as ones", () => {
    const bare = udp(SIX, octets(DATA, [0, 0]))
    const tail = octets(DATA, bare.subarray(6, 8))
    same(onlyOf(cross(ip4({ ...FOUR, protocol: 17 }, udp(FOUR, tail, 0)))).subarray(40), udp(SIX, tail))
    same(onlyOf(cross(ip4({ ...FOUR, protocol: 17 }, udp(FOUR, tail)))).subarray(40, 48), udp(SIX, tail).subarray(0, 8))
    assert.deepEqual([...udp(SIX, tail).subarray(6, 8)], [255, 255])
  })

  test("NAT-1624-3: a wrong checksum is wrong still", () => {
    const out = onlyOf(cross(ip4({ ...FOUR, protocol: 6 }, tcp(FOUR, DATA, 2, 0x1234))))
    const right = onlyOf(cross(ip4({ ...FOUR, protocol: 6 }, tcp(FOUR, DATA, 2))))
    assert.notDeepEqual(out, right)
    const was = tcp(FOUR, DATA, 2)
    const by = (0x1234 - ((was[16] << 8) | was[17]) + 65535) % 65535
    assert.equal((((right[56] << 8) | right[57]) + by) % 65535, (out[56] << 8) | out[57])
  })
})

describe("RFC 7915 section 4.2: ICMP", () => {
  const query = (type: number, identifier = 0x4321) => icmp4(type, 0, [identifier >> 8, identifier & 255, 0, 7], DATA)
  const query6 = (type: number, identifier = 0x4321) =>
    icmp6(SIX, type, 0, [identifier >> 8, identifier & 255, 0, 7], DATA)

  test("NAT-7915-4.2: echo and its reply, with a new identifier where there is one", () => {
    for (const [type, type6] of [
      [8, 128],
      [0, 129],
    ]) {
      same(
        onlyOf(cross(ip4({ ...FOUR, protocol: 1 }, query(type)))),
        ip6({ ...SIX, protocol: 58, hopLimit: 63 }, query6(type6)),
      )
      const bound = ip6({ ...SIX, protocol: 58, hopLimit: 63 }, query6(type6, 8080))
      same(onlyOf(cross(ip4({ ...FOUR, protocol: 1 }, query(type)), {}, BOUND)), bound)
    }
  })

  test("NAT-7915-4.2: other queries and single-hop messages are dropped in silence", () => {
    for (const type of [4, 5, 6, 9, 10, 13, 14, 15, 16, 17, 18, 19, 42, 255])
      assert.equal(dropOf(cross(ip4({ ...FOUR, protocol: 1 }, query(type))), "not-translatable").reply, undefined)
  })

  test("NAT-7915-1.2: ICMP in fragments is dropped", () => {
    dropOf(cross(ip4({ ...FOUR, protocol: 1, flags: 1 }, query(8).subarray(0, 24))), "fragmented-icmp")
    dropOf(cross(ip4({ ...FOUR, protocol: 1, offset: 4 }, DATA)), "fragmented-icmp")
  })

  const ROUTER = "203.0.113.1"
  const ROUTER_AS_6 = "2001:db8:1cb:71:1::"
  /** What came from H6 and was quoted: the flow turned round, as the IPv4 side saw it. */
  const back4 = turned(FOUR)
  const back6 = turned(SIX)
  const to: Crossing = { ...SAME_PORTS, errorSource: address(ROUTER_AS_6) }
  const inner4 = (length = 8, more: object = {}) =>
    ip4({ ...back4, protocol: 17, ttl: 3, tos: 8, totalLength: 20 + 26, ...more }, udp(back4).subarray(0, length))
  const inner6 = (length = 8) =>
    ip6({ ...back6, protocol: 17, hopLimit: 3, trafficClass: 8, payloadLength: 26 }, udp(back6).subarray(0, length))
  const error = (type: number, code: number, rest: readonly number[], inner: Uint8Array) =>
    ip4({ source: ROUTER, destination: H6_AS_4, protocol: 1, tos: 0xc0 }, icmp4(type, code, rest, inner))
  const error6 = (type: number, code: number, rest: readonly number[], inner: Uint8Array) => {
    const ends = { source: ROUTER_AS_6, destination: H6 }
    return ip6({ ...ends, protocol: 58, hopLimit: 63, trafficClass: 0xc0 }, icmp6(ends, type, code, rest, inner))
  }

  test("NAT-7915-4.2: Destination Unreachable, each code", () => {
    const codes: readonly (readonly [number, number, number, readonly number[]])[] = [
      ...[0, 1, 5, 6, 7, 8, 11, 12].map((code) => [code, 1, 0, [0, 0, 0, 0]] as const),
      ...[9, 10, 13, 15].map((code) => [code, 1, 1, [0, 0, 0, 0]] as const),
      [2, 4, 1, [0, 0, 0, 6]],
      [3, 1, 4, [0, 0, 0, 0]],
    ]
    for (const [code, type6, code6, rest] of codes)
      same(onlyOf(cross(error(3, code, [0, 0, 0, 0], inner4()), {}, to)), error6(type6, code6, rest, inner6()))
    for (const code of [14, 16, 255]) dropOf(cross(error(3, code, [0, 0, 0, 0], inner4())), "not-translatable")
  })

  test("NAT-7915-4.2: Fragmentation Needed: max(1280, min(MTU + 20, IPv6's, IPv4's + 20))", () => {
    for (const [told, ipv6Mtu, ipv4Mtu, mtu] of [
      [1400, 1500, 1500, 1420],
      [1400, 1410, 1500, 1410],
      [1400, 1500, 1300, 1320],
      [576, 1500, 1500, 1280],
      [9000, 1500, 1500, 1500],
    ]) {
      const out = onlyOf(cross(error(3, 4, [0, 0, told >> 8, told & 255], inner4()), { ipv6Mtu, ipv4Mtu }, to))
      same(out, error6(2, 0, [0, 0, mtu >> 8, mtu & 255], inner6()))
    }
  })

  test("NAT-7915-4.2: an MTU of zero: the greatest plateau below the packet's length", () => {
    for (const [length, mtu] of [
      [1500, 1492],
      [1492, 1280],
      [4353, 4352],
      [4352, 2002],
      [40000, 32000],
      [100, 1280],
    ]) {
      const out = onlyOf(
        cross(error(3, 4, [0, 0, 0, 0], inner4(8, { totalLength: length })), { ipv6Mtu: 65535, ipv4Mtu: 65535 }),
      )
      assert.equal(((out[44] << 24) | (out[45] << 16) | (out[46] << 8) | out[47]) >>> 0, mtu)
    }
  })

  test("NAT-7915-4.2: Time Exceeded keeps its code", () => {
    for (const code of [0, 1])
      same(onlyOf(cross(error(11, code, [0, 0, 0, 0], inner4(26)), {}, to)), error6(3, code, [0, 0, 0, 0], inner6(26)))
  })

  test("NAT-7915-4.2: Parameter Problem: figure 3", () => {
    const figure = new Map([
      [0, 0],
      [1, 1],
      [2, 4],
      [3, 4],
      [8, 7],
      [9, 6],
      ...[12, 13, 14, 15].map((at) => [at, 8] as const),
      ...[16, 17, 18, 19].map((at) => [at, 24] as const),
    ])
    for (let pointer = 0; pointer < 256; pointer++)
      for (const code of [0, 2]) {
        const result = cross(error(12, code, [pointer, 0, 0, 0], inner4()), {}, to)
        const pointer6 = figure.get(pointer)
        if (pointer6 === undefined) dropOf(result, "not-translatable")
        else same(onlyOf(result), error6(4, 0, [0, 0, 0, pointer6], inner6()))
      }
    for (const code of [1, 3]) dropOf(cross(error(12, code, [0, 0, 0, 0], inner4())), "not-translatable")
  })

  test("NAT-7915-4.3, NAT-6146-3.6: the packet in error gets back the bound port, and its hop limit stays", () => {
    const bound4 = { ...back4, sourcePort: 80 }
    const bound6 = { ...back6, sourcePort: 8080 }
    const quoted = ip4({ ...bound4, protocol: 6, ttl: 1 }, tcp(bound4))
    const out = onlyOf(cross(error(11, 0, [0, 0, 0, 0], quoted), {}, { ...to, destinationPort: 8080 }))
    same(out, error6(3, 0, [0, 0, 0, 0], ip6({ ...bound6, protocol: 6, hopLimit: 1 }, tcp(bound6))))
  })

  test("NAT-7915-4.3: a packet in error that was echo, a fragment, or had options", () => {
    const ping4 = ip4({ ...back4, protocol: 1 }, query(8, 0x1111))
    const ping6 = ip6({ ...back6, protocol: 58 }, icmp6(back6, 128, 0, [0x11, 0x11, 0, 7], DATA))
    same(onlyOf(cross(error(11, 0, [0, 0, 0, 0], ping4), {}, to)), error6(3, 0, [0, 0, 0, 0], ping6))
    const part4 = ip4({ ...back4, protocol: 17, flags: 1, offset: 3, id: 9 }, DATA.subarray(0, 16))
    const part6 = ip6({ ...back6, protocol: 17, extensions: [fragmentHeader(3, true, 9)] }, DATA.subarray(0, 16))
    same(onlyOf(cross(error(11, 0, [0, 0, 0, 0], part4), {}, to)), error6(3, 0, [0, 0, 0, 0], part6))
    const optional = ip4({ ...back4, protocol: 17, options: [1, 1, 1, 0] }, udp(back4))
    same(
      onlyOf(cross(error(11, 0, [0, 0, 0, 0], optional), {}, to)),
      error6(3, 0, [0, 0, 0, 0], ip6({ ...back6, protocol: 17 }, udp(back6))),
    )
    dropOf(cross(error(11, 0, [0, 0, 0, 0], ip4({ ...back4, protocol: 1 }, query(13)))), "not-translatable")
    dropOf(cross(error(11, 0, [0, 0, 0, 0], ip4({ ...back4, protocol: 1 }, query(9)))), "not-translatable")
    dropOf(cross(error(11, 0, [0, 0, 0, 0], ip4({ ...back4, protocol: 58 }, query(9)))), "not-translatable")
    dropOf(cross(error(11, 0, [0, 0, 0, 0], ip4({ ...back4, protocol: 1, flags: 1 }, query(8)))), "fragmented-icmp")
  })

  test("NAT-7915-4.1: an error's illegal source is translated even so", () => {
    const bytes = ip4({ source: "127.0.0.1", destination: H6_AS_4, protocol: 1 }, icmp4(3, 1, [0, 0, 0, 0], inner4()))
    assert.ok(cross(bytes).ok)
  })

  test("NAT-7915-4.2: extensions (RFC 4884): their place in 64-bit words", () => {
    const extension = [0x20, 0, 0, 0, 0, 8, 1, 1, 1, 2, 3, 4]
    const quoted = octets(inner4(26), new Uint8Array(128 - 46), extension)
    const quoted6 = octets(inner6(26), new Uint8Array(128 - 66), extension)
    for (const [type, code, type6, code6] of [
      [11, 0, 3, 0],
      [3, 1, 1, 0],
    ])
      same(
        onlyOf(cross(error(type, code, [0, 32, 0, 0], quoted), {}, to)),
        error6(type6, code6, [16, 0, 0, 0], quoted6),
      )
    // Packet Too Big has no length attribute: they are left out.
    same(onlyOf(cross(error(3, 4, [0, 32, 5, 0], quoted), {}, to)), error6(2, 0, [0, 0, 5, 0x14], inner6(26)))
    const long4 = ip4({ ...back4, protocol: 17 }, udp(back4, new Uint8Array(101)))
    const long6 = ip6({ ...back6, protocol: 17 }, udp(back6, new Uint8Array(101)))
    assert.equal(long4.length, 129)
    same(
      onlyOf(cross(error(11, 0, [0, 33, 0, 0], octets(long4, [0, 0, 0], extension)), {}, to)),
      error6(3, 0, [19, 0, 0, 0], octets(long6, [0, 0, 0], extension)),
    )
  })

  test("NAT-4443-2.4: an error longer than 1280 octets is cut there, and extensions that do not fit are left out", () => {
    const long = udp(back4, new Uint8Array(1300))
    const quoted = ip4({ ...back4, protocol: 17 }, long)
    const out = onlyOf(cross(error(11, 0, [0, 0, 0, 0], quoted)))
    assert.equal(out.length, 1280)
    const source = [...out.subarray(8, 24)]
    assert.equal(inet(source, out.subarray(24, 40), [0, 0, 4, 0xd8, 0, 0, 0, 58], out.subarray(40)), 0)
    const edge = ip4({ ...back4, protocol: 17, totalLength: 1300 }, long.subarray(0, 1000))
    for (const [extensions, attribute, length] of [
      [192, 130, 1280],
      [193, 0, 1088],
    ]) {
      const extended = onlyOf(cross(error(11, 0, [0, 255, 0, 0], octets(edge, new Uint8Array(extensions)))))
      assert.deepEqual([extended[44], extended.length], [attribute, length])
    }
  })
})
