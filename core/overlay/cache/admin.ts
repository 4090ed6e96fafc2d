import { done, failed, type Outcome } from "../failure.ts"
import type { Mac } from "../mac.ts"
import { emptyNumbers } from "../number-map.ts"
import { isPoint, type TargetPoint } from "../point.ts"
import {
  type CacheEntry,
  createCache,
  entriesFrom,
  hasRoom,
  knownTarget,
  type TargetCache,
  withoutTarget,
  withTarget,
} from "./cache.ts"

/** Most entries that one listing gives: the reference's ITER refuses more with E2BIG. */
export const LISTING_LIMIT = 500

/** A plugin begins to answer; in point mode with the point. EEXIST: one does already; EINVAL: a point that is none, or none. */
export const associate = (cache: TargetCache, point?: TargetPoint): Outcome<TargetCache> => {
  if (cache.associated) return failed("EEXIST", "a plugin is associated")
  if ((cache.options.mode === "point") !== (point !== undefined))
    return failed("EINVAL", "point mode has a point, dynamic mode none")
  if (point !== undefined && !isPoint(point)) return failed("EINVAL", "no frame can be sent there")
  return done({ ...cache, associated: true, point })
}

/** The plugin is gone: what waits is dropped, what is known stays with nobody. ENXIO: there was none. */
export const disassociate = (cache: TargetCache): Outcome<TargetCache> =>
  cache.associated
    ? done({ ...cache, associated: false, point: undefined, queues: emptyNumbers(), lookups: emptyNumbers() })
    : failed("ENXIO", "no plugin is associated")

/** What stands in the way of a change by hand: ENXIO without a plugin, ENOTSUP in point mode. */
const refusal = ({ associated, options }: TargetCache): Outcome<never> | undefined => {
  if (!associated) return failed("ENXIO", "no plugin is associated")
  return options.mode === "point" ? failed("ENOTSUP", "point mode has one target for all") : undefined
}

/** A MAC's target, or in point mode the point. ENOENT: it is not known. */
export const getEntry = (cache: TargetCache, mac: Mac): Outcome<TargetPoint | "drop"> => {
  if (!cache.associated) return failed("ENXIO", "no plugin is associated")
  const target = cache.options.mode === "point" ? cache.point : knownTarget(cache, mac)
  return target === undefined ? failed("ENOENT", "the MAC is not known") : done(target)
}

/**
 * Sets a MAC's target. Frames that wait for a lookup still wait for its answer; those that come now go there. EINVAL: a point that is
 * none; E2BIG: no room.
 */
export const setEntry = (cache: TargetCache, mac: Mac, target: TargetPoint | "drop"): Outcome<TargetCache> => {
  const refused = refusal(cache)
  if (refused !== undefined) return refused
  if (target !== "drop" && !isPoint(target)) return failed("EINVAL", "no frame can be sent there")
  if (knownTarget(cache, mac) === undefined && !hasRoom(cache)) return failed("E2BIG", "the cache is full")
  return done(withTarget(cache, mac, target))
}

/** Forgets a MAC: the next frame is looked up. ENOENT: it is not known. */
export const removeEntry = (cache: TargetCache, mac: Mac): Outcome<TargetCache> => {
  const refused = refusal(cache)
  if (refused !== undefined) return refused
  return knownTarget(cache, mac) === undefined
    ? failed("ENOENT", "the MAC is not known")
    : done(withoutTarget(cache, mac))
}

/** Forgets all MACs; what waits for an answer still waits. */
export const flushEntries = (cache: TargetCache): Outcome<TargetCache> =>
  refusal(cache) ?? done({ ...cache, version: createCache(cache.options).version })

/** A part of a cache in the order of MACs. */
export interface CacheListing {
  /** Up to as many as were asked for. */
  readonly entries: readonly CacheEntry[]
  /** The MAC to go on from; `undefined`: that is all. */
  readonly next: Mac | undefined
}

/** So many entries from a MAC on. EINVAL: none; E2BIG: more than {@link LISTING_LIMIT}. */
export const listEntries = (cache: TargetCache, from: Mac, count: number): Outcome<CacheListing> => {
  if (!Number.isInteger(count) || count < 1) return failed("EINVAL", "a listing has an entry at least")
  if (count > LISTING_LIMIT) return failed("E2BIG", `a listing has ${LISTING_LIMIT} entries at most`)
  if (!cache.associated) return failed("ENXIO", "no plugin is associated")
  const all = entriesFrom(cache, from)
  return done({ entries: all.slice(0, count), next: all[count]?.mac })
}
