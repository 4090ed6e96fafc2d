import { protocolOf, takeApart } from "../../../core/decode/index.ts"
import { ANY_PROFILE, type Finding, parse, type Severity, validate } from "../../../core/wire/index.ts"
import { type OpenedPacket, portsOf } from "../open/index.ts"
import { type Facts, factsOf, factsOfFlow, factsOfOverlay } from "./facts.ts"

/** What a packet is in the exchange that it belongs to. */
export type Part =
  | "request"
  /** The same octets again, before an answer came. */
  | "retransmission"
  | "answer"
  /** One more answer to the same exchange. */
  | "repeated answer"
  /** A response that nobody in the capture asked for: an announcement, an update, or the request is not in it. */
  | "unsolicited"
  | "neither"

/** One line of the packet list. */
export interface Row {
  /** Place in the capture, from 0. */
  readonly index: number
  readonly packet: OpenedPacket
  /** Milliseconds since the first packet that has a time; `undefined`: it has none. */
  readonly time: number | undefined
  readonly facts: Facts
  /** Of its findings the worst, and how many there are. */
  readonly worst: Severity | undefined
  readonly findings: number
  readonly part: Part
  /** Place of its exchange in the capture's list; -1: none. */
  readonly exchange: number
}

/** A row with its place in an exchange. */
export const pairedRow = (
  { index, packet, time, facts, worst, findings }: Unpaired,
  { part, exchange }: Pick<Row, "part" | "exchange">,
): Row => ({ index, packet, time, facts, worst, findings, part, exchange })

/** A row as it is read, before it is paired. */
export type Unpaired = Omit<Row, "part" | "exchange">

export const unpairedRow = (packet: OpenedPacket, index: number, start: number | undefined): Unpaired => {
  const { facts, found } = readRow(packet)
  let worst: Severity | undefined
  for (const { severity } of found)
    if (worst === undefined || severity === "error" || (severity === "warning" && worst === "note")) worst = severity
  const now = millisecondsOf(packet)
  return {
    index,
    packet,
    time: now === undefined || start === undefined ? undefined : now - start,
    facts,
    worst,
    findings: found.length,
  }
}

const readRow = (packet: OpenedPacket): { readonly facts: Facts; readonly found: readonly Finding[] } => {
  const { bytes, direction } = packet
  const ports = portsOf(packet)
  if (protocolOf(bytes, ports) !== "port-control") {
    const apart = takeApart(bytes, ports)
    const facts = apart.protocol === "flow" ? factsOfFlow(bytes, ports) : factsOfOverlay(apart)
    return { facts, found: apart.findings() }
  }
  const parsed = parse(bytes)
  const found = validate(parsed, direction === "request" ? sourceProfile(packet) : ANY_PROFILE)
  return { facts: factsOf(bytes, parsed), found }
}

/** With its source, `validate` sees a client that names another address (RFC 6887 section 8.2). */
const sourceProfile = ({ source }: OpenedPacket) =>
  source === undefined ? ANY_PROFILE : { ...ANY_PROFILE, source: source.address }

/** Milliseconds of Unix time, with a fraction; `undefined` for a packet without a time. */
export const millisecondsOf = ({ at }: OpenedPacket): number | undefined =>
  at === undefined ? undefined : at.seconds * 1000 + at.nanoseconds / 1e6
