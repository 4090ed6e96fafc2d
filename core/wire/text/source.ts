import { decodeList, Element } from "./array.ts"
import { commentEnd, hexDigit, isSpace, quote } from "./digits.ts"
import type { Block, Fault, Found, Gather, Notice } from "./gather.ts"
import { gather, notice, push } from "./gather.ts"
import { decodeQuoted, saidOf } from "./quoted.ts"
import type { Form } from "./reading.ts"
import { type Broken, readString } from "./string.ts"

/** An open bracket with the elements that were met inside it. */
type Group = {
  readonly open: number
  readonly at: number
  /** Its first element on the stack of all open groups' elements. */
  readonly first: number
  /** Where the first thing stands that no list has, or -1. */
  bad: number
  /** Did an element come before it? */
  listLike: boolean
  /** Open parentheses inside: casts, or an element's own. */
  depth: number
}

/** Everything that was found so far. */
type Harvest = { form: Form | undefined; ambiguous: readonly Form[]; fault: Fault | undefined } & {
  readonly blocks: Block[]
  readonly notices: Notice[]
  /** The elements of all open groups, inner ones last; and a string's characters while it is read. */
  readonly elements: Gather
  readonly characters: Gather
}

/** Brackets inside brackets: more is no program's list. */
const DEEPEST = 256

const BRACE = 123
const BRACKET = 91
const PAREN = 40
const LESS = 60
const DOUBLE = 34
const SINGLE = 39
const BACKTICK = 96

/** Words that may stand by a number without making it another: casts and conversions. */
const CASTS: ReadonlySet<string> = new Set(
  "as u8 i8 byte Byte sbyte uint8 int8 uint8_t int8_t char unsigned signed const".split(" "),
)
/** What stands before parentheses that hold octets: a constructor, another parenthesis, an assignment, nothing. */
const MAKER = /(?:^\s*|[(=]\s*|(?:^|[^\w$])(?:of|bytes|bytearray|u?byteArrayOf|listOf|tuple|list))$/

const isDigit = (unit: number): boolean => unit >= 48 && unit <= 57
const isWord = (unit: number): boolean =>
  isDigit(unit) || (unit >= 97 && unit <= 122) || (unit >= 65 && unit <= 90) || unit === 95 || unit === 36
const isQuote = (unit: number): boolean => unit === DOUBLE || unit === SINGLE || unit === BACKTICK

/** Could there be a list or a quoted string in it? */
export const isSource = (text: string): boolean => /[{[("'`]|<Buffer/.test(text)

/**
 * Packets in program text between `from` and `to`: every list of numbers in brackets is one, and every string literal with
 * octets in it, those side by side being joined as C, Python and JavaScript join them. Everything else (names, types, sizes,
 * calls, comments) is passed over, with a notice where it looks like a list. `undefined`: there is nothing of the kind.
 */
export const readSource = (text: string, from: number, to: number): Found | Fault | undefined => {
  const elements = gather(256)
  const harvest: Harvest = {
    ...{ form: undefined, ambiguous: [], fault: undefined, blocks: [], notices: [] },
    ...{ elements, characters: gather(256) },
  }
  const groups: Group[] = []
  // Up to here no apostrophe closes: it is looked for once a line.
  let noClose = 0
  // Up to here a quote is an escaped one of a string that is broken, which was looked through once: lines that are continued can be many.
  let broken: Broken | undefined
  let i = from
  while (i < to) {
    const unit = text.charCodeAt(i)
    const group = groups.length === 0 ? undefined : groups[groups.length - 1]
    const past = isSpace(unit) || unit === 44 ? i + 1 : commentEnd(text, i, to)
    if (past >= 0) i = past
    else if (isQuote(unit)) {
      const known = unit === DOUBLE && broken !== undefined && i < broken.stop
      const again = known && broken?.code === "unterminated" ? { ...broken, offset: i } : broken
      const string =
        i < noClose && unit === SINGLE ? undefined : known ? again : readJoined(text, i, to, group, harvest)
      if (typeof string === "number") i = string
      else if (unit === SINGLE) {
        // A lone apostrophe is a Rust lifetime's or a word's.
        if (string !== undefined) noClose = Math.max(string.stop, lineEnd(text, i, to))
        i++
      } else {
        if (string !== undefined) pass(harvest, string, true)
        if (unit === DOUBLE) broken = string
        i = unit === BACKTICK ? to : lineEnd(text, i, to)
      }
    } else if (isWord(unit) || (unit === 45 && isDigit(text.charCodeAt(i + 1)))) {
      const start = i++
      while (i < to && isWord(text.charCodeAt(i))) i++
      // A letter before a quote belongs to the string: b"…".
      if (group === undefined || isQuote(text.charCodeAt(i))) continue
      if (unit === 45 || isDigit(unit) || isHexPair(text, start, i)) push(elements, Element.NUMBER, start, i)
      else if (group.depth === 0 && (i - start > 8 || !CASTS.has(text.slice(start, i)))) spoil(group, start, elements)
    } else {
      i++
      if (groups.length > DEEPEST) return { code: "unreadable", text: "brackets are nested too deep", offset: i - 1 }
      if (unit === LESS && text.startsWith("<Buffer ", i - 1)) {
        groups.push(open(unit, i - 1, elements))
        i += 6
      } else if (unit === PAREN && group !== undefined && group.open !== PAREN) group.depth++
      else if (unit === BRACE || unit === BRACKET || unit === PAREN) groups.push(open(unit, i - 1, elements))
      else if (group === undefined || unit === 92) continue
      else if (unit === 41 && group.depth > 0) group.depth--
      else if (unit === 125 || unit === 93 || unit === 41 || (unit === 62 && group.open === LESS)) {
        groups.pop()
        close(text, group, i, harvest)
        elements.length = group.first
      } else if ((unit === 0x2026 || (unit === 46 && text.startsWith("..", i))) && elements.length > group.first)
        return { code: "abbreviated", text: "the list is shortened here (...)", offset: i - 1 }
      else spoil(group, i - 1, elements)
    }
  }
  const left = groups.find((group) => elements.length > group.first && group.bad < 0 && group.open !== PAREN)
  if (left !== undefined)
    pass(harvest, { code: "unterminated", text: "this bracket is not closed", offset: left.at }, true)
  const { form, ambiguous, blocks, notices, fault } = harvest
  return form === undefined ? fault : { form, ambiguous, blocks, notices }
}

const open = (unit: number, at: number, elements: Gather): Group => ({
  open: unit,
  at,
  first: elements.length,
  bad: -1,
  listLike: false,
  depth: 0,
})

const spoil = (group: Group, at: number, elements: Gather): void => {
  if (group.bad >= 0) return
  group.bad = at
  group.listLike = elements.length > group.first
}

const lineEnd = (text: string, i: number, to: number): number => {
  const end = text.indexOf("\n", i)
  return end < 0 || end > to ? to : end
}

/** `ff`: a number only in a list that is all hex; {@link decodeList} sees to that. */
const isHexPair = (text: string, start: number, end: number): boolean =>
  hexDigit(text.charCodeAt(start)) >= 0 &&
  (end - start === 1 || (end - start === 2 && hexDigit(text.charCodeAt(start + 1)) >= 0))

const find = (harvest: Harvest, form: Form, ambiguous: readonly Form[], block: Block): void => {
  if (harvest.form === undefined) {
    harvest.form = form
    harvest.ambiguous = ambiguous
  }
  harvest.blocks.push(block)
}

const pass = (harvest: Harvest, fault: Fault, listLike: boolean): void => {
  harvest.fault ??= fault
  if (listLike) notice(harvest.notices, "warning", "literal-ignored", fault.offset, `passed over: ${fault.text}`)
}

const close = (text: string, group: Group, end: number, harvest: Harvest): void => {
  const { at, first } = group
  const count = harvest.elements.length - first
  if (count === 0 || isSize(text, group, count, end)) return
  if (group.open === PAREN && (count < 2 || !MAKER.test(text.slice(Math.max(0, at - 24), at)))) return
  if (group.bad >= 0) {
    const fault: Fault = { code: "unreadable", text: `${quote(text, group.bad)} stands in the list`, offset: group.bad }
    if (count > 1) pass(harvest, fault, group.listLike)
    return
  }
  const list = decodeList(text, harvest.elements, first, group.open === LESS)
  if ("code" in list) pass(harvest, list, true)
  else {
    const base = list.form.base === "decimal" ? "hexadecimal" : "decimal"
    find(harvest, list.form, list.ambiguous ? [{ kind: "array", base }] : [], list.block)
  }
}

/** `pkt[102] =`, `[12]byte{`: a size or an index. */
const isSize = (text: string, group: Group, count: number, end: number): boolean => {
  if (group.open !== BRACKET) return false
  if (isWord(text.charCodeAt(end))) return true
  if (count > 1) return false
  const before = text.charCodeAt(group.at - 1)
  let next = end
  while (next < end + 4 && text.charCodeAt(next) === 32) next++
  const after = text.charCodeAt(next)
  return isWord(before) || before === 93 || after === 61 || after === BRACE
}

const JOINT = /^(?:[ \t\r]|\\\r?\n|\+|\.(?=[\s"'`])|\n(?![ \t\r]*\n)){1,200}/
/** Could {@link JOINT} or another string start here? */
const isJoint = (unit: number): boolean =>
  isSpace(unit) || isQuote(unit) || isWord(unit) || unit === 92 || unit === 43 || unit === 46
const PREFIX = /^(?:b|B|br|rb|u8|L)?["'`]/

/**
 * The string at `i` with those that follow it and are joined to it: side by side, by `+` or `.`, or over a line's end. A blank line or
 * a comma parts them. Gives where to go on, or the fault of a string without an end.
 */
const readJoined = (
  text: string,
  i: number,
  to: number,
  group: Group | undefined,
  harvest: Harvest,
): number | Broken => {
  const { characters, elements } = harvest
  characters.length = 0
  let escapes = false
  let end = i
  let at = i
  for (;;) {
    const before = characters.length
    const string = readString(text, at, to, characters, harvest.notices)
    if ("code" in string) {
      if (at === i) return string
      characters.length = before
      break
    }
    escapes = escapes || string.escapes
    end = string.end
    if (!isJoint(text.charCodeAt(end))) break
    const joint = JOINT.exec(text.slice(end, end + 200))
    const next = end + (joint === null ? 0 : joint[0].length)
    const prefix = PREFIX.exec(text.slice(next, next + 3))
    if (prefix === null || next >= to) break
    at = next + prefix[0].length - 1
  }
  const colon = text.charCodeAt(end) === 58
  if (colon) {
    // A key. Numbered ones are how JSON shows a Uint8Array.
    if (group !== undefined && !isNumber(characters)) spoil(group, i, harvest.elements)
    return end + 1
  }
  const inList = group !== undefined && group.open !== PAREN && group.depth === 0 && at === i
  if (inList && text.charCodeAt(i) === SINGLE && characters.length === 1) {
    push(elements, Element.CHARACTER, i, end)
    return end
  }
  if (inList && !escapes && isQuotedOctet(characters)) {
    push(elements, Element.QUOTED, i + 1, end - 1)
    return end
  }
  const said = saidOf(text, i, end)
  const quoted = decodeQuoted(characters, escapes, said.said, harvest.notices)
  if (quoted !== undefined && "code" in quoted) pass(harvest, quoted, true)
  else if (quoted !== undefined) find(harvest, quoted.form, quoted.ambiguous, quoted.block)
  return Math.min(said.end, to)
}

const isNumber = ({ bytes, length }: Gather): boolean => {
  for (let i = 0; i < length; i++) if (!isDigit(bytes[i])) return false
  return length > 0
}

/** `02` or `0x02`. */
const isQuotedOctet = ({ bytes, length }: Gather): boolean => {
  const from = bytes[0] === 48 && (bytes[1] | 32) === 120 ? 2 : 0
  if (length <= from || length > from + 2) return false
  for (let i = from; i < length; i++) if (hexDigit(bytes[i]) < 0) return false
  return true
}
