import { find, keyOf, type Table } from "../table/index.ts"
import { CLIENT_PORT, Protocol, SERVER_PORT } from "../wire/index.ts"
import { MAPPING } from "./layout.ts"
import type { CgnConfig } from "./settings.ts"

/**
 * External ends. A slot says which of an address's ports are meant: UDP's, TCP's, SCTP's, or all that a protocol has,
 * ports or not (RFC 6887 section 11.1: internal port 0), protocol 0 being all protocols that nobody else has.
 */
export const UDP = 0
export const TCP = 1
export const SCTP = 2
export const WHOLE = 3
/** Identifiers of ICMP queries, 256 up: in an end's word they share WHOLE's field, which needs the first 256 alone. */
export const QUERY = 5

/** The first identifier of an ICMP query that an external end can have. */
export const FIRST_QUERY = 256

/** The slot of a protocol and internal port; -1 for a protocol whose ports this NAT does not know. */
export const slotOf = (protocol: number, internalPort: number): number => {
  if (internalPort === 0) return WHOLE
  switch (protocol) {
    case Protocol.UDP:
      return UDP
    case Protocol.TCP:
      return TCP
    case Protocol.SCTP:
      return SCTP
    case Protocol.ICMP:
      return QUERY
    default:
      return -1
  }
}

/** Is this protocol and internal port one that the CGN may map at all? */
export const isTranslated = (config: CgnConfig, protocol: number, internalPort: number): boolean => {
  switch (slotOf(protocol, internalPort)) {
    case UDP:
    case TCP:
      return true
    case SCTP:
      return config.otherProtocols
    case WHOLE:
      return protocol === 0 ? config.oneToOne : config.port0
    default:
      return false
  }
}

/** What an external end has where others have the port: the protocol, for a whole one. */
export const fieldOf = (slot: number, protocol: number, port: number): number => (slot === WHOLE ? protocol : port)

/** An external end in one word of 32 bits, signed: the address's number, the slot, the port or what stands there. */
export const endWord = (address: number, slot: number, field: number): number =>
  (address << 18) | ((slot === QUERY ? WHOLE : slot) << 16) | field
/** The number of an external end's address. */
export const addressOf = (end: number): number => end >>> 18
export const slotOfEnd = (end: number): number => {
  const slot = (end >>> 16) & 3
  return slot === WHOLE && (end & 0xffff) >= FIRST_QUERY ? QUERY : slot
}
/** The port of an external end; 0 for a whole protocol. */
export const portOf = (end: number): number => (slotOfEnd(end) === WHOLE ? 0 : end & 0xffff)
/** The protocol of an external end. */
export const protocolOfEnd = (end: number): number => {
  switch (slotOfEnd(end)) {
    case UDP:
      return Protocol.UDP
    case TCP:
      return Protocol.TCP
    case SCTP:
      return Protocol.SCTP
    case QUERY:
      return Protocol.ICMP
    default:
      return end & 0xffff
  }
}

/** The mapping row that has this external end, or 0. */
export const holderOf = (table: Table, address: number, slot: number, field: number): number => {
  keyOf(table, MAPPING, 1)[0] = endWord(address, slot, field)
  return find(table, MAPPING, 1)
}

/** RFC 6887 section 11.3: never map external UDP ports 5350 and 5351 (S-49). */
export const isReserved = (udp: boolean, port: number): boolean => udp && (port === CLIENT_PORT || port === SERVER_PORT)
