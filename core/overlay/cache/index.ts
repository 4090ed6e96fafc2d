/** The target cache: what is known of MACs, and the frames that wait. */
export {
  associate,
  type CacheListing,
  disassociate,
  flushEntries,
  getEntry,
  LISTING_LIMIT,
  listEntries,
  removeEntry,
  setEntry,
} from "./admin.ts"
export { type CacheEntry, type CacheOptions, createCache, knownCount, type TargetCache } from "./cache.ts"
export type { Queue } from "./queue.ts"
export {
  type CacheEffect,
  type CacheStep,
  dropLookup,
  injectable,
  lookedUp,
  openLookups,
  respond,
  transmit,
} from "./transmit.ts"
