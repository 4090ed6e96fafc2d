import { increment, schedule, type Table, word } from "../table/index.ts"
import { FLOW_DROPS, type FlowDrop, type FlowEffect, type FlowEvent } from "./effect.ts"
import type { FlowErrorName } from "./failure.ts"
import { DROPS, FLOW } from "./layout.ts"
import type { FlowSettings } from "./settings.ts"

/** One step under way: the table as it is being written, and what is to be done. */
export interface Turn {
  readonly table: Table
  readonly settings: FlowSettings
  readonly seed: Uint8Array
  /** Milliseconds. */
  readonly now: number
  /** The same in ticks. */
  readonly tick: number
  readonly effects: FlowEffect[]
  nextEid: number
  drawn: number
  /** Something may be due at another time than before. */
  moved: boolean
}

/** Milliseconds of a tick: how exact deadlines are. */
export const TICK = 10
/** The tick that never comes. */
export const NEVER = 0xffffffff

export const tickOf = (milliseconds: number): number => Math.floor(milliseconds / TICK)
/** The first tick that is so long from now, or later. */
export const ticksFrom = ({ now }: Turn, milliseconds: number): number =>
  Math.min(Math.ceil((now + milliseconds) / TICK), NEVER - 1)

export const tell = (turn: Turn, event: FlowEvent): void => {
  turn.effects.push({ type: "event", event })
}

const DROP_EFFECTS: ReadonlyMap<FlowDrop, FlowEffect> = new Map(
  FLOW_DROPS.map((reason) => [
    reason,
    Object.freeze({ type: "event", event: Object.freeze({ type: "dropped", reason }) }),
  ]),
)

/** Counts a datagram that goes nowhere, and says so. */
export const drop = (turn: Turn, reason: FlowDrop): void => {
  increment(turn.table, DROPS, FLOW_DROPS.indexOf(reason))
  const effect = DROP_EFFECTS.get(reason)
  if (effect !== undefined) turn.effects.push(effect)
}

export const succeed = (turn: Turn, flow: number): void => {
  turn.effects.push({ type: "result", ok: true, flow })
}

export const fail = (turn: Turn, error: FlowErrorName, text: string): void => {
  turn.effects.push({ type: "result", ok: false, error, text })
}

/** A flow comes up at that tick, or earlier. */
export const wakeAt = (turn: Turn, row: number, tick: number): void => {
  schedule(turn.table, row, tick)
  turn.moved = true
}

/** A flow's word, unsigned. */
export const flowWord = ({ table }: Turn, row: number, at: number): number => word(table, FLOW, row, at) >>> 0
