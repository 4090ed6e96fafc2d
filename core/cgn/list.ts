import { open, peek, rowCount, rowLimit, word } from "../table/index.ts"
import { blocksFrom } from "./block.ts"
import type { InternalEnd } from "./contract.ts"
import { implicitAsData, mapAsData, peerAsData, staticAsData } from "./data.ts"
import { idleDeadline, isStatic, mapDeadline, peerDeadline } from "./deadline.ts"
import { type CgnState, Flag, MAPPING, MappingWord, PEER, PeerWord, TOTALS, Total } from "./layout.ts"
import type { Filter, Mapping } from "./mapping.ts"
import { isHeld } from "./owner.ts"
import { poolUse as useOf } from "./ports.ts"
import { filtersOf, findRow } from "./row.ts"
import { stepOf } from "./step.ts"

/** One page of a listing: `after` is where the next page starts; `undefined` at the end. */
export interface Page {
  /** Live ones, in no order that means anything. */
  readonly mappings: readonly Mapping[]
  /** Where the next page starts; `undefined`: this was the last. */
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
    if (word(table, MAPPING, row, MappingWord.EXTERNAL) === 0 || isHeld(table, row)) continue
    const locked = (word(table, MAPPING, row, MappingWord.FLAGS) & Flag.LOCKED) !== 0
    if (isStatic(table, row)) mappings.push(staticAsData(step, row))
    if (mapDeadline(step, row) !== 0 && !locked) mappings.push(mapAsData(step, row))
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
  const row = findRow(step.table, end)
  return row === 0 ? [] : filtersOf(step.table, row)
}

/** How many internal ends are mapped, those that have run out and are not yet taken away among them. */
export const mappingCount = (state: CgnState): number => {
  const table = open(state.version)
  return rowCount(table, MAPPING) - peek(table, TOTALS, Total.HELD)
}

/** Mappings by kind, and external ends held; those that have run out and are not yet taken away among them. */
export const mappingCounts = (state: CgnState): Readonly<Record<Mapping["kind"] | "held", number>> => {
  const table = open(state.version)
  return {
    map: rowCount(table, MAPPING) - peek(table, TOTALS, Total.HELD) - peek(table, TOTALS, Total.BARE),
    peer: rowCount(table, PEER),
    implicit: peek(table, TOTALS, Total.IMPLICIT),
    static: peek(table, TOTALS, Total.STATIC),
    held: peek(table, TOTALS, Total.HELD),
  }
}

/** How much of the pool's ports is used up, by transport: mapped, held or reserved as a companion; and all there are. */
export const poolUse = (state: CgnState): ReturnType<typeof useOf> => useOf(stepOf(state, state.config.now))

/** Blocks of ports that subscribers have, by cursor as mappings are listed. */
export const listBlocks = (state: CgnState, after: number, limit: number): ReturnType<typeof blocksFrom> =>
  blocksFrom(stepOf(state, state.config.now), after, limit)
