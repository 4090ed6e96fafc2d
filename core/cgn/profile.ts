import { ANY_PROFILE, Opcode, OptionCode, type WireProfile } from "../wire/index.ts"

/** The kinds of device that libpcpd knows: what stands between the PCP client and the outside. */
export const CGN_KINDS = [
  "dslite", // plain-mode DS-Lite AFTR (RFC 6333): PCP over IPv6 from the B4, IPv4 mappings
  "nat444", // IPv4 to IPv4: the ISP's part of a NAT444, or any NAT44
  "nat64", // IPv6 inside, IPv4 outside (RFC 6146)
  "nat46", // IPv4 inside, IPv6 outside
  "nptv6", // stateless 1:1 translation of IPv6 prefixes (RFC 6296)
  "firewall4", // IPv4 without translation
  "firewall6", // IPv6 without translation
  "l2dslite", // layer-2 extended DS-Lite: IPv4 on all sides, hosts told apart by their layer-2 access
] as const

export type CgnKind = (typeof CGN_KINDS)[number]

/**
 * What a PCP-controlled device is and offers: libpcpd's configuration word, its eight kinds as one field and each of its
 * other flags as a boolean, in the order of its manual page. The four `map…` flags say which addresses are IPv4, and so
 * IPv4-mapped on the wire (RFC 6887 sections 5 and 10).
 */
export interface CgnProfile {
  readonly kind: CgnKind
  /** The ANNOUNCE opcode is served (RFC 6887 section 14.1). */
  readonly announce: boolean
  /** The MAP opcode is served (RFC 6887 section 11). */
  readonly map: boolean
  /** The PEER opcode is served (RFC 6887 section 12). */
  readonly peer: boolean
  /** Source addresses of requests, and so the PCP client's address, are IPv4. */
  readonly mapSource: boolean
  /** Internal addresses are IPv4. */
  readonly mapInternal: boolean
  /** External addresses, suggested and assigned, are IPv4. */
  readonly mapExternal: boolean
  /** Remote peers as the client sees them, in PEER and FILTER, are IPv4; FILTER prefix lengths are 96 to 128 then. */
  readonly mapDestination: boolean
  /** Protocols besides TCP and UDP are mapped. */
  readonly otherProtocols: boolean
  /** A MAP that deletes nothing may have internal port 0, all ports of its protocol (RFC 6887 section 11.1). */
  readonly port0: boolean
  /** It may have protocol 0 and port 0, everything for one host: 1:1, "DMZ host" (RFC 6887 section 11.1). */
  readonly oneToOne: boolean
  /** Nothing is translated: external address and port are the internal ones. */
  readonly firewall: boolean
  /** The THIRD_PARTY option is served (RFC 6887 section 13.1). */
  readonly thirdParty: boolean
  /** It is served only to requests from 192.0.0.2, the B4's own IPv4 address (RFC 6333 section 5.7). */
  readonly thirdPartyB4Only: boolean
  /** It is served only with the all-zeros address, which stands for the source itself. */
  readonly thirdPartyZeroOnly: boolean
  /** The CGN may announce a loss of state (RFC 6887 section 14.1). */
  readonly announceCallback: boolean
  /** The CGN may have mapping updates sent (RFC 6887 section 14.2). */
  readonly updateCallback: boolean
  /** The server caches what the CGN says of a subscriber, and the CGN says when one is gone. */
  readonly cacheCallback: boolean
}

/** A switch of a profile. */
export type CgnFlag = Exclude<keyof CgnProfile, "kind">

/** The seventeen switches, in the order of libpcpd's manual page. */
export const CGN_FLAGS: readonly CgnFlag[] = [
  "announce",
  "map",
  "peer",
  "mapSource",
  "mapInternal",
  "mapExternal",
  "mapDestination",
  "otherProtocols",
  "port0",
  "oneToOne",
  "firewall",
  "thirdParty",
  "thirdPartyB4Only",
  "thirdPartyZeroOnly",
  "announceCallback",
  "updateCallback",
  "cacheCallback",
]

/** Rules that hold among the switches of one profile. */
export type CgnProfileRule =
  | "kind" // one of the eight
  | "flag" // a name of the seventeen, true or false
  | "port0-needs-other-protocols"
  | "one-to-one-needs-other-protocols"
  | "one-to-one-needs-port0"
  | "firewall-excludes-peer"
  | "firewall-maps-all-or-none" // the four map… switches are all on or all off: nothing is translated
  | "b4-only-needs-third-party"
  | "zero-only-needs-third-party"

export interface CgnProfileError {
  readonly rule: CgnProfileRule
  /** One sentence for people. */
  readonly text: string
}

export type CreatedProfile =
  | { readonly ok: true; readonly profile: CgnProfile }
  | { readonly ok: false; readonly error: CgnProfileError }

/** The switches of most kinds; the four `map…` ones follow `families`: client, internal, external, destination. */
const preset = (
  kind: CgnKind,
  families: readonly [4 | 6, 4 | 6, 4 | 6, 4 | 6],
  more?: Partial<CgnProfile>,
): CgnProfile =>
  Object.freeze({
    kind,
    announce: true,
    map: true,
    peer: true,
    mapSource: families[0] === 4,
    mapInternal: families[1] === 4,
    mapExternal: families[2] === 4,
    mapDestination: families[3] === 4,
    otherProtocols: false,
    port0: false,
    oneToOne: false,
    firewall: false,
    thirdParty: false,
    thirdPartyB4Only: false,
    thirdPartyZeroOnly: false,
    announceCallback: true,
    updateCallback: true,
    cacheCallback: false,
    ...more,
  })

/** Where no port is rewritten, all protocols, all ports and whole hosts can be had in their entirety (S-43). */
const WHOLE = { otherProtocols: true, port0: true, oneToOne: true }
const FIREWALL = { ...WHOLE, firewall: true, peer: false }

/**
 * A ready profile for each kind; the families are those of RFC 6887 section 10, figure 5: the remote peer is always of
 * the internal family. DS-Lite in plain mode has THIRD_PARTY on, as the B4 speaks PCP over IPv6 for IPv4 hosts behind it.
 */
export const PROFILES: Readonly<Record<CgnKind, CgnProfile>> = Object.freeze({
  dslite: preset("dslite", [6, 4, 4, 4], { thirdParty: true }),
  nat444: preset("nat444", [4, 4, 4, 4]),
  nat64: preset("nat64", [6, 6, 4, 6]),
  nat46: preset("nat46", [4, 4, 6, 4]),
  nptv6: preset("nptv6", [6, 6, 6, 6], WHOLE),
  firewall4: preset("firewall4", [4, 4, 4, 4], FIREWALL),
  firewall6: preset("firewall6", [6, 6, 6, 6], FIREWALL),
  l2dslite: preset("l2dslite", [4, 4, 4, 4]),
})

/** The preset of a kind with some switches set otherwise, frozen; or the first rule that the result breaks. */
export const createProfile = (kind: CgnKind, overrides: Partial<Omit<CgnProfile, "kind">> = {}): CreatedProfile => {
  if (!CGN_KINDS.includes(kind)) return refused("kind", `there is no CGN kind ${JSON.stringify(kind)}`)
  for (const [name, value] of Object.entries(overrides)) {
    if (!CGN_FLAGS.some((flag) => flag === name))
      return refused("flag", `a profile has no switch ${JSON.stringify(name)}`)
    if (typeof value !== "boolean") return refused("flag", `${name} must be true or false`)
  }
  const profile: CgnProfile = Object.freeze({ ...PROFILES[kind], ...overrides, kind })
  const error = checkProfile(profile)
  return error === undefined ? { ok: true, profile } : { ok: false, error }
}

const refused = (rule: CgnProfileRule, text: string): CreatedProfile => ({ ok: false, error: { rule, text } })

/** The first rule among the switches that a profile breaks, or `undefined`. */
export const checkProfile = (profile: CgnProfile): CgnProfileError | undefined => {
  const { otherProtocols, port0, oneToOne, firewall, peer, thirdParty, thirdPartyB4Only, thirdPartyZeroOnly } = profile
  if (port0 && !otherProtocols)
    return { rule: "port0-needs-other-protocols", text: "port0 needs otherProtocols: port 0 goes with any protocol" }
  if (oneToOne && !otherProtocols)
    return { rule: "one-to-one-needs-other-protocols", text: "oneToOne needs otherProtocols: it maps all of them" }
  if (oneToOne && !port0) return { rule: "one-to-one-needs-port0", text: "oneToOne needs port0: it maps all ports" }
  if (firewall && peer)
    return { rule: "firewall-excludes-peer", text: "a firewall has no peer: PEER asks for the external end of a NAT" }
  const mapped = [profile.mapSource, profile.mapInternal, profile.mapExternal, profile.mapDestination]
  if (firewall && mapped.some((on) => on !== mapped[0])) {
    const text = "a firewall has mapSource, mapInternal, mapExternal and mapDestination all on or all off"
    return { rule: "firewall-maps-all-or-none", text }
  }
  if (thirdPartyB4Only && !thirdParty)
    return { rule: "b4-only-needs-third-party", text: "thirdPartyB4Only restricts thirdParty, which is off" }
  if (thirdPartyZeroOnly && !thirdParty)
    return { rule: "zero-only-needs-third-party", text: "thirdPartyZeroOnly restricts thirdParty, which is off" }
  return undefined
}

/** The options of MAP and PEER in RFC 6887, which a server offers unless it says otherwise. */
const OPTIONS: readonly number[] = [OptionCode.PREFER_FAILURE, OptionCode.FILTER]

/**
 * The profile as `validate` wants it. `known` is what the device's profile does not tell: direction, source address,
 * lifetimes, and the options offered where they are more than THIRD_PARTY (if on), PREFER_FAILURE and FILTER.
 */
export const wireProfileOf = (profile: CgnProfile, known: Partial<WireProfile> = {}): WireProfile =>
  Object.freeze({
    ...ANY_PROFILE,
    clientFamily: profile.mapSource ? "ipv4" : "ipv6",
    internalFamily: profile.mapInternal ? "ipv4" : "ipv6",
    externalFamily: profile.mapExternal ? "ipv4" : "ipv6",
    remoteFamily: profile.mapDestination ? "ipv4" : "ipv6",
    opcodes: [
      ...(profile.announce ? [Opcode.ANNOUNCE] : []),
      ...(profile.map ? [Opcode.MAP] : []),
      ...(profile.peer ? [Opcode.PEER] : []),
    ],
    options: profile.thirdParty ? [OptionCode.THIRD_PARTY, ...OPTIONS] : OPTIONS,
    otherProtocols: profile.otherProtocols,
    port0: profile.port0,
    protocol0: profile.oneToOne,
    firewall: profile.firewall,
    thirdPartyB4Only: profile.thirdPartyB4Only,
    thirdPartyZeroOnly: profile.thirdPartyZeroOnly,
    ...known,
  })
