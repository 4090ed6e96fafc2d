/** What Sallyport needs of Node: UDP sockets, a clock, and random secrets. */
export { nodeClock } from "./clock.ts"
export { entropy } from "./entropy.ts"
export { nodeUdp } from "./udp.ts"
