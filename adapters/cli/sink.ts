import { fstatSync, write } from "node:fs"
import { pipePiece } from "../pipe-piece.ts"

/** Octets that may wait for a slow reader before {@link Sink.offer} leaves lines out. */
const PATIENCE = 4 * 1024 * 1024
/** Milliseconds before a full, non-blocking terminal or pipe is tried again: at first, and for a reader that stays away. */
const AGAIN = { least: 1, most: 32 }

/**
 * Lines to standard output that never hold up whoever writes them: Node's own `process.stdout` blocks on a pipe or terminal
 * whose reader is slow, and a server must answer all the same. One write is under way at a time, and what comes
 * meanwhile goes with the next.
 */
export interface Sink {
  /** Takes text, whatever waits already. */
  print(text: string): void
  /** Takes a line unless the reader is far behind; how many were left out is printed when it has caught up. */
  offer(line: string): void
  /** Resolves when less than a buffer waits: for producers that can wait. `false`: nobody reads any more. */
  ready(): Promise<boolean>
  /** From now on a reader that takes nothing for so many milliseconds counts as gone, with the cause ETIMEDOUT. */
  hurry(patience: number): void
  /** Resolves when everything is written, or nobody reads any more. */
  end(): Promise<void>
}

/** What is printed where lines were left out. */
export const leftOutLine =
  (json: boolean) =>
  (count: number): string =>
    json ? JSON.stringify({ event: "left-out", lines: count }) : `... ${count} lines left out`

/** @param closed Called once when nobody reads any more (EPIPE), or writing fails for good, then with the cause. */
export const fileSink = (
  fd: number,
  closed: (cause: NodeJS.ErrnoException) => void,
  leftOut: (count: number) => string,
): Sink => {
  const pieceOf = isPipe(fd) ? pipePiece : (bytes: Uint8Array): Uint8Array => bytes
  let waiting: string[] = []
  let size = 0
  let busy = false
  let broken = false
  let missed = 0
  let progress = performance.now()
  let watch: NodeJS.Timeout | undefined
  let listeners: { readonly below: number; readonly call: () => void }[] = []

  const wake = (): void => {
    // While it is busy something is to come, were it the count of what was left out.
    const level = broken || !busy ? 0 : Math.max(size, 1)
    const due = listeners.filter(({ below }) => level <= below)
    listeners = listeners.filter(({ below }) => level > below)
    for (const { call } of due) call()
  }

  const flush = (): void => {
    if (missed > 0 && size < PATIENCE / 2) {
      const note = `${leftOut(missed)}\n`
      missed = 0
      waiting.push(note)
      size += note.length
    }
    if (waiting.length === 0 || broken) {
      busy = false
      wake()
      return
    }
    busy = true
    progress = performance.now()
    const bytes = Buffer.from(waiting.join(""))
    waiting = []
    size = bytes.length
    put(bytes)
  }

  const fail = (cause: NodeJS.ErrnoException): void => {
    clearInterval(watch)
    broken = true
    waiting = []
    size = 0
    busy = false
    wake()
    closed(cause)
  }

  const put = (bytes: Buffer, again = AGAIN.least): void => {
    write(fd, bytes, 0, pieceOf(bytes).length, null, (cause, written) => {
      if (broken) return
      if (cause?.code === "EAGAIN") {
        setTimeout(() => put(bytes, Math.min(again * 2, AGAIN.most)), again)
        return
      }
      if (cause !== null) {
        fail(cause)
        return
      }
      size -= written
      progress = performance.now()
      wake()
      if (written < bytes.length) put(bytes.subarray(written))
      else flush()
    })
  }

  const print = (text: string): void => {
    if (broken || text === "") return
    waiting.push(text)
    size += text.length
    if (busy) return
    busy = true
    setImmediate(flush)
  }

  const when = (below: number): Promise<void> =>
    new Promise((resolve) => {
      listeners.push({ below, call: resolve })
      wake()
    })

  return {
    print,
    offer: (line) => {
      if (size > PATIENCE) missed++
      else print(line)
    },
    ready: () => when(PATIENCE / 4).then(() => !broken),
    hurry: (patience) => {
      progress = performance.now()
      clearInterval(watch)
      watch = setInterval(() => {
        if (!busy || performance.now() - progress < patience) return
        fail(Object.assign(new Error("its reader takes nothing any more: the rest is lost"), { code: "ETIMEDOUT" }))
      }, patience / 4)
      watch.unref()
    },
    end: () => when(0),
  }
}

const isPipe = (fd: number): boolean => {
  try {
    const there = fstatSync(fd)
    return there.isFIFO() || there.isSocket()
  } catch {
    // What is wrong with it, writing will tell.
    return false
  }
}
