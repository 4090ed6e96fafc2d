import process from "node:process"
import { type Clock, serverMachine, startHost } from "../../../adapters/host.ts"
import type { Udp } from "../../../adapters/udp.ts"
import { createServer } from "../../../core/server/index.ts"
import { addressFromIpv4 } from "../../../core/wire/index.ts"

/** What a runtime's own index.ts has. */
interface Adapter {
  readonly udp: Udp
  readonly clock: Clock
  entropy(length: number): Uint8Array
}

/** The server on a runtime's adapter, at 127.0.0.1 and the port that is the command's argument, as `serve --quiet` is. */
export const serveOn = async ({ udp, clock, entropy }: Adapter): Promise<void> => {
  const made = createServer({
    external: [addressFromIpv4(0xcb007107)],
    secret: entropy(32),
    now: clock.now(),
  })
  if (!made.ok) throw new Error(made.error.text)
  const local = { address: addressFromIpv4(0x7f000001), port: Number(process.argv[2]) }
  const host = await startHost({
    udp,
    clock,
    machine: serverMachine(undefined, udp.octets),
    state: made.state,
    sockets: [{ local }],
  })
  if (!host.ok) throw new Error(host.error.text)
  console.log("ready")
}
