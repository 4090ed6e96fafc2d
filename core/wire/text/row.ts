import { hexDigit, isSpace } from "./digits.ts"
import type { Gather } from "./gather.ts"
import { push } from "./gather.ts"

/** How the units of a dump are written. `written`: any even count of hex digits is that many pairs in their order. */
export type Unit = {
  readonly base: 2 | 8 | 10 | 16
  readonly octets: 1 | 2 | 4 | 8
  readonly order: "written" | "little"
}

/** The start of a line that could be a row: an offset, perhaps with `0x` before and a colon behind, then blanks or the line's end. */
export type RowStart = {
  /** The offset's digits. */
  readonly from: number
  readonly to: number
  readonly prefixed: boolean
  readonly colon: boolean
  /** Past the offset. */
  readonly data: number
  /** Does anything follow? */
  readonly bare: boolean
}

/** The offset that a line starts with: 3 to 16 hex digits with a colon, 4 to 16 without. */
export const rowStart = (text: string, start: number, end: number): RowStart | undefined => {
  let i = start
  while (i < end && isSpace(text.charCodeAt(i))) i++
  const prefixed = text.charCodeAt(i) === 48 && (text.charCodeAt(i + 1) | 32) === 120
  const from = prefixed ? i + 2 : i
  i = from
  while (i < end && i - from <= 16 && hexDigit(text.charCodeAt(i)) >= 0) i++
  const colon = i < end && text.charCodeAt(i) === 58
  const count = i - from
  if (count > 16 || count < (colon ? 3 : 4)) return undefined
  const data = colon ? i + 1 : i
  if (data < end && !isSpace(text.charCodeAt(data))) return undefined
  let next = data
  while (next < end && isSpace(text.charCodeAt(next))) next++
  if (next === end) return { from, to: i, prefixed, colon, data, bare: true }
  const first = unitEnd(text, next, end)
  return first < 0 ? undefined : { from, to: i, prefixed, colon, data, bare: false }
}

/** The end of the hex digits at `i`, with `0x` before or not, when blanks or the line's end follow; else -1. */
const unitEnd = (text: string, i: number, end: number): number => {
  const from = text.charCodeAt(i) === 48 && (text.charCodeAt(i + 1) | 32) === 120 ? i + 2 : i
  let to = from
  while (to < end && hexDigit(text.charCodeAt(to)) >= 0) to++
  return to === from || (to < end && !isSpace(text.charCodeAt(to))) ? -1 : to
}

/** The offset's value in a base, or -1 when it has other digits. Exact up to 2^53. */
export const offsetValue = (text: string, row: RowStart, base: 8 | 10 | 16): number => {
  let value = 0
  for (let i = row.from; i < row.to; i++) {
    const digit = hexDigit(text.charCodeAt(i))
    if (digit >= base) return -1
    value = value * base + digit
  }
  return value
}

/** What a row held: its octets, and the column of characters beside them, if there was one. */
export type RowEnd = {
  readonly count: number
  readonly characters: "match" | "differ" | "none"
  /** Where the characters start, -1 without. */
  readonly at: number
  /** Were they set between bars, as `hexdump -C` does? */
  readonly barred: boolean
}

/** Rows longer than this are not looked through for characters, so that no row costs more than its length. */
const LOOK = 256

/**
 * Adds the octets of a row's units between `from` and `end` to `out`. The units end where the characters start: at a bar; after
 * `step` octets, when the next row's offset tells how many there are; at `column`, where the rows before had them; or after two blanks
 * before what reads like the octets themselves; at the latest at what is no unit.
 */
export const readRow = (
  text: string,
  from: number,
  end: number,
  unit: Unit,
  out: Gather,
  step: number,
  column: number,
): RowEnd => {
  const first = out.length
  let i = from
  for (;;) {
    const gap = i
    while (i < end && isSpace(text.charCodeAt(i))) i++
    const count = out.length - first
    const here = text.charCodeAt(i)
    if (i >= end) return { count, characters: "none", at: -1, barred: false }
    if (here === 124 || here === 62) {
      const match = matches(text, i + 1, end, out, first, true)
      return { count, characters: match ? "match" : "differ", at: i, barred: here === 124 }
    }
    const wide = i - gap > 1 || text.charCodeAt(gap) === 9
    if (count > 0) {
      const match = wide && count <= LOOK && matches(text, i, end, out, first, false)
      const next = match || (step > 0 && count >= step) || i === column ? -1 : readUnit(text, i, end, unit, out)
      if (next < 0) return { count, characters: match ? "match" : "differ", at: i, barred: false }
      i = next
    } else {
      i = readUnit(text, i, end, unit, out)
      if (i < 0) return { count: 0, characters: "none", at: -1, barred: false }
    }
  }
}

/**
 * Are these characters those of the octets from `first` on? A printable octet shows as itself or a dot, another one as anything but
 * a digit or letter. Blanks at either end may be lost.
 */
const matches = (text: string, from: number, end: number, out: Gather, first: number, barred: boolean): boolean => {
  let to = end
  if (barred) while (to > from && isSpace(text.charCodeAt(to - 1))) to--
  if (barred && to > from && (text.charCodeAt(to - 1) === 124 || text.charCodeAt(to - 1) === 60)) to--
  let lead = 0
  while (first + lead < out.length && out.bytes[first + lead] === 32) lead++
  return fits(text, from, to, out, first) || (!barred && lead > 0 && fits(text, from, to, out, first + lead))
}

const fits = (text: string, from: number, to: number, out: Gather, first: number): boolean => {
  let o = first
  for (let i = from; i < to; i++, o++) {
    const unit = text.charCodeAt(i)
    if (o >= out.length) {
      while (i < to && isSpace(text.charCodeAt(i))) i++
      return i >= to
    }
    const octet = out.bytes[o]
    const printable = octet >= 32 && octet < 127
    if (printable ? unit !== octet && unit !== 46 : hexDigit(unit) >= 0) return false
  }
  while (o < out.length && out.bytes[o] === 32) o++
  return o === out.length
}

/** Reads the unit at `i`; where to go on, or -1 when there is none. */
const readUnit = (text: string, i: number, end: number, unit: Unit, out: Gather): number => {
  const to = unitEnd(text, i, end)
  if (to < 0) return -1
  const from = (text.charCodeAt(i + 1) | 32) === 120 ? i + 2 : i
  const length = to - from
  if (unit.base === 16) {
    if (length % 2 !== 0) return -1
    if (unit.order === "written") for (let k = from; k < to; k += 2) push(out, pair(text, k), k, k + 2)
    else if (length > 2 * unit.octets) return -1
    else for (let k = to - 2; k >= from; k -= 2) push(out, pair(text, k), k, k + 2)
    return to
  }
  const width = unit.base === 2 ? 8 : unit.base === 8 ? (unit.octets * 8 + 2) / 3 : unit.octets === 1 ? 3 : 5
  // Decimal octets are padded with blanks, decimal words with blanks (od) or zeros (hexdump).
  const padded = unit.base === 10 && length > 1 && text.charCodeAt(from) === 48 && (length < width || width === 3)
  if (padded || (unit.base === 10 ? length > width : length !== Math.floor(width))) return -1
  let value = 0
  for (let k = from; k < to; k++) {
    const digit = hexDigit(text.charCodeAt(k))
    if (digit >= unit.base) return -1
    value = value * unit.base + digit
  }
  if (value >= 256 ** unit.octets) return -1
  for (let k = 0; k < unit.octets; k++) {
    push(out, value % 256, from, to)
    value = Math.floor(value / 256)
  }
  return to
}

const pair = (text: string, k: number): number => hexDigit(text.charCodeAt(k)) * 16 + hexDigit(text.charCodeAt(k + 1))
