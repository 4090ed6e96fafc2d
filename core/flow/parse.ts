import { i32, sliceOctets, u32 } from "../wire/index.ts"
import { flowFault, type ParsedFlow } from "./message.ts"
import type { QosSpec } from "./qos.ts"
import { EID_LENGTH, FlowCode, HASH_LENGTH, MANAGEMENT_EID, MANAGEMENT_LENGTH, MAX_PACKET_4 } from "./registry.ts"

/** Where a management message has its fields, octets from its start (`struct mgmt_msg`). */
export const Offset = {
  EID: 0,
  REQUESTER: 4,
  RESPONDER: 8,
  RESPONSE: 12,
  BANDWIDTH: 16,
  DELAY: 24,
  LOSS: 28,
  BER: 32,
  MAX_GAP: 36,
  TIMEOUT: 40,
  CODE: 44,
  AVAILABILITY: 45,
  IN_ORDER: 46,
} as const

const STRUCT = "struct mgmt_msg"
const READER = "ipcp_udp_packet_reader"

/**
 * Reads a datagram of today's form (commit 8de42096). All numbers are big-endian:
 *
 *     0 eid 4 | of a flow: its octets
 *     0 eid 4, 0 | s_eid 4 | d_eid 4 | response 4 | bandwidth 8 | delay 4 | loss 4 | ber 4 | max_gap 4 | timeout 4
 *       | code 1 | availability 1 | in_order 1 | FLOW_REQ: hash 16 | the rest is the application's
 *
 * Total: any octets give a message or an error. What a message holds is copied out of `bytes`.
 */
export const parseFlow = (bytes: Uint8Array): ParsedFlow => {
  const { length } = bytes
  if (length < EID_LENGTH)
    return flowFault("too-short", length, READER, `${length} octets: an endpoint id has ${EID_LENGTH}`)
  if (length > MAX_PACKET_4)
    return flowFault("too-long", MAX_PACKET_4, READER, `${length} octets: a packet has ${MAX_PACKET_4} at most`)
  const eid = u32(bytes, Offset.EID)
  if (eid !== MANAGEMENT_EID)
    return { ok: true, message: { kind: "flow-data", eid, data: sliceOctets(bytes, EID_LENGTH) } }
  if (length < MANAGEMENT_LENGTH)
    return flowFault("too-short", length, STRUCT, `${length} octets: a management message has ${MANAGEMENT_LENGTH}`)
  const code = bytes[Offset.CODE]
  if (code !== FlowCode.FLOW_REQ && code !== FlowCode.FLOW_REPLY)
    return flowFault("unknown-code", Offset.CODE, STRUCT, `code ${code} is neither FLOW_REQ nor FLOW_REPLY`)
  const requester = u32(bytes, Offset.REQUESTER)
  if (requester === MANAGEMENT_EID)
    return flowFault("no-requester", Offset.REQUESTER, STRUCT, "s_eid 0 is the endpoint id of management messages")
  return code === FlowCode.FLOW_REQ ? parseRequest(bytes, requester) : parseReply(bytes, requester)
}

const parseRequest = (bytes: Uint8Array, requester: number): ParsedFlow => {
  const end = MANAGEMENT_LENGTH + HASH_LENGTH
  if (bytes.length < end)
    return flowFault("too-short", bytes.length, STRUCT, `${bytes.length} octets: a FLOW_REQ has ${end} or more`)
  const hash = sliceOctets(bytes, MANAGEMENT_LENGTH, end)
  const message = { kind: "flow-request", requester, qos: readQos(bytes), hash, data: sliceOctets(bytes, end) } as const
  return { ok: true, message }
}

const parseReply = (bytes: Uint8Array, requester: number): ParsedFlow => {
  const responder = u32(bytes, Offset.RESPONDER)
  const response = i32(bytes, Offset.RESPONSE)
  if (response === 0 && responder === MANAGEMENT_EID)
    return flowFault("no-responder", Offset.RESPONDER, STRUCT, "the flow is accepted, but d_eid is 0")
  const data = sliceOctets(bytes, MANAGEMENT_LENGTH)
  return { ok: true, message: { kind: "flow-reply", requester, responder, response, data } }
}

const readQos = (bytes: Uint8Array): QosSpec => ({
  delay: u32(bytes, Offset.DELAY),
  bandwidth: (BigInt(u32(bytes, Offset.BANDWIDTH)) << 32n) | BigInt(u32(bytes, Offset.BANDWIDTH + 4)),
  availability: bytes[Offset.AVAILABILITY],
  loss: u32(bytes, Offset.LOSS),
  ber: u32(bytes, Offset.BER),
  inOrder: bytes[Offset.IN_ORDER] !== 0,
  maxGap: u32(bytes, Offset.MAX_GAP),
  timeout: u32(bytes, Offset.TIMEOUT),
})
