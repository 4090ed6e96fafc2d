import { crossLogical } from "./key.ts"
import { type Chunk, noteUsed, settle } from "./log.ts"
import { LOGICAL } from "./memory.ts"
import type { Shape } from "./shape.ts"
import { copyTable, makeTable, type Table } from "./table.ts"

/**
 * One state of a table, for as long as somebody keeps it: a handle, not data. Opening an older one walks the log back to
 * it (72 ms for a million writes, measured), going on from the newest is free. While it is kept, so is the log since.
 */
export interface Version {
  /** The table that it is a state of. */
  readonly table: Table
  /** The part of the undo log that it stands in. */
  readonly chunk: Chunk
  /** Its place in that part. */
  readonly position: number
}

/** A new, empty table. */
export const createTable = (shape: Shape): Version => seal(makeTable(shape))

/** The handle of the present contents; the one given out last if nothing was written since. */
export const seal = (table: Table): Version => {
  const { last } = table
  if (last !== undefined && last.chunk === table.chunk && last.position === table.position) return last
  const version: Version = { table, chunk: table.chunk, position: table.position }
  table.last = version
  return version
}

/** Crosses the records of the present chunk up to `to`. */
const walk = (table: Table, to: number): void => {
  const { bits, mask, records, segments } = table
  let at = table.position
  const forward = at < to
  while (at !== to) {
    const record = (forward ? at : at - 1) << 1
    const cell = records[record]
    if (cell >>> 0 >= LOGICAL) {
      // Entering an index may run out of memory: the walk then ends at a good point, short of its goal.
      settle(table, table.chunk, at)
      crossLogical(table, cell, records[record + 1], forward)
    } else {
      const segment = segments[cell >>> bits]
      const value = segment[cell & mask]
      segment[cell & mask] = records[record + 1]
      records[record + 1] = value
    }
    at += forward ? 1 : -1
  }
  settle(table, table.chunk, to)
}

const reroot = (table: Table, version: Version): void => {
  noteUsed(table)
  const chunks: Chunk[] = []
  const positions: number[] = []
  let { chunk, position } = version
  while (chunk.exit !== undefined) {
    chunks.push(chunk)
    positions.push(position)
    position = chunk.exitTo
    chunk = chunk.exit
  }
  walk(table, position)
  for (let step = chunks.length - 1; step >= 0; step--) {
    const left = table.chunk
    const entered = chunks[step]
    left.exit = entered
    left.exitAt = table.position
    left.exitTo = entered.exitAt
    entered.exit = undefined
    settle(table, entered, entered.exitAt)
    walk(table, positions[step])
  }
}

/** Makes `version` the present of its table and returns that; another version's contents are then no longer read through it. */
export const open = (version: Version): Table => {
  const { table } = version
  if (version.chunk !== table.chunk || version.position !== table.position) {
    reroot(table, version)
    table.last = version
  }
  return table
}

/** An independent table with the contents of `version`: for two states that both go on for long, which would take turns. */
export const copy = (version: Version): Version => seal(copyTable(open(version)))

/** Bytes of log between `version` and the present of its table. */
export const historyBytes = (version: Version): number => {
  let records = 0
  let { chunk, position } = version
  while (chunk.exit !== undefined) {
    records += Math.abs(chunk.exitAt - position)
    position = chunk.exitTo
    chunk = chunk.exit
  }
  return (records + Math.abs(version.table.position - position)) * 8
}
