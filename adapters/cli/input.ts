import { createReadStream } from "node:fs"
import { open, stat } from "node:fs/promises"
import {
  type FoundPacket,
  formatForm,
  isCapture,
  type Place,
  type Reading,
  read,
  type SkipReason,
} from "../../core/wire/index.ts"
import { type CaptureFile, readCaptureFile } from "./capture-file.ts"

/** A packet of the input, with its place among those printed, from 1, and the form in which it was found. */
export type InputPacket = FoundPacket & { readonly number: number; readonly form: string }

/** What reading gives, one after another. `progress` is the part of the input that has been read, 0 to 1. */
export type InputItem =
  | { readonly kind: "form"; readonly text: string }
  | { readonly kind: "packet"; readonly packet: FoundPacket; readonly form: string; readonly progress: number }
  | { readonly kind: "remark"; readonly severity: "note" | "warning"; readonly text: string }
  /** The rest cannot be read. `nothing`: not even its start. */
  | { readonly kind: "failure"; readonly text: string; readonly nothing: boolean }

/** Where packets come from. */
export type Input = {
  readonly name: string
  /** Is it a text from the command line, that may have been meant for a file's name? */
  readonly typed: boolean
  items(): AsyncGenerator<InputItem, void, undefined>
}

/** Most octets of what can only be read as a whole: without an end to it, a device such as /dev/zero would take all memory. */
const LARGEST = 2 ** 31

/** Text from the command line. */
export const textInput = (text: string): Input => ({
  name: "argument",
  typed: true,
  async *items() {
    yield* itemsOf(read(text))
  },
})

/** Everything that a stream holds, such as standard input. */
export const streamInput = (name: string, stream: AsyncIterable<Uint8Array>, largest = LARGEST): Input => ({
  name,
  typed: false,
  async *items() {
    const chunks: Uint8Array[] = []
    let size = 0
    for await (const chunk of stream) {
      chunks.push(chunk)
      size += chunk.length
      if (size > largest) {
        const text = `it has over ${largest} octets: a capture that long is read from a file, piece by piece`
        yield { kind: "failure", text, nothing: true }
        return
      }
    }
    yield* itemsOf(read(Buffer.concat(chunks)))
  },
})

/** A file: a capture is read piece by piece, anything else at once. */
export const fileInput = (path: string): Input => ({
  name: path,
  typed: false,
  async *items() {
    if (!(await stat(path)).isFile()) {
      yield* streamInput(path, createReadStream(path)).items()
      return
    }
    const file = await open(path)
    try {
      const start = new Uint8Array(4)
      const { bytesRead } = await file.read(start, 0, 4, 0)
      const { size } = await file.stat()
      if (isCapture(start.subarray(0, bytesRead)))
        yield* readCaptureFile({ size, read: (into, at) => readFully(file, into, at) } satisfies CaptureFile)
      else yield* itemsOf(read(await file.readFile()))
    } finally {
      await file.close()
    }
  },
})

/** Is there a file, or a pipe, of that name? */
export const isFile = async (path: string): Promise<boolean> => {
  try {
    return !(await stat(path)).isDirectory()
  } catch {
    return false
  }
}

const readFully = async (file: Awaited<ReturnType<typeof open>>, into: Uint8Array, at: number): Promise<number> => {
  let done = 0
  while (done < into.length) {
    const { bytesRead } = await file.read(into, done, into.length - done, at + done)
    if (bytesRead === 0) break
    done += bytesRead
  }
  return done
}

function* itemsOf(reading: Reading): Generator<InputItem, void, undefined> {
  if (!reading.ok) {
    yield { kind: "failure", text: `${reading.error.text}, ${placeText(reading.error.place)}`, nothing: true }
    return
  }
  const form = formatForm(reading.form)
  yield { kind: "form", text: form }
  for (const { code, severity, text, count, places } of reading.problems) {
    if (code === "file-truncated" || code === "file-corrupt") continue
    const where = places.length === 0 ? "" : `, ${placeText(places[0])}`
    const more = count > 1 ? ` (and ${count - 1} more)` : ""
    yield { kind: "remark", severity, text: `${text}${where}${more}` }
  }
  for (const packet of reading.packets) yield { kind: "packet", packet, form, progress: 1 }
  for (const { reason, count } of reading.skipped) yield skippedItem(reason, count)
  for (const { code, text, places } of reading.problems)
    if (code === "file-truncated" || code === "file-corrupt")
      yield { kind: "failure", text: places.length === 0 ? text : `${text}, ${placeText(places[0])}`, nothing: false }
}

const REASONS: Readonly<Record<SkipReason, string>> = {
  "not-ip": "not IP",
  "not-udp": "not UDP",
  "other-port": "UDP, but neither from nor to port 5350 or 5351",
  fragment: "fragments",
  truncated: "cut before the end of their headers",
  malformed: "with headers that contradict themselves",
  "link-type": "of a link type that is not read",
}

/** Says what was left out. */
export const skippedItem = (reason: SkipReason, count: number): InputItem => ({
  kind: "remark",
  severity: "note",
  text: `left out ${count === 1 ? "1 packet" : `${count} packets`}: ${REASONS[reason]}`,
})

/** `at line 3, column 7`, or `at octet 24`. */
export const placeText = ({ offset, line, column }: Place): string =>
  line === undefined ? `at octet ${offset}` : `at line ${line}, column ${column ?? 1}`
