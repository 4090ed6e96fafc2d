import { setWord, word } from "../table/index.ts"
import { begin } from "./alive.ts"
import { isTime, longestTo } from "./allocate.ts"
import { answer } from "./arrive.ts"
import { freeEid } from "./eid.ts"
import { isOffered, leave, rest, sendRefusal } from "./end.ts"
import type { FlowCommand } from "./input.ts"
import { FLOW, Flag, Flow } from "./layout.ts"
import { digestOf, keepOctets, keptOctets } from "./octets.ts"
import { parseFlow } from "./parse.ts"
import { FlowState } from "./phase.ts"
import { QOS_CUBES, type QosSpec } from "./qos.ts"
import { dequeue, enqueue, firstOf } from "./queue.ts"
import { textOf, withName } from "./registered-name.ts"
import { MANAGEMENT_LENGTH } from "./registry.ts"
import { addFlow, dropKept, peerOf, removeFlow, setRequester } from "./row.ts"
import { fail, flowWord, NEVER, succeed, type Turn, tell, ticksFrom, wakeAt } from "./turn.ts"

type Accept = FlowCommand & { readonly type: "accept" }
type Respond = FlowCommand & { readonly type: "respond" }

const NOTHING = new Uint8Array(0)

/** INIT -> ACCEPT_PENDING (A8): waits for a request, or takes the one that waits. */
export const accept = (turn: Turn, { name, timeout, auto = false }: Accept): void => {
  if (!isTime(timeout)) {
    fail(turn, "EINVAL", "a timeout is 1 to 2147483647 ms")
    return
  }
  withName(turn, name, (named) => {
    const { table, settings } = turn
    const eid = freeEid(turn)
    if (eid === undefined) return fail(turn, "ENOMEM", `there are ${settings.maxFlows} flows`)
    const row = addFlow(turn, eid, FlowState.ACCEPT_PENDING, undefined)
    if (auto) setWord(table, FLOW, row, Flow.FLAGS, Flag.AUTO)
    enqueue(table, named, "accept", row)
    const deadline = timeout === undefined ? NEVER : ticksFrom(turn, timeout)
    setWord(table, FLOW, row, Flow.DEADLINE, deadline)
    if (deadline !== NEVER) wakeAt(turn, row, deadline)
    succeed(turn, eid)
    const waiting = firstOf(table, named, "arrive")
    if (waiting !== 0) take(turn, row, waiting)
  })
}

/** A request that waited goes to whoever accepts; its own row was never known outside. */
const take = (turn: Turn, row: number, waiting: number): void => {
  const { table } = turn
  const bytes = keptOctets(table, word(table, FLOW, waiting, Flow.KEPT))
  const requester = word(table, FLOW, waiting, Flow.REQUESTER)
  const peer = peerOf(table, waiting)
  dequeue(table, "arrive", waiting)
  removeFlow(turn, waiting)
  setRequester(turn, row, requester, peer)
  offer(turn, row, bytes, digestOf(bytes))
}

/** A request meets somebody who accepts: offered, or, if that was asked for, accepted at once (A8: ACCEPT_PENDING -> ALLOCATED). */
export const offer = (turn: Turn, row: number, bytes: Uint8Array, digest: number): void => {
  const { table, settings } = turn
  const name = word(table, FLOW, row, Flow.NAME)
  dequeue(table, "accept", row)
  const { qos, data } = contentOf(turn, bytes)
  setWord(table, FLOW, row, Flow.DIGEST, digest)
  const { mostTimeout } = settings
  setWord(table, FLOW, row, Flow.TIMEOUT, qos.timeout === 0 ? mostTimeout : Math.min(qos.timeout, mostTimeout))
  // The echo of the first form is the request.
  if (settings.form === "first") setWord(table, FLOW, row, Flow.KEPT, keepOctets(table, bytes))
  else setWord(table, FLOW, row, Flow.PEER_EID, word(table, FLOW, row, Flow.REQUESTER))
  const flow = flowWord(turn, row, Flow.EID)
  const flags = word(table, FLOW, row, Flow.FLAGS)
  setWord(table, FLOW, row, Flow.FLAGS, flags | Flag.OFFERED)
  const peer = peerOf(table, row)
  if ((flags & Flag.AUTO) !== 0) {
    establish(turn, row)
    tell(turn, { type: "allocated", flow, data, peer })
    return
  }
  const deadline = ticksFrom(turn, settings.respondTimeout)
  setWord(table, FLOW, row, Flow.DEADLINE, deadline)
  wakeAt(turn, row, deadline)
  tell(turn, { type: "request", flow, name: textOf(table, name), qos, data, peer })
}

const contentOf = ({ settings }: Turn, bytes: Uint8Array): { readonly qos: QosSpec; readonly data: Uint8Array } => {
  const parsed = settings.form === "first" ? undefined : parseFlow(bytes)
  return parsed?.ok === true && parsed.message.kind === "flow-request"
    ? parsed.message
    : { qos: QOS_CUBES.raw, data: NOTHING }
}

const establish = (turn: Turn, row: number): void => {
  if (turn.settings.form === "first")
    turn.effects.push({ type: "open", socket: flowWord(turn, row, Flow.EID), peer: peerOf(turn.table, row) })
  answer(turn, row)
  begin(turn, row)
}

/** The application answers a request that was offered: ACCEPT_PENDING -> ALLOCATED, or -> DEALLOCATED. */
export const respond = (turn: Turn, row: number, { flow, response, data = NOTHING }: Respond): void => {
  const { table, settings } = turn
  if (row === 0) {
    fail(turn, "EBADF", `there is no flow ${flow}`)
    return
  }
  if (word(table, FLOW, row, Flow.STATE) !== FlowState.ACCEPT_PENDING || !isOffered(turn, row)) {
    fail(turn, "ENOTALLOC", `flow ${flow} has no request to answer`)
    return
  }
  if ((response | 0) !== response) {
    fail(turn, "EINVAL", "a response has 32 bits, signed")
    return
  }
  if (settings.form === "first" && data.length > 0) {
    fail(turn, "EINVAL", "the first form carries no data in replies")
    return
  }
  if (MANAGEMENT_LENGTH + data.length > longestTo(peerOf(table, row).address)) {
    fail(turn, "EMSGSIZE", "a reply does not carry that much")
    return
  }
  succeed(turn, flow)
  if (response !== 0) {
    sendRefusal(turn, row, response)
    rest(turn, row, FlowState.DEALLOCATED, response)
    return
  }
  if (data.length > 0) {
    dropKept(table, row)
    setWord(table, FLOW, row, Flow.KEPT, keepOctets(table, data))
  }
  establish(turn, row)
}

/** Somebody waited long enough for a request, or to answer one: ACCEPT_PENDING -> DEALLOCATED. */
export const acceptDue = (turn: Turn, row: number): void => {
  const deadline = flowWord(turn, row, Flow.DEADLINE)
  if (deadline === NEVER) return
  if (turn.tick < deadline) {
    wakeAt(turn, row, deadline)
    return
  }
  leave(turn, row, "ETIMEDOUT")
  tell(turn, { type: "failed", flow: flowWord(turn, row, Flow.EID), error: "ETIMEDOUT" })
}
