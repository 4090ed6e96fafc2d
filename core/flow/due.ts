import { nextDue, popDue, setWord, word } from "../table/index.ts"
import { silenceEnds, watch } from "./alive.ts"
import { askAgain } from "./allocate.ts"
import { arrivalDue } from "./arrive.ts"
import { endAllocated } from "./end.ts"
import { FLOW, Flow } from "./layout.ts"
import { acceptDue } from "./offer.ts"
import { ARRIVED, FlowState } from "./phase.ts"
import { removeFlow } from "./row.ts"
import { flowWord, TICK, type Turn, tell, wakeAt } from "./turn.ts"

/** Flows looked at in one step at most: the others follow in the next, which is due at once. */
const MOST = 4096

/** Does what is due. */
export const runDue = (turn: Turn): void => {
  turn.moved = true
  for (let done = 0; done < MOST; done++) {
    const row = popDue(turn.table, turn.tick)
    if (row === 0) return
    due(turn, row)
  }
}

/** When something is due, milliseconds; `undefined`: never. */
export const nextWake = ({ table }: Turn): number | undefined => {
  const tick = nextDue(table)
  return tick === undefined ? undefined : tick * TICK
}

const due = (turn: Turn, row: number): void => {
  switch (word(turn.table, FLOW, row, Flow.STATE)) {
    case FlowState.ALLOC_PENDING:
      askAgain(turn, row)
      return
    case FlowState.ACCEPT_PENDING:
      acceptDue(turn, row)
      return
    case ARRIVED:
      arrivalDue(turn, row)
      return
    case FlowState.ALLOCATED:
      if (turn.tick >= (silenceEnds(turn, row) ?? Infinity)) endAllocated(turn, row, "EFLOWPEER")
      else watch(turn, row)
      return
    default:
      restDue(turn, row)
      return
  }
}

/** DEALLOC_PENDING -> DEALLOCATED -> destroyed (A8): no datagram for it can be under way any more. */
const restDue = (turn: Turn, row: number): void => {
  const { table, settings, tick } = turn
  const deadline = flowWord(turn, row, Flow.DEADLINE)
  if (tick < deadline) {
    wakeAt(turn, row, deadline)
    return
  }
  const flow = flowWord(turn, row, Flow.EID)
  setWord(table, FLOW, row, Flow.STATE, FlowState.DEALLOCATED)
  if (settings.form === "first") turn.effects.push({ type: "close", socket: flow })
  removeFlow(turn, row)
  tell(turn, { type: "destroyed", flow })
}
