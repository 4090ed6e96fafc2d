import { type Directory, enter, lookUp, makeDirectory } from "./directory.ts"
import { ensure, read, write } from "./memory.ts"
import type { Table } from "./table.ts"

/**
 * Sets of the numbers 0 to 65535, such as the taken ports of an address. In words: 2048 of bits, 64 of summary (a bit a
 * word: all taken), 2 of summary of these, 1 count. So a free number is found in a few reads however full the set is.
 */
export interface SetGroup {
  /** Set id -> its place among the sets of all groups, from 1. */
  readonly places: Directory
}

export const FULL = 2048
export const FULLER: number = FULL + 64
export const COUNT: number = FULLER + 2
const WORDS = COUNT + 1

export const makeSetGroup = (): SetGroup => ({ places: makeDirectory() })

/** Index of a set's first word, or -1 for a set in which nothing was ever taken. */
export const baseOf = (table: Table, group: number, set: number): number => {
  const place = lookUp(table.setGroups[group].places, set)
  return place === 0 ? -1 : (place - 1) * WORDS
}

/** Makes set `set`, which is not there, and returns the index of its first word. */
export const makeSet = (table: Table, group: number, set: number): number => {
  const place = table.setCount + 1
  ensure(table, table.setWords, place * WORDS - 1)
  enter(table.setGroups[group].places, set, place)
  table.setCount = place
  return (place - 1) * WORDS
}

/** Whether `n` (0 to 65535) is in set `set` of group `group`. */
export const isTaken = (table: Table, group: number, set: number, n: number): boolean => {
  const base = baseOf(table, group, set)
  return base !== -1 && ((read(table, table.setWords, base + (n >>> 5)) >>> (n & 31)) & 1) === 1
}

/** How many numbers are in the set. */
export const takenCount = (table: Table, group: number, set: number): number => {
  const base = baseOf(table, group, set)
  return base === -1 ? 0 : read(table, table.setWords, base + COUNT)
}

/** Puts `n` (0 to 65535) into the set. How many numbers are in it then; -1 if it was there already. */
export const take = (table: Table, group: number, set: number, n: number): number => {
  let base = baseOf(table, group, set)
  if (base === -1) base = makeSet(table, group, set)
  const words = table.setWords
  const old = read(table, words, base + (n >>> 5))
  const bits = old | (1 << (n & 31))
  if (bits === old) return -1
  const count = read(table, words, base + COUNT) + 1
  write(table, words, base + (n >>> 5), bits)
  write(table, words, base + COUNT, count)
  if (bits !== -1) return count
  const full = read(table, words, base + FULL + (n >>> 10)) | (1 << ((n >>> 5) & 31))
  write(table, words, base + FULL + (n >>> 10), full)
  if (full !== -1) return count
  const fuller = read(table, words, base + FULLER + (n >>> 15)) | (1 << ((n >>> 10) & 31))
  write(table, words, base + FULLER + (n >>> 15), fuller)
  return count
}

/** Takes `n` (0 to 65535) out of the set. How many numbers are in it then; -1 if it was not there. */
export const give = (table: Table, group: number, set: number, n: number): number => {
  const base = baseOf(table, group, set)
  if (base === -1) return -1
  const words = table.setWords
  const old = read(table, words, base + (n >>> 5))
  const bits = old & ~(1 << (n & 31))
  if (bits === old) return -1
  const count = read(table, words, base + COUNT) - 1
  write(table, words, base + (n >>> 5), bits)
  write(table, words, base + COUNT, count)
  if (old !== -1) return count
  const full = read(table, words, base + FULL + (n >>> 10))
  write(table, words, base + FULL + (n >>> 10), full & ~(1 << ((n >>> 5) & 31)))
  if (full !== -1) return count
  const fuller = read(table, words, base + FULLER + (n >>> 15))
  write(table, words, base + FULLER + (n >>> 15), fuller & ~(1 << ((n >>> 10) & 31)))
  return count
}

/** Number of the lowest clear bit at or above bit `bit` of `word`, or 32. */
const clearBit = (word: number, bit: number): number => {
  const clear = ~word & (-1 << bit)
  return clear === 0 ? 32 : 31 - Math.clz32(clear & -clear)
}

/** First number from `from` up that is not in the set, or 65536. At most six word reads. */
const freeFrom = (table: Table, base: number, from: number): number => {
  const words = table.setWords
  let word = from >>> 5
  let bit = clearBit(read(table, words, base + word), from & 31)
  if (bit < 32) return (word << 5) | bit
  word++
  if (word === 2048) return 65536
  let full = word >>> 5
  bit = clearBit(read(table, words, base + FULL + full), word & 31)
  if (bit === 32) {
    full++
    if (full === 64) return 65536
    let fuller = full >>> 5
    bit = clearBit(read(table, words, base + FULLER + fuller), full & 31)
    if (bit === 32) {
      fuller++
      if (fuller === 2) return 65536
      bit = clearBit(read(table, words, base + FULLER + fuller), 0)
      if (bit === 32) return 65536
    }
    full = (fuller << 5) | bit
    bit = clearBit(read(table, words, base + FULL + full), 0)
  }
  word = (full << 5) | bit
  return (word << 5) | clearBit(read(table, words, base + word), 0)
}

/**
 * First number not in the set at or cyclically after `from` inside [first, last], or -1 if all of these are taken.
 * A `from` outside the range counts as `first`.
 */
export const nextFree = (
  table: Table,
  group: number,
  set: number,
  from: number,
  first: number,
  last: number,
): number => {
  const start = from < first || from > last ? first : from
  const base = baseOf(table, group, set)
  if (base === -1) return first > last ? -1 : start
  const after = freeFrom(table, base, start)
  if (after <= last) return after
  const before = freeFrom(table, base, first)
  return before < start ? before : -1
}

/** {@link nextFree} of what is in neither of two sets. Looks at each of their words once at most: 2048 of either. */
export const nextFreeInBoth = (
  table: Table,
  group: number,
  one: number,
  other: number,
  from: number,
  first: number,
  last: number,
): number => {
  const a = baseOf(table, group, one)
  const b = baseOf(table, group, other)
  if (a === -1) return nextFree(table, group, other, from, first, last)
  if (b === -1) return nextFree(table, group, one, from, first, last)
  const start = from < first || from > last ? first : from
  const after = freeFromBoth(table, a, b, start, last)
  return after !== -1 ? after : freeFromBoth(table, a, b, first, start - 1)
}

/** First number in [from, last] that is in neither of the sets at `a` and `b`, or -1. */
const freeFromBoth = (table: Table, a: number, b: number, from: number, last: number): number => {
  if (from > last) return -1
  const words = table.setWords
  let bit = from & 31
  for (let word = from >>> 5; word <= last >>> 5; word++) {
    bit = clearBit(read(table, words, a + word) | read(table, words, b + word), bit)
    if (bit < 32) return ((word << 5) | bit) <= last ? (word << 5) | bit : -1
    bit = 0
  }
  return -1
}

/** First number in [first, last] that is in the set, or -1. Looks at each word of the range once at most. */
export const nextTaken = (table: Table, group: number, set: number, first: number, last: number): number => {
  const base = baseOf(table, group, set)
  if (base === -1) return -1
  let mask = -1 << (first & 31)
  for (let at = first >>> 5; at <= last >>> 5; at++) {
    const bits = read(table, table.setWords, base + at) & mask
    mask = -1
    if (bits === 0) continue
    const found = (at << 5) | (31 - Math.clz32(bits & -bits))
    return found <= last ? found : -1
  }
  return -1
}
