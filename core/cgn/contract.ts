import type { Address, Nonce } from "../wire/index.ts"
import type { Change } from "./change.ts"
import type { Filter, Realm } from "./mapping.ts"

/** The internal end of a mapping; internal address and port with the protocol name a MAP mapping (RFC 6887 section 11.3). */
export interface InternalEnd {
  /** IANA protocol number. */
  readonly protocol: number
  /** The host's address; IPv4 is IPv4-mapped. */
  readonly internal: Address
  /** 0: all ports of the protocol. */
  readonly internalPort: number
  /** `undefined`: none, as in every network whose internal addresses do not overlap. */
  readonly realm?: Realm | undefined
}

/** Who sent a request, for mapping updates to go to (RFC 6887 section 14.2). */
export interface Client {
  /** UDP source port. */
  readonly clientPort?: number
  /** The source address where it is not the internal address: THIRD_PARTY. */
  readonly requester?: Address | undefined
  /** The THIRD_PARTY_ID option's octets in hex. */
  readonly thirdPartyId?: string | undefined
}

/** What a PORT_SET option asks (RFC 7753): the first internal port is the ask's own. */
export interface PortSetAsk {
  /** Ports wanted, 1 to 65535; 65535 is as many as can be had. */
  readonly size: number
  /** Preserve the parity of the first port. */
  readonly parity: boolean
}

/** What a MAP request, or a NAT-PMP mapping request, asks of the CGN. */
export interface MapAsk extends InternalEnd, Client {
  /** The protocol that it came in. */
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
  /** libpcpd's CREATE_AS_LOCKED: a new mapping carries no traffic until `filter` unlocks it, and goes if that fails. */
  readonly createAsLocked?: boolean
  /** `undefined`: one port. */
  readonly portSet?: PortSetAsk | undefined
  /** DESCRIPTION to store (RFC 7220): "" erases, `undefined` leaves what is there. */
  readonly description?: string | undefined
}

/** What a PEER request asks. */
export interface PeerAsk extends InternalEnd, Client {
  /** The mapping nonce: an existing mapping must have the same one (RFC 6887 section 12.3). */
  readonly nonce: Nonce
  /** The remote peer, as the client sees it. */
  readonly remote: Address
  /** 1 to 65535. */
  readonly remotePort: number
  /** All-zeros: no preference. */
  readonly suggested: Address
  /** 0: no preference. */
  readonly suggestedPort: number
  /** Seconds, already within the server's limits; 0 asks and changes nothing (RFC 6887 section 12.1). */
  readonly lifetime: number
  /** DESCRIPTION to store (RFC 7220): "" erases, `undefined` leaves what is there. */
  readonly description?: string | undefined
}

/** What a deletion asks: the nonce must be the mapping's own (RFC 6887 sections 11.3 and 15.1). */
export interface DeleteAsk extends InternalEnd {
  /** The protocol that it came in. */
  readonly origin: "pcp" | "nat-pmp"
  /** `undefined` for NAT-PMP alone. */
  readonly nonce: Nonce | undefined
  /** RFC 7753 section 5: delete a set of ports. */
  readonly portSet?: PortSetAsk | undefined
}

/** What the FILTER options of a MAP request ask (RFC 6887 section 13.3). */
export interface FilterAsk extends InternalEnd {
  /** Drop the filters that are there first: a prefix length of 0 was seen. */
  readonly deleteFilters: boolean
  /** To add, in order. */
  readonly filters: readonly Filter[]
  /** libpcpd's UNLOCK_ON_SUCCESS: the mapping was made locked and becomes active now. */
  readonly unlockOnSuccess?: boolean
}

/** A request met: libpcpd's three good results. */
export interface CgnDone<S> {
  /** `static`: the administrator's mapping; `new`: there was none; `ok`: it was there already. */
  readonly outcome: "static" | "new" | "ok"
  /** The next state, which has it. */
  readonly state: S
  /** Assigned. */
  readonly external: Address
  /** Assigned. */
  readonly externalPort: number
  /** Assigned, seconds. */
  readonly lifetime: number
  /** What it changed, in order: what `apply` replays. */
  readonly changes: readonly Change[]
  /** Consecutive ports mapped, internal and external, from the ask's own up: 1 but for PORT_SET (RFC 7753). */
  readonly ports: number
  /** The description as stored, where the ask had one (RFC 7220 section 3). */
  readonly description: string | undefined
}

/** A request refused: the state stays what it was. */
export interface CgnRefused {
  readonly outcome: "refused"
  /** A PCP result code, or libpcpd's generic CGN error, which the server answers as NO_RESOURCES. */
  readonly code: number | "cgn-error"
  /**
   * Seconds of the error where the RFC ties them to a mapping; `undefined`: the code's usual ones. With another's nonce, that
   * mapping's remaining lifetime, not the half hour of NOT_AUTHORIZED (RFC ambiguity 14).
   */
  readonly lifetime: number | undefined
}

/** What `getSubscriber` says. */
export interface SubscriberAnswer {
  /** A PCP result code: SUCCESS, or why this internal address is not served. */
  readonly code: number
  /** When this subscriber's Epoch Time was 0, milliseconds; `undefined`: the server's own (RFC 6887 section 8.5). */
  readonly epochStart: number | undefined
}

/** A request met, or refused. */
export type CgnResult<S> = CgnDone<S> | CgnRefused

/**
 * The seam between the server and what it controls: libpcpd's method table as pure functions of the CGN's state. Every
 * method answers from the given state and leaves it valid. `now` is milliseconds on one monotonic clock.
 */
export interface Cgn<S> {
  /** libpcpd's `getsubscriber`: is this internal address one that the CGN serves, and since when? */
  readonly getSubscriber: (state: S, internal: Address, realm: Realm | undefined) => SubscriberAnswer
  /**
   * libpcpd's `authorize`: may this syntactically correct request, PCP or NAT-PMP, be served? `thirdParty` is the offset of
   * its THIRD_PARTY option, 0 for none. A PCP result code.
   */
  readonly authorize: (state: S, request: Uint8Array, source: Address, thirdParty: number) => number
  /** libpcpd's `addmapping`: create, or renew, the explicit mapping for an internal end. */
  readonly addMapping: (state: S, ask: MapAsk, now: number) => CgnResult<S>
  /** libpcpd's `delmapping`. A mapping that is not there is deleted already; traffic keeps one for its idle time (S-131). */
  readonly delMapping: (state: S, ask: DeleteAsk, now: number) => CgnResult<S>
  /** NAT-PMP's deletion of all mappings of a host and protocol (RFC 6886 section 3.4). */
  readonly delMappings: (
    state: S,
    internal: Address,
    realm: Realm | undefined,
    protocol: number,
    now: number,
  ) => { readonly state: S; readonly complete: boolean; readonly changes: readonly Change[] }
  /** libpcpd's `adddynamic`: create, or extend, the outbound mapping to one remote peer. */
  readonly addDynamic: (state: S, ask: PeerAsk, now: number) => CgnResult<S>
  /** libpcpd's `filter`, on a mapping that is there. */
  readonly filter: (state: S, ask: FilterAsk, now: number) => CgnResult<S>
  /** The external address that a subscriber has or would get; `undefined`: none to be had. */
  readonly externalAddress: (state: S, internal: Address, realm: Realm | undefined, now: number) => Address | undefined
  /** Can a MAP of this protocol and internal port be met in its entirety? 0 and 0 is the DMZ host (RFC 6887 section 11.1). */
  readonly supports: (state: S, protocol: number, internalPort: number) => boolean
  /** Removes what has run out, at most `limit` rows; `next` is when to come back, milliseconds. */
  readonly expire: (
    state: S,
    now: number,
    limit: number,
  ) => { readonly state: S; readonly changes: readonly Change[]; readonly next: number | undefined }
  /** Replays changes, in order. */
  readonly apply: (state: S, changes: readonly Change[]) => S
}
