import { type Command, Option } from "commander"
import { parseAddress } from "../../core/wire/index.ts"
import type { ControlCommand, ControlOptions } from "./control/run.ts"
import { once, type Read } from "./read.ts"

const readAddress = (text: string): Read<string> =>
  parseAddress(text) === undefined ? { ok: false, text: `"${text}" is no address.` } : { ok: true, value: text }

/** The commands that talk to a running server over its control socket. */
export const controlCommands = (program: Command): void => {
  const add = (name: ControlCommand, description: string): Command =>
    program
      .command(name)
      .description(description)
      .option("--control <path>", "the server's control socket (default: that of the only server that runs)")
      .option("--json", "one JSON object a line")

  for (const [name, description] of [
    ["mappings", "list the mappings of a running server"],
    ["subscribers", "list who has mappings on a running server, and how many"],
    ["counters", "print what a running server has counted"],
  ] as const)
    add(name, description).action((options: ControlOptions) => run(name, options, undefined))

  add("revoke", "delete all mappings of one internal address on a running server")
    .addOption(
      new Option(
        "--realm <address>",
        "what tells overlapping internal addresses apart, such as the B4's address",
      ).argParser(once(readAddress)),
    )
    .argument("<address>", "the internal address", once(readAddress))
    .action((address: string, options: ControlOptions) => run("revoke", options, address))
}

const run = async (command: ControlCommand, options: ControlOptions, internal: string | undefined): Promise<void> => {
  // Loaded when it runs: help and other commands start without it.
  const { control } = await import("./control/run.ts")
  process.exitCode = await control(command, options, internal)
}
