/**
 * What Sallyport needs of Bun: UDP sockets, a clock, and random secrets.
 *
 * @module
 */
export { bunClock, bunClock as clock } from "./clock.ts"
export { entropy } from "./entropy.ts"
export { bunUdp, bunUdp as udp } from "./udp.ts"
