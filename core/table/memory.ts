import { append, type Log, makeLog, reserve } from "./log.ts"

/**
 * One versioned memory of 32-bit words. A cell's number is segment << bits | offset; a write logs the old value first.
 * Segments are made on demand, zero, and never given back: which exist is no part of a version, since a cell that a
 * version does not use reads 0 in it.
 */
export interface Memory extends Log {
  readonly bits: number
  readonly mask: number
  readonly segments: Int32Array[]
}

/** A growing array of versioned words, laid on segments of its own. */
export interface Extent {
  readonly segments: Int32Array[]
  /** The cell number of each segment's first word. */
  readonly bases: number[]
  /** Words that exist. */
  reach: number
}

/** Cell numbers from here up stand for the operations of logical records. */
export const LOGICAL = 0xf0000000

/** First words of an extent: its first segment doubles from here, so that small tables stay small. */
const FIRST_WORDS = 256

export const makeMemory = (bits: number, chunkRecords: number): Memory => ({
  ...makeLog(chunkRecords),
  bits,
  mask: 2 ** bits - 1,
  segments: [],
})

export const makeExtent = (): Extent => ({ segments: [], bases: [], reach: 0 })

const grow = (memory: Memory, extent: Extent, index: number): void => {
  const size = memory.mask + 1
  if (extent.segments.length === 0) {
    const id = memory.segments.length
    if ((id + 1) * size > LOGICAL) throw new RangeError("the table's memory has no cell numbers left")
    const segment = new Int32Array(Math.min(FIRST_WORDS, size))
    memory.segments.push(segment)
    extent.segments.push(segment)
    extent.bases.push(id << memory.bits)
    extent.reach = segment.length
  }
  if (index >= extent.reach && extent.reach < size) {
    let words = extent.reach
    while (words <= index && words < size) words *= 2
    const segment = new Int32Array(words)
    segment.set(extent.segments[0])
    memory.segments[extent.bases[0] >>> memory.bits] = segment
    extent.segments[0] = segment
    extent.reach = words
  }
  while (index >= extent.reach) {
    const id = memory.segments.length
    if ((id + 1) * size > LOGICAL) throw new RangeError("the table's memory has no cell numbers left")
    const segment = new Int32Array(size)
    memory.segments.push(segment)
    extent.segments.push(segment)
    extent.bases.push(id << memory.bits)
    extent.reach += size
  }
}

/** Makes the words up to `index` exist. Throws a RangeError when cell numbers (15 GiB) or the runtime's memory run out. */
export const ensure = (memory: Memory, extent: Extent, index: number): void => {
  if (index >= extent.reach) grow(memory, extent, index)
}

/** The word at `index`, which exists. */
export const read = (memory: Memory, extent: Extent, index: number): number =>
  extent.segments[index >>> memory.bits][index & memory.mask]

/** Writes the word at `index`, which exists. No record if that changes nothing. */
export const write = (memory: Memory, extent: Extent, index: number, value: number): void => {
  const number = index >>> memory.bits
  const offset = index & memory.mask
  const segment = extent.segments[number]
  const old = segment[offset]
  if (old === (value | 0)) return
  reserve(memory)
  append(memory, extent.bases[number] | offset, old)
  segment[offset] = value
}

/** Writes words from `index` on, all of which exist and lie in one segment, as a row's do. */
export const writeAll = (memory: Memory, extent: Extent, index: number, values: Int32Array): void => {
  const number = index >>> memory.bits
  const first = index & memory.mask
  const segment = extent.segments[number]
  const base = extent.bases[number] | first
  let at = 0
  while (at < values.length) {
    reserve(memory)
    // As far as the chunk goes, without a look at it for each word.
    const { records } = memory
    let { position } = memory
    for (; at < values.length && position < memory.end; at++) {
      const old = segment[first + at]
      if (old === values[at]) continue
      records[position << 1] = base + at
      records[(position << 1) + 1] = old
      position++
      segment[first + at] = values[at]
    }
    memory.position = position
  }
}

/** A copy of `extent` for a memory whose segments are copies of the first one's. */
export const copyExtent = (memory: Memory, extent: Extent): Extent => ({
  segments: extent.bases.map((base) => memory.segments[base >>> memory.bits]),
  bases: extent.bases.slice(),
  reach: extent.reach,
})
