import type { Address, Nonce } from "../wire/index.ts"
import type { Change } from "./change.ts"
import type { Filter } from "./mapping.ts"

/** The internal end of a mapping; internal address and port with the protocol name a MAP mapping (RFC 6887 section 11.3). */
export interface InternalEnd {
  /** IANA protocol number. */
  readonly protocol: number
  readonly internal: Address
  readonly internalPort: number
}

/** What a MAP request, or a NAT-PMP mapping request, asks of the CGN. */
export interface MapAsk extends InternalEnd {
  readonly origin: "pcp" | "nat-pmp"
  /** `undefined` for NAT-PMP alone. */
  readonly nonce: Nonce | undefined
  /** All-zeros: no preference. */
  readonly suggested: Address
  /** 0: no preference. */
  readonly suggestedPort: number
  /** Seconds, already within the server's limits. */
  readonly lifetime: number
  /** RFC 6887 section 13.2: fail rather than assign another address or port. */
  readonly preferFailure: boolean
}

/** What a PEER request asks. */
export interface PeerAsk extends InternalEnd {
  readonly nonce: Nonce
  readonly remote: Address
  readonly remotePort: number
  readonly suggested: Address
  readonly suggestedPort: number
  /** Seconds, already within the server's limits; 0 asks and changes nothing (RFC 6887 section 12.1). */
  readonly lifetime: number
}

/** What a deletion asks: the nonce must be the mapping's own (RFC 6887 sections 11.3 and 15.1). */
export interface DeleteAsk extends InternalEnd {
  readonly origin: "pcp" | "nat-pmp"
  readonly nonce: Nonce | undefined
}

/** What the FILTER options of a MAP request ask (RFC 6887 section 13.3). */
export interface FilterAsk extends InternalEnd {
  /** Drop the filters that are there first: a prefix length of 0 was seen. */
  readonly deleteFilters: boolean
  /** To add, in order. */
  readonly filters: readonly Filter[]
}

/** A request met: libpcpd's three good results. */
export interface CgnDone<S> {
  readonly outcome: "static" | "new" | "ok"
  readonly state: S
  readonly external: Address
  readonly externalPort: number
  /** Assigned, seconds. */
  readonly lifetime: number
  readonly changes: readonly Change[]
}

/** A request refused: the state stays what it was. */
export interface CgnRefused {
  readonly outcome: "refused"
  /** A PCP result code. */
  readonly code: number
  /** Seconds of the error where the RFC ties them to a mapping; `undefined`: the code's usual ones. */
  readonly lifetime: number | undefined
}

export type CgnResult<S> = CgnDone<S> | CgnRefused

/**
 * The seam between the server and what it controls: libpcpd's method table as pure functions of the CGN's state. Every
 * method answers from the given state and leaves it valid. `now` is milliseconds on one monotonic clock.
 */
export interface Cgn<S> {
  /** libpcpd's `getsubscriber`: is this internal address one that the CGN serves? A PCP result code. */
  readonly getSubscriber: (state: S, internal: Address) => number
  /** libpcpd's `addmapping`: create, or renew, the explicit mapping for an internal end. */
  readonly addMapping: (state: S, ask: MapAsk, now: number) => CgnResult<S>
  /** libpcpd's `delmapping`. A mapping that is not there is deleted already; traffic keeps one for its idle time (S-131). */
  readonly delMapping: (state: S, ask: DeleteAsk, now: number) => CgnResult<S>
  /** NAT-PMP's deletion of all mappings of a host and protocol (RFC 6886 section 3.4). */
  readonly delMappings: (
    state: S,
    internal: Address,
    protocol: number,
    now: number,
  ) => { readonly state: S; readonly complete: boolean; readonly changes: readonly Change[] }
  /** libpcpd's `adddynamic`: create, or extend, the outbound mapping to one remote peer. */
  readonly addDynamic: (state: S, ask: PeerAsk, now: number) => CgnResult<S>
  /** libpcpd's `filter`, on a mapping that is there. */
  readonly filter: (state: S, ask: FilterAsk, now: number) => CgnResult<S>
  /** The external address that a subscriber has or would get; `undefined`: none to be had. */
  readonly externalAddress: (state: S, internal: Address, now: number) => Address | undefined
  /** Is this transport protocol translated at all? */
  readonly supports: (state: S, protocol: number) => boolean
  /** Removes what has run out, at most `limit` rows; `next` is when to come back, milliseconds. */
  readonly expire: (
    state: S,
    now: number,
    limit: number,
  ) => { readonly state: S; readonly changes: readonly Change[]; readonly next: number | undefined }
  /** Replays changes, in order. */
  readonly apply: (state: S, changes: readonly Change[]) => S
}
