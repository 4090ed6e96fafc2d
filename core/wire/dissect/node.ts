import type { Field } from "./field.ts"

/** One field as it stands in a packet. A node without children is a leaf; leaves share out all octets, each once. */
export type FieldNode = {
  readonly field: Field
  /** Octets from the start of the packet. */
  readonly offset: number
  /** Octets that are there. A leaf of some bits has the length 1 and its range in `field.bit` and `field.bits`. */
  readonly length: number
  /** Octets that should follow and do not, because the packet or the option ends. */
  readonly missing: number
  /** The unsigned value of a whole field of one to four octets, else 0: see {@link rawValue}. */
  readonly value: number
  readonly children: readonly FieldNode[]
}

/** A packet taken apart. `bytes` is the caller's own array, not a copy: its texts are read from it when asked for. */
export type Dissection = { readonly bytes: Uint8Array; readonly root: FieldNode }

const NONE: readonly FieldNode[] = []

export const leaf = (field: Field, offset: number, length: number, missing: number, value: number): FieldNode => ({
  field,
  offset,
  length,
  missing,
  value,
  children: NONE,
})

export const group = (
  field: Field,
  offset: number,
  end: number,
  value: number,
  children: readonly FieldNode[],
): FieldNode => ({
  field,
  offset,
  length: end - offset,
  missing: 0,
  value,
  children,
})

/**
 * Reads `fields` one after the other from `offset`, into `out`. Returns where the last one ends. When the octets before
 * `end` run out inside a field, what remains of it becomes its node, `missing` says how much is not there, and the
 * answer is -1: nothing after it can be known.
 */
export const readFields = (
  bytes: Uint8Array,
  offset: number,
  end: number,
  fields: readonly Field[],
  out: FieldNode[],
): number => {
  let at = offset
  for (const field of fields) {
    const left = end - at
    if (left < field.size) {
      out.push(cut(bytes, field, at, left))
      return -1
    }
    if (field.bits !== 0) {
      const shift = 8 - field.bit - field.bits
      out.push(leaf(field, at, 1, 0, (bytes[at] >>> shift) & ((1 << field.bits) - 1)))
      if (shift === 0) at += 1
    } else {
      out.push(whole(bytes, field, at, field.size))
      at += field.size
    }
  }
  return at
}

const whole = (bytes: Uint8Array, field: Field, at: number, size: number): FieldNode => {
  if (field.parts === undefined) return leaf(field, at, size, 0, readUnsigned(bytes, at, size))
  const children: FieldNode[] = []
  readFields(bytes, at, at + size, field.parts, children)
  return group(field, at, at + size, readUnsigned(bytes, at, size), children)
}

const cut = (bytes: Uint8Array, field: Field, at: number, left: number): FieldNode => {
  const children: FieldNode[] = []
  if (field.parts !== undefined) readFields(bytes, at, at + left, field.parts, children)
  return { field, offset: at, length: left, missing: field.size - left, value: 0, children }
}

const readUnsigned = (bytes: Uint8Array, at: number, size: number): number => {
  if (size > 4) return 0
  let value = 0
  for (let i = 0; i < size; i++) value = value * 256 + bytes[at + i]
  return value
}

/** The node and everything below it, parents first, in the order of the packet. */
export function* walk(node: FieldNode): Generator<FieldNode, void, undefined> {
  yield node
  for (const child of node.children) yield* walk(child)
}

/** The leaves below a node, in the order of the packet: they cover each of its octets exactly once, bit by bit. */
export function* leaves(node: FieldNode): Generator<FieldNode, void, undefined> {
  for (const part of walk(node)) if (part.children.length === 0) yield part
}

/**
 * The value that the wire carries: an unsigned number for whole fields of up to four octets that hold one, the octets
 * themselves (a view of them) for all others.
 */
export const rawValue = (
  { bytes }: Dissection,
  { field, offset, length, missing, value }: FieldNode,
): number | Uint8Array => {
  const number =
    missing === 0 && field.size > 0 && field.size <= 4 && field.kind !== "bytes" && field.kind !== "prefix64"
  return number ? value : bytes.subarray(offset, offset + length)
}
