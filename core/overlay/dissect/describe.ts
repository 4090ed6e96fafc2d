import type { Dissection, Field, FieldNode } from "../../wire/index.ts"
import type { WordedField, Words } from "./tree.ts"
import { hexText } from "./words.ts"

/**
 * One line of text for a node of {@link dissectFrame}, {@link dissectVxlan} or {@link dissectSvp}, without control characters. For a field
 * that the end of the packet cuts, it says so.
 */
export const describeOverlay = ({ bytes }: Dissection, node: FieldNode): string => {
  const { field, length, missing, children } = node
  if (missing > 0)
    return length === 0 ? `missing: ${octets(missing)}` : `cut short, ${length} of ${octets(length + missing)}`
  const words = wordsOf(field)
  if (words !== undefined) return words(bytes, node)
  switch (field.kind) {
    case "uint":
      return `${node.value}`
    case "zeros":
      return /^(?:00)*$/.test(hexText(bytes, node)) ? "zero" : `not zero: ${hexText(bytes, node)}`
    case "bytes":
      return hexText(bytes, node)
    default:
      return children.length === 0 && length === 0 ? field.name : `${field.name}, ${octets(length)}`
  }
}

const wordsOf = (field: Field): Words | undefined => (hasWords(field) ? field.words : undefined)
const hasWords = (field: Field): field is WordedField => "words" in field

const octets = (count: number): string => `${count} octet${count === 1 ? "" : "s"}`
