/** What the worker does with a message: text or octets in, each packet's fields and findings out, as plain data that can be posted. */
import { dissect, type ExpandedField, expand, type Finding, type ReadError, read, validate } from "sallyport"

/** One packet as a tree of fields, and what is wrong with it. */
export type Packet = { readonly tree: ExpandedField; readonly findings: readonly Finding[] }

/** The packets in an input, or why there are none. */
export type Decoded =
  | { readonly ok: true; readonly packets: readonly Packet[] }
  | { readonly ok: false; readonly error: ReadError }

/** Hex in any form, dumps, base64 and captures are read. Nothing throws. */
export const decode = (input: string | Uint8Array): Decoded => {
  const reading = read(input)
  if (!reading.ok) return reading
  const packets = reading.packets.map(({ bytes }) => ({ tree: expand(dissect(bytes)), findings: validate(bytes) }))
  return { ok: true, packets }
}
