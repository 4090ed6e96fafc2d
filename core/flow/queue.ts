import { setWord, type Table, word } from "../table/index.ts"
import { FLOW, Flow, NAME, Name } from "./layout.ts"

/** The two queues of a name: who waits for a request, and which requests wait for somebody. First come, first served. */
export type Queue = "accept" | "arrive"

const HEADS = { accept: Name.ACCEPT_HEAD, arrive: Name.ARRIVE_HEAD } as const
const TAILS = { accept: Name.ACCEPT_TAIL, arrive: Name.ARRIVE_TAIL } as const

/** The first row that waits, or 0. */
export const firstOf = (table: Table, name: number, queue: Queue): number => word(table, NAME, name, HEADS[queue])

/** Puts a row at the end. */
export const enqueue = (table: Table, name: number, queue: Queue, row: number): void => {
  const tail = word(table, NAME, name, TAILS[queue])
  setWord(table, FLOW, row, Flow.NAME, name)
  setWord(table, FLOW, row, Flow.PREVIOUS, tail)
  if (tail === 0) setWord(table, NAME, name, HEADS[queue], row)
  else setWord(table, FLOW, tail, Flow.NEXT, row)
  setWord(table, NAME, name, TAILS[queue], row)
  if (queue === "arrive") setWord(table, NAME, name, Name.ARRIVED, word(table, NAME, name, Name.ARRIVED) + 1)
}

/** Takes a row out, wherever it stands. */
export const dequeue = (table: Table, queue: Queue, row: number): void => {
  const name = word(table, FLOW, row, Flow.NAME)
  const next = word(table, FLOW, row, Flow.NEXT)
  const previous = word(table, FLOW, row, Flow.PREVIOUS)
  if (previous === 0) setWord(table, NAME, name, HEADS[queue], next)
  else setWord(table, FLOW, previous, Flow.NEXT, next)
  if (next === 0) setWord(table, NAME, name, TAILS[queue], previous)
  else setWord(table, FLOW, next, Flow.PREVIOUS, previous)
  setWord(table, FLOW, row, Flow.NEXT, 0)
  setWord(table, FLOW, row, Flow.PREVIOUS, 0)
  setWord(table, FLOW, row, Flow.NAME, 0)
  if (queue === "arrive") setWord(table, NAME, name, Name.ARRIVED, word(table, NAME, name, Name.ARRIVED) - 1)
}
