import { type Command, Option } from "commander"
import { once } from "../read.ts"
import type { GatewaysOptions } from "./gateways-run.ts"
import { onceOnly } from "./once-only.ts"

const NOTES = `
These are the servers that other commands ask when --server is not given. Reads
the system's routing table and sends nothing. Exit code 4: there are none.`

export const gatewaysCommand = (command: Command): void => {
  command
    .addOption(
      new Option("-i, --interface <name>", "only those of this interface").argParser(
        once((text) => (text === "" ? { ok: false, text: "Expected a name." } : { ok: true, value: text })),
      ),
    )
    .option("--json", "one JSON object a line")
    .addHelpText("after", NOTES)
    .action(async (options: GatewaysOptions) => {
      // Loaded when it runs: help and other commands start without it.
      const { gateways } = await import("./gateways-run.ts")
      process.exitCode = await gateways(options)
    })
  onceOnly(command, [])
}
