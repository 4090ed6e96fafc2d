import { HEADER_LENGTH, Opcode } from "../registry.ts"
import type { Field } from "./field.ts"
import { field } from "./field.ts"
import type { FieldNode } from "./node.ts"
import { group, leaf, readFields } from "./node.ts"
import { dissectOptions } from "./option.ts"

const REQUEST = "RFC 6887 section 7.1"
const RESPONSE = "RFC 6887 section 7.2"
const VERSIONS = "RFC 6887 section 9"

const MESSAGE = field("Port Control Protocol", "message", 0, "RFC 6887 section 7")
const REQUEST_HEADER = field("Request Header", "group", 0, REQUEST)
const RESPONSE_HEADER = field("Response Header", "group", 0, RESPONSE)

const start = (rfc: string): readonly Field[] => [
  field("Version", "version", 1, rfc, "portcontrol.version"),
  field("R", "direction", 1, rfc, "portcontrol.r", { bit: 0, bits: 1 }),
  field("Opcode", "opcode", 1, rfc, "portcontrol.opcode", { bit: 1, bits: 7 }),
]
const request = (reserved: Field): readonly Field[] => [
  ...start(REQUEST),
  reserved,
  field("Requested Lifetime", "seconds", 4, REQUEST, "portcontrol.lifetime_req"),
  field("PCP Client's IP Address", "address", 16, REQUEST, "portcontrol.client_ip"),
]
const REQUEST_FIELDS = request(field("Reserved", "zeros", 2, REQUEST, "portcontrol.reserved"))
/** RFC 7652 section 5.1 gives the second reserved octet to the opcode; AUTHENTICATION puts a result code there. */
const AUTHENTICATION_REQUEST_FIELDS = request(
  field("Reserved and Opcode-specific data", "group", 2, "RFC 7652 section 5.1", "portcontrol.reserved", {
    parts: [
      field("Reserved", "zeros", 1, "RFC 7652 section 5.1"),
      field("Result Code", "result", 1, "RFC 7652 section 5.1"),
    ],
  }),
)
const RESPONSE_FIELDS: readonly Field[] = [
  ...start(RESPONSE),
  field("Reserved", "zeros", 1, RESPONSE, "portcontrol.reserved"),
  field("Result Code", "result", 1, "RFC 6887 section 7.4", "portcontrol.result_code"),
  field("Lifetime", "seconds", 4, RESPONSE, "portcontrol.lifetime_rsp"),
  field("Epoch Time", "seconds", 4, "RFC 6887 section 8.5", "portcontrol.epoch_time"),
  field("Reserved", "zeros", 12, RESPONSE, "portcontrol.rsp_reserved"),
]

/** Opcode-specific information: the name of the group and what is in it. */
type Body = { readonly name: Field; readonly fields: readonly Field[] }

/** MAP and PEER begin alike (RFC 6887 sections 11.1 and 12.1); `w` is the opcode's part of Wireshark's names. */
const mapping = (rfc: string, w: string, response: boolean, zeroPort: string | undefined): readonly Field[] => {
  const external = response ? "Assigned External" : "Suggested External"
  const wireshark = response ? `${w}.rsp_assigned` : `${w}.req_sug`
  const preference = response ? {} : { zero: "no preference" }
  const internal = zeroPort === undefined ? {} : { zero: zeroPort }
  return [
    field("Mapping Nonce", "bytes", 12, rfc, `${w}.nonce`),
    field("Protocol", "protocol", 1, rfc, `${w}.protocol`),
    field("Reserved", "zeros", 3, rfc, `${w}.reserved`),
    field("Internal Port", "uint", 2, rfc, `${w}.internal_port`, internal),
    field(`${external} Port`, "uint", 2, rfc, `${wireshark}_external_port`, preference),
    field(`${external} IP Address`, "address", 16, rfc, response ? `${wireshark}_ext_ip` : `${wireshark}_external_ip`, {
      ...preference,
    }),
  ]
}

const map = (response: boolean): Body => {
  const rfc = response ? "RFC 6887 section 11.1, figure 10" : "RFC 6887 section 11.1, figure 9"
  return { name: field("MAP", "group", 0, rfc), fields: mapping(rfc, "portcontrol.map", response, "all ports") }
}

const peer = (response: boolean): Body => {
  const rfc = response ? "RFC 6887 section 12.1, figure 12" : "RFC 6887 section 12.1, figure 11"
  return {
    name: field("PEER", "group", 0, rfc),
    fields: [
      ...mapping(rfc, "portcontrol.peer", response, undefined),
      field("Remote Peer Port", "uint", 2, rfc, "portcontrol.peer.remote_peer_port"),
      field("Reserved", "zeros", 2, rfc, "portcontrol.peer.reserved"),
      field("Remote Peer IP Address", "address", 16, rfc, "portcontrol.peer.remote_peer_ip"),
    ],
  }
}

const MAP_REQUEST = map(false)
const MAP_RESPONSE = map(true)
const PEER_REQUEST = peer(false)
const PEER_RESPONSE = peer(true)
const AUTHENTICATION: Body = {
  name: field("AUTHENTICATION", "group", 0, "RFC 7652 section 5.2"),
  fields: [
    field("Session ID", "uint", 4, "RFC 7652 section 5.2"),
    field("Sequence Number", "uint", 4, "RFC 7652 section 5.2"),
  ],
}
const OPCODE_DATA = field("Opcode-specific information", "bytes", 0, "RFC 6887 section 7")

/** Is there a layout of this opcode here, or is what follows the header kept as bytes? */
export const isKnownOpcode = (opcode: number): boolean => opcode <= Opcode.AUTHENTICATION

/**
 * A PCP version 2 message (RFC 6887 sections 7.1 and 7.2):
 *
 *     request   Version 1 | R, Opcode 1 | Reserved 2             | Requested Lifetime 4 | PCP Client's IP Address 16
 *     response  Version 1 | R, Opcode 1 | Reserved 1 | Result 1  | Lifetime 4 | Epoch Time 4 | Reserved 12
 *     MAP       Mapping Nonce 12 | Protocol 1 | Reserved 3 | Internal Port 2 | External Port 2 | External IP Address 16
 *     PEER      as MAP, then Remote Peer Port 2 | Reserved 2 | Remote Peer IP Address 16
 *     AUTHENTICATION   Session ID 4 | Sequence Number 4
 *
 * then options. After the header of an unknown opcode nobody can tell where its options begin: all of it is bytes.
 */
export const dissectPcp = (bytes: Uint8Array): FieldNode => {
  const end = bytes.length
  const second = end > 1 ? bytes[1] : 0
  const response = second > 127
  const opcode = second & 127
  const header: FieldNode[] = []
  const at = readFields(bytes, 0, end, headerFields(response, opcode), header)
  const children = [group(response ? RESPONSE_HEADER : REQUEST_HEADER, 0, Math.min(end, HEADER_LENGTH), 0, header)]
  if (at >= 0) {
    if (isKnownOpcode(opcode)) dissectBody(bytes, at, bodyOf(opcode, response), response, children)
    else if (at < end) children.push(leaf(OPCODE_DATA, at, end - at, 0, 0))
  }
  return group(MESSAGE, 0, end, second, children)
}

const headerFields = (response: boolean, opcode: number): readonly Field[] => {
  if (response) return RESPONSE_FIELDS
  return opcode === Opcode.AUTHENTICATION ? AUTHENTICATION_REQUEST_FIELDS : REQUEST_FIELDS
}

const bodyOf = (opcode: number, response: boolean): Body | undefined => {
  switch (opcode) {
    case Opcode.MAP:
      return response ? MAP_RESPONSE : MAP_REQUEST
    case Opcode.PEER:
      return response ? PEER_RESPONSE : PEER_REQUEST
    case Opcode.AUTHENTICATION:
      return AUTHENTICATION
    default:
      return undefined
  }
}

const dissectBody = (
  bytes: Uint8Array,
  offset: number,
  body: Body | undefined,
  response: boolean,
  out: FieldNode[],
): void => {
  const end = bytes.length
  let at = offset
  if (body !== undefined) {
    const fields: FieldNode[] = []
    at = readFields(bytes, offset, end, body.fields, fields)
    out.push(group(body.name, offset, at < 0 ? end : at, 0, fields))
  }
  if (at >= 0 && at < end) out.push(dissectOptions(bytes, at, response))
}

const DRAFT = field("Version", "version", 1, VERSIONS, "portcontrol.version")
const OTHER = field("Version", "version", 1, VERSIONS)
const OTHER_DATA = field("Data", "bytes", 0, VERSIONS)

/**
 * A message of another version: its version octet, and the rest as bytes. Version 1 was a draft of PCP whose messages
 * changed from one draft to the next and which RFC 6886 section 1.1 rules out, so nothing in it has a name here.
 */
export const dissectOtherVersion = (bytes: Uint8Array): FieldNode => {
  const children: FieldNode[] = []
  const at = readFields(bytes, 0, bytes.length, bytes[0] === 1 ? [DRAFT] : [OTHER], children)
  if (at > 0 && at < bytes.length) children.push(leaf(OTHER_DATA, at, bytes.length - at, 0, 0))
  return group(MESSAGE, 0, bytes.length, 0, children)
}
