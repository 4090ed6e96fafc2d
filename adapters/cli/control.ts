import { type Command, Option } from "commander"
import { parseAddress } from "../../core/wire/index.ts"
import type { ControlCommand, ControlOptions } from "./control/run.ts"
import { once, type Read } from "./read.ts"

const readAddress = (text: string): Read<string> =>
  parseAddress(text) === undefined ? { ok: false, text: `"${text}" is no address.` } : { ok: true, value: text }

const addOptions = (command: Command): Command =>
  command
    .option("--control <path>", "the server's control socket (default: that of the only server that runs)")
    .option("--json", "one JSON object a line")

/** A command that asks a running server for something over its control socket. */
export const controlCommand =
  (name: Exclude<ControlCommand, "revoke">) =>
  (command: Command): Command =>
    addOptions(command).action((options: ControlOptions) => run(name, options, undefined))

export const revokeCommand = (command: Command): Command =>
  addOptions(command)
    .addOption(
      new Option(
        "--realm <address>",
        "what tells overlapping internal addresses apart, such as the B4's address",
      ).argParser(once(readAddress)),
    )
    .argument("<address>", "the internal address", once(readAddress))
    .action((address: string, options: ControlOptions) => run("revoke", options, address))

const run = async (command: ControlCommand, options: ControlOptions, internal: string | undefined): Promise<void> => {
  // Loaded when it runs: help and other commands start without it.
  const { control } = await import("./control/run.ts")
  process.exitCode = await control(command, options, internal)
}
