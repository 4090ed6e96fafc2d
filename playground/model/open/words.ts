import {
  type ErrorCode,
  type Form,
  type FoundPacket,
  formatForm,
  type Skipped,
  type SkipReason,
} from "../../../core/wire/text/index.ts"
import type { Unread } from "./opened.ts"

/** `1 packet`, `2 packets`. */
export const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? "" : "s"}`

/** What an input was taken for, in one line. */
export const takenFor = (form: Form, packets: readonly Pick<FoundPacket, "encapsulation">[]): string => {
  const stripped = packets.filter(({ encapsulation }) => encapsulation !== undefined)
  const parts = [formatForm(form), counted(packets.length, "packet")]
  if (stripped.length > 0)
    parts.push(`${stripped.length === packets.length ? "" : "of some "}${headersOf(stripped)} taken off`)
  return parts.join(", ")
}

const headersOf = (packets: readonly Pick<FoundPacket, "encapsulation">[]): string => {
  const links = new Set(packets.map(({ encapsulation }) => encapsulation?.link))
  const ips = new Set(packets.map(({ encapsulation }) => encapsulation?.ip))
  const ip = ips.size === 2 ? "IP" : ips.has(6) ? "IPv6" : "IPv4"
  const [link] = links
  const first =
    links.size === 1 && link === "raw" ? [] : [links.size === 1 && link === "ethernet" ? "Ethernet" : "link"]
  return `${[...first, ip].join(", ")} and UDP headers`
}

const REASONS: Readonly<Record<SkipReason, string>> = {
  "not-ip": "no IP: ARP and the like",
  "not-udp": "no UDP",
  "other-port": "UDP between other ports than 5350, 5351, 3359, 3435 and 4789",
  fragment: "fragments, which are not put together",
  truncated: "cut before the end of the UDP header",
  malformed: "lengths that contradict each other",
  "link-type": "a link type that is not read",
}

/** Packets that were passed over, as a remark. */
export const skippedWords = ({ reason, count, first }: Skipped): Unread => ({
  severity: reason === "other-port" || reason === "not-ip" || reason === "not-udp" ? "note" : "warning",
  text: `${counted(count, "packet")} left out: ${REASONS[reason]}`,
  count,
  places: [first],
})

const TRIES: Readonly<Record<ErrorCode, string>> = {
  empty: "paste hex digits, a dump, base64, or drop a capture file",
  unreadable: "paste hex digits, a dump (xxd, tcpdump -x), program text or base64",
  "odd-digits": "an octet has two hex digits: is one missing?",
  "out-of-range": "an octet is 0 to 255",
  unterminated: "is the end of it missing?",
  abbreviated: "print it whole: a list with … has lost its octets",
  "no-octets": "print the octets as well: tcpdump -x, tshark -x",
  "too-large": "take a part of it",
  compressed: "unpack it first",
  "not-text": "drop a pcap or pcapng file, a text, or one message as a file",
  "capture-header": "is it whole? capinfos tells",
}

/** What to try where nothing could be read. */
export const advice = (code: ErrorCode): string => TRIES[code]
