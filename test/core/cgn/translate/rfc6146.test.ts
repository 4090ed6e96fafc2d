/** RFC 6146 by section, where no other test is about it: a NAT64's bindings, sessions and answers. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { type Out, sendLate } from "../../../../core/cgn/index.ts"
import { dccp, fragmentHeader, icmp4, icmp6, inet, ip4, ip6, sctp, udp } from "../packet/build.ts"
import { address, lines } from "../scene.ts"
import {
  ACK,
  EXTERNAL,
  echo4,
  ends,
  error4,
  FIN,
  isPacket,
  REMOTE,
  RST,
  reason,
  STRANGER,
  SYN,
  sent,
  sourceOf,
  tcp4,
  udp4,
} from "./scene.ts"
import { EXTERNAL6, echo6, error6, HOST6, isIpv4, nat64, REMOTE6, ROUTER6, tcp6, udp6 } from "./scene6.ts"

type Network = ReturnType<typeof nat64>
const OTHER6 = "2001:db8:1::11"
const STRANGER6 = "2001:db8:64::c000:263"

const returned = (out: Out): Uint8Array => {
  assert.ok(out.kind === "returned", JSON.stringify(out))
  return out.packet
}
/** What the NAT64 tells an IPv6 host, by RFC 4443 sections 3.1 to 3.4. */
const told6 = (type: number, code: number, about: Uint8Array): Uint8Array =>
  error6(type, code, { source: ROUTER6, destination: HOST6 }, about)
/** And an IPv4 host. */
const told4 = (type: number, code: number, about: Uint8Array): Uint8Array =>
  ip4({ source: EXTERNAL, destination: REMOTE, protocol: 1, id: 0, flags: 2 }, icmp4(type, code, [0, 0, 0, 0], about))
const portOf = (cgn: Network, at = ends(HOST6, 5000, REMOTE6, 53), now = 0): number =>
  sourceOf(sent(cgn.out(udp6(at), now), "outside")).port

describe("the incoming tuple", () => {
  test("NAT-6146-3.4: other protocols are dropped; IPv6 hosts are told Port Unreachable, IPv4 hosts Protocol Unreachable", () => {
    const cgn = nat64()
    const at = ends(HOST6, 5000, REMOTE6, 53)
    for (const [protocol, payload] of [
      [33, dccp(at)],
      [132, sctp(5000, 53)],
      [47, Uint8Array.of(0, 0, 8, 0)],
    ] as const) {
      const packet = ip6({ ...at, protocol }, payload)
      const out = cgn.out(packet)
      assert.equal(reason(out), "not-translatable")
      isPacket(returned(out), told6(1, 4, packet))
      const back = ip4({ source: REMOTE, destination: EXTERNAL, protocol }, payload)
      isPacket(returned(cgn.in(back)), told4(3, 2, back))
    }
    const silent = nat64({ filteredErrors: false })
    assert.equal(silent.in(ip4({ source: REMOTE, destination: EXTERNAL, protocol: 47 }, [0, 0, 8, 0])).kind, "dropped")
  })

  test("NAT-6146-3.4: fragments wait for 2 seconds and more, in memory that is bounded", () => {
    const at = ends(HOST6, 5000, REMOTE6, 53)
    const whole = udp(at, Array(100).fill(5))
    const piece = (n: number, id: number) =>
      ip6(
        { ...at, protocol: 17, extensions: [fragmentHeader(8 * n, n === 0, id)] },
        n === 0 ? whole.subarray(0, 64) : whole.subarray(64),
      )
    const cgn = nat64({ fragments: { count: 2, octets: 1000, timeout: 2 } })
    assert.equal(cgn.out(piece(1, 1), 0).kind, "kept")
    assert.equal(cgn.out(piece(1, 2), 0).kind, "kept")
    assert.equal(reason(cgn.out(piece(1, 3), 1000)), "fragment-limit")
    sent(cgn.out(piece(0, 1), 1999), "outside")
    assert.equal(cgn.out(piece(0, 2), 2000).kind, "kept", "the other waited its time and is gone")
  })

  test("NAT-6146-3.4: UDP without checksum, in fragments: put together, and a checksum computed", () => {
    const cgn = nat64()
    const port = portOf(cgn)
    const at = ends(REMOTE, 53, EXTERNAL, port)
    const bare = udp(at, Array(80).fill(9), 0)
    const head = ip4({ ...at, protocol: 17, flags: 1 }, bare.subarray(0, 48))
    const tail = ip4({ ...at, protocol: 17, offset: 6 }, bare.subarray(48))
    assert.equal(cgn.in(tail).kind, "kept")
    isPacket(sent(cgn.in(head), "inside"), udp6(ends(REMOTE6, 53, HOST6, 5000), 63, Array(80).fill(9)))
  })

  test("NAT-6146-3.4, NAT-7915-5.1.1: what came in IPv6 fragments goes on in IPv4 fragments, identification and all", () => {
    const at = ends(HOST6, 5000, REMOTE6, 53)
    const data = Array.from({ length: 2500 }, (_, i) => i & 255)
    const whole = udp(at, data)
    const piece = (from: number, to: number) =>
      ip6(
        { ...at, protocol: 17, extensions: [fragmentHeader(from / 8, to < whole.length, 0xabcd1234)] },
        whole.subarray(from, to),
      )
    const cgn = nat64()
    assert.equal(cgn.out(piece(1232, 2464)).kind, "kept")
    assert.equal(cgn.out(piece(2464, whole.length)).kind, "kept")
    const out = cgn.out(piece(0, 1232))
    assert.ok(out.kind === "forwarded", JSON.stringify(out))
    for (const packet of out.packets) {
      assert.ok(packet.length <= 1500)
      assert.equal(inet(packet.subarray(0, 20)), 0)
      assert.deepEqual([...packet.subarray(4, 6)], [0x12, 0x34])
      assert.equal(packet[6] & 0x40, 0, "DF")
    }
    const joined = out.packets.flatMap((packet) => [...packet.subarray(20)])
    const port = (joined[0] << 8) | joined[1]
    assert.deepEqual(joined, [...udp(ends(EXTERNAL, port, REMOTE, 53), data)])
    // A ping of the same length too: ICMPv6 is whole when it is translated.
    const echo = icmp6({ source: HOST6, destination: REMOTE6 }, 128, 0, [0, 9, 0, 1], data)
    const part = (from: number, to: number) =>
      ip6(
        {
          source: HOST6,
          destination: REMOTE6,
          protocol: 58,
          extensions: [fragmentHeader(from / 8, to < echo.length, 7)],
        },
        echo.subarray(from, to),
      )
    cgn.out(part(0, 1240))
    const pinged = cgn.out(part(1240, echo.length))
    assert.ok(pinged.kind === "kept" || pinged.kind === "forwarded")
    const last = cgn.out(part(1240, echo.length))
    const ping = pinged.kind === "forwarded" ? pinged : last
    assert.ok(ping.kind === "forwarded")
    assert.equal(inet(Uint8Array.from(ping.packets.flatMap((packet) => [...packet.subarray(20)]))), 0)
  })
})

describe("bindings and sessions", () => {
  test("NAT-6146-3.5: sources behind the prefix, destinations elsewhere, and other IPv4 addresses are not processed", () => {
    const cgn = nat64()
    assert.deepEqual(cgn.out(udp6(ends(REMOTE6, 1, REMOTE6, 1))), { kind: "dropped", reason: "illegal-source" })
    assert.equal(reason(cgn.out(udp6(ends(HOST6, 1, "2001:db8:65::c633:6407", 1)))), "not-served")
    assert.equal(reason(cgn.in(udp4(ends(REMOTE, 1, "203.0.113.2", 1)))), "no-mapping")
    assert.deepEqual(lines(cgn.state), [])
  })

  test("NAT-6146-3.5: ICMP errors touch neither bindings nor sessions", () => {
    const cgn = nat64()
    const out = sent(cgn.out(udp6(ends(HOST6, 5000, REMOTE6, 53))), "outside")
    const before = cgn.state
    sent(cgn.in(error4(3, 3, REMOTE, EXTERNAL, out), 200_000), "inside")
    const inner = udp6(ends(REMOTE6, 53, HOST6, 5000), 60)
    sent(cgn.out(error6(1, 4, { source: HOST6, destination: REMOTE6 }, inner), 200_000), "outside")
    assert.equal(cgn.state, before)
  })

  test("NAT-6146-3.5.1: a binding is of the host's end alone, for UDP_DEFAULT, and IPv4 packets find it or are dropped", () => {
    const cgn = nat64()
    const port = portOf(cgn)
    assert.equal(portOf(cgn, ends(HOST6, 5000, STRANGER6, 1)), port)
    assert.deepEqual(lines(cgn.state), [`implicit 17 ${HOST6}:5000 ${EXTERNAL}:${port}`])
    isPacket(
      sent(cgn.in(udp4(ends(STRANGER, 99, EXTERNAL, port)), 299_000), "inside"),
      udp6(ends(STRANGER6, 99, HOST6, 5000), 63),
    )
    const late = udp4(ends(REMOTE, 53, EXTERNAL, port))
    isPacket(returned(cgn.in(late, 300_000)), told4(3, 3, late))
  })

  test("NAT-6146-3.5.1: address-dependent filtering: code 13 to others, as policy has it", () => {
    const cgn = nat64({ filtering: "address-dependent" })
    const port = portOf(cgn)
    sent(cgn.in(udp4(ends(REMOTE, 99, EXTERNAL, port))), "inside")
    const other = cgn.in(udp4(ends(STRANGER, 53, EXTERNAL, port)))
    assert.deepEqual([reason(other), ...returned(other).subarray(20, 22)], ["filtered", 3, 13])
  })

  test("NAT-6146-3.5.1.1: one IPv4 address for a host, ports on their side of 1024, of their parity, and each but once", () => {
    const external = ["203.0.113.1", "203.0.113.2", "203.0.113.3"].map(address)
    const cgn = nat64({ ports: "parity" }, { external, ports: { first: 1, last: 65535 } })
    const seen = new Set<string>()
    const addresses = new Set<string>()
    for (let port = 1; port < 2048; port += 7) {
      const end = sourceOf(sent(cgn.out(udp6(ends(HOST6, port, REMOTE6, 53))), "outside"))
      assert.equal(end.port & 1, port & 1)
      assert.equal(end.port < 1024, port < 1024)
      seen.add(JSON.stringify(end))
      addresses.add(end.address)
    }
    assert.equal(seen.size, Math.ceil(2047 / 7))
    assert.equal(addresses.size, 1)
  })

  test("NAT-6146-3.5.1.1, NAT-6146-3.5.2.3: no end to be had: Address Unreachable, for UDP and TCP", () => {
    const cgn = nat64({}, { ports: { first: 2000, last: 2000 } })
    sent(cgn.out(udp6(ends(OTHER6, 1, REMOTE6, 53))), "outside")
    sent(cgn.out(tcp6(ends(OTHER6, 1, REMOTE6, 53), SYN)), "outside")
    for (const packet of [udp6(ends(HOST6, 1, REMOTE6, 53)), tcp6(ends(HOST6, 1, REMOTE6, 53), SYN)]) {
      const out = cgn.out(packet)
      assert.equal(reason(out), "no-resources")
      isPacket(returned(out), told6(1, 3, packet))
    }
  })

  test("NAT-6146-3.5.2.3: TCP's and UDP's bindings are apart: one may have the port that the other has", () => {
    const cgn = nat64({ ports: "preserve" })
    assert.equal(portOf(cgn, ends(HOST6, 5000, REMOTE6, 1)), 5000)
    assert.equal(sourceOf(sent(cgn.out(tcp6(ends(OTHER6, 5000, REMOTE6, 1), SYN)), "outside")).port, 5000)
  })

  test("NAT-6146-3.5.2.2: V4 SYN to no binding: stored, and Port Unreachable after TCP_INCOMING_SYN", () => {
    const cgn = nat64()
    const syn = tcp4(ends(REMOTE, 80, EXTERNAL, 2000), SYN)
    assert.deepEqual(cgn.in(syn, 0), { kind: "dropped", reason: "no-mapping" })
    assert.deepEqual(sendLate(cgn.state, 5999).packets, [])
    const [{ side, packet }] = sendLate(cgn.state, 6000).packets
    assert.equal(side, "outside")
    isPacket(packet, told4(3, 3, syn))
  })

  test("NAT-6146-3.5.2.2: V4 SYN, then V6 SYN: simultaneous open, and no error", () => {
    for (const filtering of ["endpoint-independent", "address-dependent"] as const) {
      const cgn = nat64({ ports: "preserve", filtering })
      cgn.in(tcp4(ends(REMOTE, 80, EXTERNAL, 5000), SYN), 0)
      isIpv4(
        sent(cgn.out(tcp6(ends(HOST6, 5000, REMOTE6, 80), SYN), 3000), "outside"),
        tcp4(ends(EXTERNAL, 5000, REMOTE, 80), SYN, 63),
      )
      assert.deepEqual(sendLate(cgn.state, 60_000).packets, [])
      isPacket(
        sent(cgn.in(tcp4(ends(REMOTE, 80, EXTERNAL, 5000), SYN), 3100), "inside"),
        tcp6(ends(REMOTE6, 80, HOST6, 5000), SYN, 63),
      )
      sent(cgn.out(tcp6(ends(HOST6, 5000, REMOTE6, 80), SYN | ACK), 3200), "outside")
      // ESTABLISHED now: it lasts.
      sent(cgn.out(tcp6(ends(HOST6, 5000, REMOTE6, 80), ACK), 7_000_000), "outside")
    }
  })

  test("NAT-6146-3.5.2.2: V4 SYN to a binding goes in; with filtering it is stored like any", () => {
    const open = nat64()
    const { port } = sourceOf(sent(open.out(tcp6(ends(HOST6, 5000, REMOTE6, 80), SYN)), "outside"))
    sent(open.in(tcp4(ends(STRANGER, 1, EXTERNAL, port), SYN)), "inside")
    const strict = nat64({ filtering: "address-dependent" })
    const at = sourceOf(sent(strict.out(tcp6(ends(HOST6, 5000, REMOTE6, 80), SYN)), "outside"))
    assert.equal(reason(strict.in(tcp4(ends(STRANGER, 1, EXTERNAL, at.port), SYN))), "filtered")
    assert.equal(sendLate(strict.state, 6000).packets.length, 1)
  })

  test("NAT-6146-3.5.2.2, NAT-6146-4: established two hours and four minutes; four behind a RST or both FINs", () => {
    const life = (flags: readonly (readonly ["out" | "in", number])[], until: number) => {
      const cgn = nat64()
      const { port } = sourceOf(sent(cgn.out(tcp6(ends(HOST6, 5000, REMOTE6, 80), SYN)), "outside"))
      for (const [way, flag] of flags)
        if (way === "out") sent(cgn.out(tcp6(ends(HOST6, 5000, REMOTE6, 80), flag)), "outside")
        else sent(cgn.in(tcp4(ends(REMOTE, 80, EXTERNAL, port), flag)), "inside")
      const at = (now: number) => cgn.in(tcp4(ends(REMOTE, 80, EXTERNAL, port), ACK), now).kind
      assert.equal(at(until * 1000 - 1), "forwarded")
      // Written every 116 seconds at most, it may last that much longer.
      assert.notEqual(at((until + 117) * 1000), "forwarded")
    }
    life([], 240)
    life(
      [
        ["in", SYN | ACK],
        ["out", ACK],
      ],
      7440,
    )
    life(
      [
        ["in", SYN | ACK],
        ["out", ACK],
        ["in", RST],
      ],
      240,
    )
    life(
      [
        ["in", SYN | ACK],
        ["out", ACK],
        ["out", FIN | ACK],
      ],
      7440,
    )
    life(
      [
        ["in", SYN | ACK],
        ["out", ACK],
        ["in", FIN | ACK],
      ],
      7440,
    )
    life(
      [
        ["in", SYN | ACK],
        ["out", ACK],
        ["in", FIN | ACK],
        ["out", FIN | ACK],
      ],
      240,
    )
  })

  test("NAT-6146-3.5.3: a query nobody asked: Host Unreachable; filtered: code 13; its binding ICMP_DEFAULT", () => {
    const cgn = nat64({ filtering: "address-dependent" })
    const ping = echo4(0, REMOTE, EXTERNAL, 2000)
    isPacket(returned(cgn.in(ping)), told4(3, 1, ping))
    const { port } = sourceOf(sent(cgn.out(echo6(128, HOST6, REMOTE6, 9)), "outside"))
    assert.deepEqual([...returned(cgn.in(echo4(0, STRANGER, EXTERNAL, port))).subarray(20, 22)], [3, 13])
    sent(cgn.in(echo4(0, REMOTE, EXTERNAL, port), 59_999), "inside")
    assert.equal(reason(cgn.in(echo4(0, REMOTE, EXTERNAL, port), 60_000)), "no-mapping")
  })

  test("NAT-6146-3.5.3: the host's queries have the IPv4 address that its UDP has", () => {
    const external = ["203.0.113.1", "203.0.113.2", "203.0.113.3", "203.0.113.4"].map(address)
    for (let n = 1; n < 20; n++) {
      const cgn = nat64({}, { external })
      const host = `2001:db8:1::${n.toString(16)}`
      const one = sourceOf(sent(cgn.out(udp6(ends(host, 5000, REMOTE6, 53))), "outside"))
      const two = sourceOf(sent(cgn.out(echo6(128, host, REMOTE6, 9)), "outside"))
      assert.equal(one.address, two.address)
    }
  })

  test("NAT-6146-3.5.4: RFC 6052's algorithm, there and back, with prefixes of every length", () => {
    // RFC 6052 section 2.4, figure: 192.0.2.33 behind 2001:db8::/32 and so on; Network-Specific Prefixes.
    for (const [text, prefixLength, there] of [
      ["2001:db8::", 32, "2001:db8:c000:221::"],
      ["2001:db8:100::", 40, "2001:db8:1c0:2:21::"],
      ["2001:db8:122::", 48, "2001:db8:122:c000:2:2100::"],
      ["2001:db8:122:300::", 56, "2001:db8:122:3c0:0:221::"],
      ["2001:db8:122:344::", 64, "2001:db8:122:344:c0:2:2100::"],
      ["2001:db8:122:344::", 96, "2001:db8:122:344::c000:221"],
    ] as const) {
      const host = "2001:db9::7"
      const inside = { kind: "nat64", prefix: { address: address(text), prefixLength } } as const
      const cgn = nat64({ inside })
      const out = sent(cgn.out(udp6(ends(host, 5000, there, 53))), "outside")
      const { port } = sourceOf(out)
      isIpv4(out, udp4(ends(EXTERNAL, port, "192.0.2.33", 53), 63))
      isPacket(
        sent(cgn.in(udp4(ends("192.0.2.33", 53, EXTERNAL, port))), "inside"),
        udp6(ends(there, 53, host, 5000), 63),
      )
    }
  })
})

describe("the outgoing tuple", () => {
  test("NAT-6146-3.6.1: errors about UDP and TCP: ends of the binding, and its reverse in the packet in error", () => {
    const cgn = nat64()
    const out = sent(cgn.out(tcp6(ends(HOST6, 5000, REMOTE6, 80), SYN)), "outside")
    const { port } = sourceOf(out)
    isPacket(
      sent(cgn.in(error4(3, 1, STRANGER, EXTERNAL, out)), "inside"),
      error6(1, 0, { source: STRANGER6, destination: HOST6 }, tcp6(ends(HOST6, 5000, REMOTE6, 80), SYN, 63), 63),
    )
    const inner = tcp6(ends(REMOTE6, 80, HOST6, 5000), SYN | ACK, 60)
    const told = sent(cgn.out(error6(1, 4, { source: HOST6, destination: REMOTE6 }, inner)), "outside")
    const quoted = tcp4(ends(REMOTE, 80, EXTERNAL, port), SYN | ACK, 60)
    assert.deepEqual([...told.subarray(20, 22)], [3, 3])
    isIpv4(told.subarray(28), quoted)
  })

  test("NAT-6146-3.6.2: errors about queries, by the binding of the identifier", () => {
    const cgn = nat64()
    const out = sent(cgn.out(echo6(128, HOST6, REMOTE6, 9)), "outside")
    const { port } = sourceOf(out)
    isPacket(
      sent(cgn.in(error4(11, 0, STRANGER, EXTERNAL, out)), "inside"),
      error6(3, 0, { source: STRANGER6, destination: HOST6 }, echo6(128, HOST6, REMOTE6, 9, 63), 63),
    )
    assert.equal(
      reason(cgn.in(error4(11, 0, STRANGER, EXTERNAL, echo4(8, EXTERNAL, REMOTE, port === 999 ? 998 : 999)))),
      "no-flow",
    )
  })

  test("NAT-6146-3.8: hairpinning: the other host sees the external end; UDP, TCP and errors, whatever filters there are", () => {
    for (const filtering of ["endpoint-independent", "address-dependent", "address-and-port-dependent"] as const) {
      const cgn = nat64({ filtering })
      const one = portOf(cgn, ends(HOST6, 5000, REMOTE6, 1))
      const two = portOf(cgn, ends(OTHER6, 6000, REMOTE6, 1))
      const there = cgn.out(udp6(ends(HOST6, 5000, EXTERNAL6, two)))
      if (filtering === "endpoint-independent")
        isPacket(sent(there, "inside"), udp6(ends(EXTERNAL6, one, OTHER6, 6000), 63))
      else assert.equal(reason(there), "filtered")
      // The first has opened its own filter, so that the second's comes in, and then its next.
      isPacket(
        sent(cgn.out(udp6(ends(OTHER6, 6000, EXTERNAL6, one))), "inside"),
        udp6(ends(EXTERNAL6, two, HOST6, 5000), 63),
      )
      const back = sent(cgn.out(udp6(ends(HOST6, 5000, EXTERNAL6, two))), "inside")
      isPacket(
        sent(cgn.out(error6(1, 4, { source: OTHER6, destination: EXTERNAL6 }, back)), "inside"),
        error6(1, 4, { source: EXTERNAL6, destination: HOST6 }, udp6(ends(HOST6, 5000, EXTERNAL6, two), 63), 63),
      )
    }
  })

  test("NAT-6146-5.4: a packet that claims to come from the prefix goes round never", () => {
    const cgn = nat64()
    const port = portOf(cgn)
    for (const source of [EXTERNAL6, REMOTE6, STRANGER6])
      assert.deepEqual(cgn.out(udp6(ends(source, port, EXTERNAL6, port))), {
        kind: "dropped",
        reason: "illegal-source",
      })
  })

  test("NAT-6146-5.3: fragments, SYNs and bindings take no more room than set", () => {
    const cgn = nat64(
      { lateErrors: 4, fragments: { count: 4, octets: 4000, timeout: 30 } },
      { ports: { first: 2000, last: 2003 } },
    )
    for (let n = 0; n < 40; n++) {
      cgn.in(tcp4(ends(REMOTE, 1 + n, EXTERNAL, 1999), SYN))
      cgn.out(udp6(ends(HOST6, 1 + n, REMOTE6, 53)))
      const at = ends(HOST6, 1, REMOTE6, 53)
      cgn.out(ip6({ ...at, protocol: 17, extensions: [fragmentHeader(0, true, n)] }, udp(at).subarray(0, 16)))
    }
    assert.equal(lines(cgn.state).length, 4)
    assert.equal(cgn.state.waiting?.fragments.length, 4)
    assert.equal(sendLate(cgn.state, 6000).packets.length, 4)
  })
})
