import { isIpv4, Protocol } from "../../wire/index.ts"
import type { CgnState } from "../layout.ts"
import {
  destinationAddress,
  flowOf,
  type IpPacket,
  icmpError,
  readPacket,
  sourceAddress,
  TcpFlag,
  tcpFlags,
} from "../packet/index.ts"
import type { Side } from "../passage.ts"
import type { CgnConfig } from "../settings.ts"
import { allowError, type Credit } from "./credit.ts"
import { old, type Pile, type Piles, young } from "./fragments.ts"

/** An ICMP error that is not to be sent at once. */
export interface Late {
  /** When it is, milliseconds. */
  readonly due: number
  /** Where it goes. */
  readonly side: Side
  readonly packet: Uint8Array
  /** The connection that the host inside may open until then, which takes it back; `undefined`: nothing does. */
  readonly connection: string | undefined
}

/**
 * What a CGN remembers beside its table: fragments that wait for the rest of their packets, ICMP errors that are to come later,
 * and how many it may send now. It is in no change, and in no snapshot.
 */
export interface Waiting {
  readonly fragments: Piles
  /** In the order in which they came. */
  readonly late: readonly Late[]
  readonly credit: Credit | undefined
}

export const NOTHING_WAITS: Waiting = { fragments: [], late: [], credit: undefined }

/** How long a SYN that nobody asked for stays unanswered, milliseconds (RFC 5382 REQ-4; RFC 6146 section 4: TCP_INCOMING_SYN). */
const UNANSWERED = 6000

/** A connection by its ends outside, as the remote peer's segments have them. */
const connectionOf = (remote: string, remotePort: number, external: string, externalPort: number): string =>
  `${remote}${external}${remotePort} ${externalPort}`

/** Does a segment open a connection, as the first of it does? */
const isFirst = (packet: IpPacket): boolean => (tcpFlags(packet) & (TcpFlag.SYN | TcpFlag.ACK)) === TcpFlag.SYN

/**
 * Has the answer to an unsolicited SYN from outside wait for 6 seconds, in which the host inside may open the same connection
 * (RFC 5382 REQ-4). One that came again meanwhile is answered once; where too many wait, silently dropped (REQ-4a).
 */
export const withSyn = (waiting: Waiting, { translation }: CgnConfig, packet: IpPacket, now: number): Waiting => {
  if (!translation.filteredErrors || packet.version !== 4 || !isFirst(packet)) return waiting
  if (waiting.late.length >= translation.lateErrors) return waiting
  const { source, sourcePort, destination, destinationPort } = flowOf(packet)
  const connection = connectionOf(source, sourcePort, destination, destinationPort)
  if (waiting.late.some((one) => one.connection === connection)) return waiting
  const error = icmpError(packet, { kind: "port-unreachable" }, destination)
  if (error === undefined) return waiting
  const late: Late = { due: now + UNANSWERED, side: "outside", packet: error, connection }
  return { ...waiting, late: [...waiting.late, late] }
}

/** A packet went out, as it is outside: where it opens a connection, the SYN that came before from there is never answered. */
export const withOutbound = (state: CgnState, { protocol }: IpPacket, sent: Uint8Array): CgnState => {
  const { waiting } = state
  if (waiting === undefined || waiting.late.length === 0 || protocol !== Protocol.TCP) return state
  const packet = readPacket(sent)
  if (!packet.ok || (tcpFlags(packet) & TcpFlag.SYN) === 0) return state
  const { source, sourcePort, destination, destinationPort } = flowOf(packet)
  const connection = connectionOf(destination, destinationPort, source, sourcePort)
  const late = waiting.late.filter((one) => one.connection !== connection)
  return late.length === waiting.late.length ? state : { ...state, waiting: { ...waiting, late } }
}

/**
 * The error for a pile of fragments of which the rest has not come: to whoever sent the first of them to an address of the
 * CGN's own, where it is the host that puts them together (RFC 792, RFC 1122 section 3.3.2, RFC 8200 section 4.5): an external
 * address, or an AFTR's end of softwires. Of what only passes, the destination tells.
 */
const timeExceeded = ({ addressIndex, translation }: CgnConfig, { side, fragments }: Pile): Uint8Array | undefined => {
  const first = fragments.find(({ fragmentOffset }) => fragmentOffset === 0)
  if (first === undefined) return undefined
  const destination = destinationAddress(first)
  const { inside } = translation
  const own =
    side === "outside" ? addressIndex.has(destination) : inside.kind === "dslite" && destination === inside.aftr
  return own && isIpv4(sourceAddress(first)) === isIpv4(destination)
    ? icmpError(first, { kind: "reassembly-time" }, destination)
    : undefined
}

/** What has waited for too long goes, and its errors are due now. */
export const withoutOld = (waiting: Waiting, config: CgnConfig, now: number): Waiting => {
  const { fragments: limits, lateErrors } = config.translation
  const gone = old(waiting.fragments, now, limits.timeout)
  if (gone.length === 0) return waiting
  const late = [...waiting.late]
  for (const pile of gone) {
    const packet = timeExceeded(config, pile)
    if (packet !== undefined && late.length < lateErrors)
      late.push({ due: now, side: pile.side, packet, connection: undefined })
  }
  return { ...waiting, fragments: young(waiting.fragments, now, limits.timeout), late }
}

/** When {@link sendLate} has something to do, milliseconds; `undefined`: nothing waits. */
export const nextLate = ({ fragments, late }: Waiting, { translation }: CgnConfig): number | undefined => {
  let next =
    fragments.length === 0 ? Number.POSITIVE_INFINITY : fragments[0].since + translation.fragments.timeout * 1000
  for (const { due } of late) next = Math.min(next, due)
  return next === Number.POSITIVE_INFINITY ? undefined : next
}

/** What {@link sendLate} gives: packets to be sent, each on its side, and when to come back. */
export interface SentLate {
  /** The next state. */
  readonly state: CgnState
  /** What to send now. */
  readonly packets: readonly { readonly side: Side; readonly packet: Uint8Array }[]
  /** When to call again, milliseconds; `undefined`: nothing is late. */
  readonly next: number | undefined
}

/**
 * The ICMP errors that are due at `now`, milliseconds: Port Unreachable for SYNs that nobody asked for, 6 seconds after they came
 * (RFC 5382 REQ-4), and Time Exceeded for fragments to the CGN's own addresses whose packets never were whole. Fragments that
 * waited for too long are taken away. To be called when `next` of `translate` says so; errors beyond the settings' rate, or
 * not to be sent on a side, are not in it.
 */
export const sendLate = (state: CgnState, now: number): SentLate => {
  if (state.waiting === undefined) return { state, packets: [], next: undefined }
  const { config } = state
  const waiting = withoutOld(state.waiting, config, now)
  let { credit } = waiting
  const packets: { side: Side; packet: Uint8Array }[] = []
  for (const { due, side, packet } of waiting.late) {
    if (due > now) continue
    const allowed = allowError(config.translation, credit, side, now)
    credit = allowed.credit
    if (allowed.ok) packets.push({ side, packet })
  }
  const after: Waiting = { ...waiting, late: waiting.late.filter(({ due }) => due > now), credit }
  return { state: { ...state, waiting: after }, packets, next: nextLate(after, config) }
}
