import {
  type ClientOptions,
  type ClientRuntime,
  type ExternalAddresses,
  externalAddress as externalAddressOn,
  type OpenPort,
  type OpenPortOptions,
  openPort as openPortOn,
  type PortClient,
  type ProbeOptions,
  type ProbeReport,
  probe as probeOn,
  startClient as startClientOn,
  type Waiting,
} from "../client/index.ts"
import { nodeClock, unrefClock } from "./clock.ts"
import { entropy } from "./entropy.ts"
import { discoverGateways } from "./gateway.ts"
import { ownAddresses } from "./own-addresses.ts"
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

/** Longest delay of a Node timer. */
const LONGEST = 0x7fffffff

/** The same, though an open port does not keep the process running: only a call does while it is under way. */
export const unrefRuntime: ClientRuntime = {
  ...nodeRuntime,
  udp: unrefUdp,
  clock: unrefClock,
  hold: () => {
    const timer = setInterval(() => {}, LONGEST)
    return () => clearInterval(timer)
  },
}

/** What Node's functions can be told besides. */
export interface NodeOptions {
  /**
   * Let the process end though the port is open: then nobody deletes the mapping, and it ends by itself. Default false: the process
   * runs until the port is closed.
   */
  readonly unref?: boolean | undefined
}

export const runtimeOf = (options: NodeOptions | undefined): ClientRuntime =>
  options?.unref === true ? unrefRuntime : nodeRuntime

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
export const openPort = (options: OpenPortOptions & ClientOptions & NodeOptions): Promise<OpenPort> =>
  openPortOn(runtimeOf(options), options)

/**
 * The external address as this host's gateways say it, at once public ones and those of a NAT behind another. Rejects with a
 * `PortControlError` if none says, after 10 s unless `timeout` says otherwise, milliseconds.
 */
export const externalAddress = (options: ClientOptions & Waiting = {}): Promise<ExternalAddresses> =>
  externalAddressOn(nodeRuntime, options)

/**
 * What this host's gateways speak, their external addresses, and what to do next. Rejects only if it is aborted, an option is none,
 * or looking for the gateways takes longer than `timeout`, 10 s by default.
 */
export const probe = (options: ClientOptions & ProbeOptions = {}): Promise<ProbeReport> => probeOn(nodeRuntime, options)

/** One client for many mappings: see {@link PortClient}. Rejects with a `PortControlError` where there is nobody to ask. */
export const startClient = (
  options: ClientOptions & NodeOptions & { readonly signal?: AbortSignal | undefined } = {},
): Promise<PortClient> => startClientOn(runtimeOf(options), options)
