import {
  addRow,
  createTable,
  dropRow,
  find,
  indexRow,
  keyOf,
  open,
  rowCount,
  rowLimit,
  seal,
  setWord,
  type Table,
  unindexRow,
  type Version,
  word,
} from "../../table/index.ts"
import { addressFromWords, addressWord } from "../../wire/index.ts"
import { type Mac, macOf } from "../mac.ts"
import { emptyNumbers, type NumberMap } from "../number-map.ts"
import type { TargetPoint } from "../point.ts"
import type { Queue } from "./queue.ts"

/** A cache's settings. */
export interface CacheOptions {
  /** Point mode sends all frames to one point; dynamic mode looks each MAC up. */
  readonly mode: "point" | "dynamic"
  /** Secret of the index, two 32-bit words: whoever does not know it cannot choose MACs that collide. */
  readonly hashKey: readonly [number, number]
  /** Most octets of frames that wait for one MAC; left out, 128 KiB (the reference's comment says 1 MB, its code this). */
  readonly pendingOctets?: number
  /** Most MACs; left out, 1048576. A frame for another one is dropped: the reference knows no bound. */
  readonly entries?: number
}

/** What is known of a MAC. */
export interface CacheEntry {
  /** Of a host in the overlay. */
  readonly mac: Mac
  /** Where it lives; `drop`: frames for it are dropped. */
  readonly target: TargetPoint | "drop"
}

/** A target cache: a handle that stays valid, opaque. */
export interface TargetCache {
  /** As given, with defaults. */
  readonly options: Required<CacheOptions>
  /** What is known, by MAC. */
  readonly version: Version
  /** Frames that wait, by MAC: each of these has a lookup under way. */
  readonly queues: NumberMap<Queue>
  /** MACs by the number of their lookup. */
  readonly lookups: NumberMap<Mac>
  /** The next lookup's number. */
  readonly nextLookup: number
  /** Of point mode; `undefined`: no plugin is associated yet. */
  readonly point: TargetPoint | undefined
  /** Does a plugin answer? */
  readonly associated: boolean
}

const ENTRY = 0
/** Words of an entry. */
const Entry = { HIGH: 0, LOW: 1, FLAGS: 2, PORT: 3, ADDRESS: 4 } as const
/** The reference's flags of an entry; PENDING, 1, is that it has a queue. */
const Flag = { VALID: 2, DROP: 4 } as const

/** A cache that knows nothing; no plugin is associated. */
export const createCache = (options: CacheOptions): TargetCache => ({
  options: { pendingOctets: 128 * 1024, entries: 1 << 20, ...options },
  version: createTable({
    families: [{ width: 8, key: { from: Entry.HIGH, to: Entry.LOW + 1 } }],
    sparse: 0,
    sets: 0,
    wheel: undefined,
    hashKey: options.hashKey,
  }),
  queues: emptyNumbers(),
  lookups: emptyNumbers(),
  nextLookup: 1,
  point: undefined,
  associated: false,
})

const rowOf = (table: Table, mac: Mac): number => {
  const key = keyOf(table, ENTRY)
  key[0] = Math.floor(mac / 2 ** 32)
  key[1] = mac | 0
  return find(table, ENTRY)
}

const targetAt = (table: Table, row: number): TargetPoint | "drop" => {
  if ((word(table, ENTRY, row, Entry.FLAGS) & Flag.DROP) !== 0) return "drop"
  const at = (index: number): number => word(table, ENTRY, row, Entry.ADDRESS + index)
  return { address: addressFromWords(at(0), at(1), at(2), at(3)), port: word(table, ENTRY, row, Entry.PORT) }
}

/** Where frames for a MAC go; `undefined`: that is not known. */
export const knownTarget = ({ version }: TargetCache, mac: Mac): TargetPoint | "drop" | undefined => {
  const table = open(version)
  const row = rowOf(table, mac)
  return row === 0 ? undefined : targetAt(table, row)
}

/** How many MACs are known. */
export const knownCount = ({ version }: TargetCache): number => rowCount(open(version), ENTRY)

/** Is there room for one MAC more, known or waited for? */
export const hasRoom = (cache: TargetCache): boolean => knownCount(cache) + cache.queues.size < cache.options.entries

/** The cache with a MAC's target. */
export const withTarget = (cache: TargetCache, mac: Mac, target: TargetPoint | "drop"): TargetCache => {
  const table = open(cache.version)
  let row = rowOf(table, mac)
  if (row === 0) {
    row = addRow(table, ENTRY)
    setWord(table, ENTRY, row, Entry.HIGH, Math.floor(mac / 2 ** 32))
    setWord(table, ENTRY, row, Entry.LOW, mac | 0)
    indexRow(table, ENTRY, row)
  }
  setWord(table, ENTRY, row, Entry.FLAGS, target === "drop" ? Flag.VALID | Flag.DROP : Flag.VALID)
  if (target !== "drop") {
    setWord(table, ENTRY, row, Entry.PORT, target.port)
    for (const index of [0, 1, 2, 3] as const)
      setWord(table, ENTRY, row, Entry.ADDRESS + index, addressWord(target.address, index))
  }
  return { ...cache, version: seal(table) }
}

/** The cache without a MAC's target. */
export const withoutTarget = (cache: TargetCache, mac: Mac): TargetCache => {
  const table = open(cache.version)
  const row = rowOf(table, mac)
  if (row === 0) return cache
  unindexRow(table, ENTRY, row)
  dropRow(table, ENTRY, row)
  return { ...cache, version: seal(table) }
}

const macAt = (table: Table, row: number): Mac =>
  macOf(word(table, ENTRY, row, Entry.HIGH) * 2 ** 32 + (word(table, ENTRY, row, Entry.LOW) >>> 0))

/** All that is known, in the order of MACs, from `from` on. */
export const entriesFrom = ({ version }: TargetCache, from: number): readonly CacheEntry[] => {
  const table = open(version)
  const entries: CacheEntry[] = []
  for (let row = 1; row < rowLimit(table, ENTRY); row++) {
    // A free row has no flags.
    if (word(table, ENTRY, row, Entry.FLAGS) === 0) continue
    const mac = macAt(table, row)
    if (mac >= from) entries.push({ mac, target: targetAt(table, row) })
  }
  return entries.sort((one, other) => one.mac - other.mac)
}
