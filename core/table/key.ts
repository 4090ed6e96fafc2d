import { halfSipHash13 } from "./halfsiphash.ts"
import { addEntry, homeOf, makeRoom, removeEntry, segmentOf, slotAfter } from "./hash-index.ts"
import { append, reserve } from "./log.ts"
import { LOGICAL, type Memory, read } from "./memory.ts"
import type { Family, FamilyKey } from "./row.ts"
import type { Table } from "./table.ts"

const NOTHING = new Int32Array(0)

/** Logical records: LOGICAL | the bit for leaving | the bit for the second key | the family, then the row. */
const ENTER = LOGICAL | 0
const LEAVE = ENTER | (1 << 27)
const SECOND = 26
const FAMILY_MASK = (1 << SECOND) - 1

const hashRow = (memory: Memory, family: Family, key: FamilyKey, row: number): number => {
  const index = row << family.widthBits
  const offset = index & memory.mask
  return halfSipHash13(key.k0, key.k1, family.rows.segments[index >>> memory.bits], offset + key.from, offset + key.to)
}

const hasKey = (memory: Memory, family: Family, key: FamilyKey, row: number): boolean => {
  const index = row << family.widthBits
  const segment = family.rows.segments[index >>> memory.bits]
  const first = (index & memory.mask) + key.from
  const { wanted } = key
  for (let at = 0; at < wanted.length; at++) if (segment[first + at] !== wanted[at]) return false
  return true
}

const enterIndex = (memory: Memory, family: Family, key: FamilyKey, row: number): void => {
  const hash = hashRow(memory, family, key, row)
  makeRoom(key.index, hash)
  addEntry(key.index, hash, row)
}

/**
 * Enters a row of a table that has no past into one index, with no record; false if another row is there with the same key,
 * which may not be.
 */
export const enterUnique = (memory: Memory, family: Family, key: FamilyKey, row: number): boolean => {
  const hash = hashRow(memory, family, key, row)
  const segment = segmentOf(key.index, hash)
  const repeats = key.repeats === true && read(memory, family.rows, (row << family.widthBits) | key.from) === 0
  for (let at = homeOf(segment, hash); !repeats && segment[at + 1] !== 0; at = slotAfter(segment, at))
    if (segment[at] === hash && haveSameKey(memory, family, key, row, segment[at + 1])) return false
  makeRoom(key.index, hash)
  addEntry(key.index, hash, row)
  return true
}

const haveSameKey = (
  memory: Memory,
  { rows, widthBits }: Family,
  key: FamilyKey,
  one: number,
  other: number,
): boolean => {
  for (let at = key.from; at < key.to; at++)
    if (read(memory, rows, (one << widthBits) | at) !== read(memory, rows, (other << widthBits) | at)) return false
  return true
}

const leaveIndex = (memory: Memory, family: Family, key: FamilyKey, row: number): boolean =>
  removeEntry(key.index, hashRow(memory, family, key, row), row)

/** Puts a row, its key words written, into its family's indexes. No key may be in one yet. */
export const indexRow = (table: Table, family: number, row: number): void => {
  const rows = table.families[family]
  for (let number = 0; number < rows.keys.length; number++) {
    reserve(table)
    enterIndex(table, rows, rows.keys[number], row)
    append(table, ENTER | (number << SECOND) | family, row)
  }
}

/** Takes a row, its key words still there, out of its family's indexes; nothing if it is not in. */
export const unindexRow = (table: Table, family: number, row: number): void => {
  const rows = table.families[family]
  for (let number = 0; number < rows.keys.length; number++) {
    reserve(table)
    if (leaveIndex(table, rows, rows.keys[number], row)) append(table, LEAVE | (number << SECOND) | family, row)
  }
}

/**
 * Does again (`forward`) or takes back what a logical record [cell, row] did. The row's words are then what they were:
 * a row is fully written before it enters, its key stays while it is in, and it leaves before its words are cleared.
 */
export const crossLogical = (table: Table, cell: number, row: number, forward: boolean): void => {
  const family = table.families[cell & FAMILY_MASK]
  const key = family.keys[(cell >>> SECOND) & 1]
  if (((cell & LEAVE) === LEAVE) === forward) leaveIndex(table, family, key, row)
  else enterIndex(table, family, key, row)
}

/** Where to write the wanted key words before `find`: a scratch of the table, as long as the key. `which` 1: the second. */
export const keyOf = (table: Table, family: number, which: 0 | 1 = 0): Int32Array => {
  const { keys } = table.families[family]
  return which < keys.length ? keys[which].wanted : NOTHING
}

/** The row in the index whose key words are those in `keyOf`, or 0. */
export const find = (table: Table, family: number, which: 0 | 1 = 0): number => {
  const rows = table.families[family]
  if (which >= rows.keys.length) return 0
  const key = rows.keys[which]
  const hash = halfSipHash13(key.k0, key.k1, key.wanted, 0, key.wanted.length)
  const segment = segmentOf(key.index, hash)
  for (let at = homeOf(segment, hash); ; at = slotAfter(segment, at)) {
    const row = segment[at + 1]
    if (row === 0 || (segment[at] === hash && hasKey(table, rows, key, row))) return row
  }
}

/** How many rows of the index have the key words that are in `keyOf`, counted up to `limit`. */
export const countKey = (table: Table, family: number, limit: number): number => {
  const rows = table.families[family]
  const [key] = rows.keys
  if (key === undefined) return 0
  const hash = halfSipHash13(key.k0, key.k1, key.wanted, 0, key.wanted.length)
  const segment = segmentOf(key.index, hash)
  let count = 0
  for (let at = homeOf(segment, hash); segment[at + 1] !== 0 && count < limit; at = slotAfter(segment, at))
    if (segment[at] === hash && hasKey(table, rows, key, segment[at + 1])) count++
  return count
}
