/**
 * The command's words and where it prints, on Bun.
 *
 * @module
 */
import type { Console } from "../console.ts"
import { pipePiece } from "../pipe-piece.ts"
import { hasCode } from "../system-error.ts"

/** What {@link Console} takes of Bun. */
declare const Bun: {
  readonly argv: readonly string[]
  file(path: string | number): { stat(): Promise<Stat> }
  write(to: unknown, bytes: Uint8Array): Promise<number>
}

interface Stat {
  isDirectory(): boolean
  isCharacterDevice(): boolean
}

/** {@link Console} on Bun: its own, as `process.stdout` loads streams and sockets. */
export const console: Console = {
  words: Bun.argv.slice(2),
  isFile: async (path) => {
    try {
      return !(await Bun.file(path).stat()).isDirectory()
    } catch {
      return false
    }
  },
  isTerminal: (fd) =>
    Bun.file(fd)
      .stat()
      .then((found) => found.isCharacterDevice()),
  write: async (fd, text) => {
    try {
      let bytes: Uint8Array = new TextEncoder().encode(text)
      while (bytes.length > 0) bytes = bytes.subarray(await Bun.write(Bun.file(fd), pipePiece(bytes)))
    } catch (cause) {
      if (!hasCode(cause, "EPIPE")) throw cause
    }
  },
  end: (code) => {
    process.exitCode = code
  },
}
