import { sliceOctets } from "../../wire/index.ts"
import { done, failed, type Outcome } from "../failure.ts"
import type { Mac } from "../mac.ts"
import { numberAt, numbersFrom, withNumber, withoutNumber } from "../number-map.ts"
import { isPoint, type TargetPoint } from "../point.ts"
import { type FrameQuery, LARGEST_FRAME, queryOf } from "../proxy/query.ts"
import { hasRoom, knownTarget, type TargetCache, withTarget } from "./cache.ts"

/** What a cache wants done. */
export type CacheEffect =
  /** Encapsulate and send. */
  | { readonly type: "send"; readonly frame: Uint8Array; readonly target: TargetPoint }
  /** Ask the plugin, and answer by {@link respond} or {@link dropLookup} with that number. */
  | { readonly type: "lookup"; readonly lookup: number; readonly query: FrameQuery; readonly frame: Uint8Array }
  /** Frames that go nowhere: too short to be one, a MAC that is to be dropped, no room, no plugin. */
  | {
      readonly type: "dropped"
      readonly reason: "runt" | "target" | "full" | "unassociated" | "answer"
      readonly count: number
    }

/** The next cache, and what is to be done. */
export type CacheStep = readonly [TargetCache, readonly CacheEffect[]]

const dropped = (reason: Extract<CacheEffect, { type: "dropped" }>["reason"], count = 1): readonly CacheEffect[] => [
  { type: "dropped", reason, count },
]

/**
 * A frame from the overlay's link. In point mode it goes to the point. Else, where its destination is known it goes there, or nowhere; where
 * not, it waits, and the first one for a MAC has it looked up (B8). Frames that wait are copied: what is given is the caller's.
 */
export const transmit = (cache: TargetCache, frame: Uint8Array): CacheStep => {
  const query = queryOf(frame)
  if (query === undefined) return [cache, dropped("runt")]
  if (!cache.associated) return [cache, dropped("unassociated")]
  if (cache.options.mode === "point")
    return [cache, cache.point === undefined ? dropped("unassociated") : [{ type: "send", frame, target: cache.point }]]
  const target = knownTarget(cache, query.destination)
  if (target === "drop") return [cache, dropped("target")]
  if (target !== undefined) return [cache, [{ type: "send", frame, target }]]
  return wait(cache, query, frame)
}

const wait = (cache: TargetCache, query: FrameQuery, frame: Uint8Array): CacheStep => {
  const { destination } = query
  const queue = numberAt(cache.queues, destination)
  const octets = (queue?.octets ?? 0) + frame.length
  if (octets > cache.options.pendingOctets || (queue === undefined && !hasRoom(cache))) return [cache, dropped("full")]
  const kept = sliceOctets(frame)
  if (queue !== undefined) {
    const queues = withNumber(cache.queues, destination, { ...queue, frames: [...queue.frames, kept], octets })
    return [{ ...cache, queues }, []]
  }
  const lookup = cache.nextLookup
  const queues = withNumber(cache.queues, destination, { lookup, query, frames: [kept], octets })
  const lookups = withNumber(cache.lookups, lookup, destination)
  return [{ ...cache, queues, lookups, nextLookup: lookup + 1 }, [{ type: "lookup", lookup, query, frame: kept }]]
}

/** The plugin's answer: all that waits goes there, in order. A lookup that is not under way, or a point that is none, is EINVAL. */
export const respond = (cache: TargetCache, lookup: number, target: TargetPoint): Outcome<CacheStep> => {
  const mac = numberAt(cache.lookups, lookup)
  if (mac === undefined) return failed("EINVAL", `lookup ${lookup} is not under way`)
  if (!isPoint(target)) return failed("EINVAL", "no frame can be sent there")
  const frames = numberAt(cache.queues, mac)?.frames ?? []
  const next = withTarget(settled(cache, lookup, mac), mac, target)
  return done([next, frames.map((frame) => ({ type: "send", frame, target }))])
}

/**
 * The plugin has no answer: all that waits is dropped, and the next frame for the MAC is looked up anew. The reference frees the first
 * frame alone and asks again for each of the others.
 */
export const dropLookup = (cache: TargetCache, lookup: number): Outcome<CacheStep> => {
  const mac = numberAt(cache.lookups, lookup)
  if (mac === undefined) return failed("EINVAL", `lookup ${lookup} is not under way`)
  const count = numberAt(cache.queues, mac)?.frames.length ?? 0
  return done([settled(cache, lookup, mac), dropped("answer", count)])
}

const settled = (cache: TargetCache, lookup: number, mac: Mac): TargetCache => ({
  ...cache,
  queues: withoutNumber(cache.queues, mac),
  lookups: withoutNumber(cache.lookups, lookup),
})

/**
 * All lookups that are under way, once more, with their numbers: for a plugin that begins anew after a crash, as the reference's kernel does
 * for a daemon that has closed its handle.
 */
export const openLookups = ({ queues }: TargetCache): readonly CacheEffect[] =>
  Array.from(numbersFrom(queues), ([, { lookup, query, frames }]) => ({
    type: "lookup",
    lookup,
    query,
    frame: frames[0],
  }))

/** The frame that a lookup is about, for a proxy to read: EINVAL where it is not under way. */
export const lookedUp = (cache: TargetCache, lookup: number): Outcome<Uint8Array> => {
  const mac = numberAt(cache.lookups, lookup)
  const frame = mac === undefined ? undefined : numberAt(cache.queues, mac)?.frames[0]
  return frame === undefined ? failed("EINVAL", `lookup ${lookup} is not under way`) : done(frame)
}

/** A frame that a plugin puts into the overlay's link, or sends again: one of more than 1518 octets is EINVAL. */
export const injectable = (frame: Uint8Array): Outcome<Uint8Array> =>
  frame.length > LARGEST_FRAME ? failed("EINVAL", `a frame of ${frame.length} octets`) : done(frame)
