import { sliceOctets } from "../wire/index.ts"
import { type FlowParseError, flowFault } from "./message.ts"
import { nameOctets } from "./name.ts"
import { NAME_LENGTH } from "./registry.ts"

/** A request of the first form, or why octets are none. */
export type ParsedFirst =
  | { readonly ok: true; readonly name: Uint8Array }
  | { readonly ok: false; readonly error: FlowParseError }

const LISTENER = "ipcp_udp_listener"

/**
 * Reads a request of the first form (commit 38c41698, with the length of eb9f4437): the octets of the name, no framing and no NUL. Its
 * echo is the same octets; what a flow carries then are octets without any header, so that neither can be told by itself.
 */
export const parseFirst = (bytes: Uint8Array): ParsedFirst => {
  if (bytes.length === 0) return flowFault("name", 0, LISTENER, "a name has one octet or more")
  if (bytes.length > NAME_LENGTH)
    return flowFault("name", NAME_LENGTH, LISTENER, `${bytes.length} octets: a name has ${NAME_LENGTH} at most`)
  const nul = bytes.indexOf(0)
  if (nul >= 0) return flowFault("name", nul, LISTENER, "a NUL would end the name")
  return { ok: true, name: sliceOctets(bytes) }
}

/** The octets of a request of the first form; `undefined`: it is no name. */
export const encodeFirst = (name: string): Uint8Array | undefined => nameOctets(name)
