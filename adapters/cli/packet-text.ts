import { type Apart, takeApart } from "../../core/decode/index.ts"
import type { FieldNode, Finding } from "../../core/wire/index.ts"
import { formatEndpoint } from "./endpoint.ts"
import type { InputPacket } from "./input-item.ts"
import type { Paint } from "./paint.ts"
import { formatTimestamp } from "./timestamp.ts"
import { wrap } from "./wrap.ts"

/** Octets beside one line of the tree. */
const OCTETS = 8
/** `0000  00 11 22 33 44 55 66 77  `: offset, octets, and the gaps after them. */
const LEFT = 4 + 2 + (3 * OCTETS - 1) + 2
/** A field of more octets than this is not printed twice. */
const LONG = 24

/** A packet for people: its tree beside its octets, findings below, within `width` columns (at least 60). */
export const packetText = (packet: InputPacket, paint: Paint, width: number): string => {
  const apart = takeApart(packet.bytes, packet)
  const lines = heading(packet, paint)
  put(apart, apart.dissection.root, 0, paint, width, lines)
  lines.push(...findingLines(apart.findings(), paint, width), "")
  return `${lines.join("\n")}\n`
}

/** `Packet 3  192.0.2.2:49152 -> 192.0.2.1:5351  2026-11-21 08:00:00.000001 UTC`, with what is known. */
const heading = (packet: InputPacket, paint: Paint): string[] => {
  const parts = [`Packet ${packet.number}`]
  const { source, sourcePort = 0, destination, destinationPort = 0, at, timeText, encapsulation } = packet
  if (source !== undefined && destination !== undefined) {
    const from = formatEndpoint({ address: source, port: sourcePort })
    parts.push(`${from} -> ${formatEndpoint({ address: destination, port: destinationPort })}`)
  }
  if (at !== undefined) parts.push(formatTimestamp(at))
  else if (timeText !== undefined) parts.push(timeText)
  const lines = [paint.bold(parts.join("  "))]
  if (encapsulation?.udpChecksum === "invalid") lines.push(paint.yellow("  its UDP checksum is wrong"))
  if (encapsulation !== undefined && encapsulation.missing > 0)
    lines.push(paint.yellow(`  the capture lacks its last ${encapsulation.missing} octets`))
  return lines
}

const put = (apart: Apart, node: FieldNode, depth: number, paint: Paint, width: number, lines: string[]): void => {
  const { field, offset, length, children } = node
  const group = children.length > 0
  const indent = "  ".repeat(depth)
  const long = field.kind === "bytes" && length > LONG
  const value = long ? `${length} octets` : apart.describe(node)
  // The whole message names its protocol in its text already.
  const label = depth === 0 ? value : field.name
  const text = depth === 0 ? value : `${label}: ${value}`
  const room = Math.max(width - LEFT - indent.length, 20)
  const right = wrap(text, room, 2)
  const left = group ? [] : octetLines(apart.dissection.bytes, node)
  const rows = Math.max(left.length, right.length)
  for (let i = 0; i < rows; i++) {
    const tree = i < right.length ? `${indent}${name(right[i], i === 0, label.length, group, paint)}` : ""
    lines.push(`${leftColumn(left[i], offset + i * OCTETS, paint)}${tree}`.trimEnd())
  }
  if (group) lines[lines.length - rows] += clause(field.rfc, indent.length + right[0].length, paint, width)
  for (const child of children) put(apart, child, depth + 1, paint, width, lines)
}

const leftColumn = (octets: string | undefined, offset: number, paint: Paint): string =>
  octets === undefined
    ? " ".repeat(LEFT)
    : `${paint.dim(hex(offset, 4))}  ${paint.cyan(octets)}${" ".repeat(LEFT - 6 - octets.length)}`

/** The name of a field stands out from its value; that of a group more. */
const name = (line: string, first: boolean, length: number, group: boolean, paint: Paint): string => {
  if (!first) return line
  const split = Math.min(length + 1, line.length)
  return `${group ? paint.bold(line.slice(0, split)) : paint.blue(line.slice(0, split))}${line.slice(split)}`
}

/** Where a group is specified, at the end of its line if there is room. */
const clause = (rfc: string, used: number, paint: Paint, width: number): string =>
  LEFT + used + 2 + rfc.length <= width ? `  ${paint.dim(rfc)}` : ""

const octetLines = (bytes: Uint8Array, { field, offset, length }: FieldNode): string[] => {
  if (length === 0) return []
  if (field.bits > 0) return [bitPattern(bytes[offset], field.bit, field.bits)]
  const lines: string[] = []
  for (let i = offset; i < offset + length; i += OCTETS) {
    const row = bytes.subarray(i, Math.min(i + OCTETS, offset + length))
    lines.push(Array.from(row, (octet) => hex(octet, 2)).join(" "))
  }
  return lines
}

/** `.000 0001`: the bits of a field in their octet. */
const bitPattern = (octet: number, first: number, count: number): string => {
  let text = ""
  for (let i = 0; i < 8; i++) {
    if (i === 4) text += " "
    text += i >= first && i < first + count ? `${(octet >> (7 - i)) & 1}` : "."
  }
  return text
}

const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, "0")

const findingLines = (findings: readonly Finding[], paint: Paint, width: number): string[] => {
  if (findings.length === 0) return [paint.green("No findings.")]
  const lines = [paint.bold(findings.length === 1 ? "1 finding" : `${findings.length} findings`)]
  const colours = { error: paint.red, warning: paint.yellow, note: paint.blue }
  const clauses = Math.max(...findings.map((finding) => finding.clause.length))
  for (const { severity, offset, clause: rule, text } of findings) {
    const start = `${hex(offset, 4)}  ${colours[severity](severity.padEnd(7))}  ${paint.dim(rule.padEnd(clauses))}  `
    const indent = 4 + 2 + 7 + 2 + clauses + 2
    const [first, ...rest] = wrap(text, Math.max(width - indent, 20))
    lines.push(start + first, ...rest.map((line) => " ".repeat(indent) + line))
  }
  return lines
}
