import type { Command } from "commander"
import type { Endpoint } from "../../udp.ts"
import { formatEndpoint, readEndpoint } from "../endpoint.ts"
import { once, type Read } from "../read.ts"
import { addMappingOptions, type MappingOptions } from "./mapping-options.ts"
import { onceOnly } from "./once-only.ts"
import { addServerOptions, REPEATABLE_SERVER_OPTIONS } from "./server-options.ts"
import { readTarget, type Target } from "./target.ts"

const NOTES = `
Asks by PEER for a mapping of packets from this host's port to one remote peer
and back, or learns of one that is there, and gives it a lifetime: so a program
needs no keepalives of its own. NAT-PMP has no such thing. It cannot be deleted:
it ends when its lifetime is over.

Exit codes: those of 'sallyport map'.

Examples:
  sallyport peer 5060/udp 198.51.100.7:5060 --lifetime 600
  sallyport peer 40000/tcp [2001:db8::7]:443 --keep`

const readRemote = (text: string): Read<Endpoint> => {
  const end = readEndpoint(text, 0)
  return end.ok && end.value.port === 0
    ? { ok: false, text: `"${text}" has no port: expected 198.51.100.7:443 or [2001:db8::7]:443.` }
    : end
}

export const peerCommand = (command: Command): void => {
  command
    .argument("<mapping>", "our end, such as 5060/udp", once(readTarget))
    .argument("<remote>", "the remote peer and its port, such as 198.51.100.7:5060", once(readRemote))
  addServerOptions(addMappingOptions(command))
    .option("-k, --keep", "stay, renew, and say what changes, until Ctrl-C")
    .addHelpText("after", NOTES)
    .action(async (target: Target, remote: Endpoint, options: MappingOptions) => {
      // Loaded when it runs: help and other commands start without it.
      const { peer } = await import("./peer-run.ts")
      process.exitCode = await peer(target, remote, formatEndpoint(remote), options)
    })
  onceOnly(command, REPEATABLE_SERVER_OPTIONS)
}
