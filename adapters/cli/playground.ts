import { type Command, Option } from "commander"
import { onceOnly } from "./client/once-only.ts"
import type { PlaygroundOptions } from "./playground/run.ts"
import { once, wholeNumber } from "./read.ts"

const NOTES = `
Takes packets apart and replays sessions against an in-memory CGN, in a browser.
The page is served on 127.0.0.1 alone until Ctrl-C and connects to nobody, not
even to what serves it. Its address goes to standard output.
To watch a running server in it: serve --playground.

Exit codes: 0 done, 1 wrong usage, or the page is not built or the port taken.

Examples:
  sallyport playground
  sallyport playground --no-open --port 8080
  cp "$(sallyport playground --file)" /mnt/usb/`

export const playgroundCommand = (command: Command): void => {
  command
    .addOption(
      new Option("-p, --port <port>", "where to serve it (default: one that is free)").argParser(
        once(wholeNumber(0, 65535)),
      ),
    )
    .option("--no-open", "open no browser")
    .addOption(
      new Option("--file", "print the path of the page, one file that opens from a disk, and end").conflicts("port"),
    )
    .option("--json", "print one JSON object with `url` or `file`")
    .addHelpText("after", NOTES)
    .action(async (options: PlaygroundOptions) => {
      // Loaded when it runs: help and other commands start without it.
      const { playground } = await import("./playground/run.ts")
      process.exitCode = await playground(options)
    })
  onceOnly(command, [])
}
