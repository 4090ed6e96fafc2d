import type { Command } from "commander"
import { addServeOptions, type ServeOptions } from "./serve-options.ts"

/** @param entry The file that runs the command, which runs its workers too. */
export const serveCommand = (command: Command, entry: URL): Command => {
  return addServeOptions(command).action(async (options: ServeOptions) => {
    // Loaded when it runs: help and other commands start without a server.
    const { serve } = await import("./serve-run.ts")
    await serve(options, command, entry)
  })
}
