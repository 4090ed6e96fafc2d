import { type HashIndex, makeHashIndex } from "./hash-index.ts"
import { type Extent, ensure, makeExtent, read, write, writeAll } from "./memory.ts"
import type { FamilyShape, KeyShape } from "./shape.ts"
import type { Table } from "./table.ts"
import { leaveWheel } from "./wheel.ts"

/** Rows of one kind: row id << widthBits is the index of a row's first word. */
export interface Family {
  readonly number: number
  readonly widthBits: number
  readonly rows: Extent
  /** A word a row, of no version. */
  readonly hints: Extent
  /** Where the table's header has this family's three words: first free row, free rows, ids ever used. */
  readonly header: number
  /** None, one or two. */
  readonly keys: readonly FamilyKey[]
}

/** The index of a family over its key words [from, to). */
export interface FamilyKey extends KeyShape {
  readonly k0: number
  readonly k1: number
  readonly index: HashIndex
  /** Filled by whoever asks `find`. */
  readonly wanted: Int32Array
  /** The hash of `wanted`, once `hashed`: a row that is not found is mostly added and indexed next. */
  hash: number
  hashed: boolean
  /** Where the words of a key are put together that is not in one place. */
  readonly joined: Int32Array
}

export const FREE = 0
export const FREE_COUNT = 1
export const USED = 2
/** Header words a family. */
export const FAMILY_WORDS = 3

export const widthBitsOf = (shape: FamilyShape): number => 32 - Math.clz32(Math.max(1, shape.width) - 1)

const makeKey = (shape: KeyShape, hashKey: readonly [number, number], splitSlots: number): FamilyKey => ({
  ...shape,
  k0: hashKey[0] | 0,
  k1: hashKey[1] | 0,
  index: makeHashIndex(splitSlots),
  wanted: new Int32Array(keyWords(shape)),
  hash: 0,
  hashed: false,
  joined: new Int32Array(shape.through === undefined ? 0 : keyWords(shape)),
})

const keyWords = ({ from, to, through }: KeyShape): number =>
  to - from + (through === undefined ? 0 : through.to - through.from - 1)

export const makeFamily = (
  shape: FamilyShape,
  number: number,
  hashKey: readonly [number, number],
  splitSlots: number,
): Family => ({
  number,
  widthBits: widthBitsOf(shape),
  rows: makeExtent(),
  hints: makeExtent(),
  header: number * FAMILY_WORDS,
  keys: [shape.key, shape.secondKey].flatMap((key) => (key === undefined ? [] : [makeKey(key, hashKey, splitSlots)])),
})

/**
 * Adds a row of zeroed words and returns its id, from 1 up: one that was dropped before, if there is one, else a new one.
 * Throws a RangeError when memory runs out; the versions sealed before stay good.
 */
export const addRow = (table: Table, family: number): number => {
  const { header, rows, widthBits } = table.families[family]
  const free = read(table, table.header, header + FREE)
  if (free !== 0) {
    // A free row keeps the next free one in its first word.
    write(table, table.header, header + FREE, read(table, rows, free << widthBits))
    write(table, table.header, header + FREE_COUNT, read(table, table.header, header + FREE_COUNT) - 1)
    write(table, rows, free << widthBits, 0)
    return free
  }
  const row = read(table, table.header, header + USED) + 1
  ensure(table, rows, ((row + 1) << widthBits) - 1)
  write(table, table.header, header + USED, row)
  return row
}

/** Drops a row, which must have left its index (`unindexRow`); it leaves the wheel by itself. Its words read 0 but the first. */
export const dropRow = (table: Table, family: number, row: number): void => {
  leaveWheel(table, family, row)
  const { header, rows, widthBits } = table.families[family]
  const base = row << widthBits
  for (let index = base + 1; index < base + (1 << widthBits); index++) write(table, rows, index, 0)
  write(table, rows, base, read(table, table.header, header + FREE))
  write(table, table.header, header + FREE, row)
  write(table, table.header, header + FREE_COUNT, read(table, table.header, header + FREE_COUNT) + 1)
}

/** Word `index` of a row, signed. */
export const word = (table: Table, family: number, row: number, index: number): number => {
  const { rows, widthBits } = table.families[family]
  return read(table, rows, (row << widthBits) | index)
}

/** Writes word `index` of a row. Key words never, while the row is in its index. */
export const setWord = (table: Table, family: number, row: number, index: number, value: number): void => {
  const { rows, widthBits } = table.families[family]
  write(table, rows, (row << widthBits) | index, value)
}

/** Writes the first words of a row, one for each of `values`, as {@link setWord} would each: for one that was just added. */
export const setWords = (table: Table, family: number, row: number, values: Int32Array): void => {
  const { rows, widthBits } = table.families[family]
  writeAll(table, rows, row << widthBits, values)
}

/** How many rows the family has. */
export const rowCount = (table: Table, family: number): number => {
  const { header } = table.families[family]
  return read(table, table.header, header + USED) - read(table, table.header, header + FREE_COUNT)
}

/** All rows of the family have ids below this: for listing by cursor. Words of free ids among them read 0 but the first. */
export const rowLimit = (table: Table, family: number): number =>
  read(table, table.header, table.families[family].header + USED) + 1
