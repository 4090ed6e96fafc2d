import { open, rowLimit, seal, word } from "../table/index.ts"
import { allocate } from "./allocate.ts"
import { deliver, write } from "./deliver.ts"
import { nextWake, runDue } from "./due.ts"
import type { FlowEffect } from "./effect.ts"
import { findEid } from "./eid.ts"
import { endAllocated, endPending, leave, refuseArrival, rest } from "./end.ts"
import type { FlowInput } from "./input.ts"
import type { FlowLayer } from "./layer.ts"
import { FLOW, Flow } from "./layout.ts"
import { accept, respond } from "./offer.ts"
import { ARRIVED, FlowState } from "./phase.ts"
import { bindProgram, createName, destroyName, registerName, unbindProgram, unregisterName } from "./registered-name.ts"
import { fail, succeed, type Turn, tickOf } from "./turn.ts"

/**
 * One input, and what is to be done about it: the next layer and effects, in order. Total: a command that cannot be is a `result` that says why, a datagram
 * that cannot be an event `dropped`. `layer` itself stays valid.
 *
 * Flows go through the states of `FlowState` as the reference's do (IRMd, `enum flow_state`):
 *
 *     alloc: ALLOC_PENDING -> ALLOCATED (a reply that accepts) | DEALLOCATED (one that refuses, or time)
 *     accept: ACCEPT_PENDING -> ALLOCATED (a request that is accepted) | DEALLOCATED (refused, time, or the name is destroyed)
 *     ALLOCATED -> DEALLOC_PENDING (dealloc, or the peer's silence) -> destroyed
 *
 * Unlike there, a request is repeated until it is answered and known when it comes again, a message must come from its flow's peer, and an endpoint id rests before
 * another flow gets it.
 */
export const stepFlow = (layer: FlowLayer, input: FlowInput): readonly [FlowLayer, readonly FlowEffect[]] => {
  const { settings, seed } = layer
  const now = Math.max(layer.now, input.now)
  const turn: Turn = {
    table: open(layer.version),
    settings,
    seed,
    now,
    tick: tickOf(now),
    effects: [],
    nextEid: layer.nextEid,
    drawn: layer.drawn,
    moved: false,
  }
  if (layer.wake !== undefined && now >= layer.wake) runDue(turn)
  act(turn, input)
  const wake = turn.moved ? nextWake(turn) : layer.wake
  if (wake !== layer.wake) turn.effects.push({ type: "wake", at: wake })
  const { nextEid, drawn, effects } = turn
  return [{ settings, version: seal(turn.table), seed, drawn, nextEid, now, wake }, effects]
}

const act = (turn: Turn, input: FlowInput): void => {
  switch (input.type) {
    case "datagram":
      deliver(turn, input)
      return
    case "write":
      write(turn, knownFlow(turn, input.flow), input)
      return
    case "alloc":
      allocate(turn, input)
      return
    case "accept":
      accept(turn, input)
      return
    case "respond":
      respond(turn, knownFlow(turn, input.flow), input)
      return
    case "dealloc":
      deallocate(turn, input.flow)
      return
    case "create-name":
      createName(turn, input.name)
      return
    case "destroy-name":
      destroyName(turn, input.name)
      return
    case "bind-program":
      bindProgram(turn, input.name, input.program, input.auto)
      return
    case "unbind-program":
      unbindProgram(turn, input.name)
      return
    case "register-name":
      registerName(turn, input.name)
      return
    case "unregister-name":
      unregisterName(turn, input.name)
      return
    case "socket-failed":
      socketFailed(turn, input.socket)
      return
    case "exit":
      exit(turn)
      return
    case "tick":
      return
  }
}

/** The row of a flow that the caller can know of, or 0. */
const knownFlow = (turn: Turn, flow: number): number => {
  const row = (flow | 0) === flow ? findEid(turn, flow) : 0
  return row !== 0 && word(turn.table, FLOW, row, Flow.STATE) === ARRIVED ? 0 : row
}

/** ALLOCATED -> DEALLOC_PENDING, and what is pending -> DEALLOCATED (A8). */
const deallocate = (turn: Turn, flow: number): void => {
  const row = knownFlow(turn, flow)
  if (row === 0) {
    fail(turn, "EBADF", `there is no flow ${flow}`)
    return
  }
  if (finish(turn, row, "ECANCELED")) {
    succeed(turn, flow)
    return
  }
  // The application may not have heard yet that its flow is down.
  const rests = word(turn.table, FLOW, row, Flow.STATE) === FlowState.DEALLOC_PENDING
  if (rests && word(turn.table, FLOW, row, Flow.RESPONSE) !== 0) {
    succeed(turn, flow)
    return
  }
  fail(turn, "ENOTALLOC", `flow ${flow} is not allocated`)
}

/** Ends a flow without telling its owner; false: it has ended already. */
const finish = (turn: Turn, row: number, error: "ECANCELED" | "EPIPE"): boolean => {
  switch (word(turn.table, FLOW, row, Flow.STATE)) {
    case FlowState.ALLOCATED:
      rest(turn, row, FlowState.DEALLOC_PENDING, 0)
      return true
    case FlowState.ALLOC_PENDING:
    case FlowState.ACCEPT_PENDING:
      leave(turn, row, error)
      return true
    default:
      return false
  }
}

const socketFailed = (turn: Turn, socket: number): void => {
  const row = knownFlow(turn, socket)
  if (row === 0) return
  switch (word(turn.table, FLOW, row, Flow.STATE)) {
    case FlowState.ALLOC_PENDING:
    case FlowState.ACCEPT_PENDING:
      endPending(turn, row, "EIPCP")
      return
    case FlowState.ALLOCATED:
      endAllocated(turn, row, "EFLOWDOWN")
      return
  }
}

/** The process ends: what is pending is over, and so are its flows. */
const exit = (turn: Turn): void => {
  const limit = rowLimit(turn.table, FLOW)
  for (let row = 1; row < limit; row++)
    if (word(turn.table, FLOW, row, Flow.STATE) === ARRIVED) refuseArrival(turn, row, "EPIPE")
    else finish(turn, row, "EPIPE")
  succeed(turn, 0)
}
