import type { Change } from "./change.ts"
import type { Realm } from "./mapping.ts"
import { DROP_CLAUSES, type DropCode } from "./packet/index.ts"

/** A side of what stands between networks: `inside` are internal hosts, `outside` their remote peers. */
export type Side = "inside" | "outside"

/** A packet that arrives. */
export interface Passage {
  /** One IP packet; what lies behind its own length does not count. */
  readonly bytes: Uint8Array
  /** Milliseconds on the caller's monotonic clock. */
  readonly now: number
  /** Where it arrives. */
  readonly side: Side
  /** Of a packet from the inside, where internal addresses overlap: what it came with, such as a layer-2 id. */
  readonly realm?: Realm | undefined
}

/** Why a state does not let a packet pass, with the clause that says so; beside what the packet itself is dropped for. */
const REFUSAL_CLAUSES = {
  /** From the inside, with a source that is not served. */
  "not-served": "RFC 6888 section 3, RFC 6146 section 3.5.1",
  /** From the outside, to nothing that anybody inside has. */
  "no-mapping": "RFC 4787 section 5, RFC 6146 section 3.5",
  /** From the outside, by a remote peer that no filter or flow lets in. */
  filtered: "RFC 4787 REQ-8, RFC 5382 REQ-3, RFC 6887 section 13.3",
  /** No external end, or no room for the flow, is to be had. */
  "no-resources": "RFC 6888 REQ-4, RFC 6146 section 3.5.1.1",
  /** The host, or its subscriber, has as many as it may. */
  "over-quota": "RFC 6888 REQ-4",
  /** A TCP segment that opens no connection, of none that is known. */
  "no-connection": "RFC 5382 section 5, RFC 6146 section 3.5.2.2",
  /** A fragment whose packet will not be put together: too many wait, or they have waited too long. */
  "fragment-limit": "RFC 4787 REQ-14, RFC 6146 section 3.4",
  /** An ICMP error about no flow that is known (RFC 5508 REQ-3, REQ-4). */
  "no-flow": "RFC 5508 REQ-4",
} as const

/** Every reason why a packet does not pass, with its clause. */
export const REASON_CLAUSES: Readonly<Record<Reason, string>> = { ...DROP_CLAUSES, ...REFUSAL_CLAUSES }

/** Why a packet does not pass: a key of {@link REASON_CLAUSES}. */
export type Reason = DropCode | keyof typeof REFUSAL_CLAUSES

const REASONS = new Map<string, number>(Object.keys(REASON_CLAUSES).map((reason, index) => [reason, index]))

/** The index of a reason in the counter vector `packet`: its place among the keys of {@link REASON_CLAUSES}. */
export const reasonIndex = (reason: Reason): number => REASONS.get(reason) ?? 0

/** What becomes of a packet. */
export type Out =
  /** Leaves on `side`: the other one, or, hairpinned, the one that it came from. */
  | {
      readonly kind: "forwarded"
      readonly side: Side
      /** One packet, or its fragments in order; each a whole IP packet. */
      readonly packets: readonly Uint8Array[]
      /** Of the internal host that gets it; `undefined`: none, or it leaves outside. */
      readonly realm: Realm | undefined
    }
  /** Goes no further; `packet`, an ICMP error, goes back to its sender on the side that it came from. */
  | { readonly kind: "returned"; readonly packet: Uint8Array; readonly reason: Reason }
  /** Goes no further, and nobody is told. */
  | { readonly kind: "dropped"; readonly reason: Reason }
  /** A fragment that waits for others. */
  | { readonly kind: "kept" }

/** What a packet leaves behind it. */
export interface Passed<S> {
  readonly state: S
  readonly out: Out
  /** Mappings that traffic made, renewed, or let run out, and what it counted. */
  readonly changes: readonly Change[]
  /**
   * When `expire`, or `sendLate` of a CGN, has something to do because of it, milliseconds; `undefined`: no sooner than was
   * said before.
   */
  readonly next: number | undefined
}
