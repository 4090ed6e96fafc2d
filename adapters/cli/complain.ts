import { writeSync } from "node:fs"
import { hasCode } from "../system-error.ts"
import { oneLine } from "./one-line.ts"
import { paintFor } from "./paint.ts"
import { screen } from "./screen.ts"

/** One line for people on standard error: warnings and errors, never data. */
export const complain = (text: string): void => say(`${paintFor(screen(2)).yellow("sallyport:")} ${oneLine(text)}\n`)

/** One line for people on standard error that nothing is wrong with: what is worth knowing beside the data. */
export const note = (text: string): void => say(`${paintFor(screen(2)).dim(oneLine(text))}\n`)

const say = (line: string): void => {
  try {
    if (!screen(2).isTTY) {
      writeSync(2, line)
      return
    }
  } catch (cause) {
    // Nobody reads it, or a slow reader's pipe is full: the runtime's own stream waits for that one.
    if (!hasCode(cause, "EAGAIN")) return
  }
  process.stderr.write(line)
}
