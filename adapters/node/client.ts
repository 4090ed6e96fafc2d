import { type ClientRuntime, type PortControl, portControl } from "../client/index.ts"
import { nodeClock, unrefClock } from "./clock.ts"
import { entropy } from "./entropy.ts"
import { discoverGateways } from "./gateway.ts"
import { ownAddresses } from "./interfaces.ts"
import { nodeUdp, unrefUdp } from "./udp.ts"

/** {@link ClientRuntime} on Node. */
export const nodeRuntime: ClientRuntime = {
  udp: nodeUdp,
  clock: nodeClock,
  wallClock: () => Date.now(),
  entropy,
  discover: (signal) => discoverGateways(signal === undefined ? {} : { signal }),
  ownAddresses,
}

const control: PortControl = portControl(nodeRuntime, { udp: unrefUdp, clock: unrefClock })

/**
 * Opens a port at this host's gateways, and keeps it open: resolves at the first assignment, with a handle that says where the port
 * is reached and what becomes of it. Rejects with a `PortControlError`, after 30 s if nobody answers, unless `timeout` says
 * otherwise, milliseconds; then nothing is left open.
 *
 * @example
 * ```ts
 * import { createServer, parseAddress } from "sallyport"
 * import { serverMachine, startHost } from "sallyport/host"
 * import { entropy, nodeClock, nodeUdp, openPort } from "sallyport/node"
 *
 * // A gateway to try it with; at home, leave `servers` out.
 * const [loopback, external] = [parseAddress("127.0.0.1"), parseAddress("203.0.113.7")]
 * if (loopback === undefined || external === undefined) throw new Error("not an address")
 * const made = createServer({ external: [external], secret: entropy(32), now: nodeClock.now() })
 * if (!made.ok) throw new Error(made.error.text)
 * const sockets = [{ local: { address: loopback, port: 0 } }]
 * const gateway = await startHost({ udp: nodeUdp, clock: nodeClock, machine: serverMachine(), state: made.state, sockets })
 * if (!gateway.ok) throw new Error(gateway.error.text)
 * const servers = [`127.0.0.1:${gateway.value.local[0]?.port}`]
 *
 * const port = await openPort({ protocol: "tcp", internalPort: 8080, servers })
 * console.log(port.external.text, port.external.port) // 203.0.113.7 8080
 * await port.close()
 * await gateway.value.stop()
 * ```
 */
export const openPort: PortControl["openPort"] = control.openPort

/** Listens, and maps the port at every gateway: see {@link PortControl.listenPublic}. */
export const listenPublic: PortControl["listenPublic"] = control.listenPublic

/** The external address as this host's gateways say it: see {@link PortControl.externalAddress}. */
export const externalAddress: PortControl["externalAddress"] = control.externalAddress

/** What this host's gateways speak, and what to do next: see {@link PortControl.probe}. */
export const probe: PortControl["probe"] = control.probe

/** One client for many mappings: see {@link PortControl.startClient}. */
export const startClient: PortControl["startClient"] = control.startClient
