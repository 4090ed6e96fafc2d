import { gather } from "./gather.ts"
import type { Form } from "./reading.ts"
import type { RowStart, Unit } from "./row.ts"
import { offsetValue, readRow, rowStart } from "./row.ts"

/** A dump's layout: how its offsets and units are written. */
export type Layout = Form & { readonly kind: "dump" }

/** The layout of a text's rows, and others that they could have. */
export type LayoutFound = {
  readonly layout: Layout
  readonly colon: boolean
  readonly ambiguous: readonly Form[]
  readonly proven: boolean
}

type Line = { readonly row: RowStart; readonly end: number; readonly star: boolean }

const WRITTEN: Unit = { base: 16, octets: 1, order: "written" }
const hexWords = (octets: 2 | 4 | 8): Unit => ({ base: 16, octets, order: "little" })
const number = (base: 2 | 8 | 10, octets: 1 | 2 | 4): Unit => ({
  base,
  octets,
  order: octets === 1 ? "written" : "little",
})

/** With equal evidence the first counts: a colon is xxd's and tcpdump's, who write octets in their order; od and hexdump write words. */
const WITH_COLON = [WRITTEN, hexWords(4), hexWords(2), hexWords(8), number(2, 1)]
const WITHOUT = [
  ...[hexWords(2), hexWords(4), hexWords(8), number(8, 1), number(8, 2), number(8, 4), WRITTEN],
  ...[number(10, 1), number(10, 2), number(2, 1)],
]
/** hexdump prints offsets of seven digits in hex, before words; od prints them in octal, before anything. */
const offsetsFor = (row: RowStart, unit: Unit): readonly (8 | 10 | 16)[] =>
  row.to - row.from === 7 && !(unit.base === 16 && unit.octets === 2) ? [8, 16, 10] : [16, 8, 10]
const SAMPLE = 8
const LOOK = 64
/** A longer line is no row: xxd's longest has 256 octets. It would be read once for each layout. */
const LONGEST = 8192

/**
 * The layout of the dump in a text, or `undefined` when its lines prove none. Each way to write offsets and units is tried on the
 * first eight rows: that each row's offset is the one before plus its octets counts most, that characters match octets counts
 * next. Rows whose offsets end in a colon are rows by that alone. A single row without one has to start at 0 in another width than
 * its units have.
 */
export const findLayout = (text: string, from: number, to: number): LayoutFound | undefined => {
  const lines = sample(text, from, to)
  if (lines.length === 0) return undefined
  const colon = lines[0].row.colon
  let best:
    | { readonly score: number; readonly unit: Unit; readonly base: 8 | 10 | 16; readonly trial: Trial }
    | undefined
  const tied: { readonly unit: Unit; readonly base: 8 | 10 | 16; readonly trial: Trial }[] = []
  for (const unit of colon ? WITH_COLON : WITHOUT)
    for (const base of offsetsFor(lines[0].row, unit)) {
      if (!fitsWidth(text, lines[0], unit)) continue
      const trial = tryLayout(text, lines, unit, base)
      if (trial === undefined) continue
      if (best === undefined || trial.score > best.score) {
        best = { score: trial.score, unit, base, trial }
        tied.length = 0
      } else if (trial.score === best.score && [best, ...tied].every((t) => t.trial.octets !== trial.octets))
        tied.push({ unit, base, trial })
    }
  if (best === undefined) return undefined
  const lone = best.score === 0 && isLoneRow(text, lines)
  if (!colon && best.score <= 0 && !lone) return undefined
  const { unit, base, trial } = best
  const layout = describe(lines[0].row, unit, base, trial)
  // Groups of two octets after a colon are the habit of xxd and tcpdump; groups of four are xxd -e's too.
  const open = colon ? tied.filter((t) => t.unit.octets === 4) : tied
  const others: Form[] = open.map((t) => describe(lines[0].row, t.unit, t.base, t.trial))
  if (lone && !colon && (lines[0].row.to - lines[0].row.from) % 2 === 0) others.push({ kind: "hex", style: "plain" })
  return { layout, colon, ambiguous: others, proven: trial.characters === "match" }
}

/** The first rows; when some have a colon, those alone, since the others are text around them. */
const sample = (text: string, from: number, to: number): Line[] => {
  const all: Line[] = []
  let colons = 0
  let start = from
  while (start < to && all.length < LOOK) {
    const newline = text.indexOf("\n", start)
    const end = newline < 0 || newline > to ? to : newline
    const row = end - start > LONGEST ? undefined : rowStart(text, start, end)
    if (row !== undefined) {
      all.push({ row, end, star: false })
      if (row.colon && !row.bare) colons++
    } else if (all.length > 0 && isStar(text, start, end)) all.push({ row: all[0].row, end, star: true })
    start = end + 1
  }
  const rows = colons === 0 ? all : all.filter((line) => line.star || line.row.colon)
  const first = rows.findIndex((line) => !line.star && !line.row.bare)
  return first < 0 ? [] : rows.slice(first, first + SAMPLE)
}

/** A line of a single `*`: rows equal to the one before it were left out. */
export const isStar = (text: string, start: number, end: number): boolean =>
  end - start < 8 && text.slice(start, end).trim() === "*"

/** Does the first unit have the digits of this kind? Spares trials, and keeps pairs from being words that are cut. */
const fitsWidth = (text: string, { row, end }: Line, unit: Unit): boolean => {
  const token = /^[\s]*(?:0x)?([0-9a-fA-F]+)/.exec(text.slice(row.data, Math.min(end, row.data + 200)))
  const length = token === null ? 0 : token[1].length
  if (unit.base === 16) return unit.order === "written" ? length % 2 === 0 : length === 2 * unit.octets
  return true
}

type Trial = {
  readonly score: number
  /** Tells apart trials that give other octets. */
  readonly octets: string
  readonly characters: "match" | "differ" | "none"
  readonly barred: boolean
}

const tryLayout = (text: string, lines: readonly Line[], unit: Unit, base: 8 | 10 | 16): Trial | undefined => {
  const out = gather(256)
  let score = 0
  let expected = -1
  let last = 0
  let star = false
  let characters: Trial["characters"] = "none"
  let barred = false
  let jumps = ""
  for (const { row, end, star: isStarLine } of lines) {
    if (isStarLine) {
      star = true
      continue
    }
    const offset = offsetValue(text, row, base)
    if (offset < 0) return undefined
    if (expected >= 0 && offset !== 0) {
      if (star) score += offset > expected && (offset - expected) % last === 0 ? 2 : -2
      else score += offset === expected || (row.bare && offset < expected && offset > expected - unit.octets) ? 2 : -2
    }
    if (star) jumps += `*${offset - expected}`
    star = false
    if (row.bare) {
      expected = -1
      continue
    }
    const result = readRow(text, row.data, end, unit, out, 0, -1)
    if (result.count === 0) return undefined
    if (result.characters === "match") score++
    if (result.characters === "differ") score--
    if (characters !== "match") characters = result.characters
    barred = barred || result.barred
    last = result.count
    expected = offset + last
  }
  return { score, octets: out.bytes.subarray(0, out.length).join() + jumps, characters, barred }
}

/** One row, offset 0, in another width than its first unit. */
const isLoneRow = (text: string, lines: readonly Line[]): boolean => {
  const { row, end } = lines[0]
  const token = /^\s*([0-9a-fA-F]+)/.exec(text.slice(row.data, Math.min(end, row.data + 200)))
  return (
    lines.length === 1 && offsetValue(text, row, 16) === 0 && token !== null && token[1].length !== row.to - row.from
  )
}

const describe = (row: RowStart, unit: Unit, offsets: 8 | 10 | 16, trial: Trial): Layout => ({
  kind: "dump",
  tool: toolOf(row, offsets, trial.barred),
  offsets,
  ...unit,
  characters: trial.characters !== "none",
})

/** Whose habit the rows show: for people only. */
const toolOf = (row: RowStart, offsets: 8 | 10 | 16, barred: boolean): Layout["tool"] => {
  const width = row.to - row.from
  if (row.colon) return row.prefixed && width === 4 ? "tcpdump" : width === 8 && !row.prefixed ? "xxd" : "other"
  if (barred && width === 8) return "hexdump -C"
  if (offsets !== 16 || width === 6) return "od"
  return width === 7 ? "hexdump" : width === 4 ? "tshark" : "other"
}
