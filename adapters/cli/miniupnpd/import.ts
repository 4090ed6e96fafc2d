import { readFileSync } from "node:fs"
import type { Command } from "commander"
import { reasonOf } from "../../system-error.ts"
import { complain } from "../complain.ts"
import { Exit } from "../exit.ts"
import { openOutput } from "../output.ts"
import { fileSink } from "../sink.ts"
import { translateMiniupnpd } from "./translate.ts"

const HELP = `
Prints a configuration file for serve that does what a configuration file of
miniupnpd says, and on standard error each line that has no counterpart.

Exit codes: 0 every line was translated, 5 some were not, 1 the file cannot be
read.

Example:
  sallyport import-miniupnpd /etc/miniupnpd/miniupnpd.conf > serve.jsonc`

export const importMiniupnpdCommand = (command: Command): Command =>
  command
    .argument("<file>", "miniupnpd's configuration file")
    .addHelpText("after", HELP)
    .action(async (file: string) => {
      process.exitCode = await importMiniupnpd(file)
    })

const importMiniupnpd = async (file: string): Promise<number> => {
  let text: string
  try {
    text = readFileSync(file, "utf8")
  } catch (cause) {
    complain(`${file}: ${reasonOf(cause)}`)
    return Exit.USAGE
  }
  const { config, options, untranslated } = translateMiniupnpd(text)
  for (const { line, text, reason } of untranslated) complain(`${file}:${line}: ${text}: ${reason}`)
  const sink = fileSink(
    openOutput(),
    () => {},
    () => "",
  )
  sink.print(`// sallyport serve --config <this file> ${options.join(" ")}\n${JSON.stringify(config, undefined, 2)}\n`)
  await sink.end()
  return untranslated.length === 0 ? Exit.DONE : Exit.PARTLY
}
