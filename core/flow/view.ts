import { open, peek, rowCount, rowLimit, type Table, word } from "../table/index.ts"
import { FLOW_DROPS, type FlowDrop, type FlowEnd } from "./effect.ts"
import type { FlowLayer } from "./layer.ts"
import { DROPS, FLOW, Flow, NAME } from "./layout.ts"
import { ARRIVED, FlowState, type FlowStateName } from "./phase.ts"
import { findName, isRegistered, textOf } from "./registered-name.ts"
import { peerOf } from "./row.ts"

/** A flow as it stands. */
export interface FlowView {
  /** Its own endpoint id. */
  readonly flow: number
  /** The name of one of `FlowState`. */
  readonly state: FlowStateName
  /** The other end; port 0 while somebody waits for a request. */
  readonly peer: FlowEnd
  /** The peer's endpoint id; 0 where it is not known, and in the first form. */
  readonly peerEid: number
  /** Milliseconds of silence after which the peer counts as gone; 0: never. */
  readonly timeout: number
}

const NAMES: ReadonlyMap<number, FlowStateName> = new Map([
  [FlowState.ALLOC_PENDING, "ALLOC_PENDING"],
  [FlowState.ACCEPT_PENDING, "ACCEPT_PENDING"],
  [FlowState.ALLOCATED, "ALLOCATED"],
  [FlowState.DEALLOC_PENDING, "DEALLOC_PENDING"],
  [FlowState.DEALLOCATED, "DEALLOCATED"],
])

const viewOf = (table: Table, row: number): FlowView | undefined => {
  const state = NAMES.get(word(table, FLOW, row, Flow.STATE))
  if (state === undefined) return undefined
  return {
    flow: word(table, FLOW, row, Flow.EID),
    state,
    peer: peerOf(table, row),
    peerEid: word(table, FLOW, row, Flow.PEER_EID) >>> 0,
    timeout: word(table, FLOW, row, Flow.TIMEOUT) >>> 0,
  }
}

/** Every flow, those whose endpoint id rests among them, in no order that means anything. */
export const listFlows = (layer: FlowLayer): readonly FlowView[] => {
  const table = open(layer.version)
  const views: FlowView[] = []
  const limit = rowLimit(table, FLOW)
  for (let row = 1; row < limit; row++) {
    const view = viewOf(table, row)
    if (view !== undefined) views.push(view)
  }
  return views
}

/** How much there is of everything. */
export interface FlowCounts {
  /** Flows, those whose endpoint id rests among them. */
  readonly flows: number
  /** Requests that wait for somebody to accept. */
  readonly waiting: number
  /** Names that were created. */
  readonly names: number
  /** Datagrams that were dropped, by reason. */
  readonly dropped: Readonly<Record<FlowDrop, number>>
}

const isCounts = (counts: object): counts is Record<FlowDrop, number> => FLOW_DROPS.every((reason) => reason in counts)

/** What a layer holds and has dropped. */
export const countFlows = (layer: FlowLayer): FlowCounts => {
  const table = open(layer.version)
  let waiting = 0
  const limit = rowLimit(table, FLOW)
  for (let row = 1; row < limit; row++) if (word(table, FLOW, row, Flow.STATE) === ARRIVED) waiting++
  const dropped = Object.fromEntries(FLOW_DROPS.map((reason, at) => [reason, peek(table, DROPS, at)]))
  if (!isCounts(dropped)) throw new RangeError("a reason without a number")
  return { flows: rowCount(table, FLOW) - waiting, waiting, names: rowCount(table, NAME), dropped }
}

/** A name as it stands; `undefined`: there is none. */
export const nameView = (
  layer: FlowLayer,
  name: string,
): { readonly name: string; readonly registered: boolean } | undefined => {
  const table = open(layer.version)
  const row = findName(table, name)
  return row === 0 ? undefined : { name: textOf(table, row), registered: isRegistered(table, row) }
}
