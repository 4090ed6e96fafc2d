import type { Output } from "./discover.ts"
import { failed, lastLine, TIMED_OUT } from "./failed.ts"
import { LONGEST_LISTING } from "./programs.ts"

/** What a program prints, as a stream of the Web's. */
export interface Printing {
  /** Reads it in parts, in order; nobody else may meanwhile. */
  getReader(): {
    read(): Promise<{ readonly done: boolean; readonly value?: Uint8Array | undefined }>
    cancel(): Promise<void>
  }
}

/** A program that was started. */
export interface Child {
  /** Its standard output. */
  readonly stdout: Printing
  /** Its standard error. */
  readonly stderr: Printing
  /** Resolves with its exit code; of one that a signal ended it is not 0. */
  readonly exited: Promise<number>
  /** Ends it at once. May throw where it has ended. */
  kill(): void
}

/**
 * What a program prints, in runtimes that have streams of the Web's for it. Never rejects. `denied` knows what the runtime itself
 * refuses to start.
 */
export const outputOf = async (
  start: () => Child,
  timeout: number,
  signal: AbortSignal | undefined,
  denied: (cause: unknown) => Output | undefined = () => undefined,
): Promise<Output> => {
  if (signal?.aborted) return failed(signal.reason, signal)
  let child: Child
  try {
    child = start()
  } catch (cause) {
    return denied(cause) ?? failed(cause, signal)
  }
  let early: Output | undefined
  const end = (why: Output): void => {
    early ??= why
    try {
      child.kill()
    } catch {
      // It has ended.
    }
    // What it started itself may still hold the other end.
    out.stop()
    err.stop()
  }
  const [out, err] = [child.stdout, child.stderr].map((stream) => reading(stream, () => end(TOO_LONG)))
  const abort = (): void => end(failed(signal?.reason, signal))
  signal?.addEventListener("abort", abort, { once: true })
  const timer = setTimeout(() => end(TIMED_OUT), timeout)
  try {
    const [text, complaint, code] = await Promise.all([out.text, err.text, child.exited])
    if (early !== undefined) return early
    return code === 0
      ? { ok: true, text }
      : { ok: false, reason: "exit", text: lastLine(complaint) ?? `it ended with code ${code}` }
  } catch (cause) {
    return early ?? failed(cause, signal)
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener("abort", abort)
  }
}

const TOO_LONG: Output = { ok: false, reason: "other", text: `it prints more than ${LONGEST_LISTING} octets` }

/** Reads a stream as text, up to the longest of listings. */
const reading = (stream: Printing, tooLong: () => void) => {
  const reader = stream.getReader()
  const read = async (): Promise<string> => {
    const decoder = new TextDecoder()
    let text = ""
    let octets = 0
    for (;;) {
      const { done, value } = await reader.read()
      if (done || value === undefined) return text + decoder.decode()
      octets += value.length
      if (octets > LONGEST_LISTING) tooLong()
      else text += decoder.decode(value, { stream: true })
    }
  }
  return {
    text: read(),
    stop: (): void => {
      reader.cancel().catch(() => {})
    },
  }
}
