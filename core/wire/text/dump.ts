import type { Block, Fault, Found, Gather, Notice } from "./gather.ts"
import { gather, notice, push, take } from "./gather.ts"
import { findLayout, isStar } from "./layout.ts"
import type { RowStart } from "./row.ts"
import { offsetValue, readRow, rowStart } from "./row.ts"
import { isHeader } from "./tcpdump.ts"

/** Octets that `*` lines may stand for in one text: two short lines could ask for gigabytes. */
const FILL = 1 << 24

/** Rows wider than this are not cut by the next row's offset: a jump is no width. */
const WIDEST = 1024

/**
 * The packets in the rows of a dump between `from` and `to`, or `undefined` when there is none (see {@link findLayout}). Row offset 0
 * starts a packet; an offset that does not follow starts one too, with a notice. A last offset alone ends a packet and cuts the
 * octet that fills its last word. `*` repeats the row before it. Other lines are passed over.
 */
export const readDump = (text: string, from: number, to: number): Found | Fault | undefined => {
  const found = findLayout(text, from, to)
  if (found === undefined) return undefined
  const { layout, colon, ambiguous } = found
  const notices: Notice[] = []
  const blocks: Block[] = []
  const out = gather(4096)
  const line = gather(64)
  // Where the packet's first octet lies in its dump, the octets of its last row, and where a `*` stood.
  let base = 0
  let last = 0
  let star = -1
  let filled = 0
  let column = -1
  let header: { readonly start: number; readonly end: number } | undefined
  let headerOpen = false
  const finish = (): void => {
    if (out.length > 0) {
      blocks.push(header === undefined ? take(out) : { ...take(out), header })
      header = undefined
    }
    star = -1
  }
  const fill = (upTo: number, at: number): Fault | undefined => {
    const missing = upTo - base - out.length
    if (missing <= 0) return undefined
    filled += missing
    if (filled > FILL) return { code: "too-large", text: "rows left out (*) would be more than 16 MiB", offset: at }
    repeat(out, last, missing, star)
    return undefined
  }
  let start = from
  let next = lineAt(text, start, to, colon)
  while (start < to) {
    const { end, row } = next
    next = lineAt(text, end + 1, to, colon)
    const offset = row === undefined ? -1 : offsetValue(text, row, layout.offsets)
    if (row === undefined || offset < 0) {
      if (isStar(text, start, end) && out.length > 0) star = text.indexOf("*", start)
      else if (isHeader(text, start, end)) {
        finish()
        header = { start, end }
        headerOpen = true
      } else if (headerOpen && header !== undefined && end > start) header = { start: header.start, end }
      else if (!isEmpty(text, start, end))
        notice(notices, "note", "text-ignored", start, "lines that are no rows were passed over")
      start = end + 1
      continue
    }
    headerOpen = false
    if (row.bare) {
      const fault = star < 0 ? undefined : fill(offset, row.from)
      if (fault !== undefined) return fault
      const spare = base + out.length - offset
      if (spare > 0 && spare < layout.octets) out.length -= spare
      else if (spare !== 0 && out.length > 0)
        notice(notices, "warning", "offset-gap", row.from, "the last offset is not where the octets end")
      finish()
      start = end + 1
      continue
    }
    const after = next.row === undefined ? -1 : offsetValue(text, next.row, layout.offsets)
    const step = after > offset && after - offset <= WIDEST ? after - offset : 0
    line.length = 0
    const result = readRow(text, row.data, end, layout, line, step, column < 0 ? -1 : start + column)
    if (result.count === 0) {
      notice(notices, "note", "text-ignored", start, "lines that are no rows were passed over")
      start = end + 1
      continue
    }
    if (offset === 0) finish()
    else if (star >= 0) {
      const fault = fill(offset, row.from)
      if (fault !== undefined) return fault
      star = -1
    }
    if (out.length > 0 && offset !== base + out.length) {
      notice(notices, "warning", "offset-gap", row.from, "this offset does not follow; a new packet starts here")
      finish()
    } else if (out.length === 0 && offset !== 0)
      notice(notices, "note", "offset-start", row.from, "the first offset of this packet is not 0")
    if (out.length === 0) base = offset
    for (let k = 0; k < result.count; k++) push(out, line.bytes[k], line.starts[k], line.ends[k])
    last = result.count
    if (result.characters === "match") column = result.at - start
    if (result.characters === "differ")
      notice(notices, "warning", "characters-differ", result.at, "the characters beside these octets are not theirs")
    start = end + 1
  }
  finish()
  if (blocks.length === 0) return undefined
  if (layout.order === "little" && !found.proven)
    notice(
      notices,
      "warning",
      "word-order",
      blocks[0].starts[0],
      `words of ${layout.octets} octets were read as a little-endian machine prints them; dump octets (-C, -tx1) to be sure`,
    )
  return { form: layout, ambiguous, blocks, notices }
}

const lineAt = (
  text: string,
  start: number,
  to: number,
  colon: boolean,
): { readonly end: number; readonly row: RowStart | undefined } => {
  const newline = start < to ? text.indexOf("\n", start) : -1
  const end = newline < 0 || newline > to ? to : newline
  const row = start < to ? rowStart(text, start, end) : undefined
  return { end, row: row !== undefined && colon && !row.colon ? undefined : row }
}

const isEmpty = (text: string, start: number, end: number): boolean =>
  end - start < 200 && text.slice(start, end).trim() === ""

const repeat = (out: Gather, row: number, count: number, at: number): void => {
  for (let i = 0; i < count; i++) push(out, out.bytes[out.length - row], at, at + 1)
}
