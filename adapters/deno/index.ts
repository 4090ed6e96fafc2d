/**
 * What Sallyport needs of Deno: UDP sockets, a clock, and random secrets.
 *
 * @module
 */
export { denoClock, denoClock as clock } from "./clock.ts"
export { entropy } from "./entropy.ts"
export { denoUdp, denoUdp as udp } from "./udp.ts"
