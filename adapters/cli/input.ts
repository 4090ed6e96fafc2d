import { createReadStream, statSync } from "node:fs"
import type { FileHandle } from "node:fs/promises"
import { READ_PORTS } from "../../core/decode/index.ts"
import { isCapture, read } from "../../core/wire/text/index.ts"
import { type CaptureFile, readCaptureFile } from "./capture-file.ts"
import { type InputItem, itemsOf } from "./input-item.ts"

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
    yield* itemsOf(read(Buffer.concat(chunks), READ_PORTS))
  },
})

/** A file: a capture is read piece by piece, anything else at once. */
export const fileInput = (path: string): Input => ({
  name: path,
  typed: false,
  async *items() {
    if (!statSync(path).isFile()) {
      yield* streamInput(path, createReadStream(path)).items()
      return
    }
    // Loaded when there is a file: a packet on the command line is decoded sooner without it.
    const { open } = await import("node:fs/promises")
    const file = await open(path)
    try {
      const start = new Uint8Array(4)
      const { bytesRead } = await file.read(start, 0, 4, 0)
      const { size } = await file.stat()
      if (isCapture(start.subarray(0, bytesRead)))
        yield* readCaptureFile({ size, read: (into, at) => readFully(file, into, at) } satisfies CaptureFile)
      else yield* itemsOf(read(await file.readFile(), READ_PORTS))
    } finally {
      await file.close()
    }
  },
})

/** Is there a file, or a pipe, of that name? */
export const isFile = (path: string): boolean => {
  try {
    return !statSync(path).isDirectory()
  } catch {
    return false
  }
}

const readFully = async (file: FileHandle, into: Uint8Array, at: number): Promise<number> => {
  let done = 0
  while (done < into.length) {
    const { bytesRead } = await file.read(into, done, into.length - done, at + done)
    if (bytesRead === 0) break
    done += bytesRead
  }
  return done
}
