import type { RowTest } from "./filter.ts"
import type { Row } from "./row.ts"

/** The rows that a filter lets through, step by step: yields how many are looked at, so that a page is not held up by many. */
export function* filterInSteps(rows: readonly Row[], test: RowTest, every = 2000): Generator<number, readonly Row[]> {
  const found: Row[] = []
  for (const [i, row] of rows.entries()) {
    if (test(row)) found.push(row)
    if ((i + 1) % every === 0) yield i + 1
  }
  return found
}
