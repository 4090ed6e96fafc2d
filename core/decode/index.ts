/** What a packet is, among all protocols that this package knows, and what is in it: for whatever shows packets. */
export { type Apart, type PacketPorts, type PacketProtocol, protocolOf, READ_PORTS, takeApart } from "./take-apart.ts"
