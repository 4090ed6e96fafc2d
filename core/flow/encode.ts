import { putU32 } from "../wire/index.ts"
import type { FlowMessage, FlowReply, FlowRequest } from "./message.ts"
import { Offset } from "./parse.ts"
import { type QosSpec, qosFault } from "./qos.ts"
import { EID_LENGTH, FlowCode, HASH_LENGTH, MANAGEMENT_LENGTH, MAX_PACKET_4 } from "./registry.ts"

/** The result of {@link encodeFlow}. */
export type EncodedFlow =
  | { readonly ok: true; readonly bytes: Uint8Array }
  | { readonly ok: false; readonly text: string }

const impossible = (text: string): EncodedFlow => ({ ok: false, text })
const isEid = (value: number): boolean => value >>> 0 === value && value !== 0

/** The octets of a datagram of today's form, as `parseFlow` reads them; or one sentence that says why it has none. */
export const encodeFlow = (message: FlowMessage): EncodedFlow => {
  switch (message.kind) {
    case "flow-request":
      return encodeRequest(message)
    case "flow-reply":
      return encodeReply(message)
    case "flow-data":
      if (!isEid(message.eid)) return impossible(`endpoint id ${message.eid} is none of a flow`)
      return whole(EID_LENGTH + message.data.length) ?? { ok: true, bytes: dataPacket(message.eid, message.data) }
  }
}

const whole = (length: number): EncodedFlow | undefined =>
  length > MAX_PACKET_4 ? impossible(`${length} octets: a packet has ${MAX_PACKET_4} at most`) : undefined

/** A flow's octets behind its endpoint id, unchecked; `octets` makes their memory. */
export const dataPacket = (
  eid: number,
  data: Uint8Array,
  octets: (length: number) => Uint8Array = (length) => new Uint8Array(length),
): Uint8Array => {
  const bytes = octets(EID_LENGTH + data.length)
  putU32(bytes, Offset.EID, eid)
  bytes.set(data, EID_LENGTH)
  return bytes
}

const encodeRequest = ({ requester, qos, hash, data }: FlowRequest): EncodedFlow => {
  if (!isEid(requester)) return impossible(`endpoint id ${requester} is none of a flow`)
  const fault = qosFault(qos)
  if (fault !== undefined) return impossible(fault)
  if (hash.length !== HASH_LENGTH) return impossible(`a hash has ${HASH_LENGTH} octets, not ${hash.length}`)
  const length = MANAGEMENT_LENGTH + HASH_LENGTH + data.length
  const fit = whole(length)
  if (fit !== undefined) return fit
  const bytes = new Uint8Array(length)
  putU32(bytes, Offset.REQUESTER, requester)
  putQos(bytes, qos)
  bytes[Offset.CODE] = FlowCode.FLOW_REQ
  bytes.set(hash, MANAGEMENT_LENGTH)
  bytes.set(data, MANAGEMENT_LENGTH + HASH_LENGTH)
  return { ok: true, bytes }
}

const encodeReply = ({ requester, responder, response, data }: FlowReply): EncodedFlow => {
  if (!isEid(requester)) return impossible(`endpoint id ${requester} is none of a flow`)
  if (responder >>> 0 !== responder || (responder === 0 && response === 0))
    return impossible(`endpoint id ${responder} is none of a flow`)
  if ((response | 0) !== response) return impossible(`response ${response} does not fit 32 bits, signed`)
  return (
    whole(MANAGEMENT_LENGTH + data.length) ?? {
      ok: true,
      bytes: replyPacket(requester, responder, response, data),
    }
  )
}

/** A reply's octets, unchecked. Its quality of service is zero, as the reference has it. */
export const replyPacket = (requester: number, responder: number, response: number, data: Uint8Array): Uint8Array => {
  const bytes = new Uint8Array(MANAGEMENT_LENGTH + data.length)
  putU32(bytes, Offset.REQUESTER, requester)
  putU32(bytes, Offset.RESPONDER, responder)
  putU32(bytes, Offset.RESPONSE, response)
  bytes[Offset.CODE] = FlowCode.FLOW_REPLY
  bytes.set(data, MANAGEMENT_LENGTH)
  return bytes
}

const putQos = (bytes: Uint8Array, qos: QosSpec): void => {
  putU32(bytes, Offset.BANDWIDTH, Number(qos.bandwidth >> 32n))
  putU32(bytes, Offset.BANDWIDTH + 4, Number(qos.bandwidth & 0xffffffffn))
  putU32(bytes, Offset.DELAY, qos.delay)
  putU32(bytes, Offset.LOSS, qos.loss)
  putU32(bytes, Offset.BER, qos.ber)
  putU32(bytes, Offset.MAX_GAP, qos.maxGap)
  putU32(bytes, Offset.TIMEOUT, qos.timeout)
  bytes[Offset.AVAILABILITY] = qos.availability
  bytes[Offset.IN_ORDER] = qos.inOrder ? 1 : 0
}
