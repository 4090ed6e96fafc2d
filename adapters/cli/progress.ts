import { createLogUpdate } from "log-update"

/** Milliseconds before a bar appears, and between its steps: what is quick needs none. */
const PATIENCE = 300
const STEP = 100
const WIDTH = 30

/** A bar on standard error for long work. Shown on a terminal only, and not when the data goes there as well. */
export interface Progress {
  /** `part` is 0 to 1; `text` says what has been done. */
  at(part: number, text: () => string): void
  end(): void
}

export const progressBar = (
  stream: NodeJS.WriteStream = process.stderr,
  data: { readonly isTTY?: boolean } = process.stdout,
): Progress => {
  if (stream.isTTY !== true || data.isTTY === true) return { at: () => {}, end: () => {} }
  const log = createLogUpdate(stream)
  let due = performance.now() + PATIENCE
  return {
    at: (part, text) => {
      const now = performance.now()
      if (now < due) return
      due = now + STEP
      const full = Math.round(WIDTH * part)
      log(`[${"#".repeat(full)}${"-".repeat(WIDTH - full)}] ${`${Math.floor(part * 100)}`.padStart(3)} %  ${text()}`)
    },
    end: () => log.clear(),
  }
}
