import type { ClientOptions } from "./engine.ts"
import type { ExternalAddresses } from "./external-address.ts"
import { listenPublic, type PublicListener } from "./listen-public.ts"
import { type ListenServerOptions, listenerFor } from "./listen-server.ts"
import { type OpenPort, type OpenPortOptions, openPort } from "./open-port.ts"
import { externalAddress, type PortClient, probe, startClient } from "./port-client.ts"
import type { ProbeOptions, ProbeReport } from "./probe.ts"
import type { ClientRuntime } from "./runtime.ts"
import type { Waiting } from "./waiting.ts"

/** What the functions of a runtime can be told besides. */
export interface ProcessOptions {
  /**
   * Let the process end though the port is open: then nobody deletes the mapping, and it ends by itself. Default false: the process
   * runs until the port is closed.
   */
  readonly unref?: boolean | undefined
}

/** The client on one runtime. */
export interface PortControl {
  /**
   * Opens a port at this host's gateways, and keeps it open: resolves at the first assignment, with a handle that says where the port
   * is reached and what becomes of it. Rejects with a `PortControlError`, after 30 s if nobody answers, unless `timeout` says
   * otherwise, milliseconds; then nothing is left open.
   */
  openPort(options: OpenPortOptions & ClientOptions & ProcessOptions): Promise<OpenPort>
  /**
   * Listens for TCP or UDP on both families, maps the port at every gateway, and keeps the set of addresses at which it is reached: the
   * host's own ones and those of the mappings. Rejects with a `PortControlError` where it cannot listen; without a gateway it is
   * the host's own addresses.
   */
  listenPublic(options: ListenServerOptions & ProcessOptions): Promise<PublicListener>
  /**
   * The external address as this host's gateways say it, at once public ones and those of a NAT behind another. Rejects with a
   * `PortControlError` if none says, after 10 s unless `timeout` says otherwise, milliseconds.
   */
  externalAddress(options?: ClientOptions & Waiting): Promise<ExternalAddresses>
  /**
   * What this host's gateways speak, their external addresses, and what to do next. Rejects only if it is aborted, an option is none,
   * or looking for the gateways takes longer than `timeout`, 10 s by default.
   */
  probe(options?: ClientOptions & ProbeOptions): Promise<ProbeReport>
  /** One client for many mappings: see {@link PortClient}. Rejects with a `PortControlError` where there is nobody to ask. */
  startClient(
    options?: ClientOptions & ProcessOptions & { readonly signal?: AbortSignal | undefined },
  ): Promise<PortClient>
}

/** Longest delay of a timer, milliseconds. */
const LONGEST = 0x7fffffff

/**
 * The client on a runtime. `unref` is the same runtime with sockets and timers that do not keep the process running: then only a call
 * does, while it is under way.
 */
export const portControl = (runtime: ClientRuntime, unref: Pick<ClientRuntime, "udp" | "clock">): PortControl => {
  const unrefRuntime: ClientRuntime = { ...runtime, ...unref, hold }
  const runtimeOf = (options: ProcessOptions | undefined): ClientRuntime =>
    options?.unref === true ? unrefRuntime : runtime
  return {
    openPort: (options) => openPort(runtimeOf(options), options),
    listenPublic: (options) => {
      const chosen = runtimeOf(options)
      return listenPublic(chosen, options, (port) => listenerFor(chosen, options, chosen === runtime)(port))
    },
    externalAddress: (options = {}) => externalAddress(runtime, options),
    probe: (options = {}) => probe(runtime, options),
    startClient: (options = {}) => startClient(runtimeOf(options), options),
  }
}

const hold = (): (() => void) => {
  const timer = setInterval(() => {}, LONGEST)
  return () => clearInterval(timer)
}
