import { field as wireField } from "../wire/dissect/make.ts"
import { type Field, type FieldNode, type Kind, u32 } from "../wire/index.ts"
import { errorNameOf } from "./failure.ts"
import { nameText } from "./name.ts"
import { UNBOUNDED } from "./qos.ts"
import { FlowCode, HASH_LENGTH } from "./registry.ts"

const STRUCT = "struct mgmt_msg"
const LISTENER = "ipcp_udp_listener"

/** Wireshark knows nothing of these. `source` is the structure or function of the reference that specifies it. */
const field = (name: string, kind: Kind, size: number, source: string): Field =>
  wireField(name, kind, size, `Ouroboros ${source}`)

const requester = field("Requester's endpoint id (s_eid)", "uint", 4, STRUCT)
const responder = field("Responder's endpoint id (d_eid)", "uint", 4, STRUCT)
const response = field("Response", "uint", 4, STRUCT)
const bandwidth = field("Bandwidth", "bytes", 8, STRUCT)
const delay = field("Delay", "uint", 4, STRUCT)
const loss = field("Loss", "uint", 4, STRUCT)
const ber = field("Bit errors (ber)", "uint", 4, STRUCT)
const maxGap = field("Longest gap (max_gap)", "uint", 4, STRUCT)
const timeout = field("Peer timeout", "uint", 4, STRUCT)
const code = field("Code", "uint", 1, STRUCT)
const availability = field("Availability", "uint", 1, STRUCT)
const inOrder = field("In order", "uint", 1, STRUCT)

/** The messages, and the fields that are not of every management message. */
type FieldName =
  | "request"
  | "reply"
  | "unknown"
  | "data"
  | "keepAlive"
  | "first"
  | "eid"
  | "hash"
  | "piggyback"
  | "message"
  | "name"

/** Every field of both forms; `header` are those behind the endpoint id of a management message. */
export const FLOW_FIELDS: Readonly<Record<FieldName, Field>> & { readonly header: readonly Field[] } = {
  request: field("Ouroboros FLOW_REQ", "message", 0, STRUCT),
  reply: field("Ouroboros FLOW_REPLY", "message", 0, STRUCT),
  unknown: field("Ouroboros management message", "message", 0, STRUCT),
  data: field("Ouroboros flow message", "message", 0, "ipcp_udp_packet_writer"),
  keepAlive: field("Ouroboros keep-alive", "message", 0, "ipcp_udp_packet_writer"),
  first: field("Ouroboros flow request of the first form", "message", 0, LISTENER),
  eid: field("Endpoint id (eid)", "uint", 4, STRUCT),
  header: [requester, responder, response, bandwidth, delay, loss, ber, maxGap, timeout, code, availability, inOrder],
  hash: field("Hash of the name", "bytes", HASH_LENGTH, STRUCT),
  piggyback: field("Piggyback data", "bytes", 0, STRUCT),
  message: field("Message", "bytes", 0, "ipcp_udp_packet_writer"),
  name: field("Name", "text", 0, LISTENER),
}

type Words = (bytes: Uint8Array, node: FieldNode) => string

const bounded =
  (unit: string): Words =>
  (_, { value }) =>
    value === UNBOUNDED ? `${value} (any)` : `${value}${unit}`

const hex: Words = (bytes, { offset, length }) => {
  let text = ""
  for (let i = offset; i < offset + length; i++) text += bytes[i].toString(16).padStart(2, "0")
  return text
}

const responseWords: Words = (_, { value }) => {
  const number = value | 0
  return number === 0 ? "0 (accepted)" : `${number} (${errorNameOf(number) ?? "refused"})`
}

const codeWords: Words = (_, { value }) => {
  if (value === FlowCode.FLOW_REQ) return `FLOW_REQ (${value})`
  return value === FlowCode.FLOW_REPLY ? `FLOW_REPLY (${value})` : `${value} (unknown)`
}

const bandwidthWords: Words = (bytes, { offset }) => {
  const value = (BigInt(u32(bytes, offset)) << 32n) | BigInt(u32(bytes, offset + 4))
  return value === 0n ? "0 (any)" : `${value} bit/s`
}

// Control, format, private and unassigned characters could move a terminal's cursor or turn text around.
const UNPRINTABLE = /[\p{C}\p{Zl}\p{Zp}]/gu

const nameWords: Words = (bytes, { offset, length }) =>
  `"${nameText(bytes.subarray(offset, offset + length))
    .replace(/["\\]/g, "\\$&")
    .replace(UNPRINTABLE, (c) => `\\u{${c.codePointAt(0)?.toString(16)}}`)}"`

/** How each leaf's octets read. */
export const FLOW_WORDS: ReadonlyMap<Field, Words> = new Map<Field, Words>([
  [FLOW_FIELDS.eid, (_, { value }) => (value === 0 ? "0 (management)" : `${value}`)],
  [requester, (_, { value }) => `${value}`],
  [responder, (_, { value }) => (value === 0 ? "0 (none)" : `${value}`)],
  [response, responseWords],
  [bandwidth, bandwidthWords],
  [delay, bounded(" ms")],
  [loss, (_, { value }) => `${value}`],
  [ber, (_, { value }) => `${value} in 10^9 bits`],
  [maxGap, bounded(" ms")],
  [timeout, (_, { value }) => (value === 0 ? "0 ms (none)" : `${value} ms`)],
  [code, codeWords],
  [availability, (_, { value }) => `${value}`],
  [inOrder, (_, { value }) => (value === 0 ? "0 (no)" : `${value} (yes)`)],
  [FLOW_FIELDS.hash, hex],
  [FLOW_FIELDS.piggyback, hex],
  [FLOW_FIELDS.message, hex],
  [FLOW_FIELDS.name, nameWords],
])
