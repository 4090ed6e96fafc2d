import type { CgnKind, Change, Counters, Filter, Mapping } from "../../core/cgn/index.ts"
import type { DropReason } from "../../core/server/index.ts"
import type { Address } from "../../core/wire/index.ts"
import type { Endpoint } from "../udp.ts"

/**
 * A mapping with its filters. No message has a nonce: with it, whoever watches could delete what is watched. Instants are milliseconds
 * on the server's own clock.
 */
export interface LiveRow {
  readonly mapping: Mapping
  readonly filters: readonly Filter[]
}

/** Changes that a page shows; `mapping` is without its nonce. */
export type LiveChange = Extract<
  Change,
  {
    readonly type:
      | "created"
      | "renewed"
      | "deleted"
      | "expired"
      | "moved"
      | "filtered"
      | "block"
      | "block-over"
      | "epoch-reset"
      | "subscriber-reset"
  }
>

/** Something that the server did: it heard a datagram, or time passed. */
export interface LiveEvent {
  readonly at: number
  /** Whom the datagram came from; `undefined`: there was none. */
  readonly source: Endpoint | undefined
  /** The datagram, its mapping nonce blank. */
  readonly request: Uint8Array | undefined
  readonly reply: Uint8Array | undefined
  readonly dropped: DropReason | undefined
  readonly changes: readonly LiveChange[]
}

/** Ports of the pool, and those of them that are taken. */
export interface LivePool {
  readonly udp: { readonly ports: number; readonly taken: number }
  readonly tcp: { readonly ports: number; readonly taken: number }
}

export type LiveMessage =
  /** The first. */
  | {
      readonly type: "hello"
      readonly version: string
      readonly kind: CgnKind
      /** Mappings of one host; 0: no limit. */
      readonly quota: number
      /** Where the server listens. */
      readonly local: readonly Endpoint[]
      readonly external: readonly Address[]
      readonly now: number
    }
  /** The mappings come anew, in `rows`, and those of before are void at the `end`. What changes meanwhile is told as ever. */
  | { readonly type: "snapshot"; readonly at: "begin" | "end" }
  | { readonly type: "rows"; readonly rows: readonly LiveRow[] }
  /** What has happened since the last one. */
  | {
      readonly type: "tick"
      readonly now: number
      /** Epoch Time, seconds. */
      readonly epoch: number
      /** How many mappings there are. */
      readonly total: number
      /** Mappings as they are now, and mappings that are no longer: each once. */
      readonly set: readonly LiveRow[]
      readonly gone: readonly Mapping[]
      readonly events: readonly LiveEvent[]
      /** Events that were too many to tell. */
      readonly missed: number
      readonly counters: Counters
      readonly pool: LivePool | undefined
    }
