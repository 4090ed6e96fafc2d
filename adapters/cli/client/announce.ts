import { type Command, Option } from "commander"
import type { ControlOptions } from "../control/run.ts"
import { onceOnly } from "./once-only.ts"
import { addServerOptions, REPEATABLE_SERVER_OPTIONS, type ServerOptions } from "./server-options.ts"

const NOTES = `
Tells whether a server is there, which protocol it speaks, and its Epoch Time:
the seconds since it last lost its mappings.

With --control, a server that runs on this host announces its own Epoch Time by
multicast to its clients instead, which make lost mappings again.

Exit codes: 0 it is there, 2 no answer in time, 4 it refuses, or nobody is there
to ask, 5 some of the servers answered.`

interface AnnounceOptions extends ServerOptions {
  /** A path, or `true`: the only server that runs. */
  readonly control?: string | boolean
}

export const announceCommand = (command: Command): void => {
  addServerOptions(command)
    .addOption(
      new Option(
        "--control [path]",
        "have the server of this control socket announce itself (default: that of the only server that runs)",
      ).conflicts(["server", "interface", "internalAddress", "acceptFrom", "pcp", "natPmp", "timeout"]),
    )
    .addHelpText("after", NOTES)
    .action(async ({ control, ...options }: AnnounceOptions) => {
      // Loaded when it runs: help and other commands start without it.
      if (control === undefined) {
        const { announce } = await import("./announce-run.ts")
        process.exitCode = await announce(options)
        return
      }
      const given: ControlOptions = {
        ...(typeof control === "string" ? { control } : {}),
        ...(options.json === undefined ? {} : { json: options.json }),
      }
      const { control: run } = await import("../control/run.ts")
      process.exitCode = await run("announce", given, undefined)
    })
  onceOnly(command, REPEATABLE_SERVER_OPTIONS)
}
