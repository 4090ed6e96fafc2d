export type { Endpoint, PcapOptions, PcapPacket } from "./pcap.ts"
export { toPcap } from "./pcap.ts"
export type { Timestamp } from "./reading.ts"
