import { sliceOctets } from "../octets.ts"
import { readBase64 } from "./base64.ts"
import { collectCapture, isCapture } from "./capture.ts"
import { isSpace } from "./digits.ts"
import { readDump } from "./dump.ts"
import { guessLinkType, looseLinkType, stripFrame } from "./frame.ts"
import type { Block, Fault, Found, Notice } from "./gather.ts"
import { notice } from "./gather.ts"
import { readHex } from "./hex.ts"
import { locate } from "./place.ts"
import type { Form, FoundPacket, Problem, Reading, Skipped, SkipReason } from "./reading.ts"
import { formatForm } from "./reading.ts"
import { isSource, readSource } from "./source.ts"
import { readHeader } from "./tcpdump.ts"
import { decodeText } from "./unicode.ts"

/**
 * The packets in whatever somebody pasted or dropped, and which form it was taken for. Total: any string and any octets give packets
 * or a typed error with its place.
 *
 * Octets are, in this order: a capture by its magic; text in UTF-8, or in UTF-16 with its byte-order mark; or one message, if it starts with
 * octet 0, 1 or 2 and has at most 1100 (RFC 6887 section 7).
 *
 * Text is taken for the first of these forms that it has:
 * 1. a dump: rows of offset and units whose offsets agree with their octets (`xxd`, `hexdump`, `od`, `tcpdump -x`, `tshark -x`);
 * 2. program text: lists of numbers in brackets, string literals, quoted hex or base64;
 * 3. hex digits, or decimal numbers where they can be nothing else ({@link readHex});
 * 4. base64, if it proves itself ({@link readBase64}).
 *
 * Where another form would fit too, `ambiguous` names it. When several packets stand in a text, each comes out: a dump's offset 0 and a
 * tcpdump header start one, and so does a blank line between hex digits.
 *
 * Octets that prove to be a whole frame ({@link guessLinkType}) lose their link, IP and UDP headers, and say so. `ports` are those between
 * which UDP is kept; left out, those of PCP and NAT-PMP, 5350 and 5351.
 *
 * @example
 * ```ts
 * import { formatForm, read } from "sallyport"
 *
 * const reading = read("00000000: 0002 0000 1f90 1f90 0000 0e10  ............")
 * if (reading.ok) console.log(formatForm(reading.form), reading.packets[0]?.bytes.length) // xxd 12
 *
 * const nothing = read("00 zz")
 * if (!nothing.ok) console.log(nothing.error.code, nothing.error.place.offset) // unreadable 3
 * ```
 */
export const read = (input: string | Uint8Array, ports?: ReadonlySet<number>): Reading => {
  if (typeof input === "string") return readText(input, ports)
  if (isCapture(input)) {
    const capture = collectCapture(input, ports)
    return "error" in capture ? { ok: false, error: capture.error } : { ok: true, ambiguous: [], ...capture }
  }
  const text = decodeText(input)
  if (typeof text === "string") return readText(text, ports)
  if (text.code === "not-text" && isMessage(input)) {
    const map = { kind: "file", offset: 0 } as const
    const packets: readonly FoundPacket[] = [{ bytes: sliceOctets(input), map }]
    return { ok: true, form: { kind: "octets" }, ambiguous: [], packets, skipped: [], problems: [] }
  }
  return { ok: false, error: { code: text.code, text: text.text, place: { offset: text.offset } } }
}

/** Octets of the longest PCP message, RFC 6887 section 7; and the versions of RFC 6886 and RFC 6887. */
const isMessage = (bytes: Uint8Array): boolean => bytes.length >= 2 && bytes.length <= 1100 && bytes[0] <= 2

const readText = (text: string, ports: ReadonlySet<number> | undefined): Reading => {
  const found = readForm(text)
  if ("code" in found) {
    const { code, text: what, offset } = found
    const place = locate(text, [offset]).get(offset) ?? { offset }
    return { ok: false, error: { code, text: what, place } }
  }
  return finish(text, found, ports)
}

const readForm = (text: string): Found | Fault => {
  const size = text.length
  if (text.trim() === "") return { code: "empty", text: "there is nothing in it", offset: 0 }
  const dump = readDump(text, 0, size)
  if (dump !== undefined) return dump
  const source = isSource(text) ? readSource(text, 0, size) : undefined
  if (source !== undefined && !("code" in source)) return source
  const hex = readHex(text, 0, size)
  if (!("code" in hex)) {
    // Base64 of a message or of IP starts with a letter: no need to look at what starts with a digit.
    const letter = hex.blocks[0].starts[0] < size && text.charCodeAt(hex.blocks[0].starts[0]) > 57
    const plain = hex.form.kind === "hex" && hex.form.style === "plain"
    const other = plain && letter ? readBase64(text, 0, size, false) : undefined
    if (other === undefined || "code" in other) return hex
    // Hex has no `/` but for comments: `Ab//AA==` is four octets rather than one and a comment right behind it.
    if (/[\da-f]\//i.test(text)) return { ...other, ambiguous: [...other.ambiguous, hex.form] }
    return { ...hex, ambiguous: [...hex.ambiguous, other.form] }
  }
  if (source !== undefined) return source
  const certain = /^\s*data:[^,]{0,100};base64,/.exec(text.slice(0, 200))
  const base64 = readBase64(text, certain === null ? 0 : certain[0].length, size, certain !== null)
  if (!("code" in base64)) return base64
  return explain(text, hex, base64)
}

/** Which of two failures tells more: that of the form which got further, or what the text is instead. */
const explain = (text: string, hex: Fault, base64: Fault): Fault => {
  const header = /\b(?:IP6?) [^\n]{3,90} > [^\n]{3,90}: /.exec(text.slice(0, 4096))
  if (header !== null)
    return {
      code: "no-octets",
      text: "tcpdump lines without octets: print them with -x, -xx or -X",
      offset: header.index,
    }
  // Words with blanks between them are no attempt at base64.
  return base64.offset > hex.offset && !isSpace(text.charCodeAt(base64.offset)) ? base64 : hex
}

const finish = (text: string, found: Found, ports: ReadonlySet<number> | undefined): Reading => {
  const { form, ambiguous, notices } = found
  const packets: FoundPacket[] = []
  const skipped = new Map<SkipReason, { count: number; first: number }>()
  const tcpdump = form.kind === "dump" && form.tool === "tcpdump"
  for (const block of found.blocks) {
    const packet = strip(text, block, tcpdump, notices, ports)
    if (typeof packet !== "string") packets.push(packet)
    else {
      if (packet === "fragment") notice(notices, "note", "fragment", block.starts[0], "fragments are not put together")
      const known = skipped.get(packet)
      if (known === undefined) skipped.set(packet, { count: 1, first: block.starts[0] })
      else known.count++
    }
  }
  if (ambiguous.length > 0) notices.unshift(ambiguity(form, ambiguous, found.blocks[0].starts[0]))
  const offsets = notices.flatMap((n) => n.offsets).concat([...skipped.values()].map((s) => s.first))
  const places = locate(text, offsets)
  const at = (offset: number) => places.get(offset) ?? { offset }
  const problems: Problem[] = notices.map(({ offsets: all, ...rest }) => ({ ...rest, places: all.map(at) }))
  const left: Skipped[] = [...skipped].map(([reason, { count, first }]) => ({ reason, count, first: at(first) }))
  return { ok: true, form, ambiguous, packets, skipped: left, problems }
}

const ambiguity = (form: Form, ambiguous: readonly Form[], offset: number): Notice => ({
  code: "ambiguous",
  severity: "warning",
  text: `read as ${formatForm(form)}; it could also be ${ambiguous.map(formatForm).join(" or ")}`,
  count: 1,
  offsets: [offset],
})

/** The message in a block: what its headers hold if it is a frame, else all of it. tcpdump prints nothing but frames. */
const strip = (
  text: string,
  block: Block,
  tcpdump: boolean,
  notices: Notice[],
  ports: ReadonlySet<number> | undefined,
): FoundPacket | SkipReason => {
  const { bytes, starts, ends } = block
  const header = block.header === undefined ? {} : readHeader(text, block.header.start, block.header.end)
  const { at, timeText } = header
  const time = { ...(at === undefined ? {} : { at }), ...(timeText === undefined ? {} : { timeText }) }
  const linkType = guessLinkType(bytes) ?? (tcpdump ? looseLinkType(bytes) : undefined)
  if (linkType === undefined) return { bytes, ...time, map: { kind: "text", starts, ends } }
  const frame = stripFrame(linkType, bytes, 0, bytes.length, ports)
  if (typeof frame === "string") return frame
  const { link, udp } = frame
  const { source, sourcePort, destination, destinationPort } = udp
  notice(notices, "note", "headers-stripped", starts[0], "link, IP and UDP headers were found and taken off")
  if (
    header.source !== undefined &&
    (header.source !== source ||
      header.sourcePort !== sourcePort ||
      header.destination !== destination ||
      header.destinationPort !== destinationPort)
  )
    notice(
      notices,
      "warning",
      "header-differs",
      block.header?.start ?? 0,
      "the line above names other ends than the packet",
    )
  return {
    bytes: bytes.slice(udp.from, udp.to),
    ...time,
    source,
    sourcePort,
    destination,
    destinationPort,
    map: { kind: "text", starts: starts.slice(udp.from, udp.to), ends: ends.slice(udp.from, udp.to) },
    encapsulation: {
      link: link.link,
      vlans: link.vlans,
      ip: udp.ip,
      headers: udp.from,
      udpChecksum: udp.checksum,
      missing: udp.missing,
    },
  }
}
