import { takeApart } from "../../core/decode/index.ts"
import { expand, type FoundPacket, toHex } from "../../core/wire/text/index.ts"
import { endRecord } from "./entry-json.ts"
import type { InputPacket } from "./input-item.ts"
import { formatEpoch } from "./timestamp.ts"

/** A packet as one line of JSON: its ends, its octets, the tree with every text, and the findings. */
export const packetJson = (packet: InputPacket): string => {
  const { number, form, bytes, at, timeText } = packet
  const apart = takeApart(packet.bytes, packet)
  const record = {
    number,
    form,
    ...(at === undefined ? {} : { time: formatEpoch(at) }),
    ...(timeText === undefined ? {} : { timeText }),
    ...ends(packet),
    bytes: toHex(bytes),
    tree: expand(apart.dissection, apart.dissection.root, apart.describe),
    findings: apart.findings(),
  }
  return `${JSON.stringify(record)}\n`
}

const ends = ({ source, sourcePort = 0, destination, destinationPort = 0, encapsulation }: FoundPacket): object => ({
  ...(source === undefined ? {} : { source: endRecord({ address: source, port: sourcePort }) }),
  ...(destination === undefined ? {} : { destination: endRecord({ address: destination, port: destinationPort }) }),
  ...(encapsulation === undefined ? {} : { encapsulation }),
})
