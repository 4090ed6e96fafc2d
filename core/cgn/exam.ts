import { freeRows, rowLimit, type Table, word } from "../table/index.ts"

/** A table under examination. */
export interface Exam {
  readonly table: Table
  /** For each family, 1 at each free row. */
  readonly free: readonly Uint8Array[]
  /** For each family, rows that were met in a list; a row is in one list at most. */
  readonly met: readonly Uint8Array[]
}

/** A list of rows of `family` through the words `next` and, where there is one, `prev`; `owner` is the word that names whose. */
export interface List {
  readonly family: number
  readonly next: number
  readonly prev?: number
  readonly owner?: number
}

/** The examination of a restored table with so many families. */
export const examOf = (table: Table, families: number): Exam => {
  const numbers = Array.from({ length: families }, (_, family) => family)
  return {
    table,
    free: numbers.map((family) => freeRows(table, family)),
    met: numbers.map((family) => new Uint8Array(rowLimit(table, family))),
  }
}

/** Is every row in use of a family good? */
export const each = (exam: Exam, family: number, isGood: (row: number) => boolean): boolean => {
  const { table, free } = exam
  const end = rowLimit(table, family)
  for (let row = 1; row < end; row++) if (free[family][row] === 0 && !isGood(row)) return false
  return true
}

/** Is this a number from 0 up to, not including, `end`? */
export const isBelow = (value: number, end: number): boolean => value >= 0 && value < end

/** Is this a row in use? */
export const isUsed = ({ free }: Exam, family: number, row: number): boolean =>
  row > 0 && row < free[family].length && free[family][row] === 0

/** Is this 0 or a row in use? */
export const isRow = (exam: Exam, family: number, row: number): boolean => row === 0 || isUsed(exam, family, row)

/** Is this the first row of a whole list of `owner`, none of whose rows is in another, or 0? `belongs` may say more of each. */
export const isList = (
  exam: Exam,
  list: List,
  head: number,
  owner: number,
  belongs: (row: number) => boolean = () => true,
): boolean => {
  const { table, met } = exam
  const { family } = list
  for (let row = head, before = 0; row !== 0; before = row, row = word(table, family, row, list.next)) {
    if (!isUsed(exam, family, row) || met[family][row] === 1) return false
    met[family][row] = 1
    if (list.prev !== undefined && word(table, family, row, list.prev) !== before) return false
    if (list.owner !== undefined && word(table, family, row, list.owner) !== owner) return false
    if (!belongs(row)) return false
  }
  return true
}
