import { open, rowCount, rowLimit, word } from "../table/index.ts"
import type { InternalEnd } from "./contract.ts"
import { type CgnState, MAPPING, MappingWord, PEER, PeerWord } from "./layout.ts"
import type { Filter, Mapping } from "./mapping.ts"
import { filtersOf, idleDeadline, implicitAsData, mapAsData, mapDeadline, peerAsData, peerDeadline } from "./row.ts"
import { findRow, stepOf } from "./step.ts"

/** One page of a listing: `after` is where the next page starts; `undefined` at the end. */
export interface Page {
  readonly mappings: readonly Mapping[]
  readonly after: number | undefined
}

/**
 * Lists live mappings, rows after `after` (0: from the start) until `limit` are found: by cursor, as listing a million
 * at once would hold everybody up (and, on an old state, walk the log back and forth).
 */
export const listMappings = (state: CgnState, now: number, after: number, limit: number): Page => {
  const step = stepOf(state, now)
  const { table } = step
  const mappings: Mapping[] = []
  const end = rowLimit(table, MAPPING)
  for (let row = after + 1; row < end; row++) {
    if (word(table, MAPPING, row, MappingWord.EXTERNAL) === 0) continue
    if (mapDeadline(step, row) !== 0) mappings.push(mapAsData(step, row))
    if (idleDeadline(step, row) !== 0) mappings.push(implicitAsData(step, row))
    for (
      let peer = word(table, MAPPING, row, MappingWord.PEERS);
      peer !== 0;
      peer = word(table, PEER, peer, PeerWord.NEXT)
    )
      if (peerDeadline(step, peer) !== 0) mappings.push(peerAsData(step, peer))
    if (mappings.length >= limit) return { mappings, after: row }
  }
  return { mappings, after: undefined }
}

/** The filters of a MAP mapping, in order. */
export const listFilters = (state: CgnState, end: InternalEnd): readonly Filter[] => {
  const step = stepOf(state, state.config.now)
  const row = findRow(step, end)
  return row === 0 ? [] : filtersOf(step.table, row)
}

/** How many internal ends are mapped, those that have run out and are not yet taken away among them. */
export const mappingCount = (state: CgnState): number => rowCount(open(state.version), MAPPING)
