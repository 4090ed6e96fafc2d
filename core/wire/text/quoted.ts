import { readBase64 } from "./base64.ts"
import { hexDigit, isSpace } from "./digits.ts"
import type { Block, Fault, Gather, Notice } from "./gather.ts"
import { gather, push, take } from "./gather.ts"
import type { Form } from "./reading.ts"

/** What a quoted string, or several joined, gives: a packet, nothing, or a fault of a string that was said to hold one. */
export type Quoted = { readonly form: Form; readonly ambiguous: readonly Form[]; readonly block: Block }

/** What stands around a string: `hex` and `base64` when a function or argument says so, `bytes` for `b"…"`. */
export type Said = "hex" | "base64" | "bytes" | "nothing"

const HEX_BEFORE = /(?:hex[\w.:]*!?\s*\(\s*[bru]?|\bx|\bX)$/i
const BASE64_BEFORE = /(?:base64|b64|atob)[\w.:]*!?\s*\(\s*[bru]?$/i
const AFTER = /^\s*(?:,|\.\s*decode\s*\()\s*["'`](hex|base64(?:url)?)["'`]/
const BYTES = /(?:^|[^\w$])(?:b|rb|br)$/i

/** Looks at the 64 units before a string and the 40 behind it; `end` is past what was understood. */
export const saidOf = (text: string, start: number, end: number): { readonly said: Said; readonly end: number } => {
  const next = text.charCodeAt(end)
  const after = next === 44 || next === 46 || next === 32 ? AFTER.exec(text.slice(end, end + 40)) : null
  if (after !== null) return { said: after[1] === "hex" ? "hex" : "base64", end: end + after[0].length }
  const last = text.charCodeAt(start - 1)
  if (last === 10 || last === 44 || start === 0) return { said: "nothing", end }
  const before = text.slice(Math.max(0, start - 64), start)
  if (HEX_BEFORE.test(before)) return { said: "hex", end }
  if (BASE64_BEFORE.test(before)) return { said: "base64", end }
  return { said: BYTES.test(before) ? "bytes" : "nothing", end }
}

/**
 * The packet in a string's characters. A string with escapes is its octets. One without is hex if it can be (a message's first octet
 * is 0 to 2, so its own characters start none; `b"0201"`, as Python's hexlify prints it, is listed as ambiguous), or base64 if it
 * proves itself; otherwise it is its octets if it is marked so, or no packet at all.
 */
export const decodeQuoted = (
  characters: Gather,
  escapes: boolean,
  said: Said,
  notices: Notice[],
): Quoted | Fault | undefined => {
  const string: Form = { kind: "string" }
  if (characters.length === 0) return undefined
  if (said === "hex") {
    const block = hexOf(characters)
    if (!("code" in block)) return { form: { kind: "hex", style: "quoted" }, ambiguous: [], block }
    return block
  }
  if (said === "base64") return base64Of(characters, true, notices)
  if (escapes) return { form: string, ambiguous: [], block: take(characters) }
  const block = hexOf(characters)
  if (!("code" in block))
    return { form: { kind: "hex", style: "quoted" }, ambiguous: said === "bytes" ? [string] : [], block }
  const base64 = base64Of(characters, false, notices)
  if (!("code" in base64)) return base64
  return said === "bytes" ? { form: string, ambiguous: [], block: take(characters) } : undefined
}

const hexOf = (characters: Gather): Block | Fault => {
  const out = gather(characters.length)
  const { bytes, starts, ends, length } = characters
  let i = 0
  while (i < length) {
    if (isSpace(bytes[i]) || bytes[i] === 58 || bytes[i] === 45 || bytes[i] === 44) i++
    else if (bytes[i] === 48 && (bytes[i + 1] | 32) === 120 && i + 2 < length) i += 2
    else {
      const high = hexDigit(bytes[i])
      const low = i + 1 < length ? hexDigit(bytes[i + 1]) : -1
      if (high < 0) return { code: "unreadable", text: "this character is no hex digit", offset: starts[i] }
      if (low < 0) return { code: "odd-digits", text: "a hex digit has no other half", offset: starts[i] }
      push(out, high * 16 + low, starts[i], ends[i + 1])
      i += 2
    }
  }
  // Separators alone, as in JSON's `":"`, are no packet.
  return out.length === 0 ? { code: "empty", text: "there are no octets in it", offset: starts[0] } : take(out)
}

const base64Of = (characters: Gather, certain: boolean, notices: Notice[]): Quoted | Fault => {
  const { starts, ends, length } = characters
  let text = ""
  for (let i = 0; i < length; i += 8192)
    text += String.fromCharCode(...characters.bytes.subarray(i, Math.min(length, i + 8192)))
  const found = readBase64(text, 0, length, certain)
  if ("code" in found) return { ...found, offset: starts[Math.min(found.offset, length - 1)] }
  const { bytes, starts: from, ends: to } = found.blocks[0]
  notices.push(...found.notices.map((n) => ({ ...n, offsets: n.offsets.map((o) => starts[o]) })))
  const block = { bytes, starts: from.map((o) => starts[o]), ends: to.map((o) => ends[o - 1]) }
  return { form: found.form, ambiguous: [], block }
}
