import { group, leaf, readFields, field as wireField } from "../../wire/dissect/make.ts"
import type { Field, FieldNode, Kind } from "../../wire/index.ts"

/** How a node's value is worded, where its kind does not say it all. */
export type Words = (bytes: Uint8Array, node: FieldNode) => string

/** A field of these protocols, with its words. Wireshark's names of them are not kept. */
export type WordedField = Field & { readonly words: Words | undefined }

/** A field of so many octets, 0 where the packet says how many. */
export const field = (name: string, kind: Kind, size: number, rfc: string, words?: Words): WordedField => ({
  ...wireField(name, kind, size, rfc),
  words,
})

/** Where fields are read one after the other: the octets up to `end`, and the nodes so far. */
export interface Reading {
  /** The whole packet. */
  readonly bytes: Uint8Array
  /** Where what is read here ends. */
  readonly end: number
  /** The next octet. */
  at: number
  /** What was read. */
  readonly nodes: FieldNode[]
}

/** Starts to read at an octet. */
export const readFrom = (bytes: Uint8Array, at: number, end: number): Reading => ({ bytes, end, at, nodes: [] })

/** Reads one field after the other. False: the octets end inside one, and nothing after it can be known. */
export const take = (reading: Reading, ...fields: readonly Field[]): boolean => {
  const at = readFields(reading.bytes, reading.at, reading.end, fields, reading.nodes)
  reading.at = at < 0 ? reading.end : at
  return at >= 0
}

/** Puts a leaf of so many octets, which are there. */
export const put = (reading: Reading, field: Field, length: number): void => {
  const { at, bytes } = reading
  let value = 0
  if (length <= 4 && field.size === length) for (let i = 0; i < length; i++) value = value * 256 + bytes[at + i]
  reading.nodes.push(leaf(field, at, length, 0, value))
  reading.at += length
}

/** Puts all octets that are left, if any are. */
export const rest = (reading: Reading, field: Field): void => {
  if (reading.at < reading.end) put(reading, field, reading.end - reading.at)
}

/** Puts a group up to `to`, whose nodes `inside` reads; what it leaves is `other`. */
export const nest = (
  reading: Reading,
  field: Field,
  to: number,
  other: Field,
  inside: (inner: Reading) => void,
): void => {
  const inner = readFrom(reading.bytes, reading.at, to)
  inside(inner)
  rest(inner, other)
  reading.nodes.push(group(field, reading.at, to, 0, inner.nodes))
  reading.at = to
}
