import { group, leaf, readFields } from "../wire/dissect/make.ts"
import { type Dissection, type Field, type FieldNode, u32 } from "../wire/index.ts"
import type { FlowPorts } from "./detect.ts"
import { FLOW_FIELDS, FLOW_WORDS } from "./field.ts"
import { Offset } from "./parse.ts"
import { FIRST_FORM_PORT, FlowCode, MANAGEMENT_EID } from "./registry.ts"

/**
 * Takes a datagram of either form apart into the tree of fields that `dissect` makes of PCP: any octets give a tree, nothing throws, and
 * every octet belongs to exactly one leaf. Which form it is comes from the ports as in `detectFlow`: to port 3359 the first, else
 * today's. {@link describeFlow} gives the texts.
 */
export const dissectFlow = (bytes: Uint8Array, ports: FlowPorts = {}): Dissection => ({
  bytes,
  root: ports.destinationPort === FIRST_FORM_PORT ? firstRequest(bytes) : datagram(bytes),
})

/** One line of text for a node of {@link dissectFlow}, without control characters. */
export const describeFlow = ({ bytes }: Dissection, node: FieldNode): string => {
  const { length, missing, children } = node
  if (missing > 0 && children.length === 0)
    return length === 0 ? `missing: ${octets(missing)}` : `cut short, ${length} of ${octets(length + missing)}`
  const words = FLOW_WORDS.get(node.field)
  return words === undefined ? `${node.field.name}, ${octets(length)}` : words(bytes, node)
}

const octets = (count: number): string => `${count} octet${count === 1 ? "" : "s"}`

const whole = (field: Field, bytes: Uint8Array, children: readonly FieldNode[]): FieldNode =>
  group(field, 0, bytes.length, 0, children)

const firstRequest = (bytes: Uint8Array): FieldNode =>
  whole(FLOW_FIELDS.first, bytes, [leaf(FLOW_FIELDS.name, 0, bytes.length, 0, 0)])

const datagram = (bytes: Uint8Array): FieldNode => {
  const { length } = bytes
  const children: FieldNode[] = []
  const at = readFields(bytes, 0, length, [FLOW_FIELDS.eid], children)
  if (at < 0) return whole(FLOW_FIELDS.unknown, bytes, children)
  if (u32(bytes, Offset.EID) !== MANAGEMENT_EID) {
    if (length > at) children.push(leaf(FLOW_FIELDS.message, at, length - at, 0, 0))
    return whole(length > at ? FLOW_FIELDS.data : FLOW_FIELDS.keepAlive, bytes, children)
  }
  return management(bytes, at, children)
}

const management = (bytes: Uint8Array, from: number, children: FieldNode[]): FieldNode => {
  const { length } = bytes
  const code = bytes[Offset.CODE]
  const known = code === FlowCode.FLOW_REQ ? FLOW_FIELDS.request : FLOW_FIELDS.reply
  const root = code === FlowCode.FLOW_REQ || code === FlowCode.FLOW_REPLY ? known : FLOW_FIELDS.unknown
  const { hash, header, piggyback } = FLOW_FIELDS
  const at = readFields(bytes, from, length, code === FlowCode.FLOW_REQ ? [...header, hash] : header, children)
  if (at >= 0 && at < length) children.push(leaf(piggyback, at, length - at, 0, 0))
  return whole(root, bytes, children)
}
