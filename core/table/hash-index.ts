/**
 * Extendible hashing (R. Fagin et al., ACM TODS 4(3), 1979): the top bits of a hash choose a segment through a directory,
 * its low bits a slot in it. A full segment splits alone, so no step ever rehashes more than one segment; the directory
 * of references is all that doubles as a whole. Segments far under-full merge with their other half again.
 *
 * A segment is an Int32Array of slots [hash, row] (row 0: empty) in linear probing with backward-shift deletion, then two
 * words: entries, and how many top bits of the hash its entries share. Segments double from a few slots up to the full
 * size before any splits. Not versioned: the log records what enters and leaves.
 */
export interface HashIndex {
  /** Slots at which a segment splits rather than doubles; a power of two, at least 4. */
  readonly splitSlots: number
  /** Top bits that choose in the directory: at least 1, because a shift by 32 is none in JavaScript. */
  depth: number
  directory: Int32Array[]
}

const FIRST_SLOTS = 16
/** Hashes that share more top bits than this are a freak, or an attacker who knows the key: the segment doubles instead. */
const MAX_DEPTH = 20

const makeSegment = (slots: number, depth: number): Int32Array => {
  const segment = new Int32Array(slots * 2 + 2)
  segment[slots * 2 + 1] = depth
  return segment
}

const slotsOf = (segment: Int32Array): number => (segment.length - 2) >> 1
/** Where a segment keeps its count of entries. */
const countAt = (segment: Int32Array): number => segment.length - 2
/** And its depth. */
const depthAt = (segment: Int32Array): number => segment.length - 1

/** The segment of a hash. */
export const segmentOf = (index: HashIndex, hash: number): Int32Array => index.directory[hash >>> (32 - index.depth)]
/** Offset of the slot where the search for a hash begins. */
export const homeOf = (segment: Int32Array, hash: number): number => (hash << 1) & (segment.length - 4)
/** Offset of the slot after the one at `at`. */
export const slotAfter = (segment: Int32Array, at: number): number => (at + 2) & (segment.length - 4)

export const makeHashIndex = (splitSlots: number): HashIndex => {
  const segment = makeSegment(Math.min(FIRST_SLOTS, splitSlots), 0)
  return { splitSlots, depth: 1, directory: [segment, segment] }
}

const put = (segment: Int32Array, hash: number, row: number): void => {
  let at = homeOf(segment, hash)
  while (segment[at + 1] !== 0) at = slotAfter(segment, at)
  segment[at] = hash
  segment[at + 1] = row
  segment[countAt(segment)]++
}

/** First directory entry of the segment, of the given depth, that `hash` belongs to. */
const firstEntry = (index: HashIndex, hash: number, depth: number): number => {
  const entry = hash >>> (32 - index.depth)
  return entry - (entry & (2 ** (index.depth - depth) - 1))
}

const point = (index: HashIndex, first: number, segment: Int32Array): void => {
  const entries = 2 ** (index.depth - segment[depthAt(segment)])
  for (let entry = first; entry < first + entries; entry++) index.directory[entry] = segment
}

const double = (index: HashIndex, hash: number, old: Int32Array): void => {
  const depth = old[depthAt(old)]
  const segment = makeSegment(slotsOf(old) * 2, depth)
  for (let at = 0; at < countAt(old); at += 2) if (old[at + 1] !== 0) put(segment, old[at], old[at + 1])
  point(index, firstEntry(index, hash, depth), segment)
}

const split = (index: HashIndex, hash: number, old: Int32Array): void => {
  const depth = old[depthAt(old)] + 1
  const low = makeSegment(slotsOf(old), depth)
  const high = makeSegment(slotsOf(old), depth)
  for (let at = 0; at < countAt(old); at += 2) {
    if (old[at + 1] !== 0) put((old[at] >>> (32 - depth)) & 1 ? high : low, old[at], old[at + 1])
  }
  if (depth > index.depth) {
    index.directory = index.directory.flatMap((segment) => [segment, segment])
    index.depth++
  }
  const first = firstEntry(index, hash, depth - 1)
  point(index, first, low)
  point(index, first + 2 ** (index.depth - depth), high)
}

/** Makes sure that one entry with this hash fits. May run out of memory; changes nothing that a search could see. */
export const makeRoom = (index: HashIndex, hash: number): void => {
  for (;;) {
    const segment = segmentOf(index, hash)
    const slots = slotsOf(segment)
    if (segment[countAt(segment)] < (slots * 13) >> 4) return
    if (slots < index.splitSlots || segment[depthAt(segment)] === MAX_DEPTH) double(index, hash, segment)
    else split(index, hash, segment)
  }
}

/** Adds a row; `makeRoom` comes first. */
export const addEntry = (index: HashIndex, hash: number, row: number): void => put(segmentOf(index, hash), hash, row)

/** Closes the gap at slot offset `gap` by moving back the entries that it would cut off from their home. */
const closeGap = (segment: Int32Array, gap: number): void => {
  const mask = segment.length - 4
  let at = slotAfter(segment, gap)
  while (segment[at + 1] !== 0) {
    if (((at - homeOf(segment, segment[at])) & mask) >= ((at - gap) & mask)) {
      segment[gap] = segment[at]
      segment[gap + 1] = segment[at + 1]
      gap = at
    }
    at = slotAfter(segment, at)
  }
  segment[gap] = 0
  segment[gap + 1] = 0
}

/** Joins a segment with its other half, and so on, while neither has an eighth of its slots in use. */
const merge = (index: HashIndex, hash: number, segment: Int32Array): void => {
  const few = slotsOf(segment) >> 3
  for (let depth = segment[depthAt(segment)]; depth > 0 && segment[countAt(segment)] <= few; depth--) {
    const other = index.directory[firstEntry(index, hash, depth) ^ (2 ** (index.depth - depth))]
    if (other.length !== segment.length || other[depthAt(other)] !== depth || other[countAt(other)] > few) return
    for (let at = 0; at < countAt(other); at += 2) if (other[at + 1] !== 0) put(segment, other[at], other[at + 1])
    segment[depthAt(segment)] = depth - 1
    point(index, firstEntry(index, hash, depth - 1), segment)
  }
}

/** Takes a row out; false if it is not there. Needs no memory. */
export const removeEntry = (index: HashIndex, hash: number, row: number): boolean => {
  const segment = segmentOf(index, hash)
  let at = homeOf(segment, hash)
  while (segment[at + 1] !== row) {
    if (segment[at + 1] === 0) return false
    at = slotAfter(segment, at)
  }
  closeGap(segment, at)
  segment[countAt(segment)]--
  merge(index, hash, segment)
  return true
}

const eachSegment = (index: HashIndex, visit: (segment: Int32Array, entries: number) => void): void => {
  for (let entry = 0; entry < index.directory.length; ) {
    const segment = index.directory[entry]
    const entries = 2 ** (index.depth - segment[depthAt(segment)])
    visit(segment, entries)
    entry += entries
  }
}

export const copyHashIndex = (index: HashIndex): HashIndex => {
  const directory: Int32Array[] = []
  eachSegment(index, (segment, entries) => {
    const twin = segment.slice()
    for (let n = 0; n < entries; n++) directory.push(twin)
  })
  return { splitSlots: index.splitSlots, depth: index.depth, directory }
}

export const hashIndexBytes = (index: HashIndex): number => {
  let bytes = index.directory.length * 8
  eachSegment(index, (segment) => {
    bytes += segment.byteLength
  })
  return bytes
}
