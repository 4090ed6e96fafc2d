import { type Address, addressFromIpv4, addressWord, isAny, isIpv4, Protocol } from "../../wire/index.ts"
import type { RemoteDependence } from "../mapping.ts"
import {
  CROSSING_DEFAULTS,
  type CrossingSettings,
  crossingFault,
  MIN_IPV6_MTU,
  prefix64Fault,
} from "../packet/index.ts"
import type { Prefix } from "../rule.ts"
import type { SettingsError } from "../settings-check.ts"
import type { Untranslated } from "./untranslated.ts"

/** What of a remote peer's end counts (RFC 4787 sections 4.1 and 5, RFC 5382 section 4). */
export type Dependence = "endpoint-independent" | RemoteDependence

/**
 * What the inside is. `ipv4`: hosts of a NAPT44, whose addresses may overlap where packets come with a realm (layer-2
 * DS-Lite). `nat64`: IPv6 hosts, which see the IPv4 Internet behind a prefix (RFC 6146, RFC 6052 section 2.2). `dslite`: IPv4
 * hosts behind B4s, each the realm of its hosts, at the softwire's end `aftr` (RFC 6333).
 */
export type Inside =
  | { readonly kind: "ipv4" }
  | { readonly kind: "nat64"; readonly prefix: Prefix }
  | { readonly kind: "dslite"; readonly aftr: Address }

/** How packets are carried, where RFCs leave that to the administrator. All have defaults: {@link TRANSLATION_DEFAULTS}. */
export interface TranslationSettings {
  /** What the hosts inside speak, and how they are reached. */
  readonly inside: Inside
  /**
   * What an internal end has an external end for: everything that it sends, or what it sends to one remote address, or to one
   * remote address and port (RFC 4787 section 4.1, RFC 5382 section 4.1). It is for implicit mappings of TCP, UDP and ICMP
   * queries (which have no remote port) and for PEER's; SCTP, whose ports are not rewritten, has one end for all. RFC 4787
   * REQ-1 and RFC 5382 REQ-1 want `endpoint-independent`: behind anything else, no peer can be told where to send to but by a
   * MAP mapping, and each remote peer takes a port of the pool.
   *
   * A flow stays with the mapping that it has. New ones of an internal end that has a MAP or static mapping leave from that
   * one's external end (RFC 6887 section 11), and so they do from an endpoint-independent mapping of before other settings.
   */
  readonly mapping: Dependence
  /**
   * Whose packets come in by an implicit mapping: anybody's, or of those alone to whom the internal host has sent (RFC 4787
   * REQ-8). MAP mappings let in whom their filters do. Beside a stricter {@link mapping}, whoever comes in by another peer's
   * mapping is answered from the external end of a mapping of his own.
   */
  readonly filtering: Dependence
  /** The same for TCP alone (RFC 5382 REQ-3b); `undefined`: as `filtering`. */
  readonly tcpFiltering?: Dependence | undefined
  /** Destinations that are reached without translation (RFC 6888 REQ-6), of a NAPT44 whose inside has no realms. */
  readonly untranslated: readonly Untranslated[]
  /**
   * Which external port an implicit mapping is given (RFC 4787 section 4.2). RFC 7857 section 8 leaves it open whether parity is
   * kept. A port below 1024 gets another below it, and one above another above, where the CGN has both (RFC 4787 REQ-3a).
   */
  readonly ports: "random" | "preserve" | "parity"
  /**
   * Is an ICMP error returned for a packet that is filtered, or for a port that nobody has (S-125)? For TCP's SYN only after
   * 6 seconds, by `sendLate`, and not if the host inside opens the same connection meanwhile (RFC 5382 REQ-4).
   */
  readonly filteredErrors: boolean
  /** Does the CGN send ICMP errors of its own to that side at all (RFC 5508 REQ-9)? Those of hosts and routers pass even so. */
  readonly ownErrors: { readonly inside: boolean; readonly outside: boolean }
  /**
   * How many of them it sends to both sides together (RFC 1812 section 4.3.2.8, RFC 6888 REQ-11): in a second, above 0, and at
   * once, a whole number from 1. Over the rate, packets are dropped and nobody is told.
   */
  readonly errorRate: { readonly perSecond: number; readonly burst: number }
  /** Of these, how many may wait for their time, at most 65536; beyond them SYNs are dropped and nobody is told. 0: none waits. */
  readonly lateErrors: number
  /** Packets of which side keep an implicit mapping alive: the inside's, or both (RFC 4787 REQ-6). */
  readonly refresh: "outbound" | "both"
  /** Do internal hosts reach each other by their external ends (RFC 4787 REQ-9)? */
  readonly hairpinning: boolean
  /**
   * Seconds without traffic after which what is no established TCP connection ends: one that opens, one that closes (RFC 5382
   * REQ-5, RFC 7857 section 2.1), and an ICMP query (RFC 5508 REQ-2). UDP's and TCP's own are the CGN's idle timeouts.
   */
  readonly timeouts: { readonly tcpOpening: number; readonly tcpClosing: number; readonly icmp: number }
  /**
   * Implicit mappings that one subscriber may have of each protocol, SCTP's among TCP's: so many external ports, or identifiers
   * (RFC 6888 REQ-4). Subscribers are those of the CGN's `subscriberPrefix`. 0: no limit. Other mappings are no fewer for it, and
   * none ends because of it.
   */
  readonly limits: { readonly udp: number; readonly tcp: number; readonly icmp: number }
  /** Sessions that one mapping remembers, at least 2; the oldest give way. */
  readonly sessions: number
  /** What a NAT64 does with headers where RFC 7915 leaves that to the administrator: what is not given is `CROSSING_DEFAULTS`'. */
  readonly crossing: Partial<Pick<CrossingSettings, "lowestIpv6Mtu" | "trafficClass" | "tos">>
  /** The longest packet that the link on each side carries, octets, at least 68, of IPv6 1280; a softwire is one of its link's. */
  readonly mtu: { readonly inside: number; readonly outside: number }
  /**
   * The CGN's own address on each side, from which it sends ICMP errors; none inside of a NAT64 whose address here is not
   * IPv6. Outside, an error about a packet to an external address comes from that. Default: 192.0.0.8 inside (RFC 7600 section
   * 4.8), 192.0.0.1 of an AFTR (RFC 6333 section 6.5).
   */
  readonly routers: { readonly inside: Address; readonly outside: Address | undefined }
  /** Fragments that wait at a time, their octets, and for how many seconds (RFC 4787 REQ-14, RFC 6146 section 3.4). */
  readonly fragments: { readonly count: number; readonly octets: number; readonly timeout: number }
}

/** Any of these settings; what is not given, or `undefined`, is the default. */
export type GivenTranslation = { readonly [Name in keyof TranslationSettings]?: TranslationSettings[Name] | undefined }

/** `192.0.0.8`, from which a node without an address of its own sends ICMP errors (RFC 7600 section 4.8). */
const DUMMY: Address = addressFromIpv4(0xc0000008)
/** `192.0.0.1`, an AFTR's in its softwires (RFC 6333 section 6.5). */
const AFTR: Address = addressFromIpv4(0xc0000001)

/** The settings of a NAT44 by RFC 4787 and RFC 5382. */
export const TRANSLATION_DEFAULTS: TranslationSettings = {
  inside: { kind: "ipv4" },
  mapping: "endpoint-independent",
  filtering: "endpoint-independent",
  untranslated: [],
  ports: "random",
  filteredErrors: false,
  ownErrors: { inside: true, outside: true },
  errorRate: { perSecond: 1000, burst: 1000 },
  lateErrors: 256,
  refresh: "outbound",
  hairpinning: true,
  timeouts: { tcpOpening: 240, tcpClosing: 240, icmp: 60 },
  limits: { udp: 0, tcp: 0, icmp: 0 },
  sessions: 4096,
  crossing: {},
  mtu: { inside: 1500, outside: 1500 },
  routers: { inside: DUMMY, outside: undefined },
  fragments: { count: 256, octets: 1 << 20, timeout: 30 },
}

/** The settings with every default filled in; `undefined` counts as not given. */
export const completeTranslation = (given: GivenTranslation = {}): TranslationSettings => {
  const own = given.inside?.kind === "dslite" ? { inside: AFTR, outside: undefined } : TRANSLATION_DEFAULTS.routers
  return {
    inside: given.inside ?? TRANSLATION_DEFAULTS.inside,
    mapping: given.mapping ?? TRANSLATION_DEFAULTS.mapping,
    filtering: given.filtering ?? TRANSLATION_DEFAULTS.filtering,
    tcpFiltering: given.tcpFiltering,
    untranslated: given.untranslated ?? TRANSLATION_DEFAULTS.untranslated,
    ports: given.ports ?? TRANSLATION_DEFAULTS.ports,
    filteredErrors: given.filteredErrors ?? TRANSLATION_DEFAULTS.filteredErrors,
    ownErrors: given.ownErrors ?? TRANSLATION_DEFAULTS.ownErrors,
    errorRate: given.errorRate ?? TRANSLATION_DEFAULTS.errorRate,
    lateErrors: given.lateErrors ?? TRANSLATION_DEFAULTS.lateErrors,
    refresh: given.refresh ?? TRANSLATION_DEFAULTS.refresh,
    hairpinning: given.hairpinning ?? TRANSLATION_DEFAULTS.hairpinning,
    timeouts: given.timeouts ?? TRANSLATION_DEFAULTS.timeouts,
    limits: given.limits ?? TRANSLATION_DEFAULTS.limits,
    sessions: given.sessions ?? TRANSLATION_DEFAULTS.sessions,
    crossing: given.crossing ?? TRANSLATION_DEFAULTS.crossing,
    mtu: given.mtu ?? TRANSLATION_DEFAULTS.mtu,
    fragments: given.fragments ?? TRANSLATION_DEFAULTS.fragments,
    routers: given.routers ?? own,
  }
}

/** Implicit mappings of a protocol that one subscriber may have; 0: no limit. */
export const implicitLimit = ({ limits }: TranslationSettings, protocol: number): number =>
  protocol === Protocol.UDP ? limits.udp : protocol === Protocol.ICMP ? limits.icmp : limits.tcp

/** Is there a limit for any protocol? */
export const hasLimits = ({ limits: { udp, tcp, icmp } }: TranslationSettings): boolean => udp + tcp + icmp > 0

const isSeconds = (value: number): boolean => Number.isInteger(value) && value >= 1 && value <= 0x7fffffff
const isBetween = (value: number, least: number, most: number): boolean =>
  Number.isInteger(value) && value >= least && value <= most

/** The first rule that the settings break, or `undefined`. */
export const checkTranslation = (given: GivenTranslation | undefined): SettingsError | undefined => {
  const { inside, timeouts, limits, sessions, mtu, routers, fragments, errorRate, lateErrors, untranslated, crossing } =
    completeTranslation(given)
  const bad = (text: string): SettingsError => ({ code: "bad-translation", text })
  const fault = inside.kind === "nat64" ? prefix64Fault(inside.prefix) : undefined
  if (fault !== undefined) return bad(`the prefix of a NAT64 ${fault}`)
  if (
    inside.kind === "dslite" &&
    (isAny(inside.aftr) || isIpv4(inside.aftr) || addressWord(inside.aftr, 0) >>> 24 === 0xff)
  )
    return bad("an AFTR's address is one of IPv6 unicast")
  if (![timeouts.tcpOpening, timeouts.tcpClosing, timeouts.icmp].every(isSeconds))
    return bad("timeouts are whole seconds from 1 to 2^31-1")
  if (![limits.udp, limits.tcp, limits.icmp].every((limit) => isBetween(limit, 0, 0x7fffffff)))
    return bad("limits of a subscriber are 0 (none) or whole numbers up to 2^31-1")
  if (!isBetween(sessions, 2, 1 << 20)) return bad("a mapping remembers 2 to 1048576 sessions")
  if (!isBetween(mtu.inside, 68, 65535) || !isBetween(mtu.outside, 68, 65535))
    return bad("an MTU is 68 to 65535 octets")
  // RFC 8200 section 5: no link of IPv6 has a shorter one.
  if (inside.kind !== "ipv4" && mtu.inside < MIN_IPV6_MTU)
    return bad("the MTU of an inside of IPv6 is 1280 octets or more")
  if (isAny(routers.inside)) return bad("the CGN's own address inside is none")
  if (routers.outside !== undefined && (isAny(routers.outside) || !isIpv4(routers.outside)))
    return bad("the CGN's own address outside is no IPv4 address")
  if (!isBetween(fragments.count, 0, 1 << 16) || !isBetween(fragments.octets, 0, 1 << 30))
    return bad("at most 65536 fragments of 2^30 octets may wait")
  const wrong = crossingFault({ ...CROSSING_DEFAULTS, ...crossing })
  if (wrong !== undefined) return bad(wrong)
  if (untranslated.length > 0 && inside.kind !== "ipv4") return bad("only a NAPT44 passes packets without translation")
  for (const { prefix, protocol = 0, ports = { first: 0, last: 0 } } of untranslated) {
    if (!isIpv4(prefix.address) || !isBetween(prefix.prefixLength, 96, 128))
      return bad("a destination without translation is an IPv4 prefix of 96 to 128 bits")
    if (!isBetween(protocol, 0, 255) || !isBetween(ports.first, 0, ports.last) || !isBetween(ports.last, 0, 65535))
      return bad("a destination without translation has a protocol of 0 to 255 and ports of 0 to 65535")
  }
  if (!(errorRate.perSecond > 0 && errorRate.perSecond <= 1e9) || !isBetween(errorRate.burst, 1, 1e9))
    return bad("ICMP errors are over 0 a second, and at least 1 at once")
  if (!isBetween(lateErrors, 0, 1 << 16)) return bad("at most 65536 ICMP errors may wait")
  return isSeconds(fragments.timeout) ? undefined : bad("fragments wait a whole number of seconds")
}
