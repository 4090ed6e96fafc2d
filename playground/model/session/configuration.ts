import type {
  AddressPair,
  CgnFlag,
  CgnKind,
  Dependence,
  NoncePolicy,
  PortRange,
  Prefix,
  PrefixPair,
  StaticMapping,
} from "../../../core/cgn/index.ts"
import { type Address, ANY6, parseAddress } from "../../../core/wire/index.ts"

/** Seconds for UDP and for TCP. */
export interface Times {
  readonly udp: number
  readonly tcp: number
}

/** How external ports are assigned: any, or a block of so many a subscriber (RFC 6888 REQ-14). */
export type PortAssignment =
  | { readonly kind: "random" }
  | { readonly kind: "blocks"; readonly size: number; readonly limit: number }

/**
 * A CGN as a session holds it: every kind has all members, and looks at those that mean something to it. Lifetimes and times are
 * seconds.
 */
export interface CgnConfiguration {
  readonly kind: CgnKind
  /** Flags of the profile that are not as the kind's preset has them. */
  readonly flags: Readonly<Partial<Record<CgnFlag, boolean>>>
  /** Pool of external IPv4 addresses: of `nat444`, `nat64`, `dslite`, `l2dslite`. */
  readonly external: readonly Address[]
  readonly ports: PortRange
  readonly assignment: PortAssignment
  /** Mappings of one internal address, and of one subscriber; 0 is no limit. */
  readonly quota: number
  readonly subscriberQuota: number
  /** Leading bits that the addresses of one subscriber share: of 32 for IPv4, of 128 for IPv6. */
  readonly subscriberPrefix: { readonly ipv4: number; readonly ipv6: number }
  readonly filterLimit: number
  readonly minLifetime: number
  readonly maxLifetime: number
  readonly shortError: number
  readonly longError: number
  readonly pcp: boolean
  readonly natPmp: boolean
  readonly description: boolean
  readonly portSet: boolean
  /** RFC 6887 section 18: `simple` has no THIRD_PARTY whatever the flags say. */
  readonly threatModel: "simple" | "advanced"
  readonly noncePolicy: NoncePolicy
  readonly idleTimeout: Times
  readonly recycleDelay: Times
  readonly staticMappings: readonly StaticMapping[]
  /** How packets are carried (RFC 4787 sections 4.1 and 5). */
  readonly mapping: Dependence
  readonly filtering: Dependence
  readonly hairpinning: boolean
  /** The softwires' end at the AFTR: of `dslite`. */
  readonly aftr: Address
  /** Where IPv4 stands in IPv6: of `nat64` and `nat46`. */
  readonly prefix64: Prefix
  /** Of `nptv6`. */
  readonly prefixPairs: readonly PrefixPair[]
  /** Of `nat46`: internal IPv4 hosts and their external IPv6 addresses. */
  readonly addressPairs: readonly AddressPair[]
  /** Of firewalls: where internal hosts are; empty: anywhere. */
  readonly inside: readonly Prefix[]
  /** All random choices are computed from it: the same session has the same ports again. */
  readonly seed: string
}

const address = (text: string): Address => parseAddress(text) ?? ANY6
const prefix = (text: string, prefixLength: number): Prefix => ({ address: address(text), prefixLength })

const BASE: Omit<CgnConfiguration, "kind"> = {
  flags: {},
  external: [address("203.0.113.1")],
  ports: { first: 1024, last: 65535 },
  assignment: { kind: "random" },
  quota: 64,
  subscriberQuota: 0,
  subscriberPrefix: { ipv4: 32, ipv6: 64 },
  filterLimit: 43,
  minLifetime: 120,
  maxLifetime: 86400,
  shortError: 30,
  longError: 1800,
  pcp: true,
  natPmp: false,
  description: true,
  portSet: true,
  threatModel: "simple",
  noncePolicy: "rfc",
  idleTimeout: { udp: 300, tcp: 7440 },
  recycleDelay: { udp: 120, tcp: 120 },
  staticMappings: [],
  mapping: "endpoint-independent",
  filtering: "endpoint-independent",
  hairpinning: true,
  aftr: address("2001:db8:ffff::1"),
  prefix64: prefix("64:ff9b::", 96),
  prefixPairs: [{ internal: prefix("fd00:0:1::", 48), external: prefix("2001:db8:2::", 48) }],
  addressPairs: [{ ipv4: address("10.0.0.1"), ipv6: address("2001:db8:46::1") }],
  inside: [],
  seed: "sallyport",
}

/** A ready configuration of each kind. */
export const PRESETS: Readonly<Record<CgnKind, CgnConfiguration>> = {
  nat444: { ...BASE, kind: "nat444", natPmp: true },
  dslite: { ...BASE, kind: "dslite", threatModel: "advanced" },
  // The well-known prefix is not for the addresses of documentation (RFC 6052 section 3.1).
  nat64: { ...BASE, kind: "nat64", prefix64: prefix("2001:db8:64::", 96) },
  nat46: { ...BASE, kind: "nat46", prefix64: prefix("2001:db8:64::", 96) },
  nptv6: { ...BASE, kind: "nptv6" },
  firewall4: { ...BASE, kind: "firewall4", natPmp: true, inside: [prefix("192.0.2.0", 120)] },
  firewall6: { ...BASE, kind: "firewall6", inside: [prefix("2001:db8:1::", 48)] },
  l2dslite: { ...BASE, kind: "l2dslite", natPmp: true },
}

/** A client that the preset of a kind serves, for packets that begin with nothing else. */
export const CLIENTS: Readonly<Record<CgnKind, Address>> = {
  nat444: address("10.0.0.1"),
  dslite: address("2001:db8:b4::1"),
  nat64: address("2001:db8:1::10"),
  nat46: address("10.0.0.1"),
  nptv6: address("fd00:0:1::10"),
  firewall4: address("192.0.2.10"),
  firewall6: address("2001:db8:1::10"),
  l2dslite: address("10.0.0.1"),
}

/** Where the clients of a kind reach its PCP server: for sequence diagrams and for the built-in client. */
export const SERVERS: Readonly<Record<CgnKind, Address>> = {
  nat444: address("10.0.0.254"),
  dslite: address("2001:db8:ffff::1"),
  nat64: address("2001:db8:1::1"),
  nat46: address("10.0.0.254"),
  nptv6: address("fd00:0:1::1"),
  firewall4: address("192.0.2.1"),
  firewall6: address("2001:db8:1::1"),
  l2dslite: address("10.0.0.254"),
}
