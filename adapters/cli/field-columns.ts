import { takeApart } from "../../core/decode/index.ts"
import { formatAddress, isIpv4 } from "../../core/wire/index.ts"
import { fieldValues } from "../../core/wire/text/index.ts"
import type { InputPacket } from "./input-item.ts"
import type { Read } from "./read.ts"
import { formatEpoch } from "./timestamp.ts"
import { WIRESHARK_NAMES } from "./wireshark-names.ts"

/** Fields of the packet around the message that tell lines apart, by Wireshark's names. */
const AROUND: ReadonlyMap<string, (packet: InputPacket) => string> = new Map([
  ["frame.number", ({ number }) => `${number}`],
  ["frame.time_epoch", ({ at }) => (at === undefined ? "" : formatEpoch(at))],
  ["ip.src", ({ source }) => (source !== undefined && isIpv4(source) ? formatAddress(source) : "")],
  ["ip.dst", ({ destination }) => (destination !== undefined && isIpv4(destination) ? formatAddress(destination) : "")],
  ["ipv6.src", ({ source }) => (source === undefined || isIpv4(source) ? "" : formatAddress(source))],
  [
    "ipv6.dst",
    ({ destination }) => (destination === undefined || isIpv4(destination) ? "" : formatAddress(destination)),
  ],
  ["udp.srcport", ({ sourcePort }) => `${sourcePort ?? ""}`],
  ["udp.dstport", ({ destinationPort }) => `${destinationPort ?? ""}`],
])

/** Reads names of Wireshark's fields with commas between. `frame.number` counts the packets printed, not those of the file. */
export const readFields = (text: string): Read<readonly string[]> => {
  const names = text.split(",").map((name) => name.trim())
  const unknown = names.find((name) => !AROUND.has(name) && !WIRESHARK_NAMES.has(name))
  if (unknown === undefined) return { ok: true, value: names }
  const near = [...WIRESHARK_NAMES].filter(
    (name) => unknown !== "" && name.endsWith(unknown.slice(unknown.lastIndexOf("."))),
  )
  const hint = near.length === 0 ? "" : ` Near it: ${near.slice(0, 3).join(", ")}.`
  return { ok: false, text: `Wireshark has no field "${unknown}" of PCP or NAT-PMP.${hint}` }
}

/** One line as `tshark -T fields` prints it: tabs between fields, commas between the values of one. */
export const fieldColumns = (packet: InputPacket, names: readonly string[]): string => {
  const { dissection } = takeApart(packet.bytes, packet)
  const columns = names.map((name) => AROUND.get(name)?.(packet) ?? fieldValues(dissection, name).join(","))
  return `${columns.join("\t")}\n`
}
