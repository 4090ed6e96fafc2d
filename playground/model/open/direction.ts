import { protocolOf } from "../../../core/decode/index.ts"
import { FIRST_FORM_PORT, type FlowPorts, parseFlow } from "../../../core/flow/index.ts"
import { NATPMP_VERSION, NatPmpResult, u16 } from "../../../core/wire/index.ts"
import type { Direction, OpenedPacket } from "./opened.ts"

/** Octets of NAT-PMP's answer to another version (RFC 6886 section 3.5), which has no response bit. */
const VERSION_ERROR = 8

/** The ports between which a packet went, where they are known. */
export const portsOf = ({ source, destination }: Pick<OpenedPacket, "source" | "destination">): FlowPorts => ({
  sourcePort: source?.port,
  destinationPort: destination?.port,
})

/**
 * Which way a message goes by its second octet (RFC 6887 section 7, RFC 6886 section 3), and for NAT-PMP's version error by its length; of flow
 * allocation by its code, and a name of the first form is a request. A frame of an overlay is neither.
 */
export const directionOf = (bytes: Uint8Array, ports: FlowPorts = {}): Direction | undefined => {
  const protocol = protocolOf(bytes, ports)
  if (protocol === "flow") return directionOfFlow(bytes, ports)
  if (protocol !== "port-control") return undefined
  if (bytes.length < 2) return undefined
  if (bytes[1] >= 128) return "response"
  const isVersionError =
    bytes[0] === NATPMP_VERSION &&
    bytes[1] === 0 &&
    bytes.length === VERSION_ERROR &&
    u16(bytes, 2) === NatPmpResult.UNSUPPORTED_VERSION
  return isVersionError ? "response" : "request"
}

const directionOfFlow = (bytes: Uint8Array, { destinationPort }: FlowPorts): Direction | undefined => {
  if (destinationPort === FIRST_FORM_PORT) return "request"
  const parsed = parseFlow(bytes)
  if (!parsed.ok || parsed.message.kind === "flow-data") return undefined
  return parsed.message.kind === "flow-request" ? "request" : "response"
}
