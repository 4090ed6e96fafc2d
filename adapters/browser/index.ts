/**
 * What a browser has of what Sallyport needs: a clock and random secrets, and UDP sockets whose every bind is refused.
 *
 * @module
 */
export { browserClock, browserClock as clock } from "./clock.ts"
export { entropy } from "./entropy.ts"
export { browserUdp, browserUdp as udp } from "./udp.ts"
