import type { Console } from "../console.ts"
import { hasCode } from "../system-error.ts"

/** What {@link Console} takes of Bun. */
declare const Bun: {
  readonly argv: readonly string[]
  file(path: string | number): { stat(): Promise<Stat> }
  write(to: unknown, text: string): Promise<number>
}

interface Stat {
  isDirectory(): boolean
  isCharacterDevice(): boolean
}

/** {@link Console} on Bun: its own, as `process.stdout` loads streams and sockets. */
export const console: Console = {
  words: Bun.argv.slice(2),
  isFile: (path) =>
    Bun.file(path)
      .stat()
      .then(
        (found) => !found.isDirectory(),
        () => false,
      ),
  isTerminal: (fd) =>
    Bun.file(fd)
      .stat()
      .then((found) => found.isCharacterDevice()),
  write: async (fd, text) => {
    try {
      await Bun.write(Bun.file(fd), text)
    } catch (cause) {
      if (!hasCode(cause, "EPIPE")) throw cause
    }
  },
  end: (code) => {
    process.exitCode = code
  },
}
