/** NAT64 and NAT46 beside tayga: how both are set up, packets for them, and what may differ. */
import assert from "node:assert/strict"
import { createCgn, createSiit, translate, translateSiit } from "../../core/cgn/index.ts"
import {
  DATA,
  type Ends,
  icmp4,
  icmp6,
  inet,
  ip4,
  ip6,
  type Octets,
  type PortEnds,
  tcp,
  udp,
} from "../core/cgn/packet/build.ts"
import { address, prefix } from "../core/cgn/packet/scene.ts"
import type { Sent } from "./kernel.ts"
import { type Carry, carrying, compareWith, type Difference, type Step } from "./kernel-compare.ts"
import { missing, through } from "./tayga.ts"

const lack = missing()
/** For tests: skipped with what is missing, but not where every test must run. */
export const skip = lack !== undefined && process.env.CI !== "true" ? lack : false

/** One IPv6 host, as IPv4 sees it, and IPv4 hosts, as it sees them. */
export const [HOST6, HOST4] = ["2001:db8:1::7", "198.51.100.1"]
export const [PEER4, PEER6] = ["192.0.2.9", "2001:db8:64::c000:209"]
export const HOP4 = "203.0.113.9"
/** A router of the IPv6 side that has an IPv4 address too: its errors come from there. */
export const [INNER6, INNER4] = ["2001:db8:1::1", "198.51.100.2"]
const ROUTERS = { ipv4: address("::ffff:203.0.113.1"), ipv6: address("2001:db8:f::1") }
const PREFIX = "2001:db8:64::/96"
const CONF = [
  "ipv4-addr 203.0.113.1",
  "ipv6-addr 2001:db8:f::1",
  `prefix ${PREFIX}`,
  `map ${HOST4} ${HOST6}`,
  `map ${INNER4} ${INNER6}`,
]
export const MTU = 1500

const stateless = (inside: "ipv4" | "ipv6", mtu: number): Carry => {
  const pairs = [
    { ipv4: address(`::ffff:${HOST4}`), ipv6: address(HOST6) },
    { ipv4: address(`::ffff:${INNER4}`), ipv6: address(INNER6) },
  ]
  // tayga has one link: an IPv4 packet may be as long as its IPv6 packet can be.
  const crossing = { ipv6Mtu: mtu, ipv4Mtu: mtu - 20, udpZeroChecksum: "drop" } as const
  const made = createSiit({ inside, pairs, prefix: prefix(PREFIX), crossing, routers: ROUTERS })
  assert.ok(made.ok)
  return carrying(made.state, translateSiit)
}

/** The administrator has given the host a whole external address: its ports and protocols are those that it has inside. */
export const stateful = (mtu: number): Carry => {
  const external = address(`::ffff:${HOST4}`)
  const made = createCgn({
    external: [external],
    ports: { first: 1024, last: 65535 },
    quota: 0,
    filterLimit: 8,
    idleTimeout: { udp: 300, tcp: 7440 },
    internalFamily: "ipv6",
    otherProtocols: true,
    port0: true,
    oneToOne: true,
    staticMappings: [{ protocol: 0, internal: address(HOST6), internalPort: 0, external, externalPort: 0 }],
    translation: {
      inside: { kind: "nat64", prefix: prefix(PREFIX) },
      mtu: { inside: mtu, outside: mtu - 20 },
      routers: { inside: ROUTERS.ipv6, outside: ROUTERS.ipv4 },
    },
    secret: new Uint8Array(32).fill(3),
    now: 0,
  })
  assert.ok(made.ok)
  return carrying(made.state, translate)
}

/** Ports kept, a mapping for each: those of the packets that the host sends. */
export const mapped = (mtu: number): Carry => {
  const made = createCgn({
    external: [address(`::ffff:${HOST4}`)],
    ports: { first: 1024, last: 65535 },
    quota: 0,
    filterLimit: 8,
    idleTimeout: { udp: 300, tcp: 7440 },
    internalFamily: "ipv6",
    translation: {
      inside: { kind: "nat64", prefix: prefix(PREFIX) },
      ports: "preserve",
      mtu: { inside: mtu, outside: mtu - 20 },
      routers: { inside: ROUTERS.ipv6, outside: ROUTERS.ipv4 },
    },
    secret: new Uint8Array(32).fill(3),
    now: 0,
  })
  assert.ok(made.ok)
  return carrying(made.state, translate)
}

/** A packet of either family, with the side that it is of behind a NAT64. */
export const step = (what: string, bytes: Uint8Array, otherwise?: string): Step => ({
  side: bytes[0] >> 4 === 6 ? "inside" : "outside",
  bytes,
  what,
  ...(otherwise === undefined ? {} : { otherwise }),
})

const isWhole4 = (bytes: Uint8Array): boolean => bytes[0] >> 4 === 4 && (bytes[6] & 0x3f) + bytes[7] === 0
export const isError4 = (bytes: Uint8Array): boolean =>
  isWhole4(bytes) && bytes[9] === 1 && [3, 11, 12].includes(bytes[20])
const isOwnError4 = ({ bytes }: Sent): boolean =>
  bytes[0] >> 4 === 4 && bytes.subarray(12, 16).join(".") === "203.0.113.1"

const DIFFERENCES: readonly Difference[] = [
  {
    why: "RFC 7915 section 5.1 has DF set above 1260 octets alone, with an identification: tayga sets it always, without one",
    applies: ({ bytes }) => isWhole4(bytes),
    octets: [
      [4, 8],
      [10, 12],
    ],
  },
  {
    why: "the same of the packet in an ICMP error (RFC 7915 section 5.3)",
    applies: (sent) => isError4(sent.bytes) && !isOwnError4(sent) && isWhole4(sent.bytes.subarray(28)),
    octets: [
      [32, 36],
      [38, 40],
    ],
  },
]

/** Their DSCP is the packet's (RFC 5508 section 7.7) and DF is set without an identification (RFC 6864): tayga has zeros. */
export const OWN_ERRORS: Difference = {
  why: "the errors that tayga sends itself have no DSCP and no DF",
  applies: (sent) => isOwnError4(sent),
  octets: [
    [1, 2],
    [6, 8],
    [10, 12],
  ],
}

/** Header checksums stand in octets that are not compared: they are right in all that is. */
const right = (sent: readonly (readonly Sent[])[]): void => {
  for (const { bytes } of sent.flat()) {
    if (bytes[0] >> 4 !== 4) continue
    assert.equal(inet(bytes.subarray(0, 20)), 0)
    if (isError4(bytes) && bytes[28] === 0x45) assert.equal(inet(bytes.subarray(28, 48)), 0)
  }
}

interface Options {
  readonly mtu?: number
  readonly carries?: readonly ((mtu: number) => Carry)[]
  readonly differences?: readonly Difference[]
}

const NAT64: readonly ((mtu: number) => Carry)[] = [(mtu) => stateless("ipv6", mtu)]
/** The same translation from the other side, whose inside is IPv4. */
const NAT46 = (mtu: number): Carry => {
  const carry = stateless("ipv4", mtu)
  const turn = (side: Sent["side"]): Sent["side"] => (side === "inside" ? "outside" : "inside")
  return ({ side, bytes }) => carry({ side: turn(side), bytes }).map((one) => ({ ...one, side: turn(one.side) }))
}
export const STATELESS = [...NAT64, NAT46]
export const ALL = [...STATELESS, stateful]

/** tayga and each of the translators carry the packets. */
export const compare = (steps: readonly Step[], { mtu = MTU, carries = ALL, differences = [] }: Options = {}): void => {
  assert.equal(lack, undefined)
  const its = through(
    { mtu, conf: CONF },
    steps.map(({ bytes }) => bytes),
  ).map((packets) => packets.map((bytes): Sent => ({ side: bytes[0] >> 4 === 6 ? "inside" : "outside", bytes })))
  right(its)
  for (const make of carries) {
    const carry = make(mtu)
    const carried: Carry = (sent) => {
      const own = carry(sent)
      right([own])
      return own
    }
    compareWith(its, carried, steps, [...DIFFERENCES, ...differences])
  }
}

export const out = (port = 5000): PortEnds => ({
  source: HOST6,
  sourcePort: port,
  destination: PEER6,
  destinationPort: 53,
})
export const back = (port = 5000): PortEnds => ({
  source: PEER4,
  sourcePort: 53,
  destination: HOST4,
  destinationPort: port,
})
/** The ends of {@link out} and {@link back} as the other family has them. */
export const seen4 = (port = 5000): PortEnds => ({ ...out(port), source: HOST4, destination: PEER4 })
export const seen6 = (port = 5000): PortEnds => ({ ...back(port), source: PEER6, destination: HOST6 })

type Header4 = Partial<Parameters<typeof ip4>[0]>
export type Header6 = Partial<Parameters<typeof ip6>[0]>
export const four = (protocol: number, payload: Octets, header: Header4 = {}) =>
  ip4({ ...back(), protocol, ...header }, payload)
export const six = (protocol: number, payload: Octets, header: Header6 = {}) =>
  ip6({ ...out(), protocol, ...header }, payload)
export const u4 = (data: Octets = DATA, header: Header4 = {}) => four(17, udp(back(), data), header)
export const u6 = (data: Octets = DATA, header: Header6 = {}) => six(17, udp(out(), data), header)
export const t4 = (data: Octets = DATA, flags = 0x10, header: Header4 = {}) => four(6, tcp(back(), data, flags), header)
export const t6 = (data: Octets = DATA, flags = 0x10, header: Header6 = {}) => six(6, tcp(out(), data, flags), header)
export const ping4 = (type: number, data: Octets = DATA) => four(1, icmp4(type, 0, [0x40, 1, 0, 7], data))
export const ping6 = (type: number, data: Octets = DATA) => six(58, icmp6(out(), type, 0, [0x40, 1, 0, 7], data))
export const error4 = (
  type: number,
  code: number,
  rest: Octets,
  inner: Octets,
  of: Ends = { source: HOP4, destination: HOST4 },
) => ip4({ ...of, protocol: 1 }, icmp4(type, code, rest, inner))
export const error6 = (
  type: number,
  code: number,
  rest: Octets,
  inner: Octets,
  of: Ends = { source: INNER6, destination: PEER6 },
) => ip6({ ...of, protocol: 58 }, icmp6(of, type, code, rest, inner))
/** What the host sent, as it came out; what was sent to it, as it came in. */
export const sent4 = (data: Octets = DATA) => ip4({ ...seen4(), protocol: 17 }, udp(seen4(), data))
export const came6 = (data: Octets = DATA) => ip6({ ...seen6(), protocol: 17 }, udp(seen6(), data))
export const some = (length: number) => new Uint8Array(length).map((_, i) => i * 7)
