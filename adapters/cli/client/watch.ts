import type { Command } from "commander"
import { repeated } from "../read.ts"
import { readTargets } from "./map.ts"
import { addInboundOptions, type InboundOptions, REPEATABLE_OPTIONS } from "./mapping-options.ts"
import { onceOnly } from "./once-only.ts"
import { addServerOptions } from "./server-options.ts"
import type { Target } from "./target.ts"

const NOTES = `
Maps as 'sallyport map --keep' does. On a terminal a live table shows each
mapping at each server, and what is left of it; elsewhere, and with --json, each
change is a line.

Exit codes: those of 'sallyport map'; 5 also if not all were deleted at the end.

Example:
  sallyport watch 8080/tcp 8080/udp`

export const watchCommand = (command: Command): void => {
  command.argument("<mapping...>", "what to map, such as 8080/tcp", repeated(readTargets))
  addServerOptions(addInboundOptions(command))
    .addHelpText("after", NOTES)
    .action(async (targets: readonly Target[], options: InboundOptions) => {
      // Loaded when it runs: help and other commands start without it.
      const { map } = await import("./map-run.ts")
      process.exitCode = await map(targets, { ...options, keep: true, live: true })
    })
  onceOnly(command, REPEATABLE_OPTIONS)
}
