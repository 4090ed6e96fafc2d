import { dissect, leaves } from "../../core/wire/index.ts"
import { describe } from "../../core/wire/text/index.ts"
import { type Bindings, readTemplate } from "./template.ts"

/** One field of an answer, as it was wanted and as it came. */
export interface FieldPair {
  readonly name: string
  /** `undefined`: the wanted answer has no such field. */
  readonly wanted: string | undefined
  readonly got: string | undefined
  readonly same: boolean
}

/** A template as octets, those of any value taken from `got` where it has them, and which octets those are. */
const octetsOf = (
  template: string,
  got: Uint8Array,
  bindings: Bindings,
): { readonly bytes: Uint8Array; readonly any: readonly boolean[] } => {
  const read = readTemplate(template)
  const bytes: number[] = []
  const any: boolean[] = []
  const put = (octet: number, free: boolean): void => {
    bytes.push(octet)
    any.push(free)
  }
  for (const token of read.ok ? read.tokens : []) {
    const known =
      token.kind === "octets" ? token.octets : token.kind === "variable" ? bindings.get(token.name) : undefined
    if (known !== undefined) for (const octet of known) put(octet, false)
    else if (token.kind === "rest") while (bytes.length < got.length) put(got[bytes.length], true)
    else {
      const count = token.kind === "any" ? token.count : token.kind === "variable" ? (token.count ?? 0) : 0
      for (let i = 0; i < count; i++) put(got[bytes.length] ?? 0, true)
    }
  }
  return { bytes: Uint8Array.from(bytes), any }
}

interface Shown {
  readonly key: string
  readonly name: string
  readonly text: string
  readonly any: boolean
}

const fieldsOf = (bytes: Uint8Array, any: readonly boolean[]): readonly Shown[] => {
  const dissection = dissect(bytes)
  return Array.from(leaves(dissection.root), (node) => {
    const { field, offset, length } = node
    const free = length > 0 && any.slice(offset, offset + length).every((one) => one)
    return { key: `${offset} ${field.name}`, name: field.name, text: describe(dissection, node), any: free }
  })
}

/** The fields of an answer beside those that a template wants, in the order of the octets. */
export const compare = (template: string, got: Uint8Array, bindings: Bindings): readonly FieldPair[] => {
  const wanted = octetsOf(template, got, bindings)
  const left = fieldsOf(wanted.bytes, wanted.any)
  const right = fieldsOf(got, [])
  const byKey = new Map(right.map((one) => [one.key, one]))
  const keys = new Set(left.map(({ key }) => key))
  const pairs = left.map(({ key, name, text, any }): FieldPair => {
    const other = byKey.get(key)?.text
    return { name, wanted: any ? "any" : text, got: other, same: other !== undefined && (any || other === text) }
  })
  const more = right
    .filter(({ key }) => !keys.has(key))
    .map(({ name, text }): FieldPair => ({ name, wanted: undefined, got: text, same: false }))
  return [...pairs, ...more]
}
