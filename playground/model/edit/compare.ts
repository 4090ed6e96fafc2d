import { takeApart } from "../../../core/decode/index.ts"
import type { FlowPorts } from "../../../core/flow/index.ts"
import { listFields } from "../inspect/field-list.ts"
import type { FieldClass } from "../inspect/index.ts"

/** One line of a comparison by field. */
export interface FieldPair {
  /** Names from the outermost group in, such as `FILTER option / Prefix Length`. */
  readonly path: string
  readonly class: FieldClass
  readonly state: "same" | "changed" | "left" | "right"
  /** Ids and texts on each side; `undefined` where the field is not there. */
  readonly left: { readonly field: number; readonly text: string } | undefined
  readonly right: { readonly field: number; readonly text: string } | undefined
}

/** Octets that differ, end excluded; where only one packet has them, `side` says which. */
export interface OctetRun {
  readonly from: number
  readonly to: number
  readonly side: "both" | "left" | "right"
}

export interface Comparison {
  readonly same: boolean
  readonly fields: readonly FieldPair[]
  readonly octets: readonly OctetRun[]
}

interface Leaf {
  readonly key: string
  readonly path: string
  readonly class: FieldClass
  readonly field: number
  readonly text: string
  readonly hex: string
}

/** Two packets side by side, by field and by octet; `ports` are those of both. */
export const compare = (left: Uint8Array, right: Uint8Array, ports?: FlowPorts): Comparison => {
  const octets = compareOctets(left, right)
  return { same: octets.length === 0, fields: compareFields(leavesOf(left, ports), leavesOf(right, ports)), octets }
}

/** Leaves by their names and the options that they are in: the second FILTER of one packet is the second of the other. */
const leavesOf = (bytes: Uint8Array, ports: FlowPorts | undefined): readonly Leaf[] => {
  const fields = listFields(takeApart(bytes, ports))
  const counts = new Map<string, number>()
  const keys: string[] = []
  const paths: string[] = []
  const leaves: Leaf[] = []
  for (const { id, parent, depth, name, class: own, children, text, hex } of fields) {
    // Headers and bodies of requests and responses have names of their own: they do not count.
    const isGroup = depth <= 1 && children.length > 0
    const plain = isGroup ? "" : name
    const path = parent < 0 ? "" : [paths[parent], plain].filter((part) => part !== "").join(" / ")
    const base = parent < 0 ? "" : `${keys[parent]}/${plain}`
    const count = (counts.get(base) ?? 0) + 1
    counts.set(base, count)
    keys[id] = isGroup ? base : `${base}#${count}`
    paths[id] = path
    if (children.length === 0) leaves.push({ key: keys[id], path, class: own, field: id, text, hex })
  }
  return leaves
}

const compareFields = (left: readonly Leaf[], right: readonly Leaf[]): readonly FieldPair[] => {
  const others = new Map(right.map((leaf, at) => [leaf.key, { leaf, at }]))
  const pairs: FieldPair[] = []
  let next = 0
  const rightOnly = (until: number): void => {
    for (; next < until; next++) if (!matched.has(right[next].key)) pairs.push(pairOf(undefined, right[next]))
  }
  const matched = new Set(left.filter(({ key }) => others.has(key)).map(({ key }) => key))
  for (const leaf of left) {
    const other = others.get(leaf.key)
    // What the right packet alone has stands before the next field that both have.
    if (other !== undefined) rightOnly(other.at)
    pairs.push(pairOf(leaf, other?.leaf))
  }
  rightOnly(right.length)
  return pairs
}

const pairOf = (left: Leaf | undefined, right: Leaf | undefined): FieldPair => {
  const state =
    left === undefined
      ? "right"
      : right === undefined
        ? "left"
        : left.hex === right.hex && left.text === right.text
          ? "same"
          : "changed"
  return {
    path: left?.path ?? right?.path ?? "",
    class: left?.class ?? right?.class ?? "unknown",
    state,
    left: left && { field: left.field, text: left.text },
    right: right && { field: right.field, text: right.text },
  }
}

const compareOctets = (left: Uint8Array, right: Uint8Array): readonly OctetRun[] => {
  const runs: OctetRun[] = []
  const common = Math.min(left.length, right.length)
  for (let at = 0; at < common; at++) {
    if (left[at] === right[at]) continue
    const from = at
    while (at < common && left[at] !== right[at]) at++
    runs.push({ from, to: at, side: "both" })
  }
  if (left.length > common) runs.push({ from: common, to: left.length, side: "left" })
  if (right.length > common) runs.push({ from: common, to: right.length, side: "right" })
  return runs
}
