import { setWord, word } from "../table/index.ts"
import { type FlowEnd, LAYER_SOCKET } from "./effect.ts"
import { dataPacket } from "./encode.ts"
import { FLOW, Flow } from "./layout.ts"
import { FlowState } from "./phase.ts"
import { peerOf } from "./row.ts"
import { flowWord, TICK, type Turn, wakeAt } from "./turn.ts"

const NOTHING = new Uint8Array(0)

/** A flow is allocated: its times begin. */
export const begin = (turn: Turn, row: number): void => {
  const { table, tick } = turn
  setWord(table, FLOW, row, Flow.STATE, FlowState.ALLOCATED)
  setWord(table, FLOW, row, Flow.BORN, tick)
  setWord(table, FLOW, row, Flow.HEARD, tick)
  setWord(table, FLOW, row, Flow.SENT, tick)
  watch(turn, row)
}

/** The tick at which the peer's silence has lasted too long; `undefined`: it never does. */
export const silenceEnds = (turn: Turn, row: number): number | undefined => {
  const timeout = flowWord(turn, row, Flow.TIMEOUT)
  return timeout === 0 ? undefined : flowWord(turn, row, Flow.HEARD) + ticksOf(turn, timeout)
}

const keepAliveDue = (turn: Turn, row: number): number =>
  flowWord(turn, row, Flow.SENT) + Math.max(1, Math.floor(ticksOf(turn, flowWord(turn, row, Flow.TIMEOUT)) / 4))

const ticksOf = ({ settings }: Turn, timeout: number): number =>
  Math.ceil(Math.max(timeout, settings.minTimeout) / TICK)

/** Comes back when the flow has something to say, or its peer has been silent for too long. */
export const watch = (turn: Turn, row: number): void => {
  const silence = silenceEnds(turn, row)
  if (silence === undefined) return
  if (!turn.settings.keepAlive) {
    wakeAt(turn, row, silence)
    return
  }
  if (turn.tick >= keepAliveDue(turn, row)) sendOctets(turn, row, NOTHING, peerOf(turn.table, row))
  wakeAt(turn, row, Math.min(silence, keepAliveDue(turn, row)))
}

/** Sends a message of a flow: today's form puts the peer's endpoint id in front. */
export const sendOctets = (
  turn: Turn,
  row: number,
  data: Uint8Array,
  destination: FlowEnd,
  octets?: (length: number) => Uint8Array,
): void => {
  const { table, tick, settings } = turn
  if (word(table, FLOW, row, Flow.SENT) !== (tick | 0)) setWord(table, FLOW, row, Flow.SENT, tick)
  turn.effects.push(
    settings.form === "first"
      ? { type: "send", socket: flowWord(turn, row, Flow.EID), bytes: data, destination }
      : {
          type: "send",
          socket: LAYER_SOCKET,
          bytes: dataPacket(flowWord(turn, row, Flow.PEER_EID), data, octets),
          destination,
        },
  )
}
