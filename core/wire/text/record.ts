import { sliceOctets } from "../octets.ts"
import { stripFrame } from "./frame.ts"
import type { ErrorCode, Form, FoundPacket, ProblemCode, SkipReason, Timestamp } from "./reading.ts"

/** What one step through a capture file gives. Offsets are octets of the file; `end` is how far the file has been read. */
export type CaptureItem =
  | { readonly kind: "packet"; readonly packet: FoundPacket; readonly offset: number; readonly end: number }
  | {
      readonly kind: "skipped"
      readonly reason: SkipReason
      readonly linkType: number | undefined
      readonly offset: number
      readonly end: number
    }
  | {
      readonly kind: "problem"
      readonly code: ProblemCode
      readonly severity: "note" | "warning"
      readonly text: string
      readonly offset: number
      readonly end: number
    }

/** How the reading of a capture file ended: what it was, or why it could not be started. */
export type CaptureEnd =
  | { readonly ok: true; readonly form: Form }
  | { readonly ok: false; readonly code: ErrorCode; readonly text: string; readonly offset: number }

/** One captured packet of a file: where its record starts, where its octets lie, and when it was seen. */
export type CapturedFrame = {
  readonly linkType: number
  readonly offset: number
  readonly from: number
  readonly to: number
  /** Where the next record starts. */
  readonly end: number
  /** Worked out only for the packets that are kept. */
  readonly time: (() => Timestamp) | undefined
}

/** The message in a captured frame, or why it is left out. */
export const readFrame = (bytes: Uint8Array, f: CapturedFrame, ports?: ReadonlySet<number>): CaptureItem => {
  const { offset, end } = f
  const frame = stripFrame(f.linkType, bytes, f.from, f.to, ports)
  if (typeof frame === "string") return { kind: "skipped", reason: frame, linkType: f.linkType, offset, end }
  const { link, udp } = frame
  const packet: FoundPacket = {
    bytes: sliceOctets(bytes, udp.from, udp.to),
    ...(f.time === undefined ? {} : { at: f.time() }),
    source: udp.source,
    sourcePort: udp.sourcePort,
    destination: udp.destination,
    destinationPort: udp.destinationPort,
    map: { kind: "file", offset: udp.from },
    encapsulation: {
      link: link.link,
      vlans: link.vlans,
      ip: udp.ip,
      headers: udp.from - f.from,
      udpChecksum: udp.checksum,
      missing: udp.missing,
    },
  }
  return { kind: "packet", packet, offset, end }
}
