import { u32 } from "../wire/index.ts"
import { parseFirst } from "./first-form.ts"
import { Offset } from "./parse.ts"
import { FIRST_FORM_PORT, FLOW_PORT, FlowCode, HASH_LENGTH, MANAGEMENT_LENGTH } from "./registry.ts"

/** The UDP ports between which a datagram went, where they are known. */
export interface FlowPorts {
  /** Where it came from. */
  readonly sourcePort?: number | undefined
  /** Where it went. */
  readonly destinationPort?: number | undefined
}

/** What a datagram is taken for. */
export type FlowKind =
  /** A request of the first form: the name alone, to port 3359. */
  | "first-request"
  /** A management message of today's form. */
  | "management"
  /** A message of a flow, of today's form. */
  | "data"

/**
 * What a UDP payload is, by its ports and by its octets; `undefined`: nothing says that it belongs to flow allocation. Without ports a
 * management message alone proves itself: no PCP or NAT-PMP message has its first octets and its length.
 */
export const detectFlow = (
  bytes: Uint8Array,
  { sourcePort, destinationPort }: FlowPorts = {},
): FlowKind | undefined => {
  if (destinationPort === FIRST_FORM_PORT) return parseFirst(bytes).ok ? "first-request" : undefined
  if (sourcePort === FLOW_PORT || destinationPort === FLOW_PORT)
    return bytes.length >= 4 && u32(bytes, Offset.EID) !== 0 ? "data" : "management"
  return sourcePort === undefined && destinationPort === undefined && isManagement(bytes) ? "management" : undefined
}

const isManagement = (bytes: Uint8Array): boolean => {
  if (bytes.length < MANAGEMENT_LENGTH || u32(bytes, Offset.EID) !== 0 || u32(bytes, Offset.REQUESTER) === 0)
    return false
  const code = bytes[Offset.CODE]
  if (code === FlowCode.FLOW_REPLY) return true
  return code === FlowCode.FLOW_REQ && bytes.length >= MANAGEMENT_LENGTH + HASH_LENGTH
}
