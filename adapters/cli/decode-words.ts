import { READ_PORTS } from "../../core/decode/index.ts"
import { read } from "../../core/wire/text/index.ts"
import type { Console } from "../console.ts"
import { reasonOf } from "../system-error.ts"
import { Exit, type ExitCode } from "./exit.ts"
import { type InputItem, itemsOf } from "./input-item.ts"
import { oneLine } from "./one-line.ts"
import { packetText } from "./packet-text.ts"
import { PLAIN } from "./plain-paint.ts"

/** Columns of output that goes to no terminal. */
export const USUAL = 80

/**
 * `decode` of a text on the command line where no option says otherwise and no terminal wants colours: prints the same as the whole command,
 * which takes several times as long to load. `undefined`: something is not so simple, and nothing was printed.
 */
export const decodeWords = async (words: readonly string[], console: Console): Promise<ExitCode | undefined> => {
  if (words.length === 0 || words.some((word) => word.startsWith("-"))) return undefined
  for (const fd of [1, 2] as const) if (await console.isTerminal(fd)) return undefined
  for (const word of words) if (await console.isFile(word)) return undefined
  let out = ""
  let said = ""
  let number = 0
  let failures = 0
  for (const item of itemsOf(read(words.join(" "), READ_PORTS)))
    switch (item.kind) {
      case "form":
        said += `${NAME}: read as ${item.text}\n`
        break
      case "packet":
        number++
        out += packetText({ ...item.packet, number, form: item.form }, PLAIN, USUAL)
        break
      case "remark":
        said += `${item.severity === "warning" ? "sallyport: " : ""}${oneLine(`${NAME}: ${item.text}`)}\n`
        break
      case "failure":
        failures++
        said += `sallyport: ${oneLine(failureLine(item, NAME, words, console))}\n`
    }
  // Where nothing can be said the data goes out all the same.
  const say = (text: string): Promise<void> => console.write(2, text).catch(() => {})
  await say(said)
  try {
    await console.write(1, out)
  } catch (cause) {
    await say(`sallyport: cannot write standard output: ${reasonOf(cause)}\n`)
    return Exit.FAILED
  }
  if (failures === 0) return Exit.DONE
  return number > 0 ? Exit.PARTLY : Exit.USAGE
}

/** What a text on the command line is called. */
export const NAME = "argument"

/** What could not be read, for people. `words`: those that were read as text. */
export const failureLine = (
  { nothing, text }: Extract<InputItem, { readonly kind: "failure" }>,
  name: string,
  words: readonly string[],
  { mayRead }: Pick<Console, "mayRead">,
): string => `cannot read ${nothing ? name : `the rest of ${name}`}: ${nothing ? hint(words, mayRead) : ""}${text}`

/** A text that cannot be read may be the name of a file that is not there: the likely fault comes first. */
const hint = (words: readonly string[], mayRead: Console["mayRead"]): string => {
  if (words.length !== 1 || !/^(?=.*[./\\]).{1,255}$/.test(words[0])) return ""
  const isHidden = mayRead?.(words[0]) === false
  return isHidden
    ? `"${words[0]}" is not seen if it is a file, which takes --allow-read, and as text: `
    : `"${words[0]}" is no file, and as text: `
}
