import { createLogUpdate } from "log-update"

/** Milliseconds before the line appears, and between its changes. */
const PATIENCE = 500
const STEP = 250

/** What a command waits for, on standard error: on a terminal only, where it is gone when the waiting is over. */
export interface WaitingLine {
  end(): void
}

export const waitingLine = (
  text: (elapsed: number) => string,
  stream: NodeJS.WriteStream = process.stderr,
): WaitingLine => {
  if (stream.isTTY !== true) return { end: () => {} }
  const log = createLogUpdate(stream)
  const began = performance.now()
  const timer = setInterval(() => {
    const elapsed = performance.now() - began
    if (elapsed >= PATIENCE) log(text(elapsed))
  }, STEP)
  return {
    end: () => {
      clearInterval(timer)
      log.clear()
    },
  }
}
