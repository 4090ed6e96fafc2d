/** Answers in place of hosts elsewhere in the overlay: whom frames ask for, and what they are answered. */
export { askedByArp, gratuitousArp, replyToArp } from "./arp.ts"
export { isDhcpBroadcast, redirectDhcp } from "./dhcp.ts"
export { askedByNdp, replyToNdp } from "./ndp.ts"
export { type FrameQuery, LARGEST_FRAME, queryOf } from "./query.ts"
