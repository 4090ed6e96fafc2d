import { hexDigit, Mark, scanDigits } from "./digits.ts"
import type { Block, Fault, Found, Gather, Notice } from "./gather.ts"
import { gather, notice, push, take } from "./gather.ts"
import type { Form } from "./reading.ts"

/** How octets are written as hex digits; without any, `020100`. */
export type HexOptions = {
  /** Between octets; nothing by default. `spaced: true` is one space. */
  readonly separator?: string
  /** The same as a `separator` of one space. */
  readonly spaced?: boolean
  /** Before each octet, such as `0x` or `\x`; nothing by default. */
  readonly prefix?: string
  /** `A` to `F` rather than `a` to `f`. */
  readonly upper?: boolean
}

const LOWER = "0123456789abcdef"
const UPPER = "0123456789ABCDEF"

/** Hex digits, two an octet: `020100…`, or with {@link HexOptions} `02 01 00`, `0x02, 0x01`, `02:01:00`. */
export const toHex = (bytes: Uint8Array, options: HexOptions = {}): string => {
  const digits = options.upper === true ? UPPER : LOWER
  const prefix = options.prefix ?? ""
  const separator = options.separator ?? (options.spaced === true ? " " : "")
  const parts = new Array<string>(bytes.length)
  for (let i = 0; i < bytes.length; i++) parts[i] = prefix + digits[bytes[i] >>> 4] + digits[bytes[i] & 15]
  return parts.join(separator)
}

/**
 * Bare numbers between `from` and `to`: hex unless they can only be decimal.
 *
 * - A run of one digit is an octet; a run of an even count is as many pairs. A run of an odd count goes on in the next line if the line
 *   ends there, else it is an error.
 * - Numbers are taken for decimal when all are 0 to 255 in one to three digits without a leading zero or a letter, and they differ in
 *   length; numbers of two digits each stay hex. Either way the other reading is listed as ambiguous where it exists.
 * - Lines join to one packet; a blank line starts the next.
 */
export const readHex = (text: string, from: number, to: number): Found | Fault => {
  const runs = scanDigits(text, from, to)
  if ("code" in runs) return runs
  if (runs.length === 0) return { code: "empty", text: "there are no octets in it", offset: from }
  const { decimal, ambiguous, style } = judge(text, runs)
  const hex: Form = { kind: "hex", style }
  const notices: Notice[] = []
  const blocks = decimal ? decodeDecimal(text, runs) : decodeHex(text, runs, notices)
  if ("code" in blocks) return blocks
  const other: readonly Form[] = !ambiguous ? [] : [decimal ? hex : { kind: "decimal" }]
  return { form: decimal ? { kind: "decimal" } : hex, ambiguous: other, blocks, notices }
}

const judge = (text: string, runs: Gather) => {
  let marks = 0
  const lengths = [0, 0, 0, 0]
  let possible = true
  let alike = true
  for (let i = 0; i < runs.length; i++) {
    marks |= runs.bytes[i]
    const length = runs.ends[i] - runs.starts[i]
    if (length > 3) possible = false
    else lengths[length]++
    if (!possible) continue
    const value = decimalAt(text, runs.starts[i], runs.ends[i])
    if (value < 0 || value > 255 || (length > 1 && text.charCodeAt(runs.starts[i]) === 48)) possible = false
    if (length > 1) alike = false
  }
  const { PREFIXED, ESCAPED } = Mark
  const style: "prefixed" | "escaped" | "plain" =
    (marks & PREFIXED) !== 0 ? "prefixed" : (marks & ESCAPED) !== 0 ? "escaped" : "plain"
  if (!possible || style !== "plain" || alike) return { decimal: false, ambiguous: false, style }
  return { decimal: lengths[3] > 0 || lengths[1] > 0, ambiguous: lengths[3] === 0, style }
}

/** The decimal number between two offsets, or -1 when a digit is a letter. At most nine digits are asked for. */
export const decimalAt = (text: string, start: number, end: number): number => {
  let value = 0
  for (let i = start; i < end; i++) {
    const digit = hexDigit(text.charCodeAt(i))
    if (digit < 0 || digit > 9) return -1
    value = value * 10 + digit
  }
  return value
}

const decodeDecimal = (text: string, runs: Gather): Block[] => {
  const blocks: Block[] = []
  const out = gather(runs.length)
  for (let i = 0; i < runs.length; i++) {
    push(out, decimalAt(text, runs.starts[i], runs.ends[i]), runs.starts[i], runs.ends[i])
    if ((runs.bytes[i] & Mark.PACKET_END) !== 0) blocks.push(take(out))
  }
  if (out.length > 0) blocks.push(take(out))
  return blocks
}

const decodeHex = (text: string, runs: Gather, notices: Notice[]): Block[] | Fault => {
  const blocks: Block[] = []
  const out = gather(Math.max(64, Math.ceil((runs.ends[runs.length - 1] - runs.starts[0] + 1) / 2)))
  const lines = lineWatch(notices)
  // A digit that waits for its other half in the next line.
  let half = -1
  let halfAt = 0
  for (let r = 0; r < runs.length; r++) {
    const end = runs.ends[r]
    const mark = runs.bytes[r]
    let i = runs.starts[r]
    lines.start(i, end, hexDigit(text.charCodeAt(i)) * 16 + hexDigit(text.charCodeAt(i + 1)))
    if ((mark & Mark.ESCAPED) !== 0 && end - i > 2)
      notice(
        notices,
        "warning",
        "long-escape",
        i,
        "more than two hex digits follow \\x: they were read as octets of two",
      )
    if (half >= 0) {
      push(out, half * 16 + hexDigit(text.charCodeAt(i)), halfAt, i + 1)
      half = -1
      i++
    } else if (end - i === 1) {
      push(out, hexDigit(text.charCodeAt(i)), i, end)
      i++
    }
    for (; i + 1 < end; i += 2)
      push(out, hexDigit(text.charCodeAt(i)) * 16 + hexDigit(text.charCodeAt(i + 1)), i, i + 2)
    if (i < end) {
      const goesOn = (mark & Mark.LINE_END) !== 0 && (mark & Mark.PACKET_END) === 0 && r + 1 < runs.length
      if (!goesOn || runs.bytes[r + 1] % 4 !== 0) return oddDigits(runs.starts[r], end)
      half = hexDigit(text.charCodeAt(i))
      halfAt = i
      notice(notices, "note", "digits-joined", i, "an octet is cut by a line break; its digits were joined")
    }
    if ((mark & Mark.PACKET_END) !== 0) {
      blocks.push(take(out))
      lines.packetEnd()
    } else if ((mark & Mark.LINE_END) !== 0) lines.lineEnd()
  }
  lines.packetEnd()
  if (out.length > 0) blocks.push(take(out))
  return blocks
}

const oddDigits = (start: number, end: number): Fault => ({
  code: "odd-digits",
  text: `${end - start} hex digits give no whole number of octets`,
  offset: start,
})

/**
 * Notices lines that look like messages of their own: each starts with a version octet 0 to 2, and their lengths differ as those of
 * a wrapped stream do not.
 */
const lineWatch = (notices: Notice[]) => {
  let first = 0
  let line = 0
  let lineCount = 0
  let uneven = false
  let messages = true
  let second = 0
  const lineEnd = (): void => {
    if (line === 0) return
    lineCount++
    if (lineCount === 1) first = line
    else if (line > first) uneven = true
    line = 0
  }
  return {
    start: (at: number, end: number, octet: number): void => {
      if (line === 0) {
        messages = messages && end - at >= 4 && octet <= 2
        if (lineCount === 1) second = at
      }
      line += end - at
    },
    lineEnd,
    packetEnd: (): void => {
      lineEnd()
      const text = "lines of unequal length were joined to one packet; a blank line separates packets"
      if (messages && uneven) notice(notices, "warning", "lines-joined", second, text)
      lineCount = 0
      uneven = false
      messages = true
    },
  }
}
