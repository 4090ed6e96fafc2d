import { READ_PORTS } from "../../../core/decode/index.ts"
import {
  type CaptureItem,
  type Form,
  type FoundPacket,
  isCapture,
  type Place,
  type Problem,
  read,
  readCapture,
  type Skipped,
  type SkipReason,
} from "../../../core/wire/text/index.ts"
import { directionOf } from "./direction.ts"
import type { Opened, OpenedPacket, OpenProgress, Unread } from "./opened.ts"
import { advice, counted, skippedWords, takenFor } from "./words.ts"

export interface OpenLimits {
  /** Packets that are taken; the rest of a capture is left out, and that is said. Default a million. */
  readonly packets?: number
  /** Records of a capture between two reports of progress. Default 1024. */
  readonly every?: number
}

const MOST_PACKETS = 1_000_000
const EVERY = 1024
/** Places that a remark keeps. */
const PLACES = 10

/**
 * The packets in whatever was pasted or dropped: any string and any octets give what was found and what was not read. All at
 * once; {@link openInSteps} is for a Web Worker that shows how far it has come.
 */
export const open = (input: string | Uint8Array, limits?: OpenLimits): Opened => {
  const steps = openInSteps(input, limits)
  let step = steps.next()
  while (step.done !== true) step = steps.next()
  return step.value
}

/**
 * The same step by step: yields progress every few thousand records of a capture file, so that 100,000 packets can be opened
 * under a progress bar, and cancelled. Text is read in one step.
 */
export function* openInSteps(input: string | Uint8Array, limits: OpenLimits = {}): Generator<OpenProgress, Opened> {
  if (typeof input !== "string" && isCapture(input)) return yield* openCapture(input, limits)
  const reading = read(input, READ_PORTS)
  if (!reading.ok) {
    const { code, text, place } = reading.error
    const unread: Unread = { severity: "error", text: `${text}; ${advice(code)}`, count: 1, places: [place] }
    return { takenFor: "nothing that can be read", otherwise: [], packets: [], unread: [unread] }
  }
  const { form, ambiguous, packets, skipped, problems } = reading
  return finish(form, ambiguous, packets.map(openedFrom), skipped, problems, limits)
}

function* openCapture(bytes: Uint8Array, limits: OpenLimits): Generator<OpenProgress, Opened> {
  const { packets: most = MOST_PACKETS, every = EVERY } = limits
  const packets: OpenedPacket[] = []
  const skipped = new Map<SkipReason, { count: number; first: number }>()
  const problems = new Map<
    string,
    { item: Extract<CaptureItem, { kind: "problem" }>; count: number; places: Place[] }
  >()
  const steps = readCapture(bytes, READ_PORTS)
  let records = 0
  let step = steps.next()
  while (step.done !== true) {
    const item = step.value
    if (item.kind === "packet") {
      if (packets.length < most) packets.push(openedFrom(item.packet))
      else return finishCut(bytes, packets, most, item.offset)
    } else if (item.kind === "skipped") {
      const known = skipped.get(item.reason)
      if (known === undefined) skipped.set(item.reason, { count: 1, first: item.offset })
      else known.count++
    } else {
      const known = problems.get(item.code)
      if (known === undefined) problems.set(item.code, { item, count: 1, places: [{ offset: item.offset }] })
      else {
        known.count++
        if (known.places.length < PLACES) known.places.push({ offset: item.offset })
      }
    }
    if (++records % every === 0) yield { done: item.end, total: bytes.length, packets: packets.length }
    step = steps.next()
  }
  const end = step.value
  if (!end.ok) {
    const text = `${end.text}; ${advice(end.code)}`
    const unread: Unread = { severity: "error", text, count: 1, places: [{ offset: end.offset }] }
    return { takenFor: "a capture file that cannot be read", otherwise: [], packets: [], unread: [unread] }
  }
  const left = [...skipped].map(([reason, { count, first }]) => ({ reason, count, first: { offset: first } }))
  const said = [...problems.values()].map(({ item, count, places }) => ({
    code: item.code,
    severity: item.severity,
    text: item.text,
    count,
    places,
  }))
  return finish(end.form, [], packets, left, said, limits)
}

/** What is known of a capture file whose end was not looked at. */
const finishCut = (bytes: Uint8Array, packets: readonly OpenedPacket[], most: number, offset: number): Opened => {
  const pcapng = bytes[0] === 0x0a
  const text = `only the first ${counted(most, "packet")} are shown`
  return {
    takenFor: `${pcapng ? "pcapng" : "pcap"}, its first ${counted(packets.length, "packet")}`,
    otherwise: [],
    packets,
    unread: [{ severity: "warning", text, count: 1, places: [{ offset }] }],
  }
}

/** Octets of the longest UDP datagram: who sees more has no packet before him, and much to wait for at each edit. */
const MOST_OCTETS = 65_527

/** The packet, or the beginning of what can be none. */
const cutToDatagram = (packet: OpenedPacket): OpenedPacket =>
  packet.bytes.length > MOST_OCTETS ? { ...packet, bytes: packet.bytes.slice(0, MOST_OCTETS) } : packet

const finish = (
  form: Form,
  ambiguous: readonly Form[],
  found: readonly OpenedPacket[],
  skipped: readonly Skipped[],
  problems: readonly Problem[],
  { packets: most = MOST_PACKETS }: OpenLimits,
): Opened => {
  const packets = (found.length > most ? found.slice(0, most) : found).map(cutToDatagram)
  const cut = packets.filter((packet, i) => packet !== found[i]).length
  const unread: Unread[] = problems.map(({ severity, text, count, places }) => ({ severity, text, count, places }))
  unread.push(...skipped.map(skippedWords))
  if (packets.length < found.length)
    unread.push({
      severity: "warning",
      text: `only the first ${counted(most, "packet")} are shown`,
      count: 1,
      places: [],
    })
  if (cut > 0)
    unread.push({
      severity: "warning",
      text: `more than the ${MOST_OCTETS} octets of a datagram: the rest is left out`,
      count: cut,
      places: [],
    })
  if (packets.length === 0) unread.push({ severity: "warning", text: NOTHING, count: 1, places: [] })
  return {
    takenFor: takenFor(form, packets),
    otherwise: ambiguous.map((other) => takenFor(other, []).replace(/, 0 packets$/, "")),
    packets,
    unread,
  }
}

const NOTHING =
  "no PCP or NAT-PMP in it, no flow allocation and no VXLAN: those go over UDP to ports 5350 and 5351, 3359 and 3435, and 4789"

const openedFrom = (found: FoundPacket): OpenedPacket => {
  const { bytes, at, timeText, source, sourcePort, destination, destinationPort, encapsulation } = found
  return {
    bytes,
    direction: directionOf(bytes, found),
    ...(at === undefined ? {} : { at }),
    ...(timeText === undefined ? {} : { timeText }),
    ...(source === undefined || sourcePort === undefined ? {} : { source: { address: source, port: sourcePort } }),
    ...(destination === undefined || destinationPort === undefined
      ? {}
      : { destination: { address: destination, port: destinationPort } }),
    ...(encapsulation === undefined ? {} : { encapsulation }),
  }
}
