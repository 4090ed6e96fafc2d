import type { Fault, Gather } from "./gather.ts"
import { gather, push } from "./gather.ts"

/** Marks of a run of digits, kept where a {@link Gather} keeps an octet. */
export const Mark = { PREFIXED: 1, ESCAPED: 2, PACKET_END: 4, LINE_END: 8 } as const

const VALUES: Int8Array = (() => {
  const table = new Int8Array(128).fill(-1)
  for (let i = 0; i < 10; i++) table[48 + i] = i
  for (let i = 0; i < 6; i++) {
    table[65 + i] = 10 + i
    table[97 + i] = 10 + i
  }
  return table
})()

/** The value of a hex digit's UTF-16 unit, or -1; NaN, the unit past a text's end, gives -1. */
export const hexDigit = (unit: number): number => (unit < 128 ? VALUES[unit] : -1)

/** White space, a byte-order mark, and the spaces that web pages put into what is copied from them. */
export const isSpace = (unit: number): boolean =>
  unit === 32 || (unit >= 9 && unit <= 13) || unit === 0xa0 || unit === 0xfeff || unit === 0x200b || unit === 0x202f

/** Where a comment that starts at `i` ends (`#`, `//` to the end of line, or C's), or -1 when none starts. */
export const commentEnd = (text: string, i: number, to: number): number => {
  const unit = text.charCodeAt(i)
  const line = unit === 35 || (unit === 47 && text.charCodeAt(i + 1) === 47)
  if (!line && (unit !== 47 || text.charCodeAt(i + 1) !== 42)) return -1
  const end = line ? text.indexOf("\n", i) : text.indexOf("*/", i + 2)
  return end < 0 || end > to ? to : line ? end : end + 2
}

/** Comma, colon, dash, dot, semicolon, underscore. */
const isSeparator = (unit: number): boolean =>
  unit === 44 || unit === 58 || unit === 45 || unit === 46 || unit === 59 || unit === 95

/**
 * The runs of hex digits in a text, each with its marks, past white space, separators and comments; or the first character that
 * is none of these. A blank line ends a packet.
 */
export const scanDigits = (text: string, from: number, to: number): Gather | Fault => {
  const runs = gather(256)
  let i = from
  let lineEmpty = true
  let mark = 0
  while (i < to) {
    const unit = text.charCodeAt(i)
    if (hexDigit(unit) >= 0) {
      const next = text.charCodeAt(i + 1)
      if (unit === 48 && mark === 0 && (next === 120 || next === 88) && hexDigit(text.charCodeAt(i + 2)) >= 0) {
        mark = Mark.PREFIXED
        i += 2
        continue
      }
      const start = i
      while (i < to && hexDigit(text.charCodeAt(i)) >= 0) i++
      const after = text.charCodeAt(i)
      // In "0x020x01" the last 0 belongs to the next prefix.
      if ((after === 120 || after === 88) && i - start > 1 && text.charCodeAt(i - 1) === 48) i--
      push(runs, mark, start, i)
      mark = 0
      lineEmpty = false
    } else if (isSpace(unit)) {
      if (unit === 10) {
        if (runs.length > 0) runs.bytes[runs.length - 1] |= lineEmpty ? Mark.PACKET_END : Mark.LINE_END
        lineEmpty = true
      }
      i++
    } else if (unit === 92) {
      const next = text.charCodeAt(i + 1)
      if ((next === 120 || next === 88) && hexDigit(text.charCodeAt(i + 2)) >= 0) {
        mark = Mark.ESCAPED
        i += 2
      } else if (next === 10 || next === 13) i++
      else return { code: "unreadable", text: "only \\x escapes are read outside of quotes", offset: i }
    } else if (unit === 46 && text.charCodeAt(i + 1) === 46) {
      return { code: "abbreviated", text: "the octets are shortened here (...)", offset: i }
    } else if (isSeparator(unit)) i++
    else {
      const end = commentEnd(text, i, to)
      if (end < 0) return { code: "unreadable", text: `no octet starts with ${quote(text, i)}`, offset: i }
      lineEmpty = false
      i = end
    }
  }
  return runs
}

/** The character at `i`, for people. */
export const quote = (text: string, i: number): string => {
  const point = text.codePointAt(i) ?? 0
  return point > 32 && point !== 127 ? `"${String.fromCodePoint(point)}"` : `U+${point.toString(16).padStart(4, "0")}`
}
