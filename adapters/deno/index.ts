/**
 * Sallyport on Deno: ports opened from a program, and what the core needs: UDP sockets, a clock, random secrets, the gateways,
 * signals, and files that keep a server's or a client's state. The other runtimes' adapters export the same names.
 *
 * @module
 */
export {
  type ExternalAddress,
  type ExternalEnd,
  type OpenPort,
  type PortChange,
  type PortClient,
  PortControlError,
  type PublicListener,
  type Reachable,
} from "../client/index.ts"
export {
  clientFile,
  firewallForm,
  keepState,
  type Loaded,
  type Locked,
  loadState,
  lockState,
  natForm,
  type Saved,
  type StateForm,
  type StateKeeper,
  type StateKeeperOptions,
  type StateLock,
  saveState,
  type Versioned,
} from "../files/index.ts"
export type { DiscoverGatewaysOptions } from "../gateway/index.ts"
export type { Listened, OnSignal, Signal } from "../signal.ts"
export {
  denoRuntime,
  denoRuntime as runtime,
  externalAddress,
  listenPublic,
  openPort,
  probe,
  startClient,
} from "./client.ts"
export { denoClock, denoClock as clock } from "./clock.ts"
export { entropy } from "./entropy.ts"
export { discoverGateways } from "./gateway.ts"
export { ownAddresses } from "./interfaces.ts"
export { onSignal } from "./on-signal.ts"
export { denoUdp, denoUdp as udp } from "./udp.ts"
