import { setWord, word } from "../table/index.ts"
import { type Address, sliceOctets, u32 } from "../wire/index.ts"
import { begin, sendOctets } from "./alive.ts"
import { longestTo, receiveReply } from "./allocate.ts"
import { arrive } from "./arrive.ts"
import { LAYER_SOCKET } from "./effect.ts"
import { findEid } from "./eid.ts"
import { errorNameOf } from "./failure.ts"
import { parseFirst } from "./first-form.ts"
import type { FlowInput } from "./input.ts"
import { FLOW, Flow } from "./layout.ts"
import { hashOf } from "./name.ts"
import { keptOctets, sameOctets } from "./octets.ts"
import { parseFlow } from "./parse.ts"
import { FlowState } from "./phase.ts"
import { EID_LENGTH, MANAGEMENT_EID } from "./registry.ts"
import { dropKept, isAt, isFrom, peerOf, setOwnPeer } from "./row.ts"
import { drop, fail, flowWord, TICK, type Turn, tell, ticksFrom } from "./turn.ts"

type Write = FlowInput & { readonly type: "write" }
type Arrived = FlowInput & { readonly type: "datagram" }

/** One datagram, to whichever socket. */
export const deliver = (turn: Turn, datagram: Arrived): void => {
  if (turn.settings.form === "current") {
    deliverCurrent(turn, datagram)
    return
  }
  const { socket = LAYER_SOCKET, bytes, source, sourcePort } = datagram
  if (socket !== LAYER_SOCKET) {
    deliverFirst(turn, socket, bytes, source, sourcePort)
    return
  }
  const parsed = parseFirst(bytes)
  if (!parsed.ok) {
    drop(turn, bytes.length === 0 ? "runt" : "malformed")
    return
  }
  const peer = { address: source, port: sourcePort }
  arrive(turn, { requester: ONE_FLOW, hash: hashOf(parsed.name), peer, bytes: parsed.name })
}

/** An end of the first form asks for one flow alone: its address and port say which. */
const ONE_FLOW = 1

const deliverCurrent = (turn: Turn, { bytes, source, sourcePort }: Arrived): void => {
  if (bytes.length < EID_LENGTH) {
    drop(turn, "runt")
    return
  }
  const eid = u32(bytes, 0)
  if (eid !== MANAGEMENT_EID) {
    deliverData(turn, eid, bytes.subarray(EID_LENGTH), source, sourcePort)
    return
  }
  const parsed = parseFlow(bytes)
  if (!parsed.ok) {
    drop(turn, parsed.error.code === "too-short" ? "runt" : "malformed")
    return
  }
  const { message } = parsed
  if (message.kind === "flow-reply") {
    receiveReply(turn, findEid(turn, message.requester), message, source, sourcePort)
    return
  }
  if (message.kind !== "flow-request") return
  const { requester, hash } = message
  arrive(turn, { requester, hash, peer: { address: source, port: sourcePort }, bytes: sliceOctets(bytes) })
}

/** A message of a flow. It must come from the flow's peer, address and port. */
const deliverData = (turn: Turn, eid: number, data: Uint8Array, source: Address, port: number): void => {
  const { table, tick } = turn
  const row = findEid(turn, eid)
  if (row === 0) {
    drop(turn, "unknown-eid")
    return
  }
  if (!isFrom(table, row, source, port)) {
    drop(turn, "wrong-source")
    return
  }
  const state = word(table, FLOW, row, Flow.STATE)
  if (state !== FlowState.ALLOCATED) {
    refuseData(turn, row, state)
    return
  }
  if (word(table, FLOW, row, Flow.HEARD) !== (tick | 0)) setWord(table, FLOW, row, Flow.HEARD, tick)
  if (data.length > 0) turn.effects.push({ type: "event", event: { type: "data", flow: eid, data } })
}

/** A flow that is no more keeps its endpoint id for as long as datagrams come for it, within bounds. */
const refuseData = (turn: Turn, row: number, state: number): void => {
  if (state !== FlowState.DEALLOC_PENDING && state !== FlowState.DEALLOCATED) {
    drop(turn, "not-allocated")
    return
  }
  const { linger, lingerMost } = turn.settings
  const latest = flowWord(turn, row, Flow.ENDED) + Math.ceil(lingerMost / TICK)
  const deadline = Math.min(ticksFrom(turn, linger), latest)
  if (deadline > flowWord(turn, row, Flow.DEADLINE)) setWord(turn.table, FLOW, row, Flow.DEADLINE, deadline)
  drop(turn, "late")
}

/** What comes to the socket of one flow of the first form: the echo, then messages without any header. */
const deliverFirst = (turn: Turn, socket: number, bytes: Uint8Array, source: Address, port: number): void => {
  const { table } = turn
  const row = findEid(turn, socket)
  if (row === 0) {
    drop(turn, "unknown-eid")
    return
  }
  if (word(table, FLOW, row, Flow.STATE) === FlowState.ALLOC_PENDING) {
    receiveEcho(turn, row, bytes, source, port)
    return
  }
  if (isEchoAgain(turn, row, bytes, source, port)) {
    drop(turn, "duplicate")
    return
  }
  deliverData(turn, socket, bytes, source, port)
}

/** The echo of a name (A2), from the address that was asked and whichever port the server chose for the flow. */
const receiveEcho = (turn: Turn, row: number, bytes: Uint8Array, source: Address, port: number): void => {
  const { table } = turn
  if (!isAt(table, row, source)) {
    drop(turn, "wrong-source")
    return
  }
  if (!sameOctets(bytes, keptOctets(table, word(table, FLOW, row, Flow.KEPT)))) {
    drop(turn, "malformed")
    return
  }
  setOwnPeer(turn, row, { address: source, port })
  const echoes = word(table, FLOW, row, Flow.TRIES) - 1
  setWord(table, FLOW, row, Flow.ECHOES, echoes)
  if (echoes === 0) dropKept(table, row)
  begin(turn, row)
  tell(turn, {
    type: "allocated",
    flow: flowWord(turn, row, Flow.EID),
    data: new Uint8Array(0),
    peer: peerOf(table, row),
  })
}

/**
 * The first form tells an echo from a message by nothing. A request that was repeated may bring as many echoes more: so many datagrams with the name's
 * octets are taken for those, while they can still be under way.
 */
const isEchoAgain = (turn: Turn, row: number, bytes: Uint8Array, source: Address, port: number): boolean => {
  const { table, settings } = turn
  const echoes = word(table, FLOW, row, Flow.ECHOES)
  if (echoes === 0 || !isFrom(table, row, source, port)) return false
  if (ticksFrom(turn, -settings.linger) > flowWord(turn, row, Flow.BORN)) {
    setWord(table, FLOW, row, Flow.ECHOES, 0)
    return false
  }
  if (!sameOctets(bytes, keptOctets(table, word(table, FLOW, row, Flow.KEPT)))) return false
  setWord(table, FLOW, row, Flow.ECHOES, echoes - 1)
  return true
}

/** A message of the application's. */
export const write = (turn: Turn, row: number, { flow, data, octets }: Write): void => {
  const { table, settings } = turn
  const state = row === 0 ? -1 : word(table, FLOW, row, Flow.STATE)
  if (state === FlowState.ALLOCATED) {
    const peer = peerOf(table, row)
    const most = longestTo(peer.address) - (settings.form === "first" ? 0 : EID_LENGTH)
    if (data.length > most) {
      fail(turn, "EMSGSIZE", `${data.length} octets: a message has ${most} at most`)
      return
    }
    // Without octets it would be a keep-alive.
    if (data.length > 0) sendOctets(turn, row, data, peer, octets)
    return
  }
  if (row === 0) {
    fail(turn, "EBADF", `there is no flow ${flow}`)
    return
  }
  const error = errorNameOf(word(table, FLOW, row, Flow.RESPONSE))
  if (state === FlowState.DEALLOC_PENDING && (error === "EFLOWPEER" || error === "EFLOWDOWN")) {
    fail(turn, error, `flow ${flow} is down`)
    return
  }
  fail(turn, "ENOTALLOC", `flow ${flow} is not allocated`)
}
