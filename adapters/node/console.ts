/**
 * The command's words and where it prints, on Node.
 *
 * @module
 */
import { fstatSync, statSync, write } from "node:fs"
import type { Console } from "../console.ts"

/** Milliseconds before a full pipe is tried again. */
const AGAIN = 2

/** {@link Console} on Node: by descriptors, as `process.stdout` loads streams and sockets. */
export const console: Console = {
  words: process.argv.slice(2),
  isFile: async (path) => {
    try {
      const found = statSync(path, { throwIfNoEntry: false })
      return found !== undefined && !found.isDirectory()
    } catch {
      // Longer than any name, or in a folder that is not to be looked into.
      return false
    }
  },
  isTerminal: async (fd) => fstatSync(fd).isCharacterDevice(),
  write: (fd, text) => put(fd, new TextEncoder().encode(text)),
  end: (code) => {
    process.exitCode = code
  },
}

const put = (fd: number, bytes: Uint8Array): Promise<void> =>
  new Promise((resolve, reject) => {
    write(fd, bytes, (cause, written) => {
      if (cause?.code === "EAGAIN") setTimeout(() => put(fd, bytes).then(resolve, reject), AGAIN)
      else if (cause?.code === "EPIPE") resolve()
      else if (cause !== null) reject(cause)
      else if (written < bytes.length) put(fd, bytes.subarray(written)).then(resolve, reject)
      else resolve()
    })
  })
