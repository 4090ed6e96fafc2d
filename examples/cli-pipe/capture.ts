/**
 * A line for each message of a capture, a dump or hex on standard input: `tcpdump -w - -c 10 udp port 5351 | node capture.ts`.
 * Runs on Node, Deno and Bun.
 */
import process, { stdin } from "node:process"
import { buffer } from "node:stream/consumers"
import {
  formatAddress,
  natPmpResultName,
  opcodeName,
  opcodeOf,
  type Packet,
  type PcpPacket,
  parse,
  protocolName,
  read,
  resultName,
} from "sallyport"

const mapping = ({ body, lifetime }: PcpPacket): string =>
  body.kind === "map" || body.kind === "peer"
    ? `, ${protocolName(body.protocol)} ${body.internalPort} at ${formatAddress(body.external)}:${body.externalPort} for ${lifetime} s`
    : ""

/** What a message says. The kinds not named here have nothing but their name. */
const summary = (packet: Packet): string => {
  switch (packet.kind) {
    case "pcp-request":
      return `PCP ${opcodeName(opcodeOf(packet.body))} request of ${formatAddress(packet.client)}${mapping(packet)}`
    case "pcp-response":
      return `PCP ${opcodeName(opcodeOf(packet.body))} response ${resultName(packet.result)}${mapping(packet)}`
    case "natpmp-map-request":
      return `NAT-PMP map request, ${packet.protocol} ${packet.internalPort} for ${packet.lifetime} s`
    case "natpmp-map-response":
      return `NAT-PMP map response ${natPmpResultName(packet.result)}, ${packet.protocol} ${packet.internalPort} at port ${packet.externalPort}`
    default:
      return packet.kind
  }
}

const reading = read(await buffer(stdin))
if (reading.ok) {
  for (const { bytes, source } of reading.packets) {
    const parsed = parse(bytes)
    const text = parsed.ok ? summary(parsed.packet) : `unreadable: ${parsed.error.text} (${parsed.error.clause})`
    console.log(source === undefined ? text : `from ${formatAddress(source)}: ${text}`)
  }
} else {
  console.error(reading.error.text)
  process.exitCode = 1
}
