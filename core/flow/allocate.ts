import { setWord, word } from "../table/index.ts"
import { type Address, isAny, isIpv4 } from "../wire/index.ts"
import { begin } from "./alive.ts"
import { type FlowEnd, LAYER_SOCKET } from "./effect.ts"
import { freeEid } from "./eid.ts"
import { encodeFlow } from "./encode.ts"
import { endPending, rest } from "./end.ts"
import { errorNameOf } from "./failure.ts"
import type { FlowCommand } from "./input.ts"
import { FLOW, Flag, Flow } from "./layout.ts"
import type { FlowReply } from "./message.ts"
import { hashOf, nameOctets } from "./name.ts"
import { keepOctets, keptOctets } from "./octets.ts"
import { FlowState } from "./phase.ts"
import { QOS_CUBES, qosFault } from "./qos.ts"
import { MAX_PACKET_4, MAX_PACKET_6 } from "./registry.ts"
import { addFlow, dropKept, isFrom, peerOf } from "./row.ts"
import { drop, fail, flowWord, succeed, type Turn, tell, ticksFrom, wakeAt } from "./turn.ts"

type Alloc = FlowCommand & { readonly type: "alloc" }

const NOTHING = new Uint8Array(0)

/** Octets of a datagram to that address at most. */
export const longestTo = (address: Address): number => (isIpv4(address) ? MAX_PACKET_4 : MAX_PACKET_6)

export const isTime = (value: number | undefined): boolean =>
  value === undefined || (Number.isInteger(value) && value >= 1 && value <= 0x7fffffff)

const isEnd = ({ address, port }: FlowEnd): boolean =>
  Number.isInteger(port) && port >= 1 && port <= 65535 && !isAny(address)

/** INIT -> ALLOC_PENDING (A8): asks the peer for a flow to a name. */
export const allocate = (turn: Turn, { name, peer, qos = QOS_CUBES.raw, timeout, data = NOTHING }: Alloc): void => {
  const { table, settings } = turn
  const octets = nameOctets(name)
  const fault = qosFault(qos)
  if (octets === undefined) {
    fail(turn, "EINVAL", "a name has 1 to 255 octets of UTF-8, and no NUL")
    return
  }
  if (!isTime(timeout)) {
    fail(turn, "EINVAL", "a timeout is 1 to 2147483647 ms")
    return
  }
  if (!isEnd(peer)) {
    fail(turn, "EINVAL", "the peer has no address or no port")
    return
  }
  if (fault !== undefined) {
    fail(turn, "EINVAL", fault)
    return
  }
  if (settings.form === "first" && data.length > 0) {
    fail(turn, "EINVAL", "the first form carries no data in requests")
    return
  }
  const eid = freeEid(turn)
  if (eid === undefined) {
    fail(turn, "ENOMEM", `there are ${settings.maxFlows} flows`)
    return
  }
  const request =
    settings.form === "first"
      ? octets
      : requestOf({ kind: "flow-request", requester: eid, qos, hash: hashOf(octets), data })
  if (request === undefined || request.length > longestTo(peer.address)) {
    fail(turn, "EMSGSIZE", `a request has ${longestTo(peer.address)} octets at most`)
    return
  }
  const row = addFlow(turn, eid, FlowState.ALLOC_PENDING, peer)
  setWord(table, FLOW, row, Flow.TIMEOUT, qos.timeout)
  setWord(table, FLOW, row, Flow.KEPT, keepOctets(table, request))
  setWord(table, FLOW, row, Flow.DEADLINE, ticksFrom(turn, timeout ?? settings.allocTimeout))
  if (timeout !== undefined) setWord(table, FLOW, row, Flow.FLAGS, Flag.TIMED)
  succeed(turn, eid)
  if (settings.form === "first") turn.effects.push({ type: "open", socket: eid, peer })
  ask(turn, row, request)
}

const requestOf = (message: Parameters<typeof encodeFlow>[0]): Uint8Array | undefined => {
  const encoded = encodeFlow(message)
  return encoded.ok ? encoded.bytes : undefined
}

/** Sends the request, and comes back to send it again. */
const ask = (turn: Turn, row: number, bytes: Uint8Array): void => {
  const { table, settings } = turn
  const tries = word(table, FLOW, row, Flow.TRIES)
  const socket = settings.form === "first" ? flowWord(turn, row, Flow.EID) : LAYER_SOCKET
  turn.effects.push({ type: "send", socket, bytes, destination: peerOf(table, row) })
  setWord(table, FLOW, row, Flow.TRIES, tries + 1)
  const wait = Math.min(settings.retransmitFirst * 2 ** Math.min(tries, 30), settings.retransmitMost)
  setWord(table, FLOW, row, Flow.NEXT_TRY, ticksFrom(turn, wait))
  wakeAt(turn, row, Math.min(ticksFrom(turn, wait), flowWord(turn, row, Flow.DEADLINE)))
}

/** Time has passed for an allocation: over, or asked once more. */
export const askAgain = (turn: Turn, row: number): void => {
  const { table, tick } = turn
  const [deadline, next] = [flowWord(turn, row, Flow.DEADLINE), flowWord(turn, row, Flow.NEXT_TRY)]
  if (tick >= deadline) {
    endPending(turn, row, (word(table, FLOW, row, Flow.FLAGS) & Flag.TIMED) === 0 ? "EPERM" : "ETIMEDOUT")
    return
  }
  if (tick < next) {
    wakeAt(turn, row, Math.min(next, deadline))
    return
  }
  ask(turn, row, keptOctets(table, word(table, FLOW, row, Flow.KEPT)))
}

/** FLOW_REPLY (A5): it must come from whom was asked, byte for byte, and for an allocation that is still open. */
export const receiveReply = (turn: Turn, row: number, reply: FlowReply, source: Address, port: number): void => {
  const { table } = turn
  if (row === 0) {
    drop(turn, "late-reply")
    return
  }
  const state = word(table, FLOW, row, Flow.STATE)
  if (state === FlowState.ACCEPT_PENDING || !isFrom(table, row, source, port)) {
    drop(turn, "wrong-source")
    return
  }
  if (state === FlowState.ALLOCATED) {
    drop(turn, "duplicate")
    return
  }
  if (state !== FlowState.ALLOC_PENDING) {
    drop(turn, "late-reply")
    return
  }
  const flow = flowWord(turn, row, Flow.EID)
  const { response, responder, data } = reply
  if (response !== 0) {
    rest(turn, row, FlowState.DEALLOCATED, response, true)
    tell(turn, { type: "refused", flow, response, error: errorNameOf(response) })
    return
  }
  dropKept(table, row)
  setWord(table, FLOW, row, Flow.PEER_EID, responder)
  begin(turn, row)
  tell(turn, { type: "allocated", flow, data, peer: peerOf(table, row) })
}
