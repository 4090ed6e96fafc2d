import { u16 } from "../octets.ts"
import { NatPmpOpcode, NatPmpResult } from "../registry.ts"
import type { Field } from "./field.ts"
import { field } from "./field.ts"
import type { FieldNode } from "./node.ts"
import { group, leaf, readFields } from "./node.ts"

const EXTERNAL = "RFC 6886 section 3.2"
const MAPPING = "RFC 6886 section 3.3"
const RESULTS = "RFC 6886 section 3.5"

const MESSAGE = field("NAT Port Mapping Protocol", "message", 0, "RFC 6886 section 3")
const HEADER: readonly Field[] = [
  field("Vers", "version", 1, "RFC 6886 section 3", "nat-pmp.version"),
  field("OP", "natPmpOpcode", 1, "RFC 6886 section 3", "nat-pmp.opcode"),
]
const RESULT: readonly Field[] = [field("Result Code", "natPmpResult", 2, RESULTS, "nat-pmp.result_code")]
const STARTED: readonly Field[] = [
  ...RESULT,
  field("Seconds Since Start of Epoch", "seconds", 4, "RFC 6886 section 3.6", "nat-pmp.sssoe"),
]
const EXTERNAL_ADDRESS_RESPONSE: readonly Field[] = [
  ...STARTED,
  field("External IPv4 Address", "ipv4", 4, EXTERNAL, "nat-pmp.external_ip", { zero: "none" }),
]
const internalPort = field("Internal Port", "uint", 2, MAPPING, "nat-pmp.internal_port")
const MAP_REQUEST: readonly Field[] = [
  field("Reserved", "zeros", 2, MAPPING, "nat-pmp.reserved"),
  internalPort,
  field("Suggested External Port", "uint", 2, MAPPING, "nat-pmp.external_port", { zero: "no preference" }),
  field("Requested Port Mapping Lifetime in Seconds", "seconds", 4, MAPPING, "nat-pmp.pml", {
    zero: "destroy the mapping",
  }),
]
const MAP_RESPONSE: readonly Field[] = [
  ...STARTED,
  internalPort,
  field("Mapped External Port", "uint", 2, MAPPING, "nat-pmp.external_port", { zero: "none" }),
  field("Port Mapping Lifetime in Seconds", "seconds", 4, MAPPING, "nat-pmp.pml", { zero: "no mapping" }),
]
const NOTHING: readonly Field[] = []

const ECHO = field("Rest of the request", "bytes", 0, RESULTS)
const DATA = field("Data", "bytes", 0, RESULTS)
const TRAILING = field("Trailing data", "bytes", 0, "RFC 6886 section 3")

const RESPONSE = 128

/** Octets of the answer to a version that the server does not speak (RFC 6886 section 3.5). */
const VERSION_ERROR_LENGTH = 8

/**
 * A NAT-PMP message (RFC 6886 section 3):
 *
 *     0 Vers | 1 OP | by opcode:
 *     request  0      nothing
 *     request  1, 2   Reserved 2 | Internal Port 2 | Suggested External Port 2 | Lifetime 4
 *     response 128    Result Code 2 | Seconds Since Start of Epoch 4 | External IPv4 Address 4
 *     response 129+   Result Code 2 | Seconds Since Start of Epoch 4 | Internal Port 2 | Mapped External Port 2 | Lifetime 4
 *
 * The answer to an unsupported version has opcode 0 and no response bit (section 3.5): 8 octets, of which the two after
 * the opcode are result code 1, tell it from a request. Any other opcode from 128 on is the echo of an unsupported
 * request with the result code put over its octets 2 and 3.
 */
export const dissectNatPmp = (bytes: Uint8Array): FieldNode => {
  const end = bytes.length
  const children: FieldNode[] = []
  let at = readFields(bytes, 0, end, HEADER, children)
  if (at < 0) return group(MESSAGE, 0, end, 0, children)
  const opcode = bytes[1]
  at = readFields(bytes, at, end, body(opcode, bytes), children)
  if (at >= 0 && at < end) children.push(leaf(rest(opcode), at, end - at, 0, 0))
  return group(MESSAGE, 0, end, opcode, children)
}

/**
 * Is this the answer to an unsupported version? It has no response bit; the same 8 octets with the bit are taken for it
 * too, as `parse` takes them: they are too few for any other response.
 */
export const isVersionError = (bytes: Uint8Array): boolean =>
  bytes.length === VERSION_ERROR_LENGTH &&
  bytes[0] === 0 &&
  (bytes[1] === 0 || bytes[1] >= RESPONSE) &&
  u16(bytes, 2) === NatPmpResult.UNSUPPORTED_VERSION

const body = (opcode: number, bytes: Uint8Array): readonly Field[] => {
  if (isVersionError(bytes)) return STARTED
  switch (opcode) {
    case NatPmpOpcode.EXTERNAL_ADDRESS:
      return NOTHING
    case NatPmpOpcode.MAP_UDP:
    case NatPmpOpcode.MAP_TCP:
      return MAP_REQUEST
    case NatPmpOpcode.EXTERNAL_ADDRESS + RESPONSE:
      return EXTERNAL_ADDRESS_RESPONSE
    case NatPmpOpcode.MAP_UDP + RESPONSE:
    case NatPmpOpcode.MAP_TCP + RESPONSE:
      return MAP_RESPONSE
    default:
      return opcode >= RESPONSE ? RESULT : NOTHING
  }
}

const rest = (opcode: number): Field => {
  if ((opcode & ~RESPONSE) <= NatPmpOpcode.MAP_TCP) return TRAILING
  return opcode >= RESPONSE ? ECHO : DATA
}
