import type { Finding, Severity } from "../../../core/wire/index.ts"
import type { InspectedField } from "./field-list.ts"
import { type Reference, referenceOf } from "./reference.ts"

/** A remark on a packet, beside the octets that it speaks of. */
export interface InspectedFinding {
  readonly severity: Severity
  /** Short and stable: `filter-prefix`. */
  readonly code: string
  /** One sentence that says why. */
  readonly why: string
  readonly clause: Reference
  /** Id of the field; the message itself where it is about octets that are not there. */
  readonly field: number
  /** Octets; of length 0 at the end of the packet, where something is missing. */
  readonly offset: number
  readonly length: number
}

/** What was found against a packet, each beside its field, in the order of its octets. */
export const listFindings = (
  findings: readonly Finding[],
  fields: readonly InspectedField[],
): readonly InspectedFinding[] => findings.map((finding) => place(finding, fields))

const place = (finding: Finding, fields: readonly InspectedField[]): InspectedFinding => {
  const { severity, code, offset, clause, text } = finding
  const field = fieldAbout(finding, fields)
  const [at, length] = field.depth === 0 ? [offset, Math.max(0, field.length - offset)] : [field.offset, field.length]
  return { severity, code, why: text, clause: referenceOf(clause), field: field.id, offset: at, length }
}

/** `validate` names the octet where a remark belongs: the field there, of several that share it the one the remark is about. */
const fieldAbout = ({ code, offset }: Finding, fields: readonly InspectedField[]): InspectedField => {
  const leaves = fields.filter(
    ({ children, offset: from, length }) => children.length === 0 && from <= offset && offset < from + length,
  )
  if (leaves.length > 1) {
    const kind = code === "role" ? "direction" : code === "reserved-nonzero" ? "zeros" : "opcode"
    return leaves.find(({ node }) => node.field.kind === kind) ?? leaves[0]
  }
  if (leaves.length === 0) return fields.find(({ missing, offset: from }) => missing > 0 && from <= offset) ?? fields[0]
  // A remark on an option as a whole stands at its first octet.
  const option = fields.find(({ node, offset: from }) => node.field.kind === "option" && from === offset)
  return option ?? leaves[0]
}
