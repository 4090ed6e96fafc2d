import type { Change } from "../cgn/index.ts"
import type { Address } from "../wire/index.ts"

/** One datagram as it reached the server, and when. */
export interface Request {
  /** The UDP payload; read during the call only, never kept. */
  readonly bytes: Uint8Array
  /** Milliseconds on the caller's monotonic clock. */
  readonly now: number
  readonly source: Address
  readonly sourcePort: number
  /** Where it arrived: requests from `outside` are ignored (RFC 6887 section 8.2, RFC 6886 section 3.3). Default `inside`. */
  readonly side?: "inside" | "outside"
}

/** Why a datagram got no answer; the index in this list is its number in the `drop` counter vector. */
export const DROP_REASONS = [
  "outside", // not from the inside (RFC 6887 section 8.2)
  "too-short", // under 2 octets, or a supported version under 24 (RFC 6887 section 8.2)
  "response", // R bit set (RFC 6887 section 8.2), or NAT-PMP opcode 128 and up (RFC 6886 section 3.5)
  "not-serving", // the protocol is switched off and its RFC wants silence (RFC 6886 section 3.8)
] as const

export type DropReason = (typeof DROP_REASONS)[number]

/** What became of one request. */
export interface Response {
  /** The UDP payload to send back to the source; `undefined` when the request is dropped. */
  readonly reply: Uint8Array | undefined
  readonly dropped: DropReason | undefined
  /** In the order in which they happened; only `counted` ones after an error (RFC 6887 section 7.3). */
  readonly changes: readonly Change[]
  /** Call `advance` no later than this instant, milliseconds, on account of this request; `undefined`: no need of its own. */
  readonly next: number | undefined
}

/** What `advance` found due. */
export interface Advance {
  readonly changes: readonly Change[]
  /** Unsolicited datagrams to send, from the server's own address and port (RFC 6887 sections 14.1 and 14.2). */
  readonly send: readonly { readonly bytes: Uint8Array; readonly destination: Address; readonly port: number }[]
  /** When to call again, milliseconds; `undefined` when nothing is pending. */
  readonly next: number | undefined
}
