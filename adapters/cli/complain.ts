import { paintFor } from "./paint.ts"

/** One line for people on standard error: warnings and errors, never data. */
export const complain = (text: string): void => {
  process.stderr.write(`${paintFor(process.stderr).yellow("sallyport:")} ${oneLine(text)}\n`)
}

/** Text on one line that cannot drive a terminal: a name of a file may hold any control character, visible here as `\u001b`. */
export const oneLine = (text: string): string =>
  text
    .replaceAll("\n", " ")
    .replace(/\p{Cc}/gu, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`)

/** One line for people on standard error that nothing is wrong with: what is worth knowing beside the data. */
export const note = (text: string): void => {
  process.stderr.write(`${paintFor(process.stderr).dim(oneLine(text))}\n`)
}
