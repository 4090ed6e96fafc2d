import { CGN_FLAGS, type CgnFlag, createProfile } from "../../../core/cgn/index.ts"
import type { CgnConfiguration } from "../session/index.ts"

/** A switch of the profile, and what turning it changes. */
export interface FlagRow {
  readonly flag: CgnFlag
  readonly label: string
  readonly on: boolean
  /** Is it as the kind's preset has it? */
  readonly isPreset: boolean
  /** One sentence: what is so now. */
  readonly now: string
  /** One sentence: what would be so, turned. */
  readonly turned: string
  /** Why it cannot be turned as the others stand; `undefined`: it can. */
  readonly bar: string | undefined
}

type Words = readonly [label: string, on: string, off: string]

const WORDS: Readonly<Record<CgnFlag, Words>> = {
  announce: [
    "ANNOUNCE",
    "ANNOUNCE is answered with the Epoch Time.",
    "ANNOUNCE is answered UNSUPP_OPCODE (RFC 6887 section 14.1).",
  ],
  map: ["MAP", "MAP makes mappings.", "MAP is answered UNSUPP_OPCODE (RFC 6887 section 11)."],
  peer: ["PEER", "PEER makes and keeps outbound mappings.", "PEER is answered UNSUPP_OPCODE (RFC 6887 section 12)."],
  mapSource: ["IPv4 clients", "Requests come over IPv4.", "Requests come over IPv6."],
  mapInternal: [
    "IPv4 inside",
    "Internal addresses are IPv4, and IPv4-mapped on the wire.",
    "Internal addresses are IPv6.",
  ],
  mapExternal: [
    "IPv4 outside",
    "External addresses are IPv4; no preference is ::ffff:0.0.0.0.",
    "External addresses are IPv6; no preference is ::.",
  ],
  mapDestination: [
    "IPv4 remote peers",
    "Remote peers are IPv4 as the client sees them: FILTER has prefix lengths of 96 to 128.",
    "Remote peers are IPv6 as the client sees them: FILTER has prefix lengths up to 128.",
  ],
  otherProtocols: [
    "Other protocols",
    "Protocols besides TCP and UDP are mapped.",
    "Protocols besides TCP and UDP are answered UNSUPP_PROTOCOL.",
  ],
  port0: [
    "All ports",
    "Internal port 0 maps all ports of a protocol.",
    "Internal port 0 is refused unless it deletes (RFC 6887 section 11.1).",
  ],
  oneToOne: [
    "Whole hosts",
    "Protocol 0 and port 0 map everything to one host.",
    "Protocol 0 is answered UNSUPP_PROTOCOL unless it deletes.",
  ],
  firewall: [
    "Firewall",
    "Nothing is translated: the external end is the internal one.",
    "The external end is assigned.",
  ],
  thirdParty: [
    "THIRD_PARTY",
    "A host may ask for another one, under the advanced threat model.",
    "THIRD_PARTY is answered UNSUPP_OPTION (RFC 6887 section 13.1).",
  ],
  thirdPartyB4Only: [
    "THIRD_PARTY from B4s alone",
    "THIRD_PARTY is served from 192.0.0.2 alone (RFC 6333 section 5.7).",
    "THIRD_PARTY is served from any client.",
  ],
  thirdPartyZeroOnly: [
    "THIRD_PARTY zero alone",
    "THIRD_PARTY is served with the all-zeros address alone: the source itself.",
    "THIRD_PARTY names any host.",
  ],
  announceCallback: [
    "Announce restarts",
    "Clients are told of a lost state by multicast (RFC 6887 section 14.1).",
    "Clients learn of a lost state by the epoch of their next answer.",
  ],
  updateCallback: [
    "Tell of changed mappings",
    "Clients are told of mappings that moved or went (RFC 6887 section 14.2).",
    "Clients learn of moved mappings when they renew.",
  ],
  cacheCallback: [
    "Subscriber cache",
    "The server keeps what the CGN said of a subscriber.",
    "The server asks the CGN at every request.",
  ],
}

/** Every switch of a configuration, in the order of libpcpd's manual page. */
export const flagRows = ({ kind, flags }: CgnConfiguration): readonly FlagRow[] => {
  const preset = createProfile(kind)
  const own = createProfile(kind, flags)
  return CGN_FLAGS.map((flag) => {
    const byPreset = preset.ok && preset.profile[flag]
    const on = own.ok ? own.profile[flag] : (flags[flag] ?? byPreset)
    const [label, ifOn, ifOff] = WORDS[flag]
    const turned = createProfile(kind, { ...flags, [flag]: !on })
    return {
      flag,
      label,
      on,
      isPreset: on === byPreset,
      now: on ? ifOn : ifOff,
      turned: on ? ifOff : ifOn,
      bar: turned.ok ? undefined : turned.error.text,
    }
  })
}

/** The configuration with a switch set; one that is as the preset has it is not listed. */
export const withFlag = (configuration: CgnConfiguration, flag: CgnFlag, on: boolean): CgnConfiguration => {
  const preset = createProfile(configuration.kind)
  const { [flag]: _, ...others } = configuration.flags
  const isPreset = preset.ok && preset.profile[flag] === on
  return { ...configuration, flags: isPreset ? others : { ...others, [flag]: on } }
}
