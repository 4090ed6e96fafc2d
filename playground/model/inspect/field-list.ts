import type { Apart } from "../../../core/decode/index.ts"
import {
  type FieldNode,
  formatAddress,
  formatMapped,
  isIpv4,
  optionName,
  readAddress,
  readIpv4,
} from "../../../core/wire/index.ts"
import { toHex } from "../../../core/wire/text/index.ts"
import { type FieldClass, fieldClassOf } from "./field-class.ts"
import { type Reference, referenceOf } from "./reference.ts"
import { type RegistryEntry, registryOf } from "./registry-entry.ts"

/** One field of a packet, a leaf or a group, as the tree shows it. */
export interface InspectedField {
  /** Its place in {@link Inspection.fields}, parents before children: what the three views know a field by. */
  readonly id: number
  /** -1 for the message itself. */
  readonly parent: number
  readonly children: readonly number[]
  /** 0 for the message itself. */
  readonly depth: number
  /** The RFC's own name; of an option its registered name. */
  readonly name: string
  readonly class: FieldClass
  /** Octets from the start of the packet, and how many are there; `missing` are not. */
  readonly offset: number
  readonly length: number
  readonly missing: number
  /** The same in bits, end excluded: a field of one octet's bits is narrower than its octet. */
  readonly firstBit: number
  readonly endBit: number
  /** One line for people. */
  readonly text: string
  readonly hex: string
  /** Only of numbers of up to four octets. */
  readonly number: number | undefined
  readonly binary: string | undefined
  readonly registry: RegistryEntry | undefined
  /** Only of addresses: RFC 5952, and as the wire has it. Equal for IPv6. */
  readonly address: { readonly plain: string; readonly mapped: string } | undefined
  readonly rfc: Reference
  /** Wireshark's name of it, to copy into a display filter. */
  readonly wireshark: string | undefined
  readonly node: FieldNode
}

/** All fields of a packet, parents before children, in the order of its octets. */
export const listFields = (apart: Apart): readonly InspectedField[] => {
  const fields: InspectedField[] = []
  add(apart, apart.dissection.root, -1, 0, undefined, fields)
  return fields
}

const add = (
  apart: Apart,
  node: FieldNode,
  parent: number,
  depth: number,
  option: number | undefined,
  fields: InspectedField[],
): number => {
  const id = fields.length
  const children: number[] = []
  fields.push(fieldOf(apart, node, id, parent, depth, option, children))
  const inside = node.field.kind === "option" ? node.value : option
  for (const child of node.children) children.push(add(apart, child, id, depth + 1, inside, fields))
  return id
}

const fieldOf = (
  { protocol, dissection, describe }: Apart,
  node: FieldNode,
  id: number,
  parent: number,
  depth: number,
  option: number | undefined,
  children: readonly number[],
): InspectedField => {
  const { field, offset, length, missing, value } = node
  const { bytes } = dissection
  const firstBit = 8 * offset + (length > 0 ? field.bit : 0)
  const isNumber =
    missing === 0 && (field.bits > 0 || (field.size > 0 && field.size <= 4)) && node.children.length === 0
  const width = field.bits > 0 ? field.bits : 8 * field.size
  return {
    id,
    parent,
    children,
    depth,
    name: field.kind === "option" ? `${optionName(value)} option` : field.name,
    class: fieldClassOf(node, option, protocol),
    offset,
    length,
    missing,
    firstBit,
    endBit: field.bits > 0 && length > 0 ? firstBit + field.bits : 8 * (offset + length),
    text: describe(node),
    hex: toHex(bytes.subarray(offset, offset + length), { spaced: true }),
    number: isNumber ? value : undefined,
    binary: isNumber ? value.toString(2).padStart(width, "0") : undefined,
    registry: registryOf(field.kind, value),
    address: addressOf(bytes, node),
    rfc: referenceOf(field.rfc),
    wireshark: field.wireshark,
    node,
  }
}

const addressOf = (bytes: Uint8Array, { field, offset, missing }: FieldNode): InspectedField["address"] => {
  if (missing > 0 || (field.kind !== "address" && field.kind !== "ipv4")) return undefined
  const address = field.kind === "ipv4" ? readIpv4(bytes, offset) : readAddress(bytes, offset)
  const plain = formatAddress(address)
  return { plain, mapped: isIpv4(address) ? formatMapped(address) : plain }
}
