import type { Command } from "commander"
import { onceOnly } from "./once-only.ts"
import { addServerOptions, REPEATABLE_SERVER_OPTIONS, type ServerOptions } from "./server-options.ts"

const NOTES = `
NAT-PMP tells it. PCP does not: where a server has no NAT-PMP, or with --pcp,
UDP port 9 (discard) is mapped for a moment to learn it, and the mapping deleted
(RFC 6887 11.6). A carrier's NAT may give other mappings another address.

Exit codes: those of 'sallyport map'.`

export const externalCommand = (command: Command): void => {
  addServerOptions(command)
    .addHelpText("after", NOTES)
    .action(async (options: ServerOptions) => {
      // Loaded when it runs: help and other commands start without it.
      const { external } = await import("./external-run.ts")
      process.exitCode = await external(options)
    })
  onceOnly(command, REPEATABLE_SERVER_OPTIONS)
}
