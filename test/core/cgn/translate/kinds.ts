/** The kinds of NAT with mappings: the same conversations as the hosts of each have them, by code of the tests' own. */
import type { CgnSettings } from "../../../../core/cgn/index.ts"
import type { Address } from "../../../../core/wire/index.ts"
import { icmp4, icmp6, ip4, ip6, type PortEnds, tcp, udp, w16 } from "../packet/build.ts"
import { address } from "../scene.ts"
import { ends, REMOTE } from "./scene.ts"

export const AFTR = "2001:db8:a::1"
const PREFIX = "2001:db8:64::"

/** An internal host: where its realm is another, another host may have its address. */
export interface Host {
  readonly address: string
  /** Its B4's address, or layer-2 id. */
  readonly realm: string | undefined
}

export interface Kind {
  readonly name: "nat44" | "nat64" | "dslite" | "l2dslite"
  readonly settings: Partial<CgnSettings>
  readonly hosts: readonly Host[]
  /** An IPv4 host as the hosts inside have it. */
  readonly remote: (ipv4: string) => string
  /** What comes out of a host that sends an IP packet, and what a host gets that is sent one. */
  readonly sends: (host: Host, packet: Uint8Array) => Uint8Array
  readonly gets: (host: Host, packet: Uint8Array) => Uint8Array
  /** With which realm its packets come to the translator, and go. */
  readonly comesWith: (host: Host) => Address | undefined
}

const same = (_: Host, packet: Uint8Array): Uint8Array => packet
const softwire = (source: string, destination: string, packet: Uint8Array): Uint8Array =>
  ip6({ source, destination, protocol: 4 }, packet)
const across = (realms: readonly (string | undefined)[], addresses: readonly string[]): readonly Host[] =>
  realms.flatMap((realm) => addresses.map((one) => ({ address: one, realm })))
const realmOf = ({ realm }: Host): Address | undefined => (realm === undefined ? undefined : address(realm))

/** `192.0.2.1` behind the prefix. */
export const embedded = (ipv4: string): string => {
  const [a, b, c, d] = ipv4.split(".").map(Number)
  return `${PREFIX}${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`
}

const HOSTS = ["10.0.0.1", "10.0.0.2"]

export const KINDS: readonly Kind[] = [
  {
    name: "nat44",
    settings: {},
    hosts: across([undefined], [...HOSTS, "10.0.0.3"]),
    remote: (ipv4) => ipv4,
    sends: same,
    gets: same,
    comesWith: realmOf,
  },
  {
    name: "nat64",
    settings: {
      internalFamily: "ipv6",
      translation: {
        inside: { kind: "nat64", prefix: { address: address(PREFIX), prefixLength: 96 } },
        routers: { inside: address("2001:db8:1::1"), outside: undefined },
      },
    },
    hosts: across([undefined], ["2001:db8:1::10", "2001:db8:1::11", "2001:db8:2::10"]),
    remote: embedded,
    sends: same,
    gets: same,
    comesWith: realmOf,
  },
  {
    name: "dslite",
    settings: {
      translation: {
        inside: { kind: "dslite", aftr: address(AFTR) },
        routers: { inside: address("::ffff:192.0.0.1"), outside: undefined },
      },
    },
    hosts: across(["2001:db8:b::4", "2001:db8:b::5"], HOSTS),
    remote: (ipv4) => ipv4,
    sends: ({ realm }, packet) => softwire(realm ?? "", AFTR, packet),
    gets: ({ realm }, packet) => softwire(AFTR, realm ?? "", packet),
    comesWith: () => undefined,
  },
  {
    name: "l2dslite",
    settings: {},
    hosts: across(["::1", "::2"], HOSTS),
    remote: (ipv4) => ipv4,
    sends: same,
    gets: same,
    comesWith: realmOf,
  },
]

/** The host's realm as the CGN has it. */
export const subscriberRealm = (host: Host): Address | undefined => realmOf(host)

/** The settings of a kind, with others beside them. */
export const settingsOf = (kind: Kind, more: Partial<CgnSettings> = {}): Partial<CgnSettings> => ({
  ...more,
  ...kind.settings,
  translation: { ...more.translation, ...kind.settings.translation },
})

export type Message = "udp" | "tcp" | "echo" | "reply"
export const PROTOCOL = { udp: 17, tcp: 6, echo: 1, reply: 1 } as const

/** A packet of the family that its ends are of; of an echo, the identifier is `identifier`. */
export const packetOf = (message: Message, at: PortEnds, identifier: number, flags = 2, hops = 64): Uint8Array => {
  const four = !at.source.includes(":")
  const rest = [...w16(identifier), 0, 1]
  const whole = (protocol: number, payload: Uint8Array): Uint8Array =>
    four ? ip4({ ...at, protocol, ttl: hops }, payload) : ip6({ ...at, protocol, hopLimit: hops }, payload)
  switch (message) {
    case "udp":
      return whole(17, udp(at))
    case "tcp":
      return whole(6, tcp(at, [], flags))
    case "echo":
      return four ? whole(1, icmp4(8, 0, rest, [1, 2, 3])) : whole(58, icmp6(at, 128, 0, rest, [1, 2, 3]))
    case "reply":
      return four ? whole(1, icmp4(0, 0, rest, [1, 2, 3])) : whole(58, icmp6(at, 129, 0, rest, [1, 2, 3]))
  }
}

/** A packet of a host to an IPv4 peer: as the host has it. */
export const fromHost = (
  kind: Kind,
  host: Host,
  message: Message,
  port: number,
  remotePort: number,
  to = REMOTE,
  flags = 2,
) => kind.sends(host, packetOf(message, ends(host.address, port, kind.remote(to), remotePort), port, flags))

/** The same peer's packet to the host, as the host gets it. */
export const toHost = (
  kind: Kind,
  host: Host,
  message: Message,
  port: number,
  remotePort: number,
  from = REMOTE,
  flags = 18,
) => kind.gets(host, packetOf(message, ends(kind.remote(from), remotePort, host.address, port), port, flags, 63))

/** Of an ICMP error about `inner`, with its ends' family. */
export const errorOf = (kind: 3 | 11, from: string, to: string, inner: Uint8Array, hops = 64): Uint8Array => {
  const at = { source: from, destination: to }
  if (!from.includes(":"))
    return ip4({ ...at, protocol: 1, ttl: hops }, icmp4(kind, kind === 3 ? 3 : 0, [0, 0, 0, 0], inner))
  return ip6(
    { ...at, protocol: 58, hopLimit: hops },
    icmp6(at, kind === 3 ? 1 : 3, kind === 3 ? 4 : 0, [0, 0, 0, 0], inner),
  )
}
