import { hexDigit } from "./digits.ts"
import type { Block, Fault, Gather } from "./gather.ts"
import { gather, push, take } from "./gather.ts"
import type { Form } from "./reading.ts"
import { readString } from "./string.ts"

/** Marks of an element, kept where a {@link Gather} keeps an octet. */
export const Element = { NUMBER: 0, CHARACTER: 1, QUOTED: 2 } as const

type ArrayForm = Form & { readonly kind: "array" }

/**
 * The octets of a list's elements, those from `first` on. `0x`, `0b` and `0o` numbers, octal ones with a leading zero and three digits or more, decimal ones,
 * signed ones down to -128 (Java has no others), each with a type suffix or without; characters (`'S'`); quoted hex (`"02"`).
 * When no element has a prefix but one has a hex letter, or two digits the first of which is 0, then all are hex, as Rust's `{:02x?}` and
 * Node's `<Buffer 02 …>` print them.
 */
export const decodeList = (
  text: string,
  elements: Gather,
  first: number,
  allHex: boolean,
): { readonly form: ArrayForm; readonly ambiguous: boolean; readonly block: Block } | Fault => {
  const shape = judge(text, elements, first)
  const hex = allHex || (shape.prefixed === 0 && shape.bareHex)
  const out = gather(elements.length - first)
  for (let i = first; i < elements.length; i++) {
    const start = elements.starts[i]
    const end = elements.ends[i]
    const mark = elements.bytes[i]
    if (mark === Element.CHARACTER) {
      readString(text, start, end, out, [])
      continue
    }
    const value = mark === Element.QUOTED || hex ? bareHex(text, start, end) : numberAt(text, start, end)
    if (Number.isNaN(value))
      return { code: "unreadable", text: `"${text.slice(start, end).slice(0, 20)}" is no number`, offset: start }
    if (value > 255 || value < -128) return { code: "out-of-range", text: "an octet is 0 to 255", offset: start }
    push(out, value, start, end)
  }
  const numbers = shape.prefixed + shape.bare
  const base = hex || shape.prefixed === numbers ? "hexadecimal" : shape.prefixed === 0 ? "decimal" : "mixed"
  const ambiguous = !allHex && shape.prefixed === 0 && shape.allPairs && !shape.bareHex && numbers > 1
  const { bytes, starts, ends, length } = out
  const exact = length === bytes.length
  return { form: { kind: "array", base }, ambiguous, block: exact ? { bytes, starts, ends } : take(out) }
}

const judge = (text: string, elements: Gather, first: number) => {
  let prefixed = 0
  let bare = 0
  let short = true
  let sign = false
  let allPairs = true
  for (let i = first; i < elements.length; i++) {
    if (elements.bytes[i] !== Element.NUMBER) continue
    const start = elements.starts[i]
    const length = elements.ends[i] - start
    const second = text.charCodeAt(start + 1) | 32
    if (length > 2 && text.charCodeAt(start) === 48 && (second === 120 || second === 98 || second === 111)) {
      prefixed++
      continue
    }
    bare++
    if (length !== 2) allPairs = false
    if (length > 2) short = false
    else if (length === 2 && text.charCodeAt(start) === 48) sign = true
    else if (hexDigit(text.charCodeAt(start)) > 9 || (length === 2 && hexDigit(text.charCodeAt(start + 1)) > 9))
      sign = true
  }
  return { prefixed, bare, bareHex: short && sign, allPairs }
}

/** One or two hex digits, with `0x` or without; NaN for anything else. */
const bareHex = (text: string, start: number, end: number): number => {
  const prefixed = end - start > 2 && (text.charCodeAt(start + 1) | 32) === 120
  return digits(text, prefixed ? start + 2 : start, end, 16)
}

const numberAt = (text: string, start: number, end: number): number => {
  if (text.charCodeAt(start) === 45) return -digits(text, start + 1, end, 10)
  if (text.charCodeAt(start) !== 48 || end - start < 3) return digits(text, start, end, 10)
  const second = text.charCodeAt(start + 1) | 32
  if (second === 120) return digits(text, start + 2, end, 16)
  if (second === 98) return digits(text, start + 2, end, 2)
  if (second === 111) return digits(text, start + 2, end, 8)
  return digits(text, start, end, hexDigit(second) >= 0 ? 8 : 10)
}

/** A number of a base with `_` between digits, up to a type suffix (`u8`, `UL`, `y`). Large ones stop growing above 255. */
const digits = (text: string, start: number, end: number, base: number): number => {
  let value = Number.NaN
  for (let i = start; i < end; i++) {
    const unit = text.charCodeAt(i)
    const digit = hexDigit(unit)
    if (digit >= 0 && digit < base) value = Number.isNaN(value) ? digit : Math.min(value * base + digit, 65536)
    else if (unit !== 95) return end - i <= 3 && isSuffix(unit) ? value : Number.NaN
  }
  return value
}

const isSuffix = (unit: number): boolean => {
  const letter = unit | 32
  return letter === 117 || letter === 105 || letter === 108 || letter === 121
}
