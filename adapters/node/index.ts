/**
 * Sallyport on Node: ports opened from a program, and what the core needs: UDP sockets, a clock, random secrets, the gateways, and
 * files that keep a server's or a client's state.
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
export { externalAddress, nodeRuntime, openPort, probe, startClient } from "./client.ts"
export { clientFile } from "./client-store.ts"
export { nodeClock, nodeClock as clock } from "./clock.ts"
export { entropy } from "./entropy.ts"
export { type DiscoverGatewaysOptions, discoverGateways } from "./gateway.ts"
export { listenPublic } from "./listen-public.ts"
export { ownAddresses } from "./own-addresses.ts"
export { firewallForm, type Loaded, loadState, natForm, type StateForm, saveState } from "./state-file.ts"
export { keepState, type StateKeeper, type StateKeeperOptions, type Versioned } from "./state-keeper.ts"
export { type Locked, lockState, type StateLock } from "./state-lock.ts"
export { nodeUdp, nodeUdp as udp } from "./udp.ts"
export type { Saved } from "./whole-file.ts"
