import { READ_PORTS } from "../../core/decode/index.ts"
import { u32 } from "../../core/wire/index.ts"
import {
  type CaptureEnd,
  type CaptureItem,
  formatForm,
  readCapture,
  type SkipReason,
} from "../../core/wire/text/index.ts"
import { type InputItem, skippedItem } from "./input-item.ts"

/** A file that can be read anywhere. `read` fills `into` from octet `at` on and says how many octets there were. */
export interface CaptureFile {
  readonly size: number
  read(into: Uint8Array, at: number): Promise<number>
}

/** Octets of a capture held at a time; a longer record makes room for itself. */
const WINDOW = 8 * 1024 * 1024
const LARGEST = 1024 * 1024 * 1024
/** Enough of a file to say which form it has. */
const HEAD = 28
const PCAP_HEADER = 24

/**
 * Reads a capture of any size through a window: each is a small capture of its own, made of what a reader needs to know
 * from before it (the file header, or the section and its interfaces) and the records that come next. Where the
 * window cuts a record, the next one starts with it.
 */
export async function* readCaptureFile(file: CaptureFile, window = WINDOW): AsyncGenerator<InputItem, void, undefined> {
  const head = new Uint8Array(Math.min(HEAD, file.size))
  const first = end(readCapture(head.subarray(0, await file.read(head, 0))))
  if (!first.ok) {
    yield { kind: "failure", text: `${first.text}, at octet ${first.offset}`, nothing: true }
    return
  }
  const form = formatForm(first.form)
  yield { kind: "form", text: form }

  const skipped = new Map<SkipReason, number>()
  let context: Uint8Array = new Uint8Array(0)
  let start = 0
  let room = window
  while (start < file.size) {
    const from = context.length
    const bytes = new Uint8Array(from + Math.min(room, file.size - start))
    bytes.set(context)
    const length = from + (await file.read(bytes.subarray(from), start))
    const held = bytes.subarray(0, length)
    const base = start - from
    // A file that shrinks while it is read ends where it ends.
    const last = base + length >= file.size || length < bytes.length
    let cut: number | undefined
    let failed = false
    for (const item of readCapture(held, READ_PORTS)) {
      if (item.kind === "packet")
        yield { kind: "packet", packet: item.packet, form, progress: (base + item.end) / file.size }
      else if (item.kind === "skipped") skipped.set(item.reason, (skipped.get(item.reason) ?? 0) + 1)
      else if (item.code === "file-truncated" && !last && room < LARGEST) cut = item.offset
      else {
        failed = true
        yield { kind: "failure", text: `${item.text}, at octet ${base + item.offset}`, nothing: false }
      }
    }
    if (last || failed) break
    const next = cut ?? length
    if (next <= from) room *= 2
    else {
      context = contextOf(held, next)
      start = base + next
      room = window
    }
  }
  for (const [reason, count] of skipped) yield skippedItem(reason, count)
}

const end = (items: Generator<CaptureItem, CaptureEnd>): CaptureEnd => {
  let step = items.next()
  while (step.done !== true) step = items.next()
  return step.value
}

const SECTION = 0x0a0d0d0a
const INTERFACE = 1
const BIG_ENDIAN = 0x1a2b3c4d

/** What the records after octet `to` need of those before: a pcap's header; a pcapng section's header and interfaces. */
const contextOf = (bytes: Uint8Array, to: number): Uint8Array => {
  if (u32(bytes, 0) !== SECTION) return bytes.slice(0, PCAP_HEADER)
  let blocks: Uint8Array[] = []
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let little = false
  for (let o = 0; o < to; ) {
    const type = view.getUint32(o, little)
    if (type === SECTION) {
      little = view.getUint32(o + 8) !== BIG_ENDIAN
      blocks = []
    }
    const length = view.getUint32(o + 4, little)
    if (type === SECTION || type === INTERFACE) blocks.push(bytes.subarray(o, o + length))
    o += length
  }
  return Buffer.concat(blocks)
}
