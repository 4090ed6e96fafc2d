import type { Change, Realm, SubscriberAnswer } from "../cgn/index.ts"
import type { Address } from "../wire/index.ts"

/** One datagram as it reached the server, and when. */
export interface Request {
  /** The UDP payload; read during the call only, never kept. */
  readonly bytes: Uint8Array
  /** Milliseconds on the caller's monotonic clock. */
  readonly now: number
  /** UDP source address: the client's own, or that of whatever sent the request for it. */
  readonly source: Address
  /** UDP source port, where the answer goes. */
  readonly sourcePort: number
  /** Where it arrived: requests from `outside` are ignored (RFC 6887 section 8.2, RFC 6886 section 3.3). Default `inside`. */
  readonly side?: "inside" | "outside"
  /**
   * What tells apart hosts of the same address where internal addresses overlap: a layer-2 id, the B4's address of the
   * softwire that it came through. Default: none, or in DS-Lite the IPv6 source address.
   */
  readonly realm?: Realm | undefined
  /** What the CGN would say of the source as a subscriber, where the caller has just asked it: see `runOnce`. */
  readonly subscriber?: SubscriberAnswer | undefined
  /** Makes the reply's octets: that many, all zero. Default: `new Uint8Array`, which takes a microsecond on some engines. */
  readonly octets?: ((length: number) => Uint8Array) | undefined
}

/** A reply to be written: that many octets, all zero. */
export const replyOctets = ({ octets }: Request, length: number): Uint8Array =>
  octets === undefined ? new Uint8Array(length) : octets(length)

/** Why a datagram got no answer; the index in this list is its number in the `drop` counter vector. */
export const DROP_REASONS = [
  "outside", // not from the inside (RFC 6887 section 8.2)
  "too-short", // under 2 octets, or a supported version under 24 (RFC 6887 section 8.2)
  "response", // R bit set (RFC 6887 section 8.2), or NAT-PMP opcode 128 and up (RFC 6886 section 3.5)
  "not-serving", // the protocol is switched off and its RFC wants silence (RFC 6886 section 3.8)
  "source-port-0", // from UDP port 0, which nobody can be answered at (RFC 768)
  "source-rate", // over the rate limit of one source (RFC 6887 section 8.2: overload)
  "global-rate", // over the rate limit of all sources together
] as const

/** One of {@link DROP_REASONS}. */
export type DropReason = (typeof DROP_REASONS)[number]

/** What became of one request. */
export interface Response {
  /** The UDP payload to send back to the source; `undefined` when the request is dropped. */
  readonly reply: Uint8Array | undefined
  /** Why there is no reply; `undefined`: there is one. */
  readonly dropped: DropReason | undefined
  /** In the order in which they happened; only `counted` ones after an error (RFC 6887 section 7.3). */
  readonly changes: readonly Change[]
  /** Call `advance` no later than this instant, milliseconds, on account of this request; `undefined`: no need of its own. */
  readonly next: number | undefined
}

/** An unsolicited datagram, from the server's own address and port (RFC 6887 sections 14.1 and 14.2). */
export interface Outgoing {
  /** The UDP payload. */
  readonly bytes: Uint8Array
  /** Where it is multicast, it goes out on every path over which requests are accepted (RFC 6887 section 14.1.3). */
  readonly destination: Address
  /** UDP destination port. */
  readonly port: number
}

/** What `advance` found due. */
export interface Advance {
  /** In the order in which they happened: mappings that have expired, and what was counted. */
  readonly changes: readonly Change[]
  /** What to send, in order. */
  readonly send: readonly Outgoing[]
  /** When to call again, milliseconds; `undefined` when nothing is pending. */
  readonly next: number | undefined
}

/** What a push, a revocation or a reconfiguration came to. */
export interface Pushed {
  /** What happened, in order. */
  readonly changes: readonly Change[]
  /** Call `advance` no later than this instant, milliseconds: it sends. `undefined`: there is nothing to send. */
  readonly next: number | undefined
}
