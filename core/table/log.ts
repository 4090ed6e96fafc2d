/**
 * The undo log: chunks of records of two 32-bit words [cell, value]. Crossing a record swaps its value with the cell's,
 * so the same record undoes and redoes. A point (chunk, position) between records stands for one version of the memory.
 *
 * After H. G. Baker, "Shallow Binding in Lisp 1.5" (1978) and "Shallow binding makes functional arrays fast" (1991):
 * the present is the root of a tree of versions, and an old version becomes the root by walking the path to it and
 * turning the path round. Links lead toward the root only, so that the collector takes whatever no version holds.
 */
export interface Chunk {
  readonly records: Int32Array
  /** Records ever written here; the present may have more until it leaves this chunk. */
  used: number
  /** The next chunk toward the present, undefined where the present is. */
  exit: Chunk | undefined
  /** The position here and the one in `exit` that stand for the same version. */
  exitAt: number
  exitTo: number
}

/** First capacity of a chunk: they double from here, so that small tables and short branches stay small. */
const FIRST_RECORDS = 32

export const makeChunk = (records: number): Chunk => ({
  records: new Int32Array(records * 2),
  used: 0,
  exit: undefined,
  exitAt: 0,
  exitTo: 0,
})

/** The present end of a log. */
export interface Log {
  /** Most records a chunk. */
  readonly chunkRecords: number
  chunk: Chunk
  /** The records of `chunk`. */
  records: Int32Array
  position: number
  /** Where appending stops: the capacity, or `position` itself where later records are in the way. */
  end: number
}

export const makeLog = (chunkRecords: number): Log => {
  const chunk = makeChunk(Math.min(FIRST_RECORDS, chunkRecords))
  return { chunkRecords, chunk, records: chunk.records, position: 0, end: chunk.records.length >> 1 }
}

/** Makes `position` in `chunk` the present end. */
export const settle = (log: Log, chunk: Chunk, position: number): void => {
  log.chunk = chunk
  log.records = chunk.records
  log.position = position
  log.end = position < chunk.used ? position : chunk.records.length >> 1
}

/** Notes in the present chunk how far it was written; before leaving it or walking in it. */
export const noteUsed = (log: Log): void => {
  if (log.position > log.chunk.used) log.chunk.used = log.position
}

const openChunk = (log: Log): void => {
  const old = log.chunk
  const full = old.records.length >> 1
  const wanted = log.position === full ? full * 2 : FIRST_RECORDS
  const chunk = makeChunk(Math.min(wanted, log.chunkRecords))
  noteUsed(log)
  old.exit = chunk
  old.exitAt = log.position
  old.exitTo = 0
  settle(log, chunk, 0)
}

/** Makes room for one record. Comes before the change that it records: when memory runs out here, nothing has changed. */
export const reserve = (log: Log): void => {
  if (log.position === log.end) openChunk(log)
}

/** Writes the reserved record. */
export const append = (log: Log, cell: number, value: number): void => {
  const at = log.position << 1
  log.records[at] = cell
  log.records[at + 1] = value
  log.position++
}
