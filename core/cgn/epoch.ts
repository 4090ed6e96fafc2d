import {
  addRow,
  dropRow,
  find,
  indexRow,
  keyOf,
  peek,
  poke,
  rowCount,
  setWord,
  type Table,
  unindexRow,
  word,
} from "../table/index.ts"
import { type Address, addressWord } from "../wire/index.ts"
import { EPOCH, EpochWord, TOTALS, Total } from "./layout.ts"
import type { Realm } from "./mapping.ts"
import { findRealm, leaveRealm, setAddress, useRealm } from "./subscriber.ts"

/**
 * Most internal addresses with an Epoch Time of their own. The oldest gives way: its clients then see the server's, which
 * is further on than theirs, and renew their mappings as after a reset (RFC 6887 section 8.5).
 */
const MOST = 65536

const float = new DataView(new ArrayBuffer(8))

/** The instant in an epoch row. The order of its two words is the same on every machine, since snapshots travel. */
const readAt = (table: Table, row: number): number => {
  float.setInt32(0, word(table, EPOCH, row, EpochWord.AT), true)
  float.setInt32(4, word(table, EPOCH, row, EpochWord.AT + 1), true)
  return float.getFloat64(0, true)
}

const writeAt = (table: Table, row: number, at: number): void => {
  float.setFloat64(0, at, true)
  setWord(table, EPOCH, row, EpochWord.AT, float.getInt32(0, true))
  setWord(table, EPOCH, row, EpochWord.AT + 1, float.getInt32(4, true))
}

const findEpoch = (table: Table, internal: Address, realm: Realm | undefined): number => {
  const key = keyOf(table, EPOCH)
  key[4] = findRealm(table, realm)
  for (const i of [0, 1, 2, 3] as const) key[i] = addressWord(internal, i)
  return find(table, EPOCH)
}

/** When the Epoch Time of an internal address was 0, milliseconds; `undefined`: it has none of its own. */
export const epochStartOf = (table: Table, internal: Address, realm: Realm | undefined): number | undefined => {
  if (rowCount(table, EPOCH) === 0) return undefined
  const row = findEpoch(table, internal, realm)
  return row === 0 ? undefined : readAt(table, row)
}

/** Starts the Epoch Time of an internal address again. */
export const resetEpoch = (table: Table, internal: Address, realm: Realm | undefined, at: number): void => {
  let row = findEpoch(table, internal, realm)
  if (row === 0) {
    if (rowCount(table, EPOCH) >= MOST) dropOldest(table)
    row = addRow(table, EPOCH)
    setAddress(table, EPOCH, row, EpochWord.ADDRESS, internal)
    setWord(table, EPOCH, row, EpochWord.REALM, useRealm(table, realm))
    indexRow(table, EPOCH, row)
  }
  writeAt(table, row, at)
}

/** Rows are dropped here alone, so that all of 1 to {@link MOST} are there, and a new one gets the number just dropped. */
const dropOldest = (table: Table): void => {
  const row = (peek(table, TOTALS, Total.NEXT_EPOCH) % MOST) + 1
  poke(table, TOTALS, Total.NEXT_EPOCH, row)
  const realm = word(table, EPOCH, row, EpochWord.REALM)
  unindexRow(table, EPOCH, row)
  dropRow(table, EPOCH, row)
  leaveRealm(table, realm)
}

/** Changes when every Epoch Time of its own was 0: of a table that goes on on another clock. */
export const mapEpochs = (table: Table, change: (at: number) => number): void => {
  // All rows up to their count are there: see dropOldest.
  for (let row = rowCount(table, EPOCH); row > 0; row--) writeAt(table, row, change(readAt(table, row)))
}
