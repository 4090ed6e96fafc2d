import { ensure, read } from "./memory.ts"
import type { Table } from "./table.ts"

/**
 * A word beside each row for a guess at what is often looked up for it, such as a row of another family. It is of no version and
 * in no snapshot: whatever it says is to be checked in the words of rows, and lost it costs time alone.
 */
export const hintOf = (table: Table, family: number, row: number): number => {
  const { hints } = table.families[family]
  return row < hints.reach ? read(table, hints, row) : 0
}

/** Writes a row's hint. */
export const setHint = (table: Table, family: number, row: number, hint: number): void => {
  const { hints } = table.families[family]
  ensure(table, hints, row)
  hints.segments[row >>> table.bits][row & table.mask] = hint
}
