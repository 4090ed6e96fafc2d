import { type Counters, type CounterVector, counterCell, countersFrom } from "../cgn/index.ts"

/**
 * The counters of a server, in a state that stays valid: a full tally, and on top of it what was counted since, newest
 * first. So one request costs one small object, not a copy of all counters.
 */
export interface Counts {
  readonly tally: readonly number[]
  readonly before: Counts | undefined
  /** Links down to the tally. */
  readonly depth: number
  /** Cells that went up by one; -1 for none. */
  readonly first: number
  readonly second: number
}

/** Links after which a new tally is made. */
const DEPTH = 256

const NONE = -1

/** Counters that go on from these, by cell. */
export const countsOver = (tally: readonly number[]): Counts => ({
  tally,
  before: undefined,
  depth: 0,
  first: NONE,
  second: NONE,
})

export const NO_COUNTS: Counts = countsOver([])

/** All counters by cell. */
export const tallied = (counts: Counts): readonly number[] => {
  const cells = counts.tally.slice()
  const add = (cell: number): void => {
    if (cell === NONE) return
    // Without holes: a sparse array would be a slow one.
    while (cells.length <= cell) cells.push(0)
    cells[cell]++
  }
  for (let link: Counts | undefined = counts; link !== undefined; link = link.before) {
    add(link.first)
    add(link.second)
  }
  return cells
}

/** Counts up two cells, or one where the other is -1. */
const countCells = (counts: Counts, first: number, second: number): Counts => {
  const base = counts.depth === DEPTH ? countsOver(tallied(counts)) : counts
  return { tally: base.tally, before: base, depth: base.depth + 1, first, second }
}

/** Counts one up; nothing for an index that no vector has. */
export const count = (counts: Counts, vector: CounterVector, index: number): Counts => {
  const cell = counterCell(vector, index)
  return cell < 0 ? counts : countCells(counts, cell, NONE)
}

/** Counts an operation and its result. */
export const countServed = (counts: Counts, natPmp: boolean, operation: number, result: number): Counts =>
  countCells(
    counts,
    counterCell(natPmp ? "natpmp-operation" : "operation", operation),
    counterCell(natPmp ? "natpmp-result" : "result", result),
  )

/** All counters that are not zero. */
export const listCounts = (counts: Counts): Counters => {
  const cells = tallied(counts)
  return countersFrom((cell) => cells[cell] ?? 0)
}
