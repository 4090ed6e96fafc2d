import { takeApart } from "../../../core/decode/index.ts"
import type { FlowPorts } from "../../../core/flow/index.ts"
import { encode, type FieldNode, joinOctets, type PcpOption, putU16, walk } from "../../../core/wire/index.ts"
import { type Edited, mistyped } from "./edited.ts"
import { isEditable, typedValue, valueText } from "./field-value.ts"

/** The longest UDP payload. */
const MOST = 65527
const OPTION_HEADER = 4

const done = (bytes: Uint8Array): Edited =>
  bytes.length > MOST ? mistyped("that is more than a datagram has room for") : { ok: true, bytes }

/** The packet with another octet at an offset; right behind its end, with one octet more. */
export const setOctet = (bytes: Uint8Array, offset: number, value: number): Edited => {
  if (!Number.isInteger(offset) || offset < 0 || offset > bytes.length) return mistyped("there is no octet there")
  if (!Number.isInteger(value) || value < 0 || value > 255) return mistyped("an octet is 0 to 255, 00 to ff")
  const edited = new Uint8Array(Math.max(bytes.length, offset + 1))
  edited.set(bytes)
  edited[offset] = value
  return done(edited)
}

/** The packet with another bit at an offset; bit 0 is the most significant. */
export const flipBit = (bytes: Uint8Array, offset: number, bit: number): Edited => {
  if (!Number.isInteger(bit) || bit < 0 || bit > 7 || offset >= bytes.length) return mistyped("there is no bit there")
  return setOctet(bytes, offset, bytes[offset] ^ (128 >>> bit))
}

/** The packet without the octets from `from` up to `to`. */
export const removeOctets = (bytes: Uint8Array, from: number, to: number): Edited => {
  if (from < 0 || to > bytes.length || from > to) return mistyped("there are no such octets")
  return done(joinOctets([bytes.subarray(0, from), bytes.subarray(to)]))
}

/** One octet at random becomes another one: the fuzz button. `random` is from 0 up to 1, 1 excluded, and decides both. */
export const flipOctet = (bytes: Uint8Array, random: number): Edited & { readonly offset?: number } => {
  if (bytes.length === 0) return mistyped("there is no octet to change")
  const scaled = Math.min(Math.max(random, 0), 1 - Number.EPSILON) * bytes.length
  const offset = Math.floor(scaled)
  const other = 1 + Math.floor((scaled - offset) * 255)
  return { ...setOctet(bytes, offset, (bytes[offset] + other) & 255), offset }
}

/** The nodes of a packet in the order in which `inspect` numbers its fields. */
const nodesOf = (bytes: Uint8Array, ports?: FlowPorts): readonly FieldNode[] => [
  ...walk(takeApart(bytes, ports).dissection.root),
]

/** A field's value as text to edit; `undefined` where it cannot be typed over. `field` is its id in `inspect` with the same ports. */
export const fieldText = (bytes: Uint8Array, field: number, ports?: FlowPorts): string | undefined => {
  const node = nodesOf(bytes, ports)[field]
  return node === undefined || !isEditable(node) ? undefined : valueText(bytes, node)
}

/**
 * The packet with another value of a field: an address, a number or a name, seconds such as `2 h`, text, hex. Where a text or
 * octets of an option grow or shrink, so do Option Length and Padding.
 */
export const setField = (bytes: Uint8Array, field: number, text: string, ports?: FlowPorts): Edited => {
  const nodes = nodesOf(bytes, ports)
  const node = nodes[field]
  if (node === undefined) return mistyped("there is no such field")
  if (!isEditable(node))
    return mistyped(node.missing > 0 ? "it is cut: add the missing octets first" : "its parts can be edited")
  const value = typedValue(node, text)
  if (!value.ok) return value
  const { offset, length } = node
  if (typeof value.value === "number") {
    const { bit, bits } = node.field
    const shift = 8 - bit - bits
    const mask = ((1 << bits) - 1) << shift
    return setOctet(bytes, offset, (bytes[offset] & ~mask) | (value.value << shift))
  }
  if (value.value.length === length) {
    const edited = bytes.slice()
    edited.set(value.value, offset)
    return done(edited)
  }
  const option = nodes.find(
    (one) => one.field.kind === "option" && one.offset <= offset && offset < one.offset + one.length,
  )
  if (option === undefined)
    return done(joinOctets([bytes.subarray(0, offset), value.value, bytes.subarray(offset + length)]))
  return resize(bytes, option, offset, length, value.value)
}

/** An option with other data: its header says so, and it ends at a multiple of four again (RFC 6887 section 7.3). */
const resize = (bytes: Uint8Array, option: FieldNode, at: number, length: number, value: Uint8Array): Edited => {
  const start = option.offset
  const declared = (bytes[start + 2] << 8) | bytes[start + 3]
  const end = Math.min(start + OPTION_HEADER + declared, bytes.length)
  const data = joinOctets([bytes.subarray(start + OPTION_HEADER, at), value, bytes.subarray(at + length, end)])
  if (data.length > 0xffff) return mistyped("that is more than an option has room for")
  const header = bytes.slice(start, start + OPTION_HEADER)
  putU16(header, 2, data.length)
  const padding = new Uint8Array(-data.length & 3)
  return done(joinOctets([bytes.subarray(0, start), header, data, padding, bytes.subarray(start + option.length)]))
}

/** The packet without an option; `field` is the id of the option, or of anything in it. */
export const removeOption = (bytes: Uint8Array, field: number): Edited => {
  const nodes = nodesOf(bytes)
  const at = nodes[field]?.offset
  const option = nodes.findLast((one) => one.field.kind === "option" && at !== undefined && one.offset <= at)
  if (option === undefined || at === undefined || at >= option.offset + option.length)
    return mistyped("that is no option")
  return removeOctets(bytes, option.offset, option.offset + option.length)
}

/** The packet with one option more at its end. */
export const appendOption = (bytes: Uint8Array, option: PcpOption): Edited => {
  const carrier = encode({
    kind: "pcp-response",
    result: 0,
    lifetime: 0,
    epoch: 0,
    clientTail: undefined,
    body: { kind: "announce" },
    options: [option],
  })
  if (!carrier.ok) return mistyped(carrier.error.text)
  if (bytes[0] !== 2) return mistyped("PCP alone has options")
  return done(joinOctets([bytes, carrier.bytes.subarray(24)]))
}
