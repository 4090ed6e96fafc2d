import { setWord, word } from "../table/index.ts"
import { type FlowEnd, LAYER_SOCKET } from "./effect.ts"
import { freeEid } from "./eid.ts"
import { replyPacket } from "./encode.ts"
import { refuseArrival, sendRefusal } from "./end.ts"
import { responseOf } from "./failure.ts"
import { FLOW, Flag, Flow, NAME, Name } from "./layout.ts"
import { digestOf, keepOctets, keptOctets } from "./octets.ts"
import { offer } from "./offer.ts"
import { ARRIVED, FlowState } from "./phase.ts"
import { dequeue, enqueue, firstOf } from "./queue.ts"
import { findHash, isRegistered, programOf, textOf } from "./registered-name.ts"
import { addFlow, findRequester, forgetRequester, peerOf, removeFlow, setRequester } from "./row.ts"
import { drop, flowWord, TICK, type Turn, tell, ticksFrom, wakeAt } from "./turn.ts"

const NOTHING = new Uint8Array(0)

/** What asks for a flow: a FLOW_REQ, or a name of the first form from an end that asks for one flow alone. */
export interface Asked {
  readonly requester: number
  readonly hash: Uint8Array
  readonly peer: FlowEnd
  /** The datagram, to tell its repetition from another request. */
  readonly bytes: Uint8Array
}

/** A request arrives (A5, A8): once, however often it comes. */
export const arrive = (turn: Turn, asked: Asked): void => {
  const { table, settings } = turn
  const { requester, hash, peer, bytes } = asked
  const known = findRequester(turn, requester, peer.address, peer.port)
  const digest = digestOf(bytes)
  if (known !== 0) {
    if (isRepeated(turn, known, digest)) {
      repeat(turn, known)
      return
    }
    supersede(turn, known)
  }
  const name = findHash(table, hash)
  if (name === 0 || !isRegistered(table, name)) {
    refuseUnknown(turn, asked)
    return
  }
  const acceptor = firstOf(table, name, "accept")
  if (acceptor !== 0) {
    setRequester(turn, acceptor, requester, peer)
    offer(turn, acceptor, bytes, digest)
    return
  }
  const eid = word(table, NAME, name, Name.ARRIVED) < settings.maxWaiting ? freeEid(turn) : undefined
  if (eid === undefined) {
    drop(turn, "no-room")
    return
  }
  const row = addFlow(turn, eid, ARRIVED, undefined)
  setRequester(turn, row, requester, peer)
  setWord(table, FLOW, row, Flow.KEPT, keepOctets(table, bytes))
  setWord(table, FLOW, row, Flow.DIGEST, digest)
  enqueue(table, name, "arrive", row)
  const deadline = ticksFrom(turn, settings.arrivalTimeout)
  setWord(table, FLOW, row, Flow.DEADLINE, deadline)
  wakeAt(turn, row, deadline)
}

/**
 * The same request, from a requester that has not begun anew: for as long as it may ask, and its datagrams may live. A name of the first form is
 * the same whenever it comes from the same end.
 */
const isRepeated = (turn: Turn, row: number, digest: number): boolean => {
  const { table, settings, tick } = turn
  if (word(table, FLOW, row, Flow.DIGEST) !== digest) return false
  if (word(table, FLOW, row, Flow.STATE) !== FlowState.ALLOCATED) return true
  return (tick - flowWord(turn, row, Flow.BORN)) * TICK <= settings.allocTimeout + settings.linger
}

/** A request that came before: answered as before, if it was. */
const repeat = (turn: Turn, row: number): void => {
  const { table } = turn
  switch (word(table, FLOW, row, Flow.STATE)) {
    case FlowState.ALLOCATED:
      answer(turn, row)
      break
    case FlowState.DEALLOCATED: {
      const response = word(table, FLOW, row, Flow.RESPONSE)
      if (response !== 0) sendRefusal(turn, row, response)
      break
    }
  }
  drop(turn, "duplicate")
}

/** Tells the requester that it has a flow: FLOW_REPLY, or the echo of the first form. */
export const answer = (turn: Turn, row: number): void => {
  const { table, settings } = turn
  const destination = peerOf(table, row)
  const kept = keptOctets(table, word(table, FLOW, row, Flow.KEPT))
  const eid = flowWord(turn, row, Flow.EID)
  turn.effects.push(
    settings.form === "first"
      ? { type: "send", socket: eid, bytes: kept, destination }
      : {
          type: "send",
          socket: LAYER_SOCKET,
          bytes: replyPacket(flowWord(turn, row, Flow.REQUESTER), eid, 0, kept),
          destination,
        },
  )
}

/**
 * The requester asks for another flow under the same endpoint id: it has begun anew. What is not allocated yet is over; an allocated flow stays, since
 * anybody could have sent the request, and ends by its own timeout.
 */
const supersede = (turn: Turn, row: number): void => {
  if (word(turn.table, FLOW, row, Flow.STATE) !== ARRIVED) {
    forgetRequester(turn, row)
    return
  }
  dequeue(turn.table, "arrive", row)
  removeFlow(turn, row)
}

/** No such name (A8): -ENAME, where the reference says nothing. */
const refuseUnknown = (turn: Turn, { requester, peer }: Asked): void => {
  drop(turn, "unknown-name")
  if (turn.settings.form === "first" || !turn.settings.refusals) return
  const bytes = replyPacket(requester, 0, responseOf("ENAME"), NOTHING)
  turn.effects.push({ type: "send", socket: LAYER_SOCKET, bytes, destination: peer })
}

/** Nobody has accepted in time: the bound program is asked to start, and gets as much time again; then it is over. */
export const arrivalDue = (turn: Turn, row: number): void => {
  const { table, settings, tick } = turn
  if (tick < flowWord(turn, row, Flow.DEADLINE)) {
    wakeAt(turn, row, flowWord(turn, row, Flow.DEADLINE))
    return
  }
  const name = word(table, FLOW, row, Flow.NAME)
  const flags = word(table, FLOW, row, Flow.FLAGS)
  const program = programOf(table, name)
  if (program === undefined || (flags & Flag.SPAWNED) !== 0) {
    refuseArrival(turn, row, "ETIMEDOUT")
    return
  }
  setWord(table, FLOW, row, Flow.FLAGS, flags | Flag.SPAWNED)
  setWord(table, FLOW, row, Flow.DEADLINE, ticksFrom(turn, settings.arrivalTimeout))
  wakeAt(turn, row, flowWord(turn, row, Flow.DEADLINE))
  tell(turn, { type: "spawn", name: textOf(table, name), program })
}
