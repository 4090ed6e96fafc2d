/** The frames of overlay networks and what is in them: octets to values and back. */
export * from "./arp.ts"
export { completeChecksum } from "./complete.ts"
export * from "./dhcp.ts"
export * from "./ethernet.ts"
export * from "./neighbor.ts"
export * from "./udp4.ts"
export * from "./vxlan.ts"
