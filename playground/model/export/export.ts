import { protocolOf } from "../../../core/decode/index.ts"
import { type PcapPacket, toHex, toHexdump, toPcap } from "../../../core/wire/text/index.ts"
import { type OpenedPacket, portsOf } from "../open/index.ts"
import { decodeCommand, requestCommand } from "./command.ts"
import { literal } from "./literal.ts"
import { vectorFile } from "./vector.ts"

/** What a packet can be written as, in the order of the menu. */
export const EXPORTS = [
  { format: "hex", name: "Hex digits", extension: "txt" },
  { format: "hexdump", name: "Hex dump", extension: "txt" },
  { format: "c", name: "C array", extension: "h" },
  { format: "typescript", name: "TypeScript array", extension: "ts" },
  { format: "python", name: "Python bytes", extension: "py" },
  { format: "go", name: "Go slice", extension: "go" },
  { format: "pcap", name: "pcap file", extension: "pcap" },
  { format: "vector", name: "Test vector", extension: "json" },
  { format: "decode", name: "sallyport decode", extension: "sh" },
  { format: "request", name: "sallyport command that sends it", extension: "sh" },
] as const

export type ExportFormat = (typeof EXPORTS)[number]["format"]

export type Exported =
  | { readonly ok: true; readonly content: string | Uint8Array; readonly note?: string }
  /** Why there is no such thing of this packet. */
  | { readonly ok: false; readonly text: string }

/** A packet in one format. `answer` is the response to it where that is known: a test vector holds both. */
export const exportPacket = (packet: OpenedPacket, format: ExportFormat, answer?: Uint8Array): Exported => {
  const { bytes } = packet
  const protocol = protocolOf(bytes, portsOf(packet))
  switch (format) {
    case "hex":
      return { ok: true, content: `${toHex(bytes, { spaced: true })}\n` }
    case "hexdump":
      return { ok: true, content: toHexdump(bytes) }
    case "c":
    case "typescript":
    case "python":
    case "go":
      return { ok: true, content: literal(bytes, format) }
    case "pcap":
      return { ok: true, content: exportCapture([packet]) }
    case "vector": {
      if (protocol !== "port-control") return { ok: false, text: "test vectors are of PCP and NAT-PMP alone" }
      const vector = vectorFile(bytes, answer)
      return vector.ok ? { ok: true, content: vector.text } : vector
    }
    case "decode":
      return {
        ok: true,
        content: `${decodeCommand(bytes).line}\n`,
        // A command line has no ports.
        ...(protocol !== protocolOf(bytes)
          ? { note: "the octets alone do not say what they are: the pcap file does" }
          : {}),
      }
    case "request": {
      const command = protocol === "port-control" ? requestCommand(bytes) : undefined
      if (command === undefined) return { ok: false, text: "no command sends such a packet: it is no request" }
      const { line, without } = command
      return without.length === 0
        ? { ok: true, content: `${line}\n` }
        : { ok: true, content: `${line}\n`, note: `the command has no option for ${without.join(", ")}` }
    }
  }
}

/** Packets as a pcap file: with their own ends and times where they have them. */
export const exportCapture = (packets: readonly OpenedPacket[]): Uint8Array =>
  toPcap(packets.map(pcapPacket), { precision: "nanoseconds" })

/** Octets of the header of a pcap file. */
const FILE_HEADER = 24

/** The same step by step, for as many as a page cannot wait for: yields how many are written, and gives the pieces of the file. */
export function* exportCaptureInSteps(
  packets: Iterable<OpenedPacket>,
  every = 100,
): Generator<number, readonly Uint8Array[]> {
  const pieces = [exportCapture([])]
  let some: OpenedPacket[] = []
  let written = 0
  for (const packet of packets) {
    some.push(packet)
    if (some.length < every) continue
    pieces.push(exportCapture(some).subarray(FILE_HEADER))
    written += some.length
    some = []
    yield written
  }
  pieces.push(exportCapture(some).subarray(FILE_HEADER))
  return pieces
}

const pcapPacket = ({ bytes, direction, source, destination, at }: OpenedPacket): PcapPacket => ({
  bytes,
  ...(direction === undefined ? {} : { direction }),
  ...(source === undefined ? {} : { source: source.address, sourcePort: source.port }),
  ...(destination === undefined ? {} : { destination: destination.address, destinationPort: destination.port }),
  ...(at === undefined ? {} : { at }),
})
