import type { Sink } from "../sink.ts"

/** Characters that may be on their way before lines are left out: a reader that slow would have them wait in memory. */
const PATIENCE = 4 * 1024 * 1024

export interface LineSink extends Pick<Sink, "offer"> {
  /** So many characters of what was posted have been taken. */
  taken(length: number): void
  /** Posts what waits. */
  flush(): void
}

/** A {@link Sink} at another thread's end: lines go there in batches, and as many wait there as may. */
export const lineSink = (post: (lines: string) => void, leftOut: (count: number) => string): LineSink => {
  let waiting: string[] = []
  let size = 0
  let missed = 0
  let isDue = false
  const flush = (): void => {
    isDue = false
    if (waiting.length === 0) return
    post(waiting.join(""))
    waiting = []
  }
  const print = (line: string): void => {
    waiting.push(line)
    size += line.length
    if (isDue) return
    isDue = true
    setImmediate(flush)
  }
  return {
    offer: (line) => {
      if (size > PATIENCE) missed++
      else print(line)
    },
    taken: (length) => {
      size -= length
      if (missed === 0 || size > PATIENCE / 2) return
      const note = `${leftOut(missed)}\n`
      missed = 0
      print(note)
    },
    flush,
  }
}
