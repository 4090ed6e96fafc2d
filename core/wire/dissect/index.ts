import { NATPMP_VERSION, PCP_VERSION } from "../registry.ts"
import { dissectNatPmp } from "./natpmp.ts"
import type { Dissection } from "./node.ts"
import { dissectOtherVersion, dissectPcp } from "./pcp.ts"

export type { Field, Kind } from "./field.ts"
export type { Dissection, FieldNode } from "./node.ts"
export { leaves, rawValue, walk } from "./node.ts"

/**
 * Takes a UDP payload apart into a tree of fields. Total: any octets give a tree, nothing throws, and every octet
 * belongs to exactly one leaf. It judges nothing: what is too short, too long or not zero is shown as it stands.
 *
 * PCP version 2 with all opcodes and options named in {@link Opcode} and {@link OptionCode}, NAT-PMP, and of any other
 * version its version octet and data (RFC 6887, 6886, 7220, 7225, 7652, 7753, 7843).
 */
export const dissect = (bytes: Uint8Array): Dissection => ({ bytes, root: message(bytes) })

const message = (bytes: Uint8Array) => {
  if (bytes.length === 0) return dissectOtherVersion(bytes)
  switch (bytes[0]) {
    case NATPMP_VERSION:
      return dissectNatPmp(bytes)
    case PCP_VERSION:
      return dissectPcp(bytes)
    default:
      return dissectOtherVersion(bytes)
  }
}
