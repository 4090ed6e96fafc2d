import {
  associate,
  BROADCAST_MAC,
  type CacheEffect,
  type CacheStep,
  createCache,
  dropLookup,
  type FrameQuery,
  flushEntries,
  injectable,
  type Mac,
  type Outcome,
  queryOf,
  removeEntry,
  respond,
  setEntry,
  type TargetCache,
  type TargetPoint,
  transmit,
} from "../../core/overlay/index.ts"
import type { OverlayCounters } from "./contract.ts"

/** What a link does with frames. */
export interface LinkOptions {
  readonly mode: "point" | "dynamic"
  readonly hashKey: readonly [number, number]
  /** Octets behind the Ethernet header at most. */
  readonly mtu: number
  readonly pendingOctets?: number | undefined
  readonly entries?: number | undefined
  /** Lookups under way at most. */
  readonly lookups: number
  /** Encapsulates and sends. The frame's octets are the caller's again after the call. */
  readonly send: (frame: Uint8Array, target: TargetPoint) => void
  /** Gives a frame to the host. */
  readonly deliver: (frame: Uint8Array) => void
  /** Asks the plugin. */
  readonly ask: (lookup: number, query: FrameQuery, frame: Uint8Array) => void
}

/** One overlay's way for frames: its cache, and what it counts. */
export interface Link {
  cache(): TargetCache
  /** Of this host, to wherever it belongs. */
  transmit(frame: Uint8Array): void
  /** Of another host, to this one. */
  receive(frame: Uint8Array): void
  /** Of a plugin, to this host. */
  inject(frame: Uint8Array): void
  /** Of a plugin, as if this host had sent it. */
  resend(frame: Uint8Array): void
  /** The kernel's port heard somebody else. */
  foreign(): void
  /** Ends of lookups. One that the cache knows nothing of is let go. */
  respond(lookup: number, target: TargetPoint): void
  drop(lookup: number): void
  associate(point: TargetPoint | undefined): Outcome<undefined>
  /** Changes by hand, and by plugins. */
  set(mac: Mac, target: TargetPoint | "drop"): Outcome<undefined>
  remove(mac: Mac): Outcome<undefined>
  flush(): Outcome<undefined>
  counters(): OverlayCounters
}

type Counts = { -readonly [K in keyof OverlayCounters]: number }

const NONE: OverlayCounters = {
  transmitted: 0,
  sent: 0,
  received: 0,
  delivered: 0,
  injected: 0,
  resent: 0,
  lookups: 0,
  runt: 0,
  tooBig: 0,
  dropEntry: 0,
  full: 0,
  unanswered: 0,
  foreign: 0,
}

/** By which counter the cache's reasons are told. Before a plugin is associated nobody answers. */
const REASONS = {
  runt: "runt",
  target: "dropEntry",
  full: "full",
  unassociated: "unanswered",
  answer: "unanswered",
} as const satisfies Record<Extract<CacheEffect, { type: "dropped" }>["reason"], keyof OverlayCounters>

/** A link that knows nothing yet. */
export const openLink = (options: LinkOptions): Link => {
  const { mode, hashKey, pendingOctets, entries, mtu, send, deliver, ask } = options
  let cache = createCache({
    mode,
    hashKey,
    ...(pendingOctets === undefined ? {} : { pendingOctets }),
    ...(entries === undefined ? {} : { entries }),
  })
  const counts: Counts = { ...NONE }

  const run = ([next, effects]: CacheStep): void => {
    cache = next
    for (const effect of effects)
      switch (effect.type) {
        case "send":
          counts.sent++
          send(effect.frame, effect.target)
          break
        case "lookup":
          if (cache.lookups.size > options.lookups) {
            const dropped = dropLookup(cache, effect.lookup)
            if (dropped.ok) [cache] = dropped.value
            counts.full++
            break
          }
          counts.lookups++
          ask(effect.lookup, effect.query, effect.frame)
          break
        case "dropped":
          counts[REASONS[effect.reason]] += effect.count
      }
  }

  /** Is it a frame that the link may carry? */
  const isFit = (frame: Uint8Array): boolean => {
    const query = queryOf(frame)
    if (query === undefined) counts.runt++
    else if (query.packetSize > mtu) counts.tooBig++
    else return true
    return false
  }

  const changed = (next: Outcome<TargetCache>): Outcome<undefined> => {
    if (!next.ok) return next
    cache = next.value
    return { ok: true, value: undefined }
  }

  const pass = (frame: Uint8Array): void => {
    counts.delivered++
    deliver(frame)
  }

  return {
    cache: () => cache,
    transmit: (frame) => {
      counts.transmitted++
      if (isFit(frame)) run(transmit(cache, frame))
    },
    receive: (frame) => {
      counts.received++
      if (isFit(frame)) pass(frame)
    },
    inject: (frame) => {
      if (!injectable(frame).ok || !isFit(frame)) return
      counts.injected++
      pass(frame)
    },
    resend: (frame) => {
      // A broadcast would come back here for ever.
      if (!injectable(frame).ok || !isFit(frame) || queryOf(frame)?.destination === BROADCAST_MAC) return
      counts.resent++
      run(transmit(cache, frame))
    },
    foreign: () => {
      counts.foreign++
    },
    respond: (lookup, target) => {
      const step = respond(cache, lookup, target)
      if (step.ok) run(step.value)
    },
    drop: (lookup) => {
      const step = dropLookup(cache, lookup)
      if (step.ok) run(step.value)
    },
    associate: (point) => changed(associate(cache, point)),
    set: (mac, target) => changed(setEntry(cache, mac, target)),
    remove: (mac) => changed(removeEntry(cache, mac)),
    flush: () => changed(flushEntries(cache)),
    counters: () => ({ ...counts }),
  }
}
