/** What Sallyport needs of Node: UDP sockets, a clock, random secrets, and files that keep a server's state. */
export { nodeClock, nodeClock as clock } from "./clock.ts"
export { entropy } from "./entropy.ts"
export { firewallForm, type Loaded, loadState, natForm, type Saved, type StateForm, saveState } from "./state-file.ts"
export { keepState, type StateKeeper, type StateKeeperOptions, type Versioned } from "./state-keeper.ts"
export { type Locked, lockState, type StateLock } from "./state-lock.ts"
export { nodeUdp, nodeUdp as udp } from "./udp.ts"
