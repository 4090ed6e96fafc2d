import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { fitLink, KEEP, type Rewrite, readPacket, rewrite, rewriteInPlace } from "../../../../core/cgn/packet/index.ts"
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
import { address, bytesOf, dropOf, INSIDE, OUTSIDE, packetsOf, REMOTE, ROUTER, read, same } from "./scene.ts"

const OUT: Rewrite = { ...KEEP, source: address(OUTSIDE), sourcePort: 61001 }
const IN: Rewrite = { ...KEEP, destination: address(INSIDE), destinationPort: 40000 }

/** The flow from the host as it knows it, and as the world does; the replies of both. */
const PRIVATE: PortEnds = { source: INSIDE, sourcePort: 40000, destination: REMOTE, destinationPort: 53 }
const PUBLIC: PortEnds = { ...PRIVATE, source: OUTSIDE, sourcePort: 61001 }
const turned = ({ source, sourcePort, destination, destinationPort }: PortEnds): PortEnds => ({
  source: destination,
  sourcePort: destinationPort,
  destination: source,
  destinationPort: sourcePort,
})
const REPLY_IN = turned(PUBLIC)
const REPLY = turned(PRIVATE)

type Make = (ends: PortEnds) => Uint8Array
const KINDS: readonly (readonly [string, number, Make])[] = [
  ["UDP", 17, (ends) => udp(ends)],
  ["UDP of odd length", 17, (ends) => udp(ends, DATA.subarray(0, 7))],
  ["TCP", 6, (ends) => tcp(ends)],
  ["UDP-Lite, all covered", 136, (ends) => udpLite(ends)],
  ["UDP-Lite, 8 octets covered", 136, (ends) => udpLite(ends, DATA, 8)],
  ["UDP-Lite, 11 octets covered", 136, (ends) => udpLite(ends, DATA, 11)],
  ["DCCP", 33, (ends) => dccp(ends)],
]

const query = (identifier: number, type = 8) => icmp4(type, 0, [identifier >> 8, identifier & 255, 0, 9], DATA)

describe("NAT44", () => {
  for (const [name, protocol, make] of KINDS)
    test(`NAT-1624-3: ${name}, out and back in: what the ends themselves would have sent`, () => {
      const header = { protocol, tos: 0x28, id: 7, flags: 2, options: [148, 4, 0, 0] }
      const out = rewrite(read(ip4({ ...PRIVATE, ...header, ttl: 64 }, make(PRIVATE))), OUT)
      same(bytesOf(out), ip4({ ...PUBLIC, ...header, ttl: 63 }, make(PUBLIC)))
      const back = rewrite(read(ip4({ ...REPLY_IN, ...header, ttl: 2 }, make(REPLY_IN))), IN)
      same(bytesOf(back), ip4({ ...REPLY, ...header, ttl: 1 }, make(REPLY)))
    })

  test("NAT-5508-3.1: ICMP queries get another identifier", () => {
    for (const type of [8, 0, 13, 17]) {
      const out = rewrite(read(ip4({ ...PRIVATE, protocol: 1 }, query(40000, type))), OUT)
      same(bytesOf(out), ip4({ ...PUBLIC, protocol: 1, ttl: 63 }, query(61001, type)))
      const back = rewrite(read(ip4({ ...REPLY_IN, protocol: 1 }, query(61001, type))), IN)
      same(bytesOf(back), ip4({ ...REPLY, protocol: 1, ttl: 63 }, query(40000, type)))
    }
  })

  test("NAT-6887-16.3.3: SCTP gets a new address, never a new port, and keeps its CRC32c", () => {
    const bytes = ip4({ ...PRIVATE, protocol: 132 }, sctp(40000, 53))
    const out = rewrite(read(bytes), { ...OUT, sourcePort: undefined })
    same(bytesOf(out), ip4({ ...PUBLIC, protocol: 132, ttl: 63 }, sctp(40000, 53)))
    same(bytesOf(rewrite(read(bytes), { ...OUT, sourcePort: 40000 })), bytesOf(out))
    dropOf(rewrite(read(bytes), OUT), "port-not-rewritable")
    dropOf(rewrite(read(bytes), IN), "port-not-rewritable")
    const inner = ip4({ ...PUBLIC, protocol: 132 }, sctp(61001, 53))
    const error = ip4({ source: ROUTER, destination: OUTSIDE, protocol: 1 }, icmp4(3, 3, [0, 0, 0, 0], inner))
    dropOf(rewrite(read(error), IN), "port-not-rewritable")
    assert.ok(rewrite(read(error), { ...IN, destinationPort: undefined }).ok)
  })

  test("protocols without ports, and fragments behind the first: addresses alone", () => {
    for (const protocol of [47, 50, 51]) {
      const out = rewrite(read(ip4({ ...PRIVATE, protocol }, DATA)), OUT)
      same(bytesOf(out), ip4({ ...PUBLIC, protocol, ttl: 63 }, DATA))
    }
    const later = { protocol: 17, offset: 100, flags: 1 }
    const out = rewrite(read(ip4({ ...PRIVATE, ...later }, DATA.subarray(0, 16))), OUT)
    same(bytesOf(out), ip4({ ...PUBLIC, ...later, ttl: 63 }, DATA.subarray(0, 16)))
  })

  test("NAT-4787-REQ-14: the first fragment has its checksum made right for the whole", () => {
    const data = new Uint8Array(100).fill(0x5a)
    const first = { protocol: 17, flags: 1 }
    const out = rewrite(read(ip4({ ...PRIVATE, ...first }, udp(PRIVATE, data).subarray(0, 64))), OUT)
    same(bytesOf(out), ip4({ ...PUBLIC, ...first, ttl: 63 }, udp(PUBLIC, data).subarray(0, 64)))
  })

  test("NAT-768: a UDP checksum that is not there stays so; one that comes out as zero is sent as ones", () => {
    const none = rewrite(read(ip4({ ...PRIVATE, protocol: 17 }, udp(PRIVATE, DATA, 0))), OUT)
    same(bytesOf(none), ip4({ ...PUBLIC, protocol: 17, ttl: 63 }, udp(PUBLIC, DATA, 0)))
    for (const make of [udp, udpLite]) {
      const protocol = make === udp ? 17 : 136
      // The last word of data takes the sum to zero for the public ends.
      const bare = make(PUBLIC, octets(DATA, [0, 0]))
      const data = octets(DATA, bare.subarray(6, 8))
      assert.deepEqual([...make(PUBLIC, data).subarray(6, 8)], [0xff, 0xff])
      const out = rewrite(read(ip4({ ...PRIVATE, protocol }, make(PRIVATE, data))), OUT)
      same(bytesOf(out), ip4({ ...PUBLIC, protocol, ttl: 63 }, make(PUBLIC, data)))
    }
  })

  test("NAT-1624-4: the RFC's own example: 5555 becomes 3285 and the header's checksum zero, not ones", () => {
    // A header whose other octets sum to cd7a: dd2f is its checksum with an identification of 5555.
    const header = octets([0x45, 0, 0, 20, 0, 0, 0, 0, 64, 59, 0, 0], [10, 0, 0, 1], [0x55, 0x55, 0, 0])
    const rest = (0xcd7a - (0xffff - inet(header)) + 0x5555 + 2 * 0xffff) % 0xffff
    header.set([rest >> 8, rest & 255], 18)
    header.set([0xdd, 0x2f], 10)
    const out = bytesOf(
      rewrite(read(header), { ...KEEP, destination: address(`50.133.${rest >> 8}.${rest & 255}`) }, 0),
    )
    assert.deepEqual([...out.subarray(10, 12), ...out.subarray(16, 18)], [0, 0, 0x32, 0x85])
  })

  test("NAT-1624-3: a checksum that was wrong is wrong by as much, never repaired", () => {
    for (const by of [1, 0x100, 0xfffe]) {
      const right = udp(PRIVATE)
      const wrong = (((right[6] << 8) | right[7]) + by) % 0xffff
      const out = bytesOf(rewrite(read(ip4({ ...PRIVATE, protocol: 17 }, udp(PRIVATE, DATA, wrong))), OUT))
      const good = udp(PUBLIC)
      const expected = (((good[6] << 8) | good[7]) + by) % 0xffff
      assert.equal((out[26] << 8) | out[27], expected)
    }
    const ping = rewrite(read(ip4({ ...PRIVATE, protocol: 1 }, icmp4(8, 0, [1, 2, 3, 4], DATA, 0x1111))), OUT)
    assert.notEqual(inet(bytesOf(ping).subarray(20)), 0)
  })

  test("NAT-1812-5.3.1: TTL: one less, none to spare, or left alone", () => {
    const at = (ttl: number) => read(ip4({ ...PRIVATE, protocol: 17, ttl }, udp(PRIVATE)))
    for (const ttl of [0, 1]) {
      const { reply, offset } = dropOf(rewrite(at(ttl), OUT), "hop-limit")
      assert.deepEqual([reply, offset], [{ kind: "hop-limit" }, 8])
      assert.ok(rewrite(at(ttl), OUT, 0).ok)
    }
    same(bytesOf(rewrite(at(1), OUT, 0)), ip4({ ...PUBLIC, protocol: 17, ttl: 1 }, udp(PUBLIC)))
    same(bytesOf(rewrite(at(9), KEEP, 0)), at(9).bytes)
    same(bytesOf(rewrite(at(9), KEEP)), ip4({ ...PRIVATE, protocol: 17, ttl: 8 }, udp(PRIVATE)))
  })

  test("NAT-4787-REQ-9: a hairpin has both ends new", () => {
    const to: Rewrite = {
      source: address(OUTSIDE),
      sourcePort: 61001,
      destination: address("10.9.9.9"),
      destinationPort: 5000,
    }
    const sent: PortEnds = { source: INSIDE, sourcePort: 40000, destination: OUTSIDE, destinationPort: 62000 }
    const got: PortEnds = { source: OUTSIDE, sourcePort: 61001, destination: "10.9.9.9", destinationPort: 5000 }
    const out = rewrite(read(ip4({ ...sent, protocol: 6 }, tcp(sent))), to)
    same(bytesOf(out), ip4({ ...got, protocol: 6, ttl: 63 }, tcp(got)))
  })

  test("in place: the same octets, no copy; a drop writes nothing", () => {
    const bytes = octets([9, 9], ip4({ ...PRIVATE, protocol: 17 }, udp(PRIVATE)), [9])
    const packet = readPacket(bytes, 2)
    assert.ok(packet.ok)
    assert.equal(rewriteInPlace(packet, OUT), undefined)
    same(bytes, octets([9, 9], ip4({ ...PUBLIC, protocol: 17, ttl: 63 }, udp(PUBLIC)), [9]))
    const dying = ip4({ ...PRIVATE, protocol: 17, ttl: 1 }, udp(PRIVATE))
    assert.equal(rewriteInPlace(read(dying), OUT)?.code, "hop-limit")
    same(dying, ip4({ ...PRIVATE, protocol: 17, ttl: 1 }, udp(PRIVATE)))
  })

  test("what was read stays as it was", () => {
    const bytes = ip4({ ...PRIVATE, protocol: 17 }, udp(PRIVATE))
    const before = bytes.slice()
    assert.ok(rewrite(read(bytes), OUT).ok)
    same(bytes, before)
  })
})

describe("ICMP errors through NAT44", () => {
  /** An error about `inner` from `source` to `destination`. */
  const error = (source: string, destination: string, inner: Uint8Array, ttl = 64, type = 3, code = 4) =>
    ip4({ source, destination, protocol: 1, ttl }, icmp4(type, code, [0, 0, 5, 0x78], inner))
  const quote = (ends: PortEnds, protocol: number, payload: Uint8Array, octetsLeft = 8) =>
    ip4(
      { ...ends, protocol, ttl: 3, options: [1, 1, 1, 0], totalLength: 24 + payload.length },
      payload.subarray(0, octetsLeft),
    )

  for (const [name, protocol, make] of KINDS)
    for (const left of [8, 19, 200])
      test(`NAT-5508-REQ-4, NAT-5508-REQ-5: ${name}, ${left} octets quoted: in and out, type and code unchanged`, () => {
        for (const [type, code] of [
          [3, 4],
          [3, 3],
          [11, 0],
          [12, 0],
        ]) {
          const came = error(ROUTER, OUTSIDE, quote(PUBLIC, protocol, make(PUBLIC), left), 64, type, code)
          const seen = error(ROUTER, INSIDE, quote(PRIVATE, protocol, make(PRIVATE), left), 63, type, code)
          same(bytesOf(rewrite(read(came), IN)), seen)
          const went = error(INSIDE, REMOTE, quote(REPLY, protocol, make(REPLY), left), 64, type, code)
          const told = error(OUTSIDE, REMOTE, quote(REPLY_IN, protocol, make(REPLY_IN), left), 63, type, code)
          same(bytesOf(rewrite(read(went), OUT)), told)
        }
      })

  test("NAT-5508-REQ-4: about an ICMP query", () => {
    const came = error(ROUTER, OUTSIDE, quote(PUBLIC, 1, query(61001)))
    same(bytesOf(rewrite(read(came), IN)), error(ROUTER, INSIDE, quote(PRIVATE, 1, query(40000)), 63))
  })

  test("NAT-5508-REQ-5c: from a router inside: the outer source is another", () => {
    const went = error("10.255.0.1", REMOTE, quote(REPLY, 17, udp(REPLY)))
    const told = error("198.51.100.99", REMOTE, quote(REPLY_IN, 17, udp(REPLY_IN)), 63)
    same(bytesOf(rewrite(read(went), { ...OUT, errorSource: address("198.51.100.99") })), told)
    const own = error(OUTSIDE, REMOTE, quote(REPLY_IN, 17, udp(REPLY_IN)), 63)
    same(bytesOf(rewrite(read(went), OUT)), own)
  })

  test("NAT-5508-REQ-7: a hairpinned error: outer and inner, both ends", () => {
    const inner: PortEnds = { source: OUTSIDE, sourcePort: 62000, destination: INSIDE, destinationPort: 40000 }
    const was: PortEnds = { source: "10.9.9.9", sourcePort: 5000, destination: OUTSIDE, destinationPort: 61001 }
    const to: Rewrite = {
      source: address(OUTSIDE),
      sourcePort: 61001,
      destination: address("10.9.9.9"),
      destinationPort: 5000,
    }
    const out = rewrite(read(error(INSIDE, OUTSIDE, quote(inner, 17, udp(inner)))), to)
    same(bytesOf(out), error(OUTSIDE, "10.9.9.9", quote(was, 17, udp(was)), 63))
  })

  test("NAT-5508-REQ-3d: extensions behind the packet in error stay as they are", () => {
    const extension = [0x20, 0, 0xdf, 0xff]
    const make = (inner: Uint8Array, source: string, destination: string, ttl: number) => {
      const padded = octets(inner, new Uint8Array(128 - inner.length), extension)
      return ip4({ source, destination, protocol: 1, ttl }, icmp4(11, 0, [0, 32, 0, 0], padded))
    }
    const came = make(quote(PUBLIC, 17, udp(PUBLIC), 99), ROUTER, OUTSIDE, 64)
    same(bytesOf(rewrite(read(came), IN)), make(quote(PRIVATE, 17, udp(PRIVATE), 99), ROUTER, INSIDE, 63))
  })

  test("a UDP packet in error without checksum gets none; a wrong one stays wrong", () => {
    const none = error(ROUTER, OUTSIDE, quote(PUBLIC, 17, udp(PUBLIC, DATA, 0)))
    same(bytesOf(rewrite(read(none), IN)), error(ROUTER, INSIDE, quote(PRIVATE, 17, udp(PRIVATE, DATA, 0)), 63))
    const wrong = bytesOf(rewrite(read(error(ROUTER, OUTSIDE, quote(PUBLIC, 17, udp(PUBLIC, DATA, 0x1111)))), IN))
    assert.equal(inet(wrong.subarray(20)), 0, "the error's own checksum is right")
    assert.notDeepEqual([...wrong.subarray(58, 60)], [...udp(PRIVATE).subarray(6, 8)])
  })

  test("NAT-5508-REQ-11: other ICMP messages get no new ends", () => {
    for (const type of [4, 5, 9, 10]) {
      const packet = read(ip4({ ...PRIVATE, protocol: 1 }, icmp4(type, 0, [0, 0, 0, 0], DATA)))
      dropOf(rewrite(packet, OUT), "not-translatable")
      dropOf(rewrite(packet, IN), "not-translatable")
      assert.ok(rewrite(packet, KEEP).ok)
    }
  })

  test("NAT-5508-7.3: ICMP with a source route does not leave with a new source", () => {
    const options = [131, 7, 4, 10, 0, 0, 1, 0]
    const outer = ip4({ ...PRIVATE, protocol: 1, options }, query(1))
    dropOf(rewrite(read(outer), OUT), "source-route")
    assert.ok(rewrite(read(outer), IN).ok)
    const inner = ip4({ ...REPLY, protocol: 17, options }, udp(REPLY))
    dropOf(rewrite(read(error(INSIDE, REMOTE, inner)), OUT), "source-route")
    assert.ok(rewrite(read(ip4({ ...PRIVATE, protocol: 17, options }, udp(PRIVATE))), OUT).ok)
  })
})

describe("IPv6 in its own family", () => {
  const HOST = "2001:db8:1::5"
  const PEER = "2001:db8:2::6"
  const ends: PortEnds = { source: HOST, sourcePort: 1, destination: PEER, destinationPort: 2 }
  const six = { ...ends, source: "2001:db8:ffff::1", sourcePort: 60000 }
  const to: Rewrite = { ...KEEP, source: address("2001:db8:ffff::1"), sourcePort: 60000 }

  test("a router: the hop limit alone changes", () => {
    const bytes = ip6({ ...ends, protocol: 17, hopLimit: 9, flowLabel: 5 }, udp(ends))
    same(bytesOf(rewrite(read(bytes), KEEP)), ip6({ ...ends, protocol: 17, hopLimit: 8, flowLabel: 5 }, udp(ends)))
    assert.deepEqual(
      dropOf(rewrite(read(ip6({ ...ends, protocol: 17, hopLimit: 1 }, udp(ends))), KEEP), "hop-limit").offset,
      7,
    )
  })

  test("new ends, behind extension headers too", () => {
    for (const extensions of [[], [fragmentHeader(0, true, 9), [60, [1, 4, 0, 0, 0, 0]]]] as const) {
      const data = new Uint8Array(24)
      const out = rewrite(read(ip6({ ...ends, protocol: 6, extensions }, tcp(ends, data.subarray(0, 20)))), to)
      same(bytesOf(out), ip6({ ...six, protocol: 6, extensions, hopLimit: 63 }, tcp(six, data.subarray(0, 20))))
    }
    const ping = rewrite(read(ip6({ ...ends, protocol: 58 }, icmp6(ends, 128, 0, [0, 1, 0, 0], DATA))), to)
    const query6 = icmp6(six, 128, 0, [60000 >> 8, 60000 & 255, 0, 0], DATA)
    same(bytesOf(ping), ip6({ ...six, protocol: 58, hopLimit: 63 }, query6))
  })

  test("an ICMPv6 error", () => {
    const make = (from: string, inner: PortEnds, hopLimit: number) => {
      const outer = { source: from, destination: PEER }
      const quoted = ip6({ ...inner, protocol: 17 }, udp(inner)).subarray(0, 51)
      return ip6({ ...outer, protocol: 58, hopLimit }, icmp6(outer, 1, 4, [0, 0, 0, 0], quoted))
    }
    const out = rewrite(read(make(HOST, turned(ends), 64)), to)
    same(bytesOf(out), make("2001:db8:ffff::1", turned(six), 63))
  })
})

describe("the next link's MTU", () => {
  const big = (flags: number, id = 77, options: readonly number[] = []) => {
    const data = Uint8Array.from({ length: 1600 }, (_, i) => i)
    return ip4({ ...PUBLIC, protocol: 17, flags, id, options }, udp(PUBLIC, data))
  }

  test("NAT-4787-REQ-13: with DF, dropped with the MTU to tell", () => {
    const { reply } = dropOf(fitLink(read(big(2)), 1400), "too-big")
    assert.deepEqual(reply, { kind: "too-big", mtu: 1400 })
    assert.deepEqual(packetsOf(fitLink(read(big(2)), 1628)), [big(2)])
    const six = { ...PUBLIC, source: "2001:db8::1", destination: "2001:db8::2" }
    const long = read(ip6({ ...six, protocol: 17 }, udp(six, new Uint8Array(1400))))
    assert.deepEqual(dropOf(fitLink(long, 1300), "too-big").reply, { kind: "too-big", mtu: 1300 })
    assert.deepEqual(dropOf(fitLink(long, 1000), "too-big").reply, { kind: "too-big", mtu: 1280 })
  })

  test("NAT-4787-REQ-13a, NAT-791-2.3: without DF, fragments in order that make up the packet", () => {
    for (const mtu of [68, 576, 1005, 1400, 1627]) {
      const packets = packetsOf(fitLink(read(big(0)), mtu))
      const parts = packets.map(read)
      assert.ok(packets.every((bytes) => bytes.length <= mtu && inet(bytes.subarray(0, 20)) === 0))
      assert.ok(
        packets.slice(0, -1).every((bytes) => bytes.length > mtu - 8),
        "as long as can be",
      )
      let offset = 0
      for (const [i, part] of parts.entries()) {
        assert.equal(part.fragmentOffset, offset)
        assert.equal(part.moreFragments, i < parts.length - 1)
        offset += part.end - part.payload
      }
      same(octets(...packets.map((bytes) => bytes.subarray(20))), big(0).subarray(20))
    }
  })

  test("NAT-791-3.2: a fragment is fragmented again; options without the copied flag stay in the first", () => {
    const options = [7, 7, 4, 0, 0, 0, 0, 148, 4, 0, 0, 0]
    const bytes = ip4({ ...PUBLIC, protocol: 17, flags: 1, offset: 10, options }, new Uint8Array(800))
    const packets = packetsOf(fitLink(read(bytes), 400)).map(read)
    assert.deepEqual(
      packets.map((part) => [part.payload, part.fragmentOffset, part.moreFragments]),
      [
        [32, 80, true],
        [24, 80 + 368, true],
        [24, 80 + 368 + 376, true],
      ],
    )
    assert.deepEqual([...packets[1].bytes.subarray(20, 24)], [148, 4, 0, 0])
  })
})
