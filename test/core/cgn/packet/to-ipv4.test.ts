import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { CROSSING_DEFAULTS, type Crossing, toIpv4 } from "../../../../core/cgn/packet/index.ts"
import {
  DATA,
  dccp,
  fragmentHeader,
  icmp4,
  icmp6,
  ip4,
  ip6,
  octets,
  type PortEnds,
  sctp,
  tcp,
  udp,
  udpLite,
} from "./build.ts"
import { address, dropOf, onlyOf, packetsOf, read, same } from "./scene.ts"

/** RFC 7915 appendix A, from H6 to H4. */
const SIX: PortEnds = {
  source: "2001:db8:1c0:2:21::",
  sourcePort: 8080,
  destination: "2001:db8:1c6:3364:2::",
  destinationPort: 5000,
}
const FOUR: PortEnds = { ...SIX, source: "192.0.2.33", destination: "198.51.100.2" }
const SAME_PORTS: Crossing = {
  source: address(FOUR.source),
  sourcePort: undefined,
  destination: address(FOUR.destination),
  destinationPort: undefined,
}
/** The same with a port from a NAT64's binding. */
const BOUND: Crossing = { ...SAME_PORTS, sourcePort: 61000 }
const FOUR_BOUND: PortEnds = { ...FOUR, sourcePort: 61000 }
const ID = 0x7777

const turned = ({ source, sourcePort, destination, destinationPort }: PortEnds): PortEnds => ({
  source: destination,
  sourcePort: destinationPort,
  destination: source,
  destinationPort: sourcePort,
})

const cross = (bytes: Uint8Array, more: Partial<typeof CROSSING_DEFAULTS> = {}, to = SAME_PORTS) =>
  toIpv4(read(bytes), to, ID, { ...CROSSING_DEFAULTS, ...more })

const data = (length: number) => Uint8Array.from({ length }, (_, i) => i * 7)

describe("RFC 7915 section 5.1: the header", () => {
  for (const [name, protocol, make] of [
    ["TCP", 6, (ends: PortEnds) => tcp(ends)],
    ["UDP", 17, (ends: PortEnds) => udp(ends)],
    ["UDP-Lite", 136, (ends: PortEnds) => udpLite(ends, DATA, 9)],
    ["DCCP", 33, (ends: PortEnds) => dccp(ends)],
  ] as const)
    test(`NAT-7915-5.5, NAT-6146-3.7: ${name}: header, checksum, port`, () => {
      const bytes = ip6({ ...SIX, protocol, trafficClass: 0xb9, flowLabel: 0x12345, hopLimit: 33 }, make(SIX))
      same(onlyOf(cross(bytes)), ip4({ ...FOUR, protocol, tos: 0xb9, ttl: 32, id: ID }, make(FOUR)))
      const bound = ip4({ ...FOUR_BOUND, protocol, tos: 0xb9, ttl: 32, id: ID }, make(FOUR_BOUND))
      same(onlyOf(cross(bytes, {}, BOUND)), bound)
    })

  test("NAT-7915-5.1: other transport protocols go over as they are, AH too", () => {
    for (const [protocol, payload] of [
      [132, sctp(1, 2)],
      [50, DATA],
      [51, DATA],
      [47, DATA],
      [59, octets()],
    ] as const)
      same(onlyOf(cross(ip6({ ...SIX, protocol }, payload))), ip4({ ...FOUR, protocol, ttl: 63, id: ID }, payload))
  })

  test("NAT-7915-5.1: a TOS of its own, hop limit left alone, as set", () => {
    const bytes = ip6({ ...SIX, protocol: 17, trafficClass: 0xff, hopLimit: 1 }, udp(SIX))
    same(
      onlyOf(cross(bytes, { tos: 0x20, hops: 0 })),
      ip4({ ...FOUR, protocol: 17, tos: 0x20, ttl: 1, id: ID }, udp(FOUR)),
    )
  })

  test("NAT-7915-5.1: the hop limit runs out", () => {
    for (const hopLimit of [0, 1])
      assert.deepEqual(dropOf(cross(ip6({ ...SIX, protocol: 17, hopLimit }, udp(SIX))), "hop-limit").reply, {
        kind: "hop-limit",
      })
  })

  test("NAT-7915-5.1: extension headers are passed over", () => {
    const options = [1, 4, 0, 0, 0, 0]
    const extensions = [
      [0, options],
      [60, [...options, ...new Uint8Array(8)]],
      [43, [4, 0, 0, 0, 0, 0]],
      [60, options],
    ] as const
    same(
      onlyOf(cross(ip6({ ...SIX, protocol: 6, extensions }, tcp(SIX)))),
      ip4({ ...FOUR, protocol: 6, ttl: 63, id: ID }, tcp(FOUR)),
    )
  })

  test("NAT-7915-5.1: segments left: parameter problem, with a pointer to them", () => {
    const extensions = [
      [0, [1, 4, 0, 0, 0, 0]],
      [43, [0, 1, 0, 0, 0, 0]],
    ] as const
    const { reply } = dropOf(cross(ip6({ ...SIX, protocol: 17, extensions }, udp(SIX))), "routing-header")
    assert.deepEqual(reply, { kind: "parameter", pointer: 51 })
  })

  test("NAT-7915-5.1: illegal sources are dropped in silence", () => {
    for (const source of ["::", "::1", "fe80::1", "ff02::1"]) {
      const { reply } = dropOf(cross(ip6({ ...SIX, source, protocol: 17 }, udp({ ...SIX, source }))), "illegal-source")
      assert.equal(reply, undefined)
    }
    for (const source of ["::2", "fec0::1", "2001:db8::"])
      assert.ok(cross(ip6({ ...SIX, source, protocol: 17 }, udp({ ...SIX, source }))).ok)
  })

  test("IPv4, and ICMP over IPv6, are not translated", () => {
    dropOf(cross(ip4({ ...FOUR, protocol: 17 }, udp(FOUR))), "wrong-family")
    dropOf(cross(ip6({ ...SIX, protocol: 1 }, DATA)), "not-translatable")
  })

  test("NAT-6936-5: UDP without checksum stays without", () => {
    const bytes = ip6({ ...SIX, protocol: 17 }, udp(SIX, DATA, 0))
    same(onlyOf(cross(bytes)), ip4({ ...FOUR, protocol: 17, ttl: 63, id: ID }, udp(FOUR, DATA, 0)))
  })
})

describe("SCTP", () => {
  test("NAT-6887-16.3.3: keeps its ports, which its CRC32c covers", () => {
    dropOf(cross(ip6({ ...SIX, protocol: 132 }, sctp(8080, 5000)), {}, BOUND), "port-not-rewritable")
  })
})

describe("RFC 7915 section 5.1: DF, fragments and MTU", () => {
  const whole = (total: number) => ip6({ ...SIX, protocol: 17 }, udp(SIX, data(total - 28)))
  const four = (total: number, flags: number) =>
    ip4({ ...FOUR, protocol: 17, ttl: 63, id: ID, flags }, udp(FOUR, data(total - 28)))

  test("NAT-7915-5.1: DF above 1260 octets of IPv4 alone", () => {
    for (const [total, flags] of [
      [1260, 0],
      [1261, 2],
      [1480, 2],
    ])
      same(onlyOf(cross(whole(total))), four(total, flags))
  })

  test("NAT-7915-5.1.1: a Fragment header: identification, M and offset; DF is clear, whatever the length", () => {
    const six = udp(SIX, data(1400))
    const header = { ...SIX, protocol: 17 }
    const first = ip6({ ...header, extensions: [fragmentHeader(0, true, 0x1234abcd)] }, six.subarray(0, 1304))
    const out = { ...FOUR, protocol: 17, ttl: 63, id: 0xabcd }
    same(onlyOf(cross(first)), ip4({ ...out, flags: 1 }, udp(FOUR, data(1400)).subarray(0, 1304)))
    const last = ip6({ ...header, extensions: [fragmentHeader(163, false, 0x1234abcd)] }, six.subarray(1304))
    same(onlyOf(cross(last)), ip4({ ...out, offset: 163 }, six.subarray(1304)))
    const atomic = ip6({ ...header, extensions: [fragmentHeader(0, false, 0x1234abcd)] }, six)
    same(onlyOf(cross(atomic)), ip4(out, udp(FOUR, data(1400))))
  })

  test("NAT-7915-5.1.1: a fragment whose data begins with an extension header is dropped", () => {
    for (const next of [0, 43, 51, 60, 135]) {
      const bytes = ip6({ ...SIX, protocol: next, extensions: [fragmentHeader(1, false, 1)] }, DATA)
      dropOf(cross(bytes), "fragmented-extension")
    }
    assert.ok(cross(ip6({ ...SIX, protocol: 50, extensions: [fragmentHeader(1, false, 1)] }, DATA)).ok)
    const first = [fragmentHeader(0, true, 1), [60, [1, 4, 0, 0, 0, 0]]] as const
    dropOf(cross(ip6({ ...SIX, protocol: 17, extensions: first }, udp(SIX, data(16)))), "fragmented-extension")
  })

  test("NAT-7915-5.1.1: what came in 1280 octets is fragmented where IPv4's link is smaller", () => {
    const packets = packetsOf(cross(whole(1260), { ipv4Mtu: 576 }))
    const [one, two, three] = packets
    const all = udp(FOUR, data(1260 - 28))
    const header = { ...FOUR, protocol: 17, ttl: 63, id: ID }
    same(one, ip4({ ...header, flags: 1 }, all.subarray(0, 552)))
    same(two, ip4({ ...header, flags: 1, offset: 69 }, all.subarray(552, 1104)))
    same(three, ip4({ ...header, offset: 138 }, all.subarray(1104)))
    assert.equal(packets.length, 3)
  })

  test("NAT-7915-5.1: what has DF and does not fit is dropped, with the MTU plus 20, at least 1280", () => {
    assert.deepEqual(dropOf(cross(whole(1500), { ipv4Mtu: 1400 }), "too-big").reply, { kind: "too-big", mtu: 1420 })
    assert.deepEqual(dropOf(cross(whole(1261), { ipv4Mtu: 576 }), "too-big").reply, { kind: "too-big", mtu: 1280 })
    dropOf(cross(ip6({ ...SIX, protocol: 59 }, new Uint8Array(65516)), { ipv4Mtu: 65535 }), "too-big")
  })
})

describe("RFC 7915 section 5.2: ICMPv6", () => {
  const query6 = (type: number, identifier = 0x4321) =>
    icmp6(SIX, type, 0, [identifier >> 8, identifier & 255, 0, 7], DATA)
  const query4 = (type: number, identifier = 0x4321) => icmp4(type, 0, [identifier >> 8, identifier & 255, 0, 7], DATA)

  test("NAT-7915-5.2: echo and its reply, with a new identifier where there is one", () => {
    for (const [type6, type] of [
      [128, 8],
      [129, 0],
    ]) {
      const bytes = ip6({ ...SIX, protocol: 58 }, query6(type6))
      same(onlyOf(cross(bytes)), ip4({ ...FOUR, protocol: 1, ttl: 63, id: ID }, query4(type)))
      same(onlyOf(cross(bytes, {}, BOUND)), ip4({ ...FOUR, protocol: 1, ttl: 63, id: ID }, query4(type, 61000)))
    }
  })

  test("NAT-7915-5.2: a wrong checksum of an echo is wrong still", () => {
    const wrong = ip6({ ...SIX, protocol: 58 }, icmp6(SIX, 128, 0, [1, 2, 3, 4], DATA, 0x1234))
    const right = icmp6(SIX, 128, 0, [1, 2, 3, 4], DATA)
    const expected = icmp4(8, 0, [1, 2, 3, 4], DATA)
    const by = (0x1234 - ((right[2] << 8) | right[3]) + 65535) % 65535
    const out = onlyOf(cross(wrong))
    assert.equal((out[22] << 8) | out[23], (((expected[2] << 8) | expected[3]) + by) % 65535)
  })

  test("NAT-7915-5.2: all other messages are dropped in silence", () => {
    for (const type of [0, 5, 100, 127, 130, 131, 132, 133, 134, 135, 136, 137, 143, 255])
      assert.equal(dropOf(cross(ip6({ ...SIX, protocol: 58 }, query6(type))), "not-translatable").reply, undefined)
  })

  test("NAT-7915-1.2: ICMPv6 in fragments is dropped; an atomic fragment is none", () => {
    const part = (more: boolean, offset: number) => [fragmentHeader(offset, more, 1)]
    dropOf(
      cross(ip6({ ...SIX, protocol: 58, extensions: part(true, 0) }, query6(128).subarray(0, 24))),
      "fragmented-icmp",
    )
    dropOf(cross(ip6({ ...SIX, protocol: 58, extensions: part(false, 3) }, DATA)), "fragmented-icmp")
    assert.ok(cross(ip6({ ...SIX, protocol: 58, extensions: part(false, 0) }, query6(128))).ok)
  })

  const ROUTER6 = "2001:db8:77::1"
  const back6 = turned(SIX)
  const back4 = turned(FOUR)
  const inner6 = (length = 8, more: object = {}) =>
    ip6(
      { ...back6, protocol: 17, hopLimit: 3, trafficClass: 8, payloadLength: 26, ...more },
      udp(back6).subarray(0, length),
    )
  const inner4 = (length = 8, more: object = {}) =>
    ip4({ ...back4, protocol: 17, ttl: 3, tos: 8, id: 0, totalLength: 46, ...more }, udp(back4).subarray(0, length))
  const error6 = (type: number, code: number, rest: readonly number[], inner: Uint8Array) => {
    const ends = { source: ROUTER6, destination: SIX.destination }
    return ip6({ ...ends, protocol: 58, trafficClass: 0xc0 }, icmp6(ends, type, code, rest, inner))
  }
  /** Its source is the translator's, where there is no address for the router (RFC 6146 section 3.6). */
  const error4 = (type: number, code: number, rest: readonly number[], inner: Uint8Array, source = FOUR.source) =>
    ip4(
      { source, destination: FOUR.destination, protocol: 1, ttl: 63, tos: 0xc0, id: ID },
      icmp4(type, code, rest, inner),
    )

  test("NAT-7915-5.2: Destination Unreachable, each code", () => {
    for (const [code6, code] of [
      [0, 1],
      [1, 10],
      [2, 1],
      [3, 1],
      [4, 3],
    ])
      same(onlyOf(cross(error6(1, code6, [0, 0, 0, 0], inner6()))), error4(3, code, [0, 0, 0, 0], inner4()))
    for (const code of [5, 6, 255]) dropOf(cross(error6(1, code, [0, 0, 0, 0], inner6())), "not-translatable")
  })

  test("NAT-7915-5.2: Packet Too Big: min(MTU - 20, IPv4's, IPv6's - 20), the Fragment header with it", () => {
    for (const [told, ipv4Mtu, ipv6Mtu, mtu] of [
      [1400, 1500, 1500, 1380],
      [1400, 1300, 1500, 1300],
      [9000, 9000, 1500, 1480],
      [0x12345678, 1500, 9000, 1500],
      [0, 1500, 1500, 68],
    ]) {
      const rest = [told >>> 24, (told >> 16) & 255, (told >> 8) & 255, told & 255]
      const out = onlyOf(cross(error6(2, 0, rest, inner6()), { ipv4Mtu, ipv6Mtu }))
      same(out, error4(3, 4, [0, 0, mtu >> 8, mtu & 255], inner4()))
    }
    const fragment = ip6({ ...back6, protocol: 17, extensions: [fragmentHeader(0, false, 5)] }, udp(back6))
    const out = onlyOf(cross(error6(2, 0, [0, 0, 5, 120], fragment)))
    same(out, error4(3, 4, [0, 0, 5, 120 - 28], ip4({ ...back4, protocol: 17, id: 5 }, udp(back4))))
  })

  test("NAT-7915-5.2: Time Exceeded keeps its code", () => {
    for (const code of [0, 1])
      same(onlyOf(cross(error6(3, code, [0, 0, 0, 0], inner6(26)))), error4(11, code, [0, 0, 0, 0], inner4(26)))
  })

  test("NAT-7915-5.2: Parameter Problem: figure 6, and the unrecognized next header", () => {
    const figure = new Map([
      [0, 0],
      [1, 1],
      [4, 2],
      [5, 2],
      [6, 9],
      [7, 8],
    ])
    for (let at = 8; at < 40; at++) figure.set(at, at < 24 ? 12 : 16)
    for (let pointer = 0; pointer < 50; pointer++) {
      const result = cross(error6(4, 0, [0, 0, 0, pointer], inner6()))
      const pointer4 = figure.get(pointer)
      if (pointer4 === undefined) dropOf(result, "not-translatable")
      else same(onlyOf(result), error4(12, 0, [pointer4, 0, 0, 0], inner4()))
    }
    dropOf(cross(error6(4, 0, [0x80, 0, 0, 0], inner6())), "not-translatable")
    same(onlyOf(cross(error6(4, 1, [0, 0, 0, 6], inner6()))), error4(3, 2, [0, 0, 0, 0], inner4()))
    for (const code of [2, 3]) dropOf(cross(error6(4, code, [0, 0, 0, 0], inner6())), "not-translatable")
  })

  test("NAT-7915-5.3, NAT-6146-3.6: the packet in error gets back the bound port; its hop limit stays", () => {
    const bound6 = { ...back6, destinationPort: 8080 }
    const bound4 = { ...back4, destinationPort: 61000 }
    const quoted = ip6({ ...bound6, protocol: 6, hopLimit: 1 }, tcp(bound6))
    const out = onlyOf(cross(error6(3, 0, [0, 0, 0, 0], quoted), {}, { ...BOUND, errorSource: address("192.0.2.99") }))
    same(out, error4(11, 0, [0, 0, 0, 0], ip4({ ...bound4, protocol: 6, ttl: 1, id: 0 }, tcp(bound4)), "192.0.2.99"))
  })

  test("NAT-7915-5.3: a packet in error that was echo, a fragment, long, or had extension headers", () => {
    const ping6 = ip6({ ...back6, protocol: 58 }, icmp6(back6, 129, 0, [1, 2, 0, 7], DATA))
    const ping4 = ip4({ ...back4, protocol: 1, id: 0 }, icmp4(0, 0, [1, 2, 0, 7], DATA))
    same(onlyOf(cross(error6(3, 0, [0, 0, 0, 0], ping6))), error4(11, 0, [0, 0, 0, 0], ping4))
    const part6 = ip6({ ...back6, protocol: 17, extensions: [fragmentHeader(3, true, 0x10009)] }, DATA.subarray(0, 16))
    const part4 = ip4({ ...back4, protocol: 17, flags: 1, offset: 3, id: 9 }, DATA.subarray(0, 16))
    same(onlyOf(cross(error6(3, 0, [0, 0, 0, 0], part6))), error4(11, 0, [0, 0, 0, 0], part4))
    const behind = ip6({ ...back6, protocol: 17, extensions: [[60, [1, 4, 0, 0, 0, 0]]] }, udp(back6))
    const plain = ip4({ ...back4, protocol: 17, id: 0 }, udp(back4))
    same(onlyOf(cross(error6(3, 0, [0, 0, 0, 0], behind))), error4(11, 0, [0, 0, 0, 0], plain))
    const long = onlyOf(cross(error6(2, 0, [0, 0, 5, 0], inner6(26, { payloadLength: 1460 }))))
    same(long, error4(3, 4, [0, 0, 4, 0xec], inner4(26, { totalLength: 1480, flags: 2 })))
    const redirect = icmp6(back6, 137, 0, [0, 0, 0, 0], DATA)
    dropOf(cross(error6(3, 0, [0, 0, 0, 0], ip6({ ...back6, protocol: 58 }, redirect))), "not-translatable")
    dropOf(cross(error6(3, 0, [0, 0, 0, 0], ip6({ ...back6, protocol: 1 }, redirect))), "not-translatable")
  })

  test("NAT-7915-5.3: a packet in error longer than IPv4 can be says the most that it can", () => {
    const out = onlyOf(cross(error6(2, 0, [0, 0, 5, 0], inner6(26, { payloadLength: 65535 }))))
    same(out, error4(3, 4, [0, 0, 4, 0xec], inner4(26, { totalLength: 65535, flags: 2 })))
  })

  test("NAT-7915-5.2: extensions behind more than 255 words of packet in error are left out", () => {
    const extension = [0x20, 0, 0, 0, 0, 8, 1, 1, 1, 2, 3, 4]
    for (const [length, attribute, rest] of [
      [992, 255, 12],
      [1000, 0, 0],
    ]) {
      const quoted6 = ip6({ ...back6, protocol: 17 }, udp(back6, data(length)))
      const quoted4 = ip4({ ...back4, protocol: 17, id: 0 }, udp(back4, data(length)))
      same(
        onlyOf(cross(error6(3, 0, [quoted6.length / 8, 0, 0, 0], octets(quoted6, extension)))),
        error4(11, 0, [0, attribute, 0, 0], octets(quoted4, extension.slice(0, rest))),
      )
    }
  })

  test("NAT-7915-5.2: extensions (RFC 4884): their place in 32-bit words", () => {
    const extension = [0x20, 0, 0, 0, 0, 8, 1, 1, 1, 2, 3, 4]
    const quoted = octets(inner6(26), new Uint8Array(128 - 66), extension)
    const quoted4 = octets(inner4(26), new Uint8Array(128 - 46), extension)
    same(onlyOf(cross(error6(3, 0, [16, 0, 0, 0], quoted))), error4(11, 0, [0, 32, 0, 0], quoted4))
    const long6 = ip6({ ...back6, protocol: 17 }, udp(back6, new Uint8Array(104)))
    const long4 = ip4({ ...back4, protocol: 17, id: 0 }, udp(back4, new Uint8Array(104)))
    same(
      onlyOf(cross(error6(1, 4, [19, 0, 0, 0], octets(long6, extension)))),
      error4(3, 3, [0, 33, 0, 0], octets(long4, extension)),
    )
  })
})
