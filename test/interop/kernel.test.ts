/**
 * The same packets through the Linux kernel's router, with nftables, and through this project's translators: the same must
 * come out, octet for octet, but for what {@link Difference}s name with their reasons.
 */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { createFirewall, createNpt, firewallCgn, translateFirewall, translateNpt } from "../../core/cgn/index.ts"
import { readNonce } from "../../core/wire/index.ts"
import {
  DATA,
  type Ends,
  fragmentHeader,
  icmp4,
  icmp6,
  ip4,
  ip6,
  type Octets,
  type PortEnds,
  tcp,
  toHex,
  udp,
} from "../core/cgn/packet/build.ts"
import { address, prefix } from "../core/cgn/packet/scene.ts"
import { type Router, route, type Sent } from "./kernel.ts"
import {
  type Carry,
  carrying,
  compare,
  type Difference,
  inside,
  lack,
  outside,
  type Step,
  shown,
  skip,
  turned,
} from "./kernel-compare.ts"

const [FIN, SYN, RST, ACK] = [1, 2, 4, 16]

const six = (of: PortEnds, protocol: number, payload: Octets, hopLimit = 64) =>
  ip6({ ...of, protocol, hopLimit }, payload)
const udp6 = (of: PortEnds, hopLimit = 64) => six(of, 17, udp(of), hopLimit)
const tcp6 = (of: PortEnds, flags: number) => six(of, 6, tcp(of, DATA, flags))
const echo6 = (of: PortEnds, type: number, id: number) =>
  six(of, 58, icmp6(of, type, 0, [id >> 8, id & 255, 0, 1], DATA))
const error6 = (of: Ends, inner: Uint8Array, type = 1, code = 4, rest = [0, 0, 0, 0]) =>
  ip6({ ...of, protocol: 58 }, icmp6(of, type, code, rest, inner))
const isOwnError6 = ({ bytes }: Sent): boolean => toHex(bytes.subarray(8, 24)).startsWith(ROUTER6)

/** Both of the router's IPv6 addresses end in ::1 of their own networks: none of the packets' do. */
const ROUTER6 = "fd010203040500000000000000000001"
const OUTER_ROUTER6 = "20010db8000f00000000000000000001"

const FLOW_LABEL: Difference = {
  why: "the kernel gives the ICMPv6 errors that it sends a flow label of its own (RFC 6437), which the RFCs leave open",
  applies: (sent) => isOwnError6(sent) || toHex(sent.bytes.subarray(8, 24)) === OUTER_ROUTER6,
  octets: [[1, 4]],
}

describe("NPTv6 and nftables' prefix translation", { skip }, () => {
  const PEER = "2001:db8:ffff::9"
  const router = (external: string): Router => ({
    ip: [
      "-6 addr add fd01:203:405::1/64 dev in nodad",
      "-6 addr add 2001:db8:f::1/64 dev out nodad",
      "-6 route add fd01:203:405::/48 dev in",
    ],
    // Behind an internal host's back comes whatever is sent to its external address: hairpinned, the source changes too.
    nft: `table ip6 npt {
      chain pre { type nat hook prerouting priority dstnat; ip6 daddr ${external}::/48 dnat ip6 prefix to fd01:203:405::/48; }
      chain post { type nat hook postrouting priority srcnat; ip6 saddr fd01:203:405::/48 snat ip6 prefix to ${external}::/48; }
    }`,
  })
  const device = (external: string): Carry => {
    const made = createNpt({
      pairs: [{ internal: prefix("fd01:203:405::/48"), external: prefix(`${external}::/48`) }],
      routers: { inside: address("fd01:203:405::1"), outside: address("2001:db8:f::1") },
    })
    assert.ok(made.ok)
    return carrying(made.state, translateNpt)
  }
  const out = (port: number, subnet = "1", source = `fd01:203:405:${subnet}::7`): PortEnds => ({
    source,
    sourcePort: port,
    destination: PEER,
    destinationPort: 53,
  })
  const back = (external: string, port: number, subnet = "1"): PortEnds =>
    turned(out(port, subnet, `${external}:${subnet}::7`))

  /** 0xfd01 + 0x0203 + 0x0405 and 0x2001 + 0x0db8 + 0xd550 are the same sum: there is nothing to adjust. */
  const EVEN = "2001:db8:d550"

  test("NAT-6296-2.6: with prefixes of the same sum: every protocol, both ways, the same octets", () => {
    const steps: Step[] = []
    const both = (what: string, make: (of: PortEnds) => Uint8Array, port: number, answer = make) =>
      steps.push(inside(what, make(out(port))), outside(`${what} back`, answer(back(EVEN, port))))
    both("UDP", udp6, 1001)
    both(
      "TCP",
      (of) => tcp6(of, SYN),
      1002,
      (of) => tcp6(of, SYN | ACK),
    )
    both("TCP data", (of) => tcp6(of, ACK), 1002)
    both("UDP without data", (of) => six(of, 17, udp(of, [])), 1005)
    both(
      "ping",
      (of) => echo6(of, 128, 77),
      0,
      (of) => echo6(of, 129, 77),
    )
    both("ESP", (of) => six(of, 50, DATA), 0)
    both(
      "destination options",
      (of) => ip6({ ...of, protocol: 17, extensions: [[60, [1, 4, 0, 0, 0, 0]]] }, udp(of)),
      1006,
    )
    both(
      "traffic class and flow label",
      (of) => ip6({ ...of, protocol: 17, trafficClass: 0xb9, flowLabel: 0x12345 }, udp(of)),
      1007,
    )
    for (const subnet of ["0", "1", "fffe", "abcd"]) {
      steps.push(outside(`UDP from outside first, subnet ${subnet}`, udp6(back(EVEN, 2001, subnet))))
      steps.push(inside("and back", udp6(out(2001, subnet))))
    }
    steps.push(
      outside("TCP from outside first", tcp6(back(EVEN, 2002), SYN)),
      inside("and back", tcp6(out(2002), SYN | ACK)),
    )
    steps.push(outside("ping from outside", echo6(back(EVEN, 0), 128, 78)), inside("and back", echo6(out(0), 129, 78)))
    compare(router(EVEN), device(EVEN), steps)
  })

  test("NAT-6296-2.6: ICMPv6 errors of both directions, with the packet in them", () => {
    const hop = { source: "2001:db8:5::5", destination: `${EVEN}:1::7` }
    const seen = (of: PortEnds) => ({ ...of, source: `${EVEN}:1::7` })
    compare(router(EVEN), device(EVEN), [
      inside("UDP", udp6(out(3001))),
      outside("time exceeded about it", error6(hop, udp6(seen(out(3001)), 1), 3, 0)),
      outside("packet too big about it", error6(hop, udp6(seen(out(3001)), 60), 2, 0, [0, 0, 5, 0])),
      inside("TCP", tcp6(out(3002), SYN)),
      outside("no route about it", error6(hop, tcp6(seen(out(3002)), SYN), 1, 0)),
      outside("UDP in", udp6(back(EVEN, 3003))),
      inside("port unreachable about it", error6(out(3003), udp6(turned(out(3003)), 63))),
      inside("ping", echo6(out(0), 128, 79)),
      outside("address unreachable about it", error6(hop, echo6(seen(out(0)), 128, 79), 1, 3)),
    ])
  })

  test("NAT-6296-4.3: hairpinning, and its answers", () => {
    const neighbour = { source: "fd01:203:405:2::9", destination: `${EVEN}:1::7` }
    const host = { source: "fd01:203:405:1::7", destination: `${EVEN}:2::9` }
    const ends = { ...host, sourcePort: 4001, destinationPort: 4002 }
    const answer = { ...neighbour, sourcePort: 4002, destinationPort: 4001 }
    compare(router(EVEN), device(EVEN), [
      inside("UDP to a neighbour's external address", udp6(ends)),
      inside("and back", udp6(answer)),
      inside("TCP", tcp6(ends, SYN)),
      inside("and back", tcp6(answer, SYN | ACK)),
    ])
  })

  test("the last hop: Time Exceeded from the same address, about the packet as it was sent", () => {
    compare(
      router(EVEN),
      device(EVEN),
      [inside("UDP", udp6(out(5001), 1)), inside("TCP", six(out(5002), 6, tcp(out(5002), DATA, SYN), 1))],
      [FLOW_LABEL],
    )
  })

  test("NAT-6296-3.2: subnet 0xffff is the RFC's alone to refuse", () => {
    const otherwise = "nftables changes the prefix and asks for no subnet that checksums could be kept with"
    compare(router(EVEN), device(EVEN), [{ ...inside("UDP", udp6(out(6001, "ffff"))), otherwise }])
  })

  test("NAT-6296-3.4: with other prefixes: the same but for the subnet and the transport's checksum", () => {
    const other = "2001:db8:1"
    const UNADJUSTED: Difference = {
      why: "nftables leaves the subnet as it is and changes the transport's checksum instead (RFC 6296 section 2.6)",
      applies: ({ side }) => side === "outside",
      octets: [
        [14, 16],
        [46, 48],
        [56, 58],
      ],
    }
    compare(
      router(other),
      device(other),
      [
        inside("UDP", udp6(out(7001))),
        // Behind 16 octets of data nothing of it is a checksum, in UDP and TCP both.
        inside("TCP", tcp6(out(7002), SYN)),
      ],
      [UNADJUSTED],
    )
  })
})

describe("a firewall and nftables' connection tracking", { skip }, () => {
  const NONCE = readNonce(new Uint8Array(12).fill(5), 0)
  const [HOST, PEER, STRANGER] = ["2001:db8:1::7", "2001:db8:ffff::9", "2001:db8:ffff::a"]
  const [HOST4, PEER4, STRANGER4] = ["10.0.0.7", "192.0.2.9", "192.0.2.10"]
  const rules = (family: string, pinholes: string): string => `table ${family} wall {
    chain forward {
      type filter hook forward priority filter; policy drop;
      ct state invalid drop
      ct state established,related accept
      iifname "in" accept
      ${pinholes}
    }
  }`
  const router: Router = {
    ip: [
      "-6 addr add 2001:db8:1::1/64 dev in nodad",
      "-6 addr add 2001:db8:f::1/64 dev out nodad",
      "addr add 10.0.0.1/24 dev in",
      "addr add 203.0.113.1/24 dev out",
    ],
    nft: `table ip raw {
        chain pre {
          type filter hook prerouting priority raw
          ip saddr 198.18.0.1 notrack
        }
      }
      ${rules(
        "ip6",
        `ip6 daddr ${HOST} udp dport 1111 accept
      ip6 daddr ${HOST} ip6 saddr ${PEER} tcp dport 80 accept`,
      )}
      ${rules(
        "ip",
        `ip saddr 198.18.0.1 accept
      ip daddr ${HOST4} udp dport 1111 accept
      ip daddr ${HOST4} ip saddr ${PEER4} tcp dport 80 accept`,
      )}`,
  }
  const wall = (family: "ipv4" | "ipv6"): Carry => {
    const [inner, outer] =
      family === "ipv6" ? ["2001:db8:1::1", "2001:db8:f::1"] : ["::ffff:10.0.0.1", "::ffff:203.0.113.1"]
    const host = address(family === "ipv6" ? HOST : `::ffff:${HOST4}`)
    const made = createFirewall({
      family,
      secret: new Uint8Array(32),
      now: 0,
      routers: { inside: address(inner), outside: address(outer) },
    })
    assert.ok(made.ok)
    let { state } = made
    for (const [protocol, port] of [
      [17, 1111],
      [6, 80],
    ]) {
      const end = { protocol, internal: host, internalPort: port }
      const ask = {
        ...end,
        origin: "pcp",
        nonce: NONCE,
        suggested: host,
        suggestedPort: port,
        lifetime: 3600,
        preferFailure: false,
      } as const
      const mapped = firewallCgn.addMapping(state, ask, 0)
      assert.ok(mapped.outcome !== "refused")
      const remote = address(family === "ipv6" ? PEER : `::ffff:${PEER4}`)
      const filters = port === 80 ? [{ remote, prefixLength: 128, remotePort: 0 }] : []
      const filtered = firewallCgn.filter(mapped.state, { ...end, deleteFilters: false, filters }, 0)
      assert.ok(filtered.outcome !== "refused")
      state = filtered.state
    }
    return carrying(state, translateFirewall)
  }

  const families = [
    {
      family: "ipv6" as const,
      host: HOST,
      peer: PEER,
      stranger: STRANGER,
      hop: "2001:db8:5::5",
      make: (of: PortEnds, protocol: number, payload: Octets) => ip6({ ...of, protocol }, payload),
      ping: (of: PortEnds, isAnswer: boolean, id: number) => echo6(of, isAnswer ? 129 : 128, id),
      error: (of: Ends, inner: Uint8Array) => error6(of, inner),
    },
    {
      family: "ipv4" as const,
      host: HOST4,
      peer: PEER4,
      stranger: STRANGER4,
      hop: "198.51.100.5",
      make: (of: PortEnds, protocol: number, payload: Octets) => ip4({ ...of, protocol }, payload),
      ping: (of: PortEnds, isAnswer: boolean, id: number) =>
        ip4({ ...of, protocol: 1 }, icmp4(isAnswer ? 0 : 8, 0, [id >> 8, id & 255, 0, 1], DATA)),
      error: (of: Ends, inner: Uint8Array) => ip4({ ...of, protocol: 1 }, icmp4(3, 3, [0, 0, 0, 0], inner)),
    },
  ]
  for (const { family, host, peer, stranger, hop, make, ping, error } of families) {
    const out = (port: number, destination = peer, destinationPort = 53): PortEnds => ({
      source: host,
      sourcePort: port,
      destination,
      destinationPort,
    })
    const back = (port: number, source = peer, sourcePort = 53): PortEnds => turned(out(port, source, sourcePort))
    const u = (of: PortEnds) => make(of, 17, udp(of))
    const t = (of: PortEnds, flags: number) => make(of, 6, tcp(of, DATA, flags))

    test(`${family}: UDP: flows, and nothing but flows and pinholes`, () => {
      compare(router, wall(family), [
        outside("unasked", u(back(1001))),
        inside("first", u(out(1001))),
        outside("answer", u(back(1001))),
        outside("from a stranger", u(back(1001, stranger))),
        outside("from another port", u(back(1001, peer, 54))),
        outside("to another port", u(back(1002))),
        outside("to a pinhole", u(back(1111, stranger))),
        inside("out of it", u(out(1111, stranger))),
        outside("to a pinhole for another", u(back(80, stranger))),
        outside("ESP", make(back(0), 50, DATA)),
        inside("ESP", make(out(0), 50, DATA)),
        outside("ESP back", make(back(0), 50, DATA)),
      ])
    })

    test(`${family}: TCP: connections from within, by a pinhole, and what is neither`, () => {
      compare(router, wall(family), [
        outside("SYN unasked", t(back(2001), SYN)),
        inside("data of no connection", t(out(2001), ACK)),
        inside("SYN-ACK of no connection", t(out(2001), SYN | ACK)),
        inside("SYN", t(out(2001), SYN)),
        outside("SYN of a stranger", t(back(2001, stranger), SYN)),
        outside("SYN-ACK", t(back(2001), SYN | ACK)),
        inside("ACK", t(out(2001), ACK)),
        outside("data", t(back(2001), ACK)),
        inside("FIN", t(out(2001), FIN | ACK)),
        outside("data behind FIN", t(back(2001), ACK)),
        outside("FIN back", t(back(2001), FIN | ACK)),
        inside("last ACK", t(out(2001), ACK)),
        outside("SYN to a pinhole", t(back(80), SYN)),
        outside("SYN to a pinhole for another", t(back(80, stranger), SYN)),
        inside("SYN-ACK out of it", t(out(80), SYN | ACK)),
        outside("ACK to it", t(back(80), ACK)),
        inside("data out of it", t(out(80), ACK)),
        inside("SYN that is refused", t(out(2002), SYN)),
        outside("by RST", t(back(2002), RST | ACK)),
      ])
    })

    test(`${family}: ICMP: queries, and errors about flows`, () => {
      const about = (inner: Uint8Array) => error({ source: hop, destination: host }, inner)
      compare(router, wall(family), [
        outside("ping unasked", ping(back(0), false, 1)),
        inside("ping", ping(out(0), false, 1)),
        outside("answer", ping(back(0), true, 1)),
        outside("answer with another identifier", ping(back(0), true, 2)),
        outside("ping with the same identifier", ping(back(0), false, 1)),
        inside("answer to nothing", ping(out(0), true, 3)),
        outside("an error about nothing", about(u(out(3001)))),
        inside("UDP", u(out(3001))),
        outside("an error about it", about(u(out(3001)))),
        outside("an error about another", about(u(out(3002)))),
        outside("an error about the ping", about(ping(out(0), false, 1))),
        outside("UDP to a pinhole", u(back(1111))),
        inside("an error about it", error(out(0), u(back(1111)))),
        inside("an error about nothing", error(out(0), u(back(3003)))),
      ])
    })
  }

  test("IPv6 fragments pass in order, the first deciding", () => {
    const of = (ends: PortEnds) => {
      const whole = udp(ends, new Uint8Array(40))
      return [0, 1, 2].map((n) =>
        ip6(
          { ...ends, protocol: 17, extensions: [fragmentHeader(2 * n, n < 2, 9)] },
          whole.subarray(16 * n, 16 * n + 16),
        ),
      )
    }
    const ends: PortEnds = { source: HOST, sourcePort: 4001, destination: PEER, destinationPort: 53 }
    assert.equal(lack, undefined)
    const sent = [
      ...of(ends).map((bytes) => inside("out", bytes)),
      ...of(turned(ends)).map((bytes) => outside("in", bytes)),
    ]
    const kernel = route(router, sent)
    const carry = wall("ipv6")
    // The kernel keeps them until the last has come, and sends them all then.
    const differences: readonly Difference[] = [
      {
        why: "the kernel puts them together and cuts the packet anew, with an identification of its own",
        applies: () => true,
        octets: [[44, 48]],
      },
    ]
    assert.deepEqual(shown(sent.flatMap(carry), differences), shown(kernel.flat(), differences))
  })
})
