import { Protocol } from "../wire/index.ts"
import { QUERY, slotOf } from "./end.ts"

/**
 * Internal ends in one word: protocol << 16 | internal port. As 0 there is all that a protocol has (RFC 6887 section 11.1),
 * ICMP queries with the identifier 0, which pass like any others (RFC 5508 REQ-1), have a bit of their own above the
 * protocol's.
 */
const ZERO_QUERY = 1 << 24

/** Protocol and port of an internal end. */
export interface InternalPort {
  readonly protocol: number
  readonly internalPort: number
  /** With internal port 0 of ICMP: this is the identifier of queries, and not all that ICMP has. */
  readonly identifier?: 0 | undefined
}

/** Is it of ICMP queries with the identifier 0? */
export const isZeroQuery = (end: InternalPort): boolean =>
  end.internalPort === 0 && end.protocol === Protocol.ICMP && end.identifier === 0

/** Protocol and internal port in one word. */
export const internalWordOf = (end: InternalPort): number =>
  (end.protocol << 16) | end.internalPort | (isZeroQuery(end) ? ZERO_QUERY : 0)

export const protocolIn = (word: number): number => (word >>> 16) & 0xff

/** 0 also for all that the protocol has: {@link isWholeIn} tells. */
export const portIn = (word: number): number => word & 0xffff

export const isZeroQueryIn = (word: number): boolean => (word & ZERO_QUERY) !== 0

/** Is it of all that the protocol has? */
export const isWholeIn = (word: number): boolean => (word & (ZERO_QUERY | 0xffff)) === 0

/** The slot of the external end that an internal one has; -1 for a protocol whose ports this NAT does not know. */
export const slotOfInternal = (end: InternalPort): number =>
  isZeroQuery(end) ? QUERY : slotOf(end.protocol, end.internalPort)
