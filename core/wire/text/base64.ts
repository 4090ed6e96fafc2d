import { isSpace, quote } from "./digits.ts"
import { guessLinkType } from "./frame.ts"
import type { Block, Fault, Found, Notice } from "./gather.ts"
import { gather, notice, push, take } from "./gather.ts"

/** RFC 4648 sections 4 and 5, both alphabets at once: `+` and `-` are 62, `/` and `_` are 63. */
const sextet = (unit: number): number => {
  if (unit >= 65 && unit <= 90) return unit - 65
  if (unit >= 97 && unit <= 122) return unit - 71
  if (unit >= 48 && unit <= 57) return unit + 4
  if (unit === 43 || unit === 45) return 62
  return unit === 47 || unit === 95 ? 63 : -1
}

/**
 * Base64 or base64url between `from` and `to`, padded or not, in lines of any length; a blank line, or padding, ends a packet.
 * An octet's span is the two or three characters, line break included, that hold its bits.
 *
 * Most words of any language are base64 too. So unless `certain`, the text has to prove itself: no blanks within its lines, and either
 * padding or a first octet that starts a PCP or NAT-PMP message (0 to 2), or a whole frame.
 */
export const readBase64 = (text: string, from: number, to: number, certain: boolean): Found | Fault => {
  const blocks: Block[] = []
  const notices: Notice[] = []
  const out = gather(Math.max(64, Math.ceil((to - from) * 0.75) + 3))
  let url = false
  let padded = false
  // Bits that wait for the rest of their octet, how many, and where they came from.
  let bits = 0
  let count = 0
  let bitsAt = from
  let lineEmpty = true
  let last = -1
  const finish = (at: number): Fault | undefined => {
    if (count === 6)
      return { code: "unreadable", text: "one base64 character is left over: it holds no octet", offset: last }
    if (bits !== 0)
      notice(notices, "warning", "base64-bits", last, "the last base64 character has bits that belong to no octet")
    bits = 0
    count = 0
    bitsAt = at
    if (out.length > 0) blocks.push(take(out))
    return undefined
  }
  for (let i = from; i < to; i++) {
    const unit = text.charCodeAt(i)
    const value = sextet(unit)
    if (value >= 0) {
      if (unit === 45 || unit === 95) url = true
      if (!certain && i > from && last >= 0 && last < i - 1 && lineEmpty === false && isBlank(text.charCodeAt(i - 1)))
        return { code: "unreadable", text: "base64 has no blanks within its lines", offset: i - 1 }
      if (count === 0) bitsAt = i
      bits = (bits << 6) | value
      count += 6
      last = i
      lineEmpty = false
      if (count >= 8) {
        count -= 8
        push(out, bits >>> count, bitsAt, i + 1)
        bits &= (1 << count) - 1
        bitsAt = i
      }
    } else if (unit === 61) {
      const pads = count === 2 ? 1 : count === 4 ? 2 : 0
      if (pads === 0 || (pads === 2 && text.charCodeAt(i + 1) !== 61))
        return { code: "unreadable", text: "padding that base64 does not have here", offset: i }
      if (pads === 2) i++
      padded = true
      const fault = finish(i + 1)
      if (fault !== undefined) return fault
    } else if (isSpace(unit)) {
      if (unit === 10) {
        if (lineEmpty && out.length > 0) {
          const fault = finish(i)
          if (fault !== undefined) return fault
        }
        lineEmpty = true
      }
    } else return { code: "unreadable", text: `${quote(text, i)} is no base64`, offset: i }
  }
  const fault = finish(to)
  if (fault !== undefined) return fault
  if (blocks.length === 0) return { code: "empty", text: "there are no octets in it", offset: from }
  if (!certain && !padded && !isPlausible(blocks[0].bytes)) {
    const hex = blocks[0].bytes[0].toString(16).padStart(2, "0")
    return {
      code: "unreadable",
      text: `taken as base64 it would start with octet 0x${hex}, as no message does`,
      offset: from,
    }
  }
  return { form: { kind: "base64", alphabet: url ? "url" : "standard" }, ambiguous: [], blocks, notices }
}

const isBlank = (unit: number): boolean => unit === 32 || unit === 9

/** Could a PCP or NAT-PMP message (version 0, 1 or 2) or a frame around one be these octets? */
const isPlausible = (bytes: Uint8Array): boolean => bytes[0] <= 2 || guessLinkType(bytes) !== undefined
