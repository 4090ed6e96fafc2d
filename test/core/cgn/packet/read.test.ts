import assert from "node:assert/strict"
import { describe, test } from "node:test"
import {
  type DROP_CLAUSES,
  dontFragment,
  flowLabel,
  flowOf,
  hopLimit,
  identification,
  isFragment,
  readPacket,
  sourceRouteAt,
  subjectOf,
  TcpFlag,
  tcpFlags,
  trafficClass,
} from "../../../../core/cgn/packet/index.ts"
import { formatAddress } from "../../../../core/wire/index.ts"
import {
  DATA,
  dccp,
  fragmentHeader,
  hex,
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
  w16,
} from "./build.ts"
import { dropOf, INSIDE, REMOTE, ROUTER, read } from "./scene.ts"

const ENDS: PortEnds = { source: INSIDE, destination: REMOTE, sourcePort: 40000, destinationPort: 53 }
const SIX: PortEnds = { ...ENDS, source: "2001:db8::1", destination: "2001:db8:1::2" }

const flow = (bytes: Uint8Array) => {
  const { source, destination, ...rest } = flowOf(read(bytes))
  return { ...rest, source: formatAddress(source), destination: formatAddress(destination) }
}

describe("reading IPv4", () => {
  test("a UDP packet: ends, header fields, extent", () => {
    const bytes = ip4({ ...ENDS, protocol: 17, ttl: 9, tos: 0xb8, id: 0xbeef, flags: 2 }, udp(ENDS))
    assert.deepEqual(flow(bytes), { protocol: 17, ...ENDS, query: false })
    const packet = read(octets(bytes, [0, 0, 0, 0]))
    assert.equal(packet.content, "ports")
    assert.equal(packet.end, bytes.length, "padding is not of the packet")
    assert.equal(hopLimit(packet), 9)
    assert.equal(trafficClass(packet), 0xb8)
    assert.equal(identification(packet), 0xbeef)
    assert.equal(dontFragment(packet), true)
    assert.equal(isFragment(packet), false)
    assert.equal(flowLabel(packet), 0)
    assert.equal(tcpFlags(packet), 0)
  })

  test("behind options, and behind other octets", () => {
    const bytes = ip4({ ...ENDS, protocol: 6, options: [7, 7, 4, 0, 0, 0, 0, 0] }, tcp(ENDS, DATA, 0x12))
    assert.deepEqual(flow(bytes), { protocol: 6, ...ENDS, query: false })
    assert.equal(tcpFlags(read(bytes)), TcpFlag.SYN | TcpFlag.ACK)
    const packet = readPacket(octets([1, 2, 3], bytes, [4]), 3)
    assert.ok(packet.ok)
    assert.deepEqual([packet.start, packet.payload, packet.end], [3, 31, 3 + bytes.length])
    assert.equal(formatAddress(flowOf(packet).source), INSIDE)
  })

  test("NAT-9293-3.1: flags of TCP, each", () => {
    const { FIN, SYN, RST, PSH, ACK, URG } = TcpFlag
    for (const [flag, octet] of [
      [FIN, 0x01],
      [SYN, 0x02],
      [RST, 0x04],
      [PSH, 0x08],
      [ACK, 0x10],
      [URG, 0x20],
      [0, 0xc0],
    ])
      assert.equal(tcpFlags(read(ip4({ ...ENDS, protocol: 6 }, tcp(ENDS, DATA, octet)))), flag)
  })

  test("each transport protocol", () => {
    for (const [protocol, payload] of [
      [6, tcp(ENDS)],
      [17, udp(ENDS)],
      [33, dccp(ENDS)],
      [132, sctp(40000, 53)],
      [136, udpLite(ENDS)],
    ] as const)
      assert.deepEqual(flow(ip4({ ...ENDS, protocol }, payload)), { protocol, ...ENDS, query: false })
    for (const protocol of [47, 50, 51, 58, 2, 0, 255]) {
      const bytes = ip4({ ...ENDS, protocol }, DATA)
      assert.equal(read(bytes).content, "other")
      assert.deepEqual(flow(bytes), { ...ENDS, protocol, sourcePort: 0, destinationPort: 0, query: false })
    }
  })

  test("NAT-5508-3.1: the identifier of a query stands at both ends", () => {
    for (const type of [0, 8, 13, 14, 15, 16, 17, 18]) {
      for (const [identifier, octets] of [
        [0xabcd, [0xab, 0xcd]],
        [0, [0, 0]],
      ] as const) {
        const bytes = ip4({ ...ENDS, protocol: 1 }, icmp4(type, 0, [...octets, 0, 1], DATA))
        assert.equal(read(bytes).content, "query")
        const ports = { sourcePort: identifier, destinationPort: identifier }
        assert.deepEqual(flow(bytes), { ...ENDS, protocol: 1, ...ports, query: true })
      }
    }
    for (const type of [4, 5, 9, 10, 30, 255]) {
      const bytes = ip4({ ...ENDS, protocol: 1 }, icmp4(type, 0, [0, 0, 0, 0], DATA))
      assert.equal(read(bytes).content, "icmp")
      assert.deepEqual(flow(bytes), { ...ENDS, protocol: 1, sourcePort: 0, destinationPort: 0, query: false })
    }
  })

  test("NAT-6146-3.4: an ICMP error is of the flow of the packet in error, ends swapped", () => {
    const inner = ip4({ ...ENDS, protocol: 17, options: [1, 1, 1, 0] }, udp(ENDS))
    for (const type of [3, 11, 12]) {
      const bytes = ip4({ source: ROUTER, destination: INSIDE, protocol: 1 }, icmp4(type, 0, [0, 0, 0, 0], inner))
      assert.deepEqual(flow(bytes), {
        protocol: 17,
        source: REMOTE,
        sourcePort: 53,
        destination: INSIDE,
        destinationPort: 40000,
        query: false,
      })
      assert.equal(read(bytes).content, "error")
      assert.equal(subjectOf(read(bytes)).content, "ports")
    }
  })

  test("NAT-5508-4.1: a packet in error that is cut behind 8 octets of transport header, with options", () => {
    const inner = ip4({ ...ENDS, protocol: 6, options: [1, 1, 1, 0] }, tcp(ENDS)).subarray(0, 32)
    const bytes = ip4({ source: ROUTER, destination: INSIDE, protocol: 1 }, icmp4(3, 1, [0, 0, 0, 0], inner))
    assert.equal(flow(bytes).sourcePort, 53)
    assert.equal(subjectOf(read(bytes)).checksumAt, 0, "the checksum of TCP is not there")
  })

  test("fragments: the first has ports, later ones have not", () => {
    const whole = udp(ENDS, new Uint8Array(100))
    const first = read(ip4({ ...ENDS, protocol: 17, flags: 1 }, whole.subarray(0, 48)))
    assert.deepEqual([first.content, first.moreFragments, first.fragmentOffset], ["ports", true, 0])
    assert.equal(dontFragment(read(ip4({ ...ENDS, protocol: 17, offset: 0x1f00 }, DATA))), false)
    const last = read(ip4({ ...ENDS, protocol: 17, offset: 6 }, whole.subarray(48)))
    assert.deepEqual([last.content, last.moreFragments, last.fragmentOffset], ["fragment", false, 48])
    assert.ok(isFragment(first) && isFragment(last))
  })

  test("source routes: found while not used up", () => {
    const route = (type: number, pointer: number) =>
      sourceRouteAt(read(ip4({ ...ENDS, protocol: 17, options: [1, type, 7, pointer, 1, 2, 3, 4] }, udp(ENDS))))
    assert.deepEqual([route(131, 4), route(137, 7), route(131, 8), route(7, 4)], [21, 21, 0, 0])
    const end = sourceRouteAt(read(ip4({ ...ENDS, protocol: 17, options: [1, 131, 3, 3] }, udp(ENDS))))
    assert.equal(end, 21, "a route of no address")
    const behind = sourceRouteAt(read(ip4({ ...ENDS, protocol: 17, options: [9, 2, 131, 3, 3, 0, 0, 0] }, udp(ENDS))))
    assert.equal(behind, 22, "behind an option of two octets")
    assert.equal(sourceRouteAt(read(ip4({ ...ENDS, protocol: 17, options: [0, 131, 3, 4] }, udp(ENDS)))), 0)
    assert.equal(sourceRouteAt(read(ip4({ ...ENDS, protocol: 17, options: [68, 0, 131, 3] }, udp(ENDS)))), 0)
  })
})

describe("reading IPv6", () => {
  test("a packet: ends and header fields", () => {
    const bytes = ip6({ ...SIX, protocol: 17, hopLimit: 3, trafficClass: 0xa5, flowLabel: 0xfedcb }, udp(SIX))
    assert.deepEqual(flow(bytes), { protocol: 17, ...SIX, query: false })
    const packet = read(bytes)
    assert.deepEqual([hopLimit(packet), trafficClass(packet), flowLabel(packet)], [3, 0xa5, 0xfedcb])
    assert.deepEqual([dontFragment(packet), identification(packet), packet.totalLength], [true, 0, bytes.length])
  })

  test("behind extension headers", () => {
    const options = [1, 4, 0, 0, 0, 0]
    const bytes = ip6(
      {
        ...SIX,
        protocol: 6,
        extensions: [
          [0, options],
          [60, [...options, ...new Uint8Array(8)]],
          [43, [4, 0, 0, 0, 0, 0]],
          fragmentHeader(0, false, 0xdeadbeef),
          [60, options],
        ],
      },
      tcp(SIX, DATA, 2),
    )
    const packet = read(bytes)
    assert.deepEqual(flow(bytes), { protocol: 6, ...SIX, query: false })
    assert.equal(packet.payload, 40 + 8 + 16 + 8 + 8 + 8)
    assert.equal(packet.fragmentAt, 72)
    assert.equal(identification(packet), 0xdeadbeef)
    assert.equal(isFragment(packet), false, "an atomic fragment is a whole packet (RFC 6946)")
    assert.equal(packet.segmentsLeftAt, 0)
  })

  test("segments left in a routing header are pointed at", () => {
    const bytes = ip6({ ...SIX, protocol: 17, extensions: [[43, [0, 2, 0, 0, 0, 0]]] }, udp(SIX))
    assert.equal(read(bytes).segmentsLeftAt, 43)
  })

  test("AH and ESP are protocols, No Next Header too", () => {
    for (const protocol of [50, 51, 59, 135, 1])
      assert.deepEqual(
        [read(ip6({ ...SIX, protocol }, DATA)).content, read(ip6({ ...SIX, protocol }, [])).protocol],
        ["other", protocol],
      )
  })

  test("a later fragment is not looked into, whatever it belongs to", () => {
    const packet = read(ip6({ ...SIX, protocol: 60, extensions: [fragmentHeader(1, false, 1)] }, [255, 255, 255]))
    assert.deepEqual([packet.content, packet.protocol], ["fragment", 60])
  })

  test("ICMPv6: query, error, other", () => {
    for (const type of [128, 129]) {
      const bytes = ip6({ ...SIX, protocol: 58 }, icmp6(SIX, type, 0, [0x12, 0x34, 0, 0], DATA))
      assert.deepEqual([flow(bytes).sourcePort, flow(bytes).destinationPort], [0x1234, 0x1234])
      assert.ok(flow(bytes).query)
      // In an error the flow is that of the query in it.
      const about = ip6({ ...SIX, protocol: 58 }, icmp6(SIX, 1, 0, [0, 0, 0, 0], bytes))
      assert.ok(flow(about).query)
    }
    const inner = ip6({ ...SIX, protocol: 17 }, udp(SIX))
    const back = { source: "2001:db8:9::9", destination: SIX.source }
    for (const type of [1, 2, 3, 4]) {
      const bytes = ip6({ ...back, protocol: 58 }, icmp6(back, type, 0, [0, 0, 0, 0], inner))
      assert.deepEqual(flow(bytes), {
        protocol: 17,
        source: SIX.destination,
        sourcePort: 53,
        destination: SIX.source,
        destinationPort: 40000,
        query: false,
      })
    }
    for (const type of [0, 5, 130, 133, 137, 200])
      assert.equal(read(ip6({ ...SIX, protocol: 58 }, icmp6(SIX, type, 0, [0, 0, 0, 0], DATA))).content, "icmp")
  })
})

describe("packets that are none", () => {
  const good = ip4({ ...ENDS, protocol: 17 }, udp(ENDS))
  const six = ip6({ ...SIX, protocol: 17 }, udp(SIX))
  const drops = (code: keyof typeof DROP_CLAUSES, ...packets: readonly Uint8Array[]) => {
    for (const bytes of packets) {
      const { offset, reply } = dropOf(readPacket(bytes), code)
      assert.ok(offset >= 0 && offset <= bytes.length)
      assert.equal(reply, undefined, "nobody is told of what may not be his")
    }
  }
  const dropAt = (bytes: Uint8Array): number => {
    const dropped = readPacket(bytes)
    return dropped.ok ? -1 : dropped.offset
  }
  const v4 = (protocol: number, payload: Uint8Array, more: object = {}) => ip4({ ...ENDS, protocol, ...more }, payload)

  test("cut anywhere", () => {
    for (let i = 0; i < good.length; i++) drops("truncated", good.subarray(0, i))
    for (let i = 0; i < six.length; i++) drops("truncated", six.subarray(0, i))
    drops(
      "truncated",
      ip6({ ...SIX, protocol: 17, extensions: [[0, [1, 4, 0, 0, 0, 0]]], payloadLength: 4 }, []).fill(255, 41),
    )
    drops("truncated", ip6({ ...SIX, protocol: 60 }, [17, 200, 0, 0, 0, 0, 0, 0]))
    drops("truncated", ip6({ ...SIX, protocol: 44 }, [17, 0, 0, 0, 0, 0, 0]))
  })

  test("another version, header lengths that cannot be", () => {
    drops("bad-version", hex("00"), hex("55000000"), octets(0x74, good.subarray(1)))
    drops("bad-header-length", octets(0x44, good.subarray(1)), v4(17, udp(ENDS), { totalLength: 19 }))
  })

  test("NAT-1812-4.2.2.5: a wrong header checksum, in any bit of the header", () => {
    for (let bit = 0; bit < 160; bit++) {
      const bytes = good.slice()
      bytes[bit >> 3] ^= 0x80 >> (bit & 7)
      assert.equal(readPacket(bytes).ok, false, `bit ${bit}`)
    }
    const bytes = good.slice()
    bytes[10] ^= 1
    drops("bad-header-checksum", bytes)
  })

  test("IPv4-mapped addresses in IPv6", () => {
    const mapped = "::ffff:a01:203"
    drops(
      "mapped-address",
      ip6({ ...SIX, source: mapped, protocol: 59 }, []),
      ip6({ ...SIX, destination: mapped, protocol: 59 }, []),
    )
    assert.ok(readPacket(ip6({ ...SIX, source: "1::ffff:a01:203", protocol: 59 }, [])).ok)
  })

  test("extension headers in an order that cannot be", () => {
    const options = [1, 4, 0, 0, 0, 0]
    drops(
      "bad-extension-order",
      ip6(
        {
          ...SIX,
          protocol: 17,
          extensions: [
            [60, options],
            [0, options],
          ],
        },
        udp(SIX),
      ),
    )
    const twice = [fragmentHeader(0, false, 1), fragmentHeader(0, false, 1)]
    drops("bad-extension-order", ip6({ ...SIX, protocol: 17, extensions: twice }, udp(SIX)))
  })

  test("NAT-6146-3.4: fragments that cannot be, or hide a transport header", () => {
    drops("bad-fragment", v4(17, new Uint8Array(12), { flags: 1 }), v4(17, new Uint8Array(16), { offset: 8191 }))
    drops("tiny-fragment", v4(6, new Uint8Array(16), { offset: 1 }), v4(6, tcp(ENDS).subarray(0, 16), { flags: 1 }))
    const long = tcp(ENDS).slice(0, 24)
    long[12] = 0x80
    drops("tiny-fragment", v4(6, long, { flags: 1 }))
    drops("fragmented-icmp", v4(1, icmp4(3, 1, [0, 0, 0, 0], octets(good, [0, 0])), { flags: 1 }))
  })

  test("transport headers that cannot be", () => {
    drops("short-transport", v4(17, new Uint8Array(7)), v4(6, new Uint8Array(19)), v4(132, new Uint8Array(11)))
    drops("short-transport", v4(1, new Uint8Array(7)), v4(33, new Uint8Array(11)), v4(136, new Uint8Array(0)))
    const short = udp(ENDS)
    short.set(w16(7), 4)
    const long = udp(ENDS)
    long.set(w16(long.length + 1), 4)
    drops("bad-udp-length", v4(17, short), v4(17, long))
    const offset = tcp(ENDS)
    offset[12] = 0x40
    const beyond = tcp(ENDS)
    beyond[12] = 0xf0
    drops("bad-tcp-offset", v4(6, offset), v4(6, beyond))
    for (const coverage of [1, 7, 27]) {
      const lite = udpLite(ENDS)
      lite.set(w16(coverage), 4)
      drops("bad-udp-lite-coverage", v4(136, lite))
    }
  })

  test("NAT-5508-REQ-3: an ICMP error with a wrong checksum, or with a packet in error that has one", () => {
    const error = (inner: Uint8Array, checksum?: number) =>
      v4(1, icmp4(11, 0, [0, 0, 0, 0], inner, checksum), { source: ROUTER, destination: INSIDE })
    drops("bad-icmp-checksum", error(good, 0x1234))
    const bad = good.slice()
    bad[10] ^= 0x40
    drops(
      "bad-embedded-packet",
      error(bad),
      error(good.subarray(0, 27)),
      error(good.subarray(0, 19)),
      error(new Uint8Array(0)),
    )
    drops("bad-embedded-packet", error(six))
    const wrong = good.slice()
    wrong[27] ^= 1
    assert.ok(readPacket(error(wrong)).ok, "NAT-5508-REQ-3c: its transport checksum is not looked at")
    const back = { source: "2001:db8:9::9", destination: SIX.source }
    drops("bad-icmp-checksum", ip6({ ...back, protocol: 58 }, icmp6(back, 1, 0, [0, 0, 0, 0], six, 1)))
  })

  test("the octet at fault", () => {
    const short = udp(ENDS)
    short.set(w16(7), 4)
    const offset = tcp(ENDS)
    offset[12] = 0x40
    const error = icmp4(3, 1, [0, 0, 0, 0], good, 1)
    for (const [payload, protocol, at] of [
      [short, 17, 24],
      [offset, 6, 32],
      [error, 1, 22],
    ] as const)
      assert.equal(dropAt(v4(protocol, payload)), at)
  })

  test("NAT-7915-4.3: an ICMP error about an ICMP error", () => {
    const inner = v4(1, icmp4(3, 1, [0, 0, 0, 0], good))
    drops("embedded-error", v4(1, icmp4(11, 0, [0, 0, 0, 0], inner)))
  })
})
