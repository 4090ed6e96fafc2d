/** What Sallyport needs of Node: UDP sockets, a clock, random secrets, the gateways, and files that keep a server's state. */
export { nodeClock } from "./clock.ts"
export { entropy } from "./entropy.ts"
export { type DiscoverGatewaysOptions, discoverGateways } from "./gateway.ts"
export { ownAddresses } from "./own-addresses.ts"
export { firewallForm, type Loaded, loadState, natForm, type Saved, type StateForm, saveState } from "./state-file.ts"
export { keepState, type StateKeeper, type StateKeeperOptions, type Versioned } from "./state-keeper.ts"
export { type Locked, lockState, type StateLock } from "./state-lock.ts"
export { nodeUdp } from "./udp.ts"
