import { setWord, word } from "../table/index.ts"
import { LAYER_SOCKET } from "./effect.ts"
import { replyPacket } from "./encode.ts"
import { type FlowErrorName, responseOf } from "./failure.ts"
import { FLOW, Flag, Flow } from "./layout.ts"
import { FlowState } from "./phase.ts"
import { dequeue } from "./queue.ts"
import { dropKept, peerOf, removeFlow } from "./row.ts"
import { flowWord, type Turn, tell, ticksFrom, wakeAt } from "./turn.ts"

const NOTHING = new Uint8Array(0)

/**
 * A flow ends in `state`, in which its endpoint id rests: until its peer, which no message tells of the end, has taken it for gone as well, and
 * what it sent last has come or never will. `refused`: the peer said itself that it has no flow.
 */
export const rest = (turn: Turn, row: number, state: number, response: number, refused = false): void => {
  const { table, settings, tick } = turn
  const deadline = ticksFrom(
    turn,
    Math.min((refused ? 0 : peerHolds(turn, row)) + settings.linger, settings.lingerMost),
  )
  dropKept(table, row)
  setWord(table, FLOW, row, Flow.STATE, state)
  setWord(table, FLOW, row, Flow.RESPONSE, response)
  setWord(table, FLOW, row, Flow.ENDED, tick)
  setWord(table, FLOW, row, Flow.DEADLINE, deadline)
  wakeAt(turn, row, deadline)
}

/** Milliseconds for which the peer may hold the flow for allocated, while it hears nothing more of it. */
const peerHolds = (turn: Turn, row: number): number => {
  const { settings } = turn
  const timeout = flowWord(turn, row, Flow.TIMEOUT)
  const silence = timeout === 0 ? Infinity : Math.max(timeout, settings.minTimeout)
  switch (word(turn.table, FLOW, row, Flow.STATE)) {
    case FlowState.ALLOCATED:
      return silence
    case FlowState.ALLOC_PENDING:
      // The other side may have accepted, and its reply be lost: at the end of all its waiting.
      return 2 * settings.arrivalTimeout + settings.respondTimeout + silence
    default:
      return 0
  }
}

/** ALLOC_PENDING or ACCEPT_PENDING -> DEALLOCATED (A8), by nobody's answer. */
export const endPending = (turn: Turn, row: number, error: FlowErrorName): void => {
  leave(turn, row, error)
  tell(turn, { type: "failed", flow: flowWord(turn, row, Flow.EID), error })
}

/** The same, where the caller wants it so. */
export const leave = (turn: Turn, row: number, error: FlowErrorName): void => {
  const { table } = turn
  if (word(table, FLOW, row, Flow.STATE) === FlowState.ACCEPT_PENDING) {
    if (isOffered(turn, row)) sendRefusal(turn, row, responseOf(error))
    else dequeue(table, "accept", row)
  }
  rest(turn, row, FlowState.DEALLOCATED, responseOf(error))
}

/** ALLOCATED -> DEALLOC_PENDING, by the peer's silence or the loss of its socket. */
export const endAllocated = (turn: Turn, row: number, error: FlowErrorName): void => {
  rest(turn, row, FlowState.DEALLOC_PENDING, responseOf(error))
  tell(turn, { type: "down", flow: flowWord(turn, row, Flow.EID), error })
}

export const isOffered = ({ table }: Turn, row: number): boolean =>
  (word(table, FLOW, row, Flow.FLAGS) & Flag.OFFERED) !== 0

/** Tells a requester that there is no flow. The first form has no words for that: its requester hears nothing. */
export const sendRefusal = (turn: Turn, row: number, response: number): void => {
  if (turn.settings.form === "first") return
  const bytes = replyPacket(flowWord(turn, row, Flow.REQUESTER), 0, response, NOTHING)
  turn.effects.push({ type: "send", socket: LAYER_SOCKET, bytes, destination: peerOf(turn.table, row) })
}

/** A request for which nobody was there: the requester is told, and its row is free at once, since its endpoint id was told to nobody. */
export const refuseArrival = (turn: Turn, row: number, error: FlowErrorName): void => {
  dequeue(turn.table, "arrive", row)
  if (turn.settings.refusals) sendRefusal(turn, row, responseOf(error))
  removeFlow(turn, row)
}
