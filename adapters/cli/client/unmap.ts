import type { Command } from "commander"
import { repeated } from "../read.ts"
import { readTargets } from "./map.ts"
import { addMemoryOptions, addOwnerOptions } from "./mapping-options.ts"
import { onceOnly } from "./once-only.ts"
import { addServerOptions, REPEATABLE_SERVER_OPTIONS } from "./server-options.ts"
import type { Target } from "./target.ts"
import type { UnmapOptions } from "./unmap-run.ts"

const NOTES = `
Deletes at the servers that the state file remembers for a mapping, or else at
those named or the default gateways. PCP deletes for whoever has the mapping's
nonce: the state file has those of 'sallyport map'; --nonce gives another one.

A server may leave a deleted mapping that had traffic a short while ago, for as
long as that traffic alone would have kept it, and says how long (RFC 6887 15).
Its nonce is kept for as long: 'sallyport map' has the same port again.

--all deletes every mapping of the state file, and by NAT-PMP all of this
host's at once. Mappings of 'sallyport peer' cannot be deleted: they end.

Exit codes: 0 deleted, or there was nothing, 2 no answer in time, 3 refused for
a short while, 4 refused, 5 deleted in part.

Examples:
  sallyport unmap 8080/tcp
  sallyport unmap 8080/tcp --server 192.168.1.1 --nonce 0102030405060708090a0b0c
  sallyport unmap --all`

export const unmapCommand = (command: Command): void => {
  command
    .argument("[mapping...]", "what to delete, such as 8080/tcp", repeated(readTargets))
    .option("-a, --all", "all that is remembered, and with NAT-PMP all of this host's")
  addServerOptions(addMemoryOptions(addOwnerOptions(command, "unmap")))
    .addHelpText("after", NOTES)
    .action(async (targets: readonly Target[], options: UnmapOptions) => {
      // Loaded when it runs: help and other commands start without it.
      const { unmap } = await import("./unmap-run.ts")
      process.exitCode = await unmap(targets, options)
    })
  onceOnly(command, REPEATABLE_SERVER_OPTIONS)
}
