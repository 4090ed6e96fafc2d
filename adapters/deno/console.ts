/**
 * The command's words and where it prints, on Deno.
 *
 * @module
 */
import type { Console } from "../console.ts"
import { pipePiece } from "../pipe-piece.ts"

/** What {@link Console} takes of Deno. */
declare const Deno: {
  readonly args: readonly string[]
  exitCode: number
  readonly stdout: Output
  readonly stderr: Output
  readonly errors: { readonly BrokenPipe: new () => Error; readonly WouldBlock: new () => Error }
  stat(path: string): Promise<{ readonly isDirectory: boolean }>
  readonly permissions: {
    querySync(wanted: { readonly name: "read"; readonly path: string }): { readonly state: string }
  }
}

interface Output {
  isTerminal(): boolean
  write(bytes: Uint8Array): Promise<number>
}

const outputOf = (fd: 1 | 2): Output => (fd === 1 ? Deno.stdout : Deno.stderr)

/** Milliseconds before a full pipe is tried again. */
const AGAIN = 2

/** {@link Console} on Deno: its own, as the first of Node's modules loads many others. */
export const console: Console = {
  words: Deno.args,
  isFile: (path) =>
    Deno.stat(path).then(
      ({ isDirectory }) => !isDirectory,
      () => false,
    ),
  mayRead: (path) => Deno.permissions.querySync({ name: "read", path }).state === "granted",
  isTerminal: async (fd) => outputOf(fd).isTerminal(),
  write: async (fd, text) => {
    let bytes: Uint8Array = new TextEncoder().encode(text)
    while (bytes.length > 0)
      try {
        bytes = bytes.subarray(await outputOf(fd).write(pipePiece(bytes)))
      } catch (cause) {
        if (cause instanceof Deno.errors.BrokenPipe) return
        if (!(cause instanceof Deno.errors.WouldBlock)) throw cause
        await new Promise((resolve) => setTimeout(resolve, AGAIN))
      }
  },
  end: (code) => {
    Deno.exitCode = code
  },
}
