import { hexDigit } from "./digits.ts"
import type { Fault, Gather, Notice } from "./gather.ts"
import { notice, push } from "./gather.ts"

/** A string literal as it stood in the text. */
export type Literal = {
  /** Past the closing quote. */
  readonly end: number
  /** Were there escapes other than of quotes, backslashes and line ends? */
  readonly escapes: boolean
}

/** Escapes of one letter, as C, Python, Go and JavaScript share them; `\e` is GCC's. */
const LETTERS: ReadonlyMap<number, number> = new Map([
  [97, 7],
  [98, 8],
  [101, 27],
  [102, 12],
  [110, 10],
  [114, 13],
  [116, 9],
  [118, 11],
])

/** Why there is none, and how far it was looked for: an escaped quote before that opens none either. */
export type Broken = Fault & { readonly stop: number }

/**
 * The string literal whose opening quote is at `start`, its octets added to `out` with their spans: a whole escape, or a
 * character. Escapes: `\x` with one or two hex digits, one to three octal digits, `\u0002`, `\u{2}` up to 255, letters; a
 * backslash at a line's end continues the string. Any other backslash stands for the character after it. Characters past ASCII
 * give their UTF-8 octets.
 */
export const readString = (
  text: string,
  start: number,
  to: number,
  out: Gather,
  notices: Notice[],
): Literal | Broken => {
  const close = text.charCodeAt(start)
  let escapes = false
  let i = start + 1
  while (i < to) {
    const unit = text.charCodeAt(i)
    if (unit === close) return { end: i + 1, escapes }
    if (unit !== 92) {
      if (unit === 10 && close !== 96) break
      i = pushCharacter(text, i, out)
      continue
    }
    const next = text.charCodeAt(i + 1)
    const letter = LETTERS.get(next)
    if (next === 10) i += 2
    else if (next === 13) i += text.charCodeAt(i + 2) === 10 ? 3 : 2
    else if (next === 120 && hexDigit(text.charCodeAt(i + 2)) >= 0) {
      const two = hexDigit(text.charCodeAt(i + 3)) >= 0
      const value = hexDigit(text.charCodeAt(i + 2)) * (two ? 16 : 1) + (two ? hexDigit(text.charCodeAt(i + 3)) : 0)
      const end = i + (two ? 4 : 3)
      push(out, value, i, end)
      if (hexDigit(text.charCodeAt(end)) >= 0)
        notice(
          notices,
          "note",
          "long-escape",
          i,
          "more hex digits follow \\x: two were read, as all languages but C do",
        )
      escapes = true
      i = end
    } else if (next >= 48 && next <= 55) {
      let end = i + 1
      let value = 0
      while (end < i + 4 && text.charCodeAt(end) >= 48 && text.charCodeAt(end) <= 55)
        value = value * 8 + text.charCodeAt(end++) - 48
      if (value > 255) return { code: "out-of-range", text: "an octal escape above \\377", offset: i, stop: i }
      push(out, value, i, end)
      escapes = true
      i = end
    } else if (next === 117) {
      const [value, end] = unicodeEscape(text, i)
      if (end < 0)
        return { code: "unreadable", text: "\\u needs four hex digits, or some in braces", offset: i, stop: i }
      if (value > 255) return { code: "out-of-range", text: "a \\u escape above 255 is no octet", offset: i, stop: i }
      push(out, value, i, end)
      escapes = true
      i = end
    } else if (letter !== undefined) {
      push(out, letter, i, i + 2)
      escapes = true
      i += 2
    } else if (i + 1 < to) i = pushCharacter(text, i + 1, out)
    else break
  }
  return { code: "unterminated", text: "this string has no end", offset: start, stop: i }
}

const unicodeEscape = (text: string, i: number): readonly [value: number, end: number] => {
  const braces = text.charCodeAt(i + 2) === 123
  let end = i + (braces ? 3 : 2)
  const limit = end + (braces ? 6 : 4)
  let value = 0
  while (end < limit && hexDigit(text.charCodeAt(end)) >= 0) value = value * 16 + hexDigit(text.charCodeAt(end++))
  if (!braces) return [value, end === limit ? end : -1]
  return [value, text.charCodeAt(end) === 125 && end > i + 3 ? end + 1 : -1]
}

const UTF8 = new TextEncoder()

const pushCharacter = (text: string, i: number, out: Gather): number => {
  const unit = text.charCodeAt(i)
  if (unit < 128) {
    push(out, unit, i, i + 1)
    return i + 1
  }
  const character = String.fromCodePoint(text.codePointAt(i) ?? unit)
  for (const octet of UTF8.encode(character)) push(out, octet, i, i + character.length)
  return i + character.length
}
