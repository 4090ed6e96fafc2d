import type { Address } from "./address.ts"
import { Opcode } from "./registry.ts"

/** An address family as rules speak of it. IPv4 is IPv4-mapped on the wire all the same (RFC 6887 section 5). */
export type AddressFamily = "ipv4" | "ipv6"

/**
 * What is legal where a packet was sent: the address families of the CGN (RFC 6887 section 10, figure 5), what its server offers,
 * and what is known of the datagram. `undefined` is "not known": rules that would need it are not applied.
 */
export interface WireProfile {
  /** The only legal direction, for one who stands at a server or a client. */
  readonly role: "request" | "response" | undefined
  /** Source address of the UDP datagram of a request. */
  readonly source: Address | undefined
  /** Of the PCP client's own address. */
  readonly clientFamily: AddressFamily | undefined
  /** Of the internal address: that of THIRD_PARTY. */
  readonly internalFamily: AddressFamily | undefined
  /** Of the external address, suggested and assigned. */
  readonly externalFamily: AddressFamily | undefined
  /** Of remote peers as the client sees them, in PEER and FILTER. */
  readonly remoteFamily: AddressFamily | undefined
  /** The opcodes that the server offers. */
  readonly opcodes: readonly number[] | undefined
  /** The option codes that the server offers. */
  readonly options: readonly number[] | undefined
  /** Are protocols besides TCP and UDP mapped? */
  readonly otherProtocols: boolean
  /** May a MAP that deletes nothing have internal port 0, all ports of its protocol? */
  readonly port0: boolean
  /** May it have protocol 0 with port 0, everything for one host? */
  readonly protocol0: boolean
  /** Is the external end always the internal one? */
  readonly firewall: boolean
  /** Is THIRD_PARTY served only to requests from 192.0.0.2 (RFC 6333 section 5.7)? */
  readonly thirdPartyB4Only: boolean
  /** Is it served only with the all-zeros address? */
  readonly thirdPartyZeroOnly: boolean
  /** Lifetimes that the server grants, seconds (RFC 6887 section 15). */
  readonly minLifetime: number
  /** The longest, seconds: RFC 6887 section 15 recommends at most 24 hours. */
  readonly maxLifetime: number
}

/** Nothing is known but the RFCs: 120 s and 24 h are the recommended bounds of lifetimes (RFC 6887 section 15). */
export const ANY_PROFILE: WireProfile = Object.freeze({
  role: undefined,
  source: undefined,
  clientFamily: undefined,
  internalFamily: undefined,
  externalFamily: undefined,
  remoteFamily: undefined,
  opcodes: undefined,
  options: undefined,
  otherProtocols: true,
  port0: true,
  protocol0: true,
  firewall: false,
  thirdPartyB4Only: false,
  thirdPartyZeroOnly: false,
  minLifetime: 120,
  maxLifetime: 86400,
})

/** A NAT44 of TCP and UDP ports: IPv4 on every side, the opcodes of RFC 6887, no mapping of all ports. */
export const NAT44_PROFILE: WireProfile = Object.freeze({
  ...ANY_PROFILE,
  clientFamily: "ipv4",
  internalFamily: "ipv4",
  externalFamily: "ipv4",
  remoteFamily: "ipv4",
  opcodes: [Opcode.ANNOUNCE, Opcode.MAP, Opcode.PEER],
  otherProtocols: false,
  port0: false,
  protocol0: false,
})
