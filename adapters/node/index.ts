/** What Sallyport needs of Node: UDP sockets, a clock, random secrets, and files that keep a server's state. */
export { nodeClock } from "./clock.ts"
export { entropy } from "./entropy.ts"
export { type Loaded, loadState, type Saved, saveState } from "./state-file.ts"
export { keepState, type StateKeeper, type StateKeeperOptions } from "./state-keeper.ts"
export { nodeUdp } from "./udp.ts"
