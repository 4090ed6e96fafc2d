import type { Command } from "commander"
import { announceCommand } from "./client/announce.ts"
import { externalCommand } from "./client/external.ts"
import { gatewaysCommand } from "./client/gateways.ts"
import { mapCommand } from "./client/map.ts"
import { peerCommand } from "./client/peer.ts"
import { probeCommand } from "./client/probe.ts"
import { unmapCommand } from "./client/unmap.ts"
import { watchCommand } from "./client/watch.ts"

/** The commands that ask PCP and NAT-PMP servers for something. */
export const clientCommands = (program: Command): void => {
  for (const add of [
    mapCommand,
    unmapCommand,
    watchCommand,
    peerCommand,
    externalCommand,
    announceCommand,
    probeCommand,
    gatewaysCommand,
  ])
    add(program)
}
