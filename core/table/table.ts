import { copyDirectory, directoryBytes } from "./directory.ts"
import { copyHashIndex, hashIndexBytes } from "./hash-index.ts"
import { makeLog } from "./log.ts"
import { copyExtent, type Extent, ensure, type Memory, makeExtent, makeMemory } from "./memory.ts"
import { FAMILY_WORDS, type Family, makeFamily, widthBitsOf } from "./row.ts"
import { makeSetGroup, type SetGroup } from "./set.ts"
import type { Shape } from "./shape.ts"
import { makeSparse, type Sparse } from "./sparse.ts"
import type { Version } from "./version.ts"
import { makeWheel, type Wheel } from "./wheel.ts"

/**
 * The present of a table, where reads and writes go: one versioned memory and what is laid out on it. Opaque: its fields
 * are for this room alone.
 */
export interface Table extends Memory {
  /** Words of families and wheel that count and point. */
  readonly header: Extent
  /** Rows and indexes. */
  readonly families: readonly Family[]
  /** Sparse arrays. */
  readonly sparses: readonly Sparse[]
  /** Words of a sparse array's page, as a power of two. */
  readonly pageBits: number
  /** What is left of a place within its page. */
  readonly pageMask: number
  /** Pages of all sparse arrays. */
  readonly pages: Extent
  /** Pages in use. */
  pageCount: number
  /** Sets. */
  readonly setGroups: readonly SetGroup[]
  /** Words of all sets. */
  readonly setWords: Extent
  /** Sets in use. */
  setCount: number
  /** What lets rows expire. */
  readonly wheel: Wheel | undefined
  /** The version sealed or opened last. */
  last: Version | undefined
}

const powerOfTwo = (value: number): number => 2 ** Math.ceil(Math.log2(Math.max(1, value)))

/** An empty table. */
export const makeTable = (shape: Shape): Table => {
  const sizes = shape.sizes ?? {}
  const widest = Math.max(0, ...shape.families.map(widthBitsOf))
  const splitSlots = Math.max(4, powerOfTwo(sizes.hashSegmentSlots ?? 8192))
  const pageBits = sizes.pageBits ?? 12
  const cursorAt = shape.families.length * FAMILY_WORDS
  const table: Table = {
    ...makeMemory(Math.max(sizes.segmentBits ?? 18, widest), Math.max(1, sizes.chunkRecords ?? 16384)),
    header: makeExtent(),
    families: shape.families.map((family, number) => makeFamily(family, number, shape.hashKey, splitSlots)),
    sparses: Array.from({ length: shape.sparse }, makeSparse),
    pageBits,
    pageMask: 2 ** pageBits - 1,
    pages: makeExtent(),
    pageCount: 0,
    setGroups: Array.from({ length: shape.sets }, makeSetGroup),
    setWords: makeExtent(),
    setCount: 0,
    wheel: shape.wheel && makeWheel(shape.wheel, powerOfTwo(sizes.wheelSlots ?? 131072), cursorAt),
    last: undefined,
  }
  ensure(table, table.header, cursorAt)
  return table
}

/** An independent table with the same contents and no history. */
export const copyTable = (table: Table): Table => {
  const memory: Memory = {
    ...makeLog(table.chunkRecords),
    bits: table.bits,
    mask: table.mask,
    segments: table.segments.map((segment) => segment.slice()),
  }
  return {
    ...memory,
    header: copyExtent(memory, table.header),
    families: table.families.map((family) => ({
      ...family,
      rows: copyExtent(memory, family.rows),
      hints: copyExtent(memory, family.hints),
      keys: family.keys.map((key) => ({
        ...key,
        index: copyHashIndex(key.index),
        wanted: key.wanted.slice(),
        joined: key.joined.slice(),
      })),
    })),
    sparses: table.sparses.map(({ pages }) => ({ pages: copyDirectory(pages) })),
    pageBits: table.pageBits,
    pageMask: table.pageMask,
    pages: copyExtent(memory, table.pages),
    pageCount: table.pageCount,
    setGroups: table.setGroups.map(({ places }) => ({ places: copyDirectory(places) })),
    setWords: copyExtent(memory, table.setWords),
    setCount: table.setCount,
    wheel: table.wheel && { ...table.wheel, slots: copyExtent(memory, table.wheel.slots) },
    last: undefined,
  }
}

/** Bytes of a table's segments, indexes, directories and newest log chunk. What older versions hold: `historyBytes`. */
export const memoryBytes = (table: Table): number => {
  let bytes = table.records.byteLength
  for (const segment of table.segments) bytes += segment.byteLength
  for (const { keys } of table.families) for (const { index } of keys) bytes += hashIndexBytes(index)
  for (const { pages } of table.sparses) bytes += directoryBytes(pages)
  for (const { places } of table.setGroups) bytes += directoryBytes(places)
  return bytes
}
