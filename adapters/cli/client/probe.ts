import type { Command } from "commander"
import { onceOnly } from "./once-only.ts"
import { addServerOptions, REPEATABLE_SERVER_OPTIONS, type ServerOptions } from "./server-options.ts"

const NOTES = `
Looks for gateways, asks each by PCP and by NAT-PMP, maps UDP port 9 (discard)
for a moment and deletes it again, and says what all of that means: whether
ports can be opened here, whether another NAT is in front, and what to do next.

Exit codes: 0 ports can be opened, 2 nobody answers, 3 refused for a short
while, 4 refused, or nobody is there to ask, 5 another NAT is in front, the
Internet has no way to the address outside, or some of the servers named are no
good.`

export const probeCommand = (command: Command): void => {
  addServerOptions(command)
    .addHelpText("after", NOTES)
    .action(async (options: ServerOptions) => {
      // Loaded when it runs: help and other commands start without it.
      const { probe } = await import("./probe-run.ts")
      process.exitCode = await probe(options)
    })
  onceOnly(command, REPEATABLE_SERVER_OPTIONS)
}
