import type logUpdate from "log-update"
import { type Screen, screen } from "./screen.ts"

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

export const progressBar = (stream: Screen = screen(2), data: { readonly isTTY?: boolean } = screen(1)): Progress => {
  if (!stream.isTTY || data.isTTY === true) return { at: () => {}, end: () => {} }
  let log: typeof logUpdate | undefined
  let over = false
  let due = performance.now() + PATIENCE
  return {
    at: (part, text) => {
      const now = performance.now()
      if (now < due) return
      due = now + STEP
      if (log === undefined) {
        // Loaded when there is a bar to draw: it costs more than all that a quick command does.
        due = Number.POSITIVE_INFINITY
        void import("log-update").then(({ createLogUpdate }) => {
          if (over) return
          log = createLogUpdate(stream)
          due = 0
        })
        return
      }
      const full = Math.round(WIDTH * part)
      log(`[${"#".repeat(full)}${"-".repeat(WIDTH - full)}] ${`${Math.floor(part * 100)}`.padStart(3)} %  ${text()}`)
    },
    end: () => {
      over = true
      log?.clear()
    },
  }
}
