/** The conformance vectors as data; test/vectors/README.md says what each member means, test/vectors/schema.json holds them to it. */

/** Keywords of RFC 2119, and what is normative without one. */
export type Level = "MUST" | "SHOULD" | "MAY" | "in effect"

/** One requirement, by its stable id. */
export interface Requirement {
  /** Such as `S-44`. */
  readonly id: string
  /** The RFC's keyword. */
  readonly level: Level
  /** Such as `RFC 6887 11.3`. */
  readonly clause: string
  /** What it wants, in one or two sentences. */
  readonly text: string
}

/** What a server has to offer, or to lack, for a case to say anything about it. */
export const CAPABILITIES = [
  "pcp",
  "nat-pmp",
  "announce",
  "map",
  "peer",
  "third-party",
  "prefer-failure",
  "filter",
  "other-protocols",
  "all-ports",
  "one-to-one",
  "description",
  "prefix64",
  "port-set",
  "third-party-id",
  "nonces", // a mapping is refused to another nonce: what shows from outside that a mapping is there
  "second-host", // not of the server: the tester has another address inside
] as const

/** What a server may be able to do, and a case may need. */
export type Capability = (typeof CAPABILITIES)[number]

/** The kinds of device, as in {@link CgnKind} of the core. */
export type Kind = "dslite" | "nat444" | "nat64" | "nat46" | "nptv6" | "firewall4" | "firewall6" | "l2dslite"

/** A limit on a value that an expected packet kept under a name; the octets are read as an unsigned number. */
export interface Where {
  readonly name: string
  /** Names another kept value: the difference to it is limited, not the value. */
  readonly minus?: string
  readonly atLeast?: number
  readonly atMost?: number
  /** A kept value or variable that must not be the same. */
  readonly differsFrom?: string
  /** Equal modulo 2 to this kept value or variable. */
  readonly parityOf?: string
}

/** What is said of one mapping; members left out are not looked at. Addresses and ports are templates. */
export interface MappingFacts {
  readonly kind?: "map" | "peer" | "implicit" | "static"
  readonly origin?: "pcp" | "nat-pmp" | "traffic" | "administrator"
  readonly protocol?: number
  readonly internal?: string
  readonly internalPort?: string
  readonly external?: string
  readonly externalPort?: string
  readonly remote?: string
  readonly remotePort?: string
  readonly nonce?: string
  readonly description?: string
  /** Seconds that it has left. */
  readonly lifetime?: number
}

/** One change of the server's state. */
export interface Effect extends MappingFacts {
  readonly type:
    | "created"
    | "renewed"
    | "deleted"
    | "expired"
    | "moved"
    | "filtered"
    | "epoch-reset"
    | "subscriber-reset"
  /** Of `filtered`: how many filters there are now. */
  readonly filters?: number
}

/** A datagram that the server sends of its own accord. */
export interface Unsolicited {
  /** Milliseconds since the case began. */
  readonly at: number
  /** A template of 16 octets. */
  readonly to: string
  readonly port: number
  readonly bytes: string
}

export interface RequestStep {
  readonly at?: number
  /** The variable that is the host's address; `client` when left out. */
  readonly from?: string
  /** UDP source port; 40000 when left out. */
  readonly sourcePort?: number
  readonly side?: "outside"
  readonly send: string
  /** A template, several of which one must match, or `null` for no answer at all. */
  readonly expect: string | readonly (string | null)[] | null
  readonly where?: readonly Where[]
  readonly effects?: readonly Effect[]
  /** All mappings that are then alive, in any order. */
  readonly mappings?: readonly MappingFacts[]
}

/** A packet of the internal host that the device forwards and thereby notes. */
export interface OutboundStep {
  readonly at?: number
  readonly outbound: { readonly from?: string; readonly protocol: number; readonly port: string }
}

/** Time passes until `at`, and the server sends just these datagrams meanwhile. */
export interface WaitStep {
  readonly at: number
  /** Which of them `unsolicited` lists; all when left out. */
  readonly to?: "unicast" | "multicast"
  readonly unsolicited?: readonly Unsolicited[]
  readonly effects?: readonly Effect[]
  readonly mappings?: readonly MappingFacts[]
}

/** The administrator, or the device, does something. */
export interface EventStep {
  readonly at?: number
  readonly event: DeviceEvent
  readonly effects?: readonly Effect[]
  readonly mappings?: readonly MappingFacts[]
}

export type DeviceEvent =
  | { readonly type: "announce" }
  | { readonly type: "revoke"; readonly internal: string }
  | { readonly type: "reconfigure"; readonly configuration: Configuration }

export type Step = RequestStep | OutboundStep | WaitStep | EventStep

export interface StaticMapping {
  readonly protocol: number
  readonly internal: string
  readonly internalPort: number
  readonly external: string
  readonly externalPort: number
}

/** How the server is set up; members left out are as in `DEFAULT_CONFIGURATION`. Lifetimes and delays are seconds. */
export interface Configuration {
  readonly kind?: Kind
  readonly external?: readonly string[]
  readonly ports?: { readonly first: number; readonly last: number }
  readonly minLifetime?: number
  readonly maxLifetime?: number
  readonly shortError?: number
  readonly longError?: number
  readonly pcp?: boolean
  readonly natPmp?: boolean
  readonly announce?: boolean
  readonly map?: boolean
  readonly peer?: boolean
  readonly thirdParty?: boolean
  readonly otherProtocols?: boolean
  readonly port0?: boolean
  readonly oneToOne?: boolean
  readonly quota?: number
  readonly filterLimit?: number
  readonly idleTimeout?: { readonly udp: number; readonly tcp: number }
  readonly recycleDelay?: { readonly udp: number; readonly tcp: number }
  readonly noncePolicy?: "rfc" | "strict" | "off"
  readonly staticMappings?: readonly StaticMapping[]
  /** Hex of each PREFIX64: prefix, and the IPv4 prefixes that it is for. */
  readonly prefix64?: readonly { readonly prefix: string; readonly ipv4?: readonly string[] }[]
  /** Identifiers known to the server, in hex; each is a realm of its own. */
  readonly thirdPartyIds?: readonly string[]
}

/** One conversation with a server, and what it shows. */
export interface Case {
  /** Unique among all files. */
  readonly id: string
  /** What it shows, for people. */
  readonly title: string
  /** Their ids: a failure is a failure of each. */
  readonly requirements: readonly string[]
  /** The clause of the RFC whose words the expected octets follow. */
  readonly clause: string
  /** Where the case is about less than its requirement's keyword. */
  readonly level?: Level
  /** Kinds of device that it is for; all when left out. */
  readonly kinds?: readonly Kind[]
  /** What the server is to be set up with; left out, nothing special. */
  readonly configuration?: Configuration
  /** It is for servers with these. */
  readonly needs?: readonly Capability[]
  /** It is for servers without these. */
  readonly lacks?: readonly Capability[]
  /** Why nobody can run it from outside; left out where one can. */
  readonly inProcess?: string
  /** In order; the first that fails ends it. */
  readonly steps: readonly Step[]
}

export interface VectorFile {
  readonly title: string
  readonly cases: readonly Case[]
}

export const isRequest = (step: Step): step is RequestStep => "send" in step
export const isOutbound = (step: Step): step is OutboundStep => "outbound" in step
export const isEvent = (step: Step): step is EventStep => "event" in step
