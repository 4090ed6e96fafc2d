import type { Command } from "commander"
import { type Read, repeated } from "../read.ts"
import { addInboundOptions, type InboundOptions, REPEATABLE_OPTIONS } from "./mapping-options.ts"
import { onceOnly } from "./once-only.ts"
import { addServerOptions } from "./server-options.ts"
import { readTarget, type Target } from "./target.ts"

const NOTES = `
A mapping is a port and a protocol: 8080/tcp, 53/udp, sctp, all/tcp, all, or any
of IANA's protocols by its name or number, such as gre or all/47. Port 0, as in
0/tcp, is all ports, as all is; tcp/8080 is 8080/tcp.

The server may give another external port, address or lifetime than was asked
for: that is no error, and is said. Asking again renews what is there. Without
--keep it ends by itself when its lifetime is over, or by 'sallyport unmap'.

Nonces are kept in the state file: whoever has one can delete the mapping.

Exit codes: 0 mapped, 2 no answer in time, 3 refused for a short while,
4 refused, 5 mapped in part: not by all servers named, or not all mappings.

Examples:
  sallyport map 8080/tcp
  sallyport map 8080/tcp 8080/udp --lifetime 3600 --json
  sallyport map 443/tcp --external-port 443 --prefer-failure --keep
  sallyport map 5060/udp --filter 192.0.2.0/24 --filter [2001:db8::/32]:5060`

export const readTargets = (text: string): Read<readonly Target[]> => {
  const read = readTarget(text)
  return read.ok ? { ok: true, value: [read.value] } : read
}

export const mapCommand = (command: Command): void => {
  command.argument("<mapping...>", "what to map, such as 8080/tcp", repeated(readTargets))
  addServerOptions(addInboundOptions(command))
    .option("-k, --keep", "stay, renew, say what changes, and delete on Ctrl-C")
    .addHelpText("after", NOTES)
    .action(async (targets: readonly Target[], options: InboundOptions) => {
      // Loaded when it runs: help and other commands start without it.
      const { map } = await import("./map-run.ts")
      process.exitCode = await map(targets, options)
    })
  onceOnly(command, REPEATABLE_OPTIONS)
}
