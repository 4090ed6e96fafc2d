import { type Extent, ensure, type Memory, read, write } from "./memory.ts"

/**
 * Versioned bits with summaries: level 0 has the bits, each further level a bit for each word of the one below that is not
 * zero, up to a level of one word. The next set bit is found in two reads a level, however far off it is.
 */
export interface BitTree {
  /** Index of each level's first word in its extent, then of the word after the last level's. */
  readonly starts: readonly number[]
}

/** Lays a tree of `bits` bits, at least one, on an extent from the word `start` on. */
export const makeBitTree = (bits: number, start: number): BitTree => {
  const starts = [start]
  let words = bits
  do {
    words = Math.ceil(words / 32)
    starts.push(starts[starts.length - 1] + words)
  } while (words > 1)
  return { starts }
}

/** Makes the tree's words exist. */
export const ensureBits = (memory: Memory, extent: Extent, { starts }: BitTree): void =>
  ensure(memory, extent, starts[starts.length - 1] - 1)

export const setBit = (memory: Memory, extent: Extent, { starts }: BitTree, n: number): void => {
  let at = n
  for (let level = 0; level + 1 < starts.length; level++) {
    const index = starts[level] + (at >>> 5)
    const old = read(memory, extent, index)
    write(memory, extent, index, old | (1 << (at & 31)))
    if (old !== 0) return
    at >>>= 5
  }
}

export const clearBit = (memory: Memory, extent: Extent, { starts }: BitTree, n: number): void => {
  let at = n
  for (let level = 0; level + 1 < starts.length; level++) {
    const index = starts[level] + (at >>> 5)
    const left = read(memory, extent, index) & ~(1 << (at & 31))
    write(memory, extent, index, left)
    if (left !== 0) return
    at >>>= 5
  }
}

const lowest = (word: number): number => 31 - Math.clz32(word & -word)

/** The first set bit at or after `n`, or -1. */
export const nextBit = (memory: Memory, extent: Extent, { starts }: BitTree, n: number): number => {
  let at = n
  for (let level = 0; level + 1 < starts.length; level++) {
    const index = starts[level] + (at >>> 5)
    if (index >= starts[level + 1]) return -1
    const word = read(memory, extent, index) & (-1 << (at & 31))
    if (word !== 0) {
      at = (at & -32) | lowest(word)
      for (let below = level - 1; below >= 0; below--) at = (at << 5) | lowest(read(memory, extent, starts[below] + at))
      return at
    }
    at = (at >>> 5) + 1
  }
  return -1
}
