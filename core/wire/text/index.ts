/** Packets out of what people paste or drop, and back into what they read: words, text, captures, and what tshark prints. */
export { isCapture, readCapture } from "./capture.ts"
export type { Datagram } from "./datagram.ts"
export type { ExpandedField } from "./describe.ts"
export { describe, expand } from "./describe.ts"
export type { HexOptions } from "./hex.ts"
export { toHex } from "./hex.ts"
export { toHexdump } from "./hexdump.ts"
export type { Endpoint, PcapOptions, PcapPacket } from "./pcap.ts"
export { toPcap } from "./pcap.ts"
export { protocolNumber } from "./protocol-number.ts"
export { read } from "./read.ts"
export type {
  ByteMap,
  Encapsulation,
  ErrorCode,
  Form,
  FoundPacket,
  Place,
  Problem,
  ProblemCode,
  ReadError,
  Reading,
  Skipped,
  SkipReason,
  Timestamp,
} from "./reading.ts"
export { formatForm } from "./reading.ts"
export type { CaptureEnd, CaptureItem } from "./record.ts"
export { fieldValues } from "./wireshark.ts"
