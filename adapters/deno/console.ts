import type { Console } from "../console.ts"

/** What {@link Console} takes of Deno. */
declare const Deno: {
  readonly args: readonly string[]
  exitCode: number
  readonly stdout: Output
  readonly stderr: Output
  readonly errors: { readonly BrokenPipe: new () => Error }
  stat(path: string): Promise<{ readonly isDirectory: boolean }>
}

interface Output {
  isTerminal(): boolean
  write(bytes: Uint8Array): Promise<number>
}

const outputOf = (fd: 1 | 2): Output => (fd === 1 ? Deno.stdout : Deno.stderr)

/** {@link Console} on Deno: its own, as the first of Node's modules loads many others. */
export const console: Console = {
  words: Deno.args,
  isFile: (path) =>
    Deno.stat(path).then(
      ({ isDirectory }) => !isDirectory,
      () => false,
    ),
  isTerminal: async (fd) => outputOf(fd).isTerminal(),
  write: async (fd, text) => {
    let bytes: Uint8Array = new TextEncoder().encode(text)
    try {
      while (bytes.length > 0) bytes = bytes.subarray(await outputOf(fd).write(bytes))
    } catch (cause) {
      if (!(cause instanceof Deno.errors.BrokenPipe)) throw cause
    }
  },
  end: (code) => {
    Deno.exitCode = code
  },
}
