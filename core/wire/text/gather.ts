import type { ErrorCode, Form, ProblemCode } from "./reading.ts"

/** Octets on their way out of a text, each with the span of text that gave it. Grows by doubling. */
export type Gather = { bytes: Uint8Array; starts: Int32Array; ends: Int32Array; length: number }

/** Octets of one packet with their spans, and what the text said around them. */
export type Block = {
  readonly bytes: Uint8Array
  readonly starts: Int32Array
  readonly ends: Int32Array
  /** The header line above it, if there was one: its span in the text. */
  readonly header?: { readonly start: number; readonly end: number }
}

/** A problem at an offset of the text, before lines and columns are counted. */
export type Notice = { code: ProblemCode; severity: "note" | "warning"; text: string; count: number; offsets: number[] }

/** An error at an offset of the text, before lines and columns are counted. */
export type Fault = { readonly code: ErrorCode; readonly text: string; readonly offset: number }

/** What a text reader made of a text. */
export type Found = {
  readonly form: Form
  readonly ambiguous: readonly Form[]
  readonly blocks: readonly Block[]
  readonly notices: Notice[]
}

export const gather = (room: number): Gather => ({
  bytes: new Uint8Array(room),
  starts: new Int32Array(room),
  ends: new Int32Array(room),
  length: 0,
})

export const push = (g: Gather, value: number, start: number, end: number): void => {
  if (g.length === g.bytes.length) grow(g)
  g.bytes[g.length] = value
  g.starts[g.length] = start
  g.ends[g.length] = end
  g.length++
}

const grow = (g: Gather): void => {
  const room = Math.max(64, g.bytes.length * 2)
  const bytes = new Uint8Array(room)
  const starts = new Int32Array(room)
  const ends = new Int32Array(room)
  bytes.set(g.bytes)
  starts.set(g.starts)
  ends.set(g.ends)
  g.bytes = bytes
  g.starts = starts
  g.ends = ends
}

/** The octets so far as a packet; the gathering starts again empty. */
export const take = (g: Gather): Block => {
  const n = g.length
  g.length = 0
  return { bytes: g.bytes.slice(0, n), starts: g.starts.slice(0, n), ends: g.ends.slice(0, n) }
}

const PLACES = 10

/** Adds a notice, or counts it with the earlier ones of its code. */
export const notice = (
  list: Notice[],
  severity: "note" | "warning",
  code: ProblemCode,
  offset: number,
  text: string,
): void => {
  const known = list.find((n) => n.code === code)
  if (known === undefined) list.push({ code, severity, text, count: 1, offsets: [offset] })
  else {
    known.count++
    if (known.offsets.length < PLACES) known.offsets.push(offset)
  }
}
