import { halfSipHash13 } from "./halfsiphash.ts"
import { addEntry, homeOf, makeRoom, removeEntry, segmentOf, slotAfter } from "./hash-index.ts"
import { append, reserve } from "./log.ts"
import { LOGICAL, read } from "./memory.ts"
import { type Family, type FamilyKey, rowLimit } from "./row.ts"
import type { Through } from "./shape.ts"
import type { Table } from "./table.ts"

const NOTHING = new Int32Array(0)

/** Logical records: LOGICAL | the bit for leaving | the bit for the second key | the family, then the row. */
const ENTER = LOGICAL | 0
const LEAVE = ENTER | (1 << 27)
const SECOND = 26
const FAMILY_MASK = (1 << SECOND) - 1

const hashRow = (table: Table, family: Family, key: FamilyKey, row: number): number => {
  if (key.through !== undefined) {
    if (key.hashed && hasKey(table, family, key, row)) return key.hash
    join(table, family, key, key.through, row)
    return halfSipHash13(key.k0, key.k1, key.joined, 0, key.joined.length)
  }
  const index = row << family.widthBits
  const offset = index & table.mask
  return halfSipHash13(key.k0, key.k1, family.rows.segments[index >>> table.bits], offset + key.from, offset + key.to)
}

const hashWanted = (key: FamilyKey): number => {
  key.hash = halfSipHash13(key.k0, key.k1, key.wanted, 0, key.wanted.length)
  key.hashed = true
  return key.hash
}

/** The words of another row that stand in a key for its number, in place of 0. */
const NOBODY = -1

/** Puts a row's key together that goes through another row. */
const join = (table: Table, family: Family, key: FamilyKey, through: Through, row: number): void => {
  const { joined } = key
  const base = row << family.widthBits
  const other = read(table, family.rows, base | key.from)
  const { rows, widthBits } = table.families[through.family]
  let at = 0
  for (let from = through.from; from < through.to; from++)
    joined[at++] = other === 0 ? NOBODY : read(table, rows, (other << widthBits) | from)
  for (let from = key.from + 1; from < key.to; from++) joined[at++] = read(table, family.rows, base | from)
}

const hasKey = (table: Table, family: Family, key: FamilyKey, row: number): boolean => {
  const { through, wanted } = key
  const index = row << family.widthBits
  const segment = family.rows.segments[index >>> table.bits]
  const first = (index & table.mask) + key.from
  if (through === undefined) {
    for (let at = 0; at < wanted.length; at++) if (segment[first + at] !== wanted[at]) return false
    return true
  }
  const own = key.to - key.from - 1
  const count = wanted.length - own
  for (let at = 0; at < own; at++) if (segment[first + 1 + at] !== wanted[count + at]) return false
  const other = segment[first]
  if (other === 0) {
    for (let at = 0; at < count; at++) if (wanted[at] !== NOBODY) return false
    return true
  }
  const { rows, widthBits } = table.families[through.family]
  const there = other << widthBits
  const words = rows.segments[there >>> table.bits]
  const start = (there & table.mask) + through.from
  for (let at = 0; at < count; at++) if (words[start + at] !== wanted[at]) return false
  return true
}

const enterIndex = (table: Table, family: Family, key: FamilyKey, row: number): void => {
  const hash = hashRow(table, family, key, row)
  makeRoom(key.index, hash)
  addEntry(key.index, hash, row)
}

/**
 * Enters a row of a table that has no past into one index, with no record; false if another row is there with the same key,
 * which may not be, or the row that its key goes through is none.
 */
export const enterUnique = (table: Table, family: Family, key: FamilyKey, row: number): boolean => {
  const first = read(table, family.rows, (row << family.widthBits) | key.from)
  if (key.through !== undefined && (first < 0 || first >= rowLimit(table, key.through.family))) return false
  const hash = hashRow(table, family, key, row)
  const segment = segmentOf(key.index, hash)
  const repeats = key.repeats === true && first === 0
  for (let at = homeOf(segment, hash); !repeats && segment[at + 1] !== 0; at = slotAfter(segment, at))
    if (segment[at] === hash && haveSameKey(table, family, key, row, segment[at + 1])) return false
  makeRoom(key.index, hash)
  addEntry(key.index, hash, row)
  return true
}

/** Have two rows the same key words? Those of two rows that a key goes through differ if their numbers do. */
const haveSameKey = (
  table: Table,
  { rows, widthBits }: Family,
  key: FamilyKey,
  one: number,
  other: number,
): boolean => {
  for (let at = key.from; at < key.to; at++)
    if (read(table, rows, (one << widthBits) | at) !== read(table, rows, (other << widthBits) | at)) return false
  return true
}

const leaveIndex = (table: Table, family: Family, key: FamilyKey, row: number): boolean =>
  removeEntry(key.index, hashRow(table, family, key, row), row)

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

/**
 * Where to write the wanted key words before `find`, each time anew: a scratch of the table, as long as the key. `which`
 * 1: the second key.
 */
export const keyOf = (table: Table, family: number, which: 0 | 1 = 0): Int32Array => {
  const { keys } = table.families[family]
  if (which >= keys.length) return NOTHING
  keys[which].hashed = false
  return keys[which].wanted
}

/** The row in the index whose key words are those in `keyOf`, or 0. */
export const find = (table: Table, family: number, which: 0 | 1 = 0): number => {
  const rows = table.families[family]
  if (which >= rows.keys.length) return 0
  const key = rows.keys[which]
  const hash = hashWanted(key)
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
  const hash = hashWanted(key)
  const segment = segmentOf(key.index, hash)
  let count = 0
  for (let at = homeOf(segment, hash); segment[at + 1] !== 0 && count < limit; at = slotAfter(segment, at))
    if (segment[at] === hash && hasKey(table, rows, key, segment[at + 1])) count++
  return count
}
