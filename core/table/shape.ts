/** Sizes of a table's parts. The defaults suit millions of rows; tests make them tiny, so that every boundary is met. */
export interface Sizes {
  /** A memory segment has 2^segmentBits words. Default 18: 1 MiB. Raised where a row would not fit. */
  readonly segmentBits?: number
  /** Records of 8 bytes in a log chunk at most. Default 16384. */
  readonly chunkRecords?: number
  /** Slots of 8 bytes in a hash segment before it splits, a power of two. Default 8192. */
  readonly hashSegmentSlots?: number
  /** A page of a sparse array has 2^pageBits words. Default 12. */
  readonly pageBits?: number
  /** Slots of one second in the timing wheel, a power of two. Default 131072: a turn of 36 hours. */
  readonly wheelSlots?: number
}

/** Words [from, to) of a row. */
export interface KeyShape {
  /** The first word of the key, from 0. */
  readonly from: number
  /** The first word after it. */
  readonly to: number
  /** Rows whose word `from` is 0 may have the same key; `find` gives any of them. Default: no two rows may. */
  readonly repeats?: boolean
  /**
   * The word `from` is the number of a row of another family, an earlier one, and words [from, to) of that row stand in the
   * key for it, or -1 as often where it is 0: so a row is found in one search by what the other one says. Those words
   * stay as they are while the row is in the index.
   */
  readonly through?: Through
}

/** Words [from, to) of a row of another family. */
export interface Through {
  /** The family, by its place in the shape. */
  readonly family: number
  /** The first word, from 0. */
  readonly from: number
  /** The first word after them. */
  readonly to: number
}

/** One kind of row. */
export interface FamilyShape {
  /** 32-bit words a row, rounded up to a power of two. */
  readonly width: number
  /** The row's key in a hash index; undefined: no index. */
  readonly key: KeyShape | undefined
  /** A second key, with an index of its own. */
  readonly secondKey?: KeyShape
}

/** The wheel links rows of one family through three of their words, which nobody else may write. */
export interface WheelShape {
  /** The family, by its place in the shape. */
  readonly family: number
  /** Word of the row: the next one in its slot. */
  readonly next: number
  /** Word of the row: the one before it. */
  readonly prev: number
  /** Word of the row: the slot that it is in. */
  readonly slot: number
}

/** What a table holds; fixed for its life. */
export interface Shape {
  /** Kinds of rows, numbered from 0. */
  readonly families: readonly FamilyShape[]
  /** How many sparse arrays, numbered from 0. */
  readonly sparse: number
  /** How many groups of sets, numbered from 0. */
  readonly sets: number
  /** What lets rows expire; `undefined`: nothing does. */
  readonly wheel: WheelShape | undefined
  /** Secret of the index hash, two 32-bit words: whoever does not know it cannot choose keys that collide. */
  readonly hashKey: readonly [number, number]
  /** Room made at once; left out, it grows when it must. */
  readonly sizes?: Sizes
}
