import { ensureBits, setBit } from "./bit-tree.ts"
import { enter, lookUp } from "./directory.ts"
import { enterUnique } from "./key.ts"
import { type Extent, ensure, read } from "./memory.ts"
import { hasWords, type Reader, takeWord, takeWords } from "./reader.ts"
import { type Family, FREE, FREE_COUNT, USED } from "./row.ts"
import { baseOf, COUNT, FULL, FULLER, makeSet } from "./set.ts"
import type { Shape } from "./shape.ts"
import { eachSpan, rowSpan, shapeWords } from "./snapshot.ts"
import { makeTable, type Table } from "./table.ts"
import { seal, type Version } from "./version.ts"

/** What is wrong with a table's snapshot: of another shape, or not what any table would write. */
export type RestoreFault = "shape" | "contents"

/**
 * The version that `saveTable` wrote, read from the same place: as that one in every answer, with no history. The table
 * has this shape, whose hash key may be another one. Any octets give a version that holds together, or a fault:
 * rows free or in use, no key twice, and the wheel's lists are all checked.
 */
export const restoreTable = (shape: Shape, reader: Reader): Version | RestoreFault => {
  const sizes = readSizes(shape, reader)
  if (sizes === undefined) return "shape"
  const table = makeTable({ ...shape, sizes: { ...shape.sizes, ...sizes } })
  return fill(table, reader) && !reader.failed ? seal(table) : "contents"
}

/** Page size and slots that the snapshot was written with; `undefined` if the rest of its shape is not the wanted one. */
const readSizes = (shape: Shape, reader: Reader) => {
  // A table with parts as small as can be says in one list what is wanted; two of its words may differ.
  const wanted = shapeWords(makeTable({ ...shape, sizes: { pageBits: 0, wheelSlots: 1 } }))
  const slotsAt = shape.wheel === undefined ? -1 : wanted.length - 1
  const pageBitsAt = wanted.length - (shape.wheel === undefined ? 3 : 8)
  let pageBits = 0
  let wheelSlots = 1
  for (let at = 0; at < wanted.length; at++) {
    const word = takeWord(reader)
    if (at === slotsAt) wheelSlots = word
    else if (at === pageBitsAt) pageBits = word
    else if (word !== wanted[at]) return undefined
  }
  const isPower = wheelSlots > 0 && (wheelSlots & (wheelSlots - 1)) === 0
  return isPower && wheelSlots <= MAX_SLOTS && pageBits >= 0 && pageBits <= MAX_PAGE_BITS
    ? { pageBits, wheelSlots }
    : undefined
}

const MAX_SLOTS = 2 ** 24
const MAX_PAGE_BITS = 20

const fill = (table: Table, reader: Reader): boolean => {
  if (!hasWords(reader, 3 * table.families.length + 1)) return false
  for (const { header } of table.families)
    for (const at of [FREE, FREE_COUNT, USED]) put(table, table.header, header + at, takeWord(reader))
  const cursor = takeWord(reader)
  if (table.wheel !== undefined) put(table, table.header, table.wheel.cursorAt, cursor)
  else if (cursor !== 0) return false
  const frees: Uint8Array[] = []
  for (const family of table.families) {
    const free = fillRows(table, family, reader)
    if (free === undefined) return false
    frees.push(free)
  }
  for (let sparse = 0; sparse < table.sparses.length; sparse++) if (!fillPages(table, sparse, reader)) return false
  for (let group = 0; group < table.setGroups.length; group++) if (!fillSets(table, group, reader)) return false
  return fillWheel(table, reader, frees)
}

/** Writes a word that exists, with no record: a table that is being filled has no older version. */
const put = (table: Table, extent: Extent, index: number, value: number): void => {
  extent.segments[index >>> table.bits][index & table.mask] = value
}

/** Reads a family's rows and enters them into its indexes: 1 for each free row, or `undefined` if they cannot be so. */
const fillRows = (table: Table, family: Family, reader: Reader): Uint8Array | undefined => {
  const { header, rows, widthBits } = family
  const used = read(table, table.header, header + USED)
  // Row numbers in words fit a signed word, as in every table.
  if (used < 0 || used >= 2 ** (31 - widthBits) - 1 || !hasWords(reader, used * 2 ** widthBits)) return undefined
  const [from, to] = rowSpan(family, used)
  ensure(table, rows, to - 1)
  eachSpan(table, rows, from, to, (segment, start, end) => takeWords(reader, segment, start, end))
  const free = readFree(table, family)
  if (free === undefined) return undefined
  for (const key of family.keys)
    for (let row = 1; row <= used; row++) if (free[row] === 0 && !enterUnique(table, family, key, row)) return undefined
  return free
}

/** 1 at the number of each free row, by the list of them; `undefined` if that is none, or a free row has more than its link. */
const readFree = (table: Table, { header, rows, widthBits }: Family): Uint8Array | undefined => {
  const used = read(table, table.header, header + USED)
  const free = new Uint8Array(used + 1)
  const count = read(table, table.header, header + FREE_COUNT)
  let row = read(table, table.header, header + FREE)
  let met = 0
  for (; row !== 0; met++) {
    if (row < 0 || row > used || free[row] === 1) return undefined
    free[row] = 1
    const base = row << widthBits
    for (let at = base + 1; at < base + (1 << widthBits); at++) if (read(table, rows, at) !== 0) return undefined
    row = read(table, rows, base)
  }
  return met === count ? free : undefined
}

/** 1 at the number of each free row of a family, below `rowLimit`: for whoever checks what was restored. */
export const freeRows = (table: Table, family: number): Uint8Array =>
  readFree(table, table.families[family]) ?? new Uint8Array(0)

/** Calls `one` with each number that follows a word 1, until a word 0; false where there is another word, or `one` says so. */
const eachRecord = (reader: Reader, one: (number: number) => boolean): boolean => {
  for (;;) {
    const word = takeWord(reader)
    if (word !== 1) return word === 0 && !reader.failed
    if (!one(takeWord(reader) >>> 0)) return false
  }
}

const fillPages = (table: Table, sparse: number, reader: Reader): boolean => {
  const { pages } = table.sparses[sparse]
  const size = table.pageMask + 1
  return eachRecord(reader, (page) => {
    if (!hasWords(reader, size) || page * size > 0xffffffff || lookUp(pages, page) !== 0) return false
    const from = table.pageCount * size
    ensure(table, table.pages, from + size - 1)
    enter(pages, page, ++table.pageCount)
    eachSpan(table, table.pages, from, from + size, (segment, start, end) => takeWords(reader, segment, start, end))
    return true
  })
}

const fillSets = (table: Table, group: number, reader: Reader): boolean =>
  eachRecord(reader, (set) => {
    if (baseOf(table, group, set) !== -1 || !hasWords(reader, FULL >> 5)) return false
    const which = new Int32Array(FULL >> 5)
    takeWords(reader, which, 0, which.length)
    const base = makeSet(table, group, set)
    const words = table.setWords
    let count = 0
    for (let at = 0; at < FULL; at++) {
      if (((which[at >>> 5] >>> (at & 31)) & 1) === 0) continue
      const word = takeWord(reader)
      put(table, words, base + at, word)
      count += ones(word)
      if (word === -1) addBit(table, words, base + FULL, at)
    }
    for (let at = 0; at < FULL >> 5; at++)
      if (read(table, words, base + FULL + at) === -1) addBit(table, words, base + FULLER, at)
    put(table, words, base + COUNT, count)
    return !reader.failed
  })

const addBit = (table: Table, extent: Extent, first: number, n: number): void => {
  const index = first + (n >>> 5)
  put(table, extent, index, read(table, extent, index) | (1 << (n & 31)))
}

/** Bits that are 1 in a word (H. S. Warren, Hacker's Delight, section 5-1). */
const ones = (word: number): number => {
  const pairs = word - ((word >>> 1) & 0x55555555)
  const fours = (pairs & 0x33333333) + ((pairs >>> 2) & 0x33333333)
  return Math.imul((fours + (fours >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24
}

/** Reads the heads and walks their lists: each linked row must be in use, in one list once, and know its neighbours and slot. */
const fillWheel = (table: Table, reader: Reader, frees: readonly Uint8Array[]): boolean => {
  const { wheel } = table
  if (wheel === undefined) return takeWord(reader) === 0
  const { family, next, prev, slot: slotAt } = wheel.shape
  const { rows, widthBits } = table.families[family]
  const free = frees[family]
  const linked = new Uint8Array(free.length)
  const at = (row: number, field: number): number => read(table, rows, (row << widthBits) | field)
  let least = 1
  for (let slot = takeWord(reader); slot !== 0; slot = takeWord(reader)) {
    if (slot < least || slot > wheel.slotMask + 1) return false
    least = slot + 1
    const head = takeWord(reader)
    if (head === 0) return false
    for (let row = head, before = 0; row !== 0; before = row, row = at(row, next)) {
      if (row < 0 || row >= free.length || free[row] === 1 || linked[row] === 1) return false
      if (at(row, prev) !== before || at(row, slotAt) !== slot) return false
      linked[row] = 1
    }
    ensureBits(table, wheel.slots, wheel.occupied)
    put(table, wheel.slots, slot - 1, head)
    setBit(table, wheel.slots, wheel.occupied, slot - 1)
  }
  for (let row = 1; row < free.length; row++)
    if (linked[row] === 0 && free[row] === 0 && (at(row, slotAt) | at(row, next) | at(row, prev)) !== 0) return false
  return true
}
