/** All eight kinds of translator behind one face: a state that goes on, and the hosts on both sides. */
import assert from "node:assert/strict"
import {
  type Allocate,
  type CgnSettings,
  createFirewall,
  createNpt,
  createSiit,
  type Passage,
  type Passed,
  type Side,
  translate,
  translateFirewall,
  translateNpt,
  translateSiit,
} from "../../../core/cgn/index.ts"
import type { Address } from "../../../core/wire/index.ts"
import { addr, type PortEnds } from "./packet/build.ts"
import { prefix } from "./packet/scene.ts"
import { address, cgnWith } from "./scene.ts"
import { AFTR, embedded, type Host, KINDS, settingsOf } from "./translate/kinds.ts"

type Translate<S> = (state: S, passage: Passage, allocate?: Allocate) => Passed<S>
type Result = Omit<Passed<unknown>, "state" | "next">

export interface Translator {
  readonly name: string
  /** A host whose ports are mapped as its packets ask for them, and a peer, each as it is seen from the inside. */
  readonly host: string
  readonly peer: string
  /** The peer, and some router, as they are seen outside. */
  readonly peerOutside: string
  readonly routerOutside: string
  /** A host whose packets of all protocols pass, from both sides, and how it is seen outside. */
  readonly open: string
  readonly openOutside: string
  /** What a host sends as it comes to the translator, and what is in it that the translator sends to a host. */
  readonly wrap: (packet: Uint8Array) => Uint8Array
  readonly unwrap: (packet: Uint8Array) => Uint8Array
  readonly realm: Address | undefined
  /** Goes on from the last state. */
  readonly pass: (bytes: Uint8Array, side: Side, now?: number, allocate?: Allocate) => Result
  /** Does the same from the last state without going on from there. */
  readonly tell: (bytes: Uint8Array, side: Side, now?: number, allocate?: Allocate) => Result
}

/** A state that goes on. */
const over = <S>(first: S, run: Translate<S>, realm?: Address) => {
  let state = first
  const take = (bytes: Uint8Array, side: Side, now = 0, allocate?: Allocate) =>
    run(state, { bytes, side, now, ...(side === "inside" ? { realm } : {}) }, allocate)
  return {
    pass: (bytes: Uint8Array, side: Side, now?: number, allocate?: Allocate): Result => {
      const passed = take(bytes, side, now, allocate)
      state = passed.state
      return { out: passed.out, changes: passed.changes }
    },
    tell: (bytes: Uint8Array, side: Side, now?: number, allocate?: Allocate): Result => {
      const { out, changes } = take(bytes, side, now, allocate)
      return { out, changes }
    },
  }
}

const same = (packet: Uint8Array): Uint8Array => packet
const PEER4 = "192.0.2.44"
const ROUTER4 = "192.0.2.1"
const [PEER6, ROUTER6] = ["2001:db8:ffff::9", "2001:db8:ffff::1"]
const OPEN4 = "203.0.113.200"
const FOUR = { peerOutside: PEER4, routerOutside: ROUTER4 } as const
const SIX = { peerOutside: PEER6, routerOutside: ROUTER6 } as const
const mapped = (ipv4: string): Address => address(`::ffff:${ipv4}`)

/** One NAT with mappings: one host's are dynamic, another's is one of all that it has. */
const nat = (name: string, more: Partial<CgnSettings>): Translator => {
  const kind = KINDS.find((one) => one.name === name)
  assert.ok(kind !== undefined)
  const [{ address: host, realm }, other] = kind.hosts
  const open: Host = { address: other.address, realm }
  const of = realm === undefined ? undefined : address(realm)
  const settings = settingsOf(kind, more)
  const state = cgnWith({
    ...settings,
    otherProtocols: true,
    port0: true,
    oneToOne: true,
    staticMappings: [
      {
        protocol: 0,
        internal: address(open.address),
        internalPort: 0,
        external: mapped(OPEN4),
        externalPort: 0,
        realm: of,
      },
    ],
  })
  return {
    name,
    ...FOUR,
    host,
    peer: kind.remote(PEER4),
    open: open.address,
    openOutside: OPEN4,
    wrap: (packet) => kind.sends(open, packet),
    unwrap: (packet) => (kind.name === "dslite" && packet[6] === 4 ? packet.subarray(40) : packet),
    realm: of,
    ...over(state, translate, kind.comesWith(open)),
  }
}

const siit = (): Translator => {
  const [host, open] = ["10.0.0.1", "10.0.0.2"]
  const made = createSiit({
    inside: "ipv4",
    prefix: prefix("2001:db8:64::/96"),
    pairs: [{ ipv4: mapped(PEER4), ipv6: address(PEER6) }],
    routers: { ipv4: mapped("10.0.0.254"), ipv6: address("2001:db8:f::1") },
  })
  assert.ok(made.ok)
  return {
    name: "nat46",
    ...SIX,
    // A router whose address is of the prefix, so that it has one inside.
    routerOutside: embedded(ROUTER4),
    host,
    peer: PEER4,
    open,
    openOutside: embedded(open),
    wrap: same,
    unwrap: same,
    realm: undefined,
    ...over(made.state, translateSiit),
  }
}

const npt = (): Translator => {
  const routers = { inside: address("fd01:203:405::1"), outside: address("2001:db8:f::1") }
  // RFC 6296 section 3.6: the example's subnet 1 becomes 0xd550.
  const pairs = [{ internal: prefix("fd01:203:405::/48"), external: prefix("2001:db8:1::/48") }]
  const made = createNpt({ pairs, routers })
  assert.ok(made.ok)
  return {
    name: "nptv6",
    ...SIX,
    host: "fd01:203:405:1::1234",
    peer: PEER6,
    open: "fd01:203:405:1::9",
    openOutside: "2001:db8:1:d550::9",
    wrap: same,
    unwrap: same,
    realm: undefined,
    ...over(made.state, translateNpt),
  }
}

const firewall = (family: "ipv4" | "ipv6"): Translator => {
  const [host, open, inside, outside] =
    family === "ipv4"
      ? ["198.51.100.7", "198.51.100.8", "198.51.100.1", "203.0.113.1"]
      : ["2001:db8:1::7", "2001:db8:1::8", "2001:db8:1::1", "2001:db8:f::1"]
  const map = (text: string): Address => address(family === "ipv4" ? `::ffff:${text}` : text)
  const made = createFirewall({
    family,
    secret: new Uint8Array(32).fill(9),
    now: 0,
    routers: { inside: map(inside), outside: map(outside) },
  })
  assert.ok(made.ok)
  const ends = family === "ipv4" ? FOUR : SIX
  return {
    name: family === "ipv4" ? "firewall4" : "firewall6",
    ...ends,
    host,
    peer: ends.peerOutside,
    open,
    openOutside: open,
    wrap: same,
    unwrap: same,
    realm: undefined,
    ...over(made.state, translateFirewall),
  }
}

/** Each anew; `more` for those with mappings. */
export const translators = (more: Partial<CgnSettings> = {}): readonly Translator[] => [
  nat("nat44", more),
  nat("nat64", more),
  siit(),
  npt(),
  firewall("ipv4"),
  firewall("ipv6"),
  nat("dslite", more),
  nat("l2dslite", more),
]

/** Is the address, or the packet, of IPv4? */
export const isFour = (it: string | Uint8Array): boolean =>
  typeof it === "string" ? !it.includes(":") : it[0] >> 4 === 4

/** The source of a packet that came out, whole: its address, and where there are ports or an identifier, that. */
export const sourceSeen = (bytes: Uint8Array): { readonly source: string; readonly port: number } => {
  const four = isFour(bytes)
  const at = four ? (bytes[0] & 15) * 4 : 40
  const query = bytes[four ? 9 : 6] === (four ? 1 : 58)
  const octets = bytes.subarray(four ? 12 : 8, four ? 16 : 24)
  const units = Array.from({ length: 8 }, (_, i) => ((octets[2 * i] << 8) | octets[2 * i + 1]).toString(16))
  const port = query ? at + 4 : at
  return { source: four ? octets.join(".") : units.join(":"), port: (bytes[port] << 8) | bytes[port + 1] }
}

export const isSoftwire = (bytes: Uint8Array): boolean =>
  bytes[0] >> 4 === 6 && bytes[6] === 4 && bytes.subarray(8, 24).join() === addr(AFTR).join()

/** The way back. */
export const turned = ({ source, sourcePort, destination, destinationPort }: PortEnds): PortEnds => ({
  source: destination,
  sourcePort: destinationPort,
  destination: source,
  destinationPort: sourcePort,
})
