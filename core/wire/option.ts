import type { Address } from "./address.ts"
import { OptionCode } from "./registry.ts"

/** Octets of an option's header: code 1 | reserved 1 | length 2 (RFC 6887 section 7.3). */
export const OPTION_HEADER = 4

/** RFC 6887 section 13.1, 16 octets: the host that the request is for. */
export interface ThirdParty {
  readonly kind: "THIRD_PARTY"
  /** The internal address of that host; all-zeros stands for the source, where a server allows it. */
  readonly internal: Address
}

/** RFC 6887 section 13.2, no data. */
export interface PreferFailure {
  readonly kind: "PREFER_FAILURE"
}

/** RFC 6887 section 13.3, 20 octets: reserved 1 | prefix length 1 | remote peer port 2 | remote peer address 16. */
export interface FilterOption {
  readonly kind: "FILTER"
  /** Of the 128 bits: 96 to 128 for IPv4; 0 removes all filters. */
  readonly prefixLength: number
  /** 0 is all ports. */
  readonly remotePort: number
  /** Of the remote peers that may come in; IPv4 is IPv4-mapped. */
  readonly remote: Address
}

/** RFC 7652 section 5.3, 4 octets: the nonce of an authentication session; a mapping's nonce is another thing. */
export interface AuthenticationNonce {
  readonly kind: "NONCE"
  /** 32 bits, unsigned. */
  readonly nonce: number
}

/** RFC 7652 section 5.4: session ID 4 | sequence number 4 | key ID 4 | authentication data. */
export interface AuthenticationTag {
  readonly kind: "AUTHENTICATION_TAG"
  /** 32 bits, unsigned: the session that the message belongs to. */
  readonly sessionId: number
  /** 32 bits, unsigned: of the common messages of the session (RFC 7652 section 6.5). */
  readonly sequence: number
  /** 32 bits, unsigned: the key that made the tag. */
  readonly keyId: number
  /** The MAC over the whole message. */
  readonly data: Uint8Array
}

/** RFC 7652 section 5.5: key ID 4 | authentication data. */
export interface PaAuthenticationTag {
  readonly kind: "PA_AUTHENTICATION_TAG"
  /** 32 bits, unsigned: the key that made the tag. */
  readonly keyId: number
  /** The MAC over the whole PCP-Auth message. */
  readonly data: Uint8Array
}

/** RFC 7652 section 5.6: one EAP message. */
export interface EapPayload {
  readonly kind: "EAP_PAYLOAD"
  /** As EAP has it, without padding (RFC 3748 section 4). */
  readonly message: Uint8Array
}

/** RFC 7652 section 5.7, 4 octets: an IKEv2 transform of type 2; 5 is PRF_HMAC_SHA2_256. */
export interface Prf {
  readonly kind: "PRF"
  /** IANA's number of the pseudorandom function. */
  readonly transform: number
}

/** RFC 7652 section 5.8, 4 octets: an IKEv2 transform of type 3; 12 is AUTH_HMAC_SHA2_256_128. */
export interface MacAlgorithm {
  readonly kind: "MAC_ALGORITHM"
  /** IANA's number of the integrity algorithm. */
  readonly transform: number
}

/** RFC 7652 section 5.9, 4 octets: seconds. */
export interface SessionLifetime {
  readonly kind: "SESSION_LIFETIME"
  /** Seconds, 32 bits. */
  readonly lifetime: number
}

/** RFC 7652 section 5.10, 4 octets: the sequence number of the message that is acknowledged. */
export interface ReceivedPak {
  readonly kind: "RECEIVED_PAK"
  /** 32 bits, unsigned. */
  readonly sequence: number
}

/** RFC 7652 section 5.11: UTF-8 text, no terminating NUL. */
export interface IdIndicator {
  readonly kind: "ID_INDICATOR"
  /** Tells the client which of its identities to use. */
  readonly indicator: string
}

/** RFC 7843 section 4: an identifier that only client and server understand, up to 1016 octets. */
export interface ThirdPartyId {
  readonly kind: "THIRD_PARTY_ID"
  /** The identifier's octets, without padding. */
  readonly id: Uint8Array
}

/** RFC 7220 section 2: UTF-8 text, no terminating NUL, up to 1016 octets; empty erases. */
export interface Description {
  readonly kind: "DESCRIPTION"
  /** For the server's administrator; whoever sees it should not trust it. */
  readonly text: string
}

/** One IPv4 prefix of a PREFIX64 list: prefix length 2 | address 4 (RFC 7225 figure 2). */
export interface Ipv4Prefix {
  /** Bits, 0 to 32. */
  readonly length: number
  /** IPv4-mapped. */
  readonly address: Address
}

/**
 * RFC 7225 section 4.1: prefix length in octets 2 | prefix | suffix of 12 octets less the prefix | optional list {count 2, prefixes 6 each}.
 */
export interface Prefix64 {
  readonly kind: "PREFIX64"
  /** 4, 5, 6, 7, 8 or 12 octets. */
  readonly prefix: Uint8Array
  /** The rest of the 12 octets. */
  readonly suffix: Uint8Array
  /** `undefined` when the option has no list at all; an empty list has a count of 0. */
  readonly ipv4Prefixes: readonly Ipv4Prefix[] | undefined
}

/** RFC 7753 section 4, 5 octets: size 2 | first internal port 2 | reserved 7 bits, parity 1 bit. */
export interface PortSet {
  readonly kind: "PORT_SET"
  /** Ports asked for, or mapped: 1 to 65535; a request for 65535 takes as many as there are (RFC 7753 section 4.1). */
  readonly size: number
  /** In a request the internal port of MAP itself; in a response the first that is mapped. */
  readonly firstInternalPort: number
  /** The P bit: preserve parity. */
  readonly parity: boolean
}

/** An option with a code that no RFC known here assigns. */
export interface UnknownOption {
  readonly kind: "unknown"
  /** 0 to 255; 128 and above a receiver may pass over (RFC 6887 section 7.3). */
  readonly code: number
  /** Its octets, without padding. */
  readonly data: Uint8Array
}

/** An option of a known code whose contents do not have its layout: a client ignores it, a server answers MALFORMED_OPTION. */
export interface MalformedOption {
  readonly kind: "malformed"
  /** The code, one of {@link OptionCode}. */
  readonly code: number
  /** Its octets as they came, without padding. */
  readonly data: Uint8Array
  /** Where the rule is that it breaks. */
  readonly clause: string
  /** What is wrong, for people. */
  readonly problem: string
}

/** One PCP option; the `kind` of a decoded one is its name in the registry. */
export type PcpOption =
  | ThirdParty
  | PreferFailure
  | FilterOption
  | AuthenticationNonce
  | AuthenticationTag
  | PaAuthenticationTag
  | EapPayload
  | Prf
  | MacAlgorithm
  | SessionLifetime
  | ReceivedPak
  | IdIndicator
  | ThirdPartyId
  | Description
  | Prefix64
  | PortSet
  | UnknownOption
  | MalformedOption

/** The option code on the wire. */
export const optionCodeOf = (option: PcpOption): number =>
  option.kind === "unknown" || option.kind === "malformed" ? option.code : OptionCode[option.kind]
