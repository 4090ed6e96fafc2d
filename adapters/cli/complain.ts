import { paintFor } from "./paint.ts"

/** One line for people on standard error: warnings and errors, never data. */
export const complain = (text: string): void => {
  process.stderr.write(`${paintFor(process.stderr).yellow("sallyport:")} ${text.replaceAll("\n", " ")}\n`)
}

/** What a thrown thing says, in one line and without its stack. */
export const messageOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause))
