import { word } from "../../table/index.ts"
import { ANY4, Protocol } from "../../wire/index.ts"
import type { Change } from "../change.ts"
import { choose } from "../choose.ts"
import { connectionAfter, connectionFrom, connectionTimeout } from "../connection.ts"
import { implicitAsData } from "../data.ts"
import { idleDeadline, isStatic, LOOK } from "../deadline.ts"
import { type MappedEnd, mappedEndOf } from "../dependent.ts"
import { isTranslated } from "../end.ts"
import { isZeroQuery } from "../internal.ts"
import { deadlineOf, instantOf, MAPPING, MappingWord, type Step } from "../layout.ts"
import type { Mapping } from "../mapping.ts"
import { type IpPacket, TcpFlag, tcpFlags } from "../packet/index.ts"
import type { Side } from "../passage.ts"
import { hasImplicitLeft } from "../quota.ts"
import { change, create, type External, externalOf } from "../step.ts"
import { findSubscriber } from "../subscriber.ts"
import { subscriberAfter, tidyRow } from "../sweep.ts"
import { remembersPeers } from "./admit.ts"
import { portFor } from "./port-for.ts"
import {
  findSession,
  lastSession,
  noteSession,
  type SessionKey,
  sessionConnection,
  sessionDeadline,
} from "./session.ts"

/** What of a packet decides how long its mapping stays. */
interface Kept {
  readonly key: SessionKey
  readonly packet: IpPacket
  readonly from: Side
}

/**
 * Makes the implicit mapping of an internal end, or of that and a remote peer, that has none, to last so many seconds; its
 * row, or why there is none to be had.
 */
export const makeImplicit = (
  step: Step,
  end: MappedEnd,
  timeout: number,
  changes: Change[],
): number | "no-resources" | "over-quota" => {
  const { table, config } = step
  if (!hasImplicitLeft(step, end, changes)) return "over-quota"
  const subscriber = findSubscriber(table, end.internal, end.realm)
  const suggestedPort = portFor(step, subscriber, end)
  const want = { ...end, nonce: undefined, suggested: ANY4, suggestedPort, natPmp: false, exact: false }
  const chosen = choose(step, subscriber, want, changes)
  if (!chosen.ok) return "no-resources"
  const at = { external: config.addresses[chosen.external], externalPort: chosen.port }
  const mapping = implicitOf(step, end, at, deadlineOf(config, step.now, timeout))
  const owner = subscriberAfter(step, end, subscriber, changes)
  return create(step, owner, chosen, changes, mapping)
}

const implicitOf = (step: Step, end: MappedEnd, at: External, deadline: number): Mapping => {
  const { dependence, remotePort } = end
  const mapping: Mapping = {
    kind: "implicit",
    origin: "traffic",
    protocol: end.protocol,
    internal: end.internal,
    internalPort: end.internalPort,
    realm: end.realm,
    ...at,
    remote: undefined,
    remotePort: 0,
    nonce: undefined,
    expires: instantOf(step.config, deadline),
    clientPort: 0,
    details: undefined,
  }
  const own: Mapping = isZeroQuery(end) ? { ...mapping, identifier: 0 } : mapping
  if (dependence === undefined) return own
  const port = dependence === "address-and-port-dependent" ? (remotePort ?? 0) : 0
  return { ...own, remote: end.remote, remotePort: port, dependence }
}

/** Seconds that a packet keeps an implicit mapping which is no TCP connection's. */
export const timeoutOf = ({ config }: Step, protocol: number): number => {
  if (protocol === Protocol.UDP) return config.idleTimeout.udp
  return protocol === Protocol.ICMP ? config.translation.timeouts.icmp : config.idleTimeout.tcp
}

/** Does an ICMP query ask, rather than answer? 128 in ICMPv6; in ICMP an echo, and else odd types. */
const isRequest = ({ version, bytes, payload }: IpPacket): boolean => {
  const type = bytes[payload]
  return version === 6 ? type === 128 : type === 8 || (type & 1) === 1
}

/** Seconds for which a first packet from inside makes a mapping; 0: it makes none. */
export const firstTimeout = (step: Step, packet: IpPacket): number => {
  const { protocol, content } = packet
  const { timeouts } = step.config.translation
  if (content === "query") return isRequest(packet) ? timeouts.icmp : 0
  if (content !== "ports" || !isTranslated(step.config, protocol, packet.sourcePort)) return 0
  if (protocol !== Protocol.TCP) return timeoutOf(step, protocol)
  return connectionFrom(tcpFlags(packet), "inside") === undefined ? 0 : timeouts.tcpOpening
}

/**
 * Notes that a packet passes by a mapping row: its session goes on, and the implicit mapping lives as long as that says.
 * Deadlines are whole seconds, so that a busy flow changes at most once in each. Nothing explicit is touched here: no FIN
 * or RST shortens what MAP or PEER asked for (S-135).
 */
export const keep = (step: Step, kept: Kept, changes: Change[]): void => {
  const { table, config } = step
  const { key, packet, from } = kept
  const { row, protocol } = key
  const { sessions, timeouts, refresh } = config.translation
  const refreshes = from === "inside" || refresh === "both"
  const isTcp = packet.protocol === Protocol.TCP
  if (!isTcp) {
    if (!refreshes) return
    const timeout = timeoutOf(step, protocol)
    const deadline = deadlineOf(config, step.now, timeout)
    if (from === "inside" && remembersPeers(step, row)) {
      const session = findSession(table, key)
      if (sessionDeadline(step, session) < deadline)
        noteSession(step, key, session, undefined, deadline + slackOf(timeout), sessions, changes)
    }
    prolongImplicit(step, row, deadline, from, changes)
    return
  }
  const flags = tcpFlags(packet)
  // Data from outside neither begins, ends nor prolongs anything.
  if (!refreshes && (flags & (TcpFlag.SYN | TcpFlag.FIN | TcpFlag.RST)) === 0) return
  const found = findSession(table, key)
  const until = sessionDeadline(step, found)
  const before = until === 0 ? undefined : sessionConnection(table, found)
  const reset = (flags & TcpFlag.RST) !== 0
  // A connection that is met in its middle is one to wait with: its next segment shows that it lives.
  const first = connectionFrom(flags, from) ?? (reset ? undefined : "reset")
  const connection = before === undefined ? first : connectionAfter(before, flags, from)
  if (connection === undefined) return
  const timeout = connectionTimeout(connection, {
    established: config.idleTimeout.tcp,
    opening: timeouts.tcpOpening,
    closing: timeouts.tcpClosing,
  })
  const most = deadlineOf(config, step.now, timeout)
  const over = connection === "closing" || connection === "reset"
  const isNew = connection !== before
  // What comes from outside begins a session and ends it, but does not prolong it; nor does what comes when all is said.
  const prolongs = before === undefined || (refreshes && !reset && connection !== "closing")
  const slack = timeout === config.idleTimeout.tcp ? slackOf(timeout) : 0
  const deadline = !prolongs ? Math.min(until, most + slack) : isNew || until < most ? most + slack : until
  if (isNew || deadline !== until) noteSession(step, key, found, connection, deadline, sessions, changes)
  if (over && isNew && before !== undefined) shortenImplicit(step, row, changes)
  else if (refreshes && prolongs) prolongImplicit(step, row, deadline, from, changes)
}

/** Seconds that a session is kept beyond its timeout, so that it is written once in so long and not each second. */
const slackOf = (timeout: number): number => timeout >>> 6

/** Has the implicit mapping of a row last until this second, if it would not yet. From outside it is not made anew. */
export const prolongImplicit = (step: Step, row: number, deadline: number, from: Side, changes: Change[]): void => {
  const { table } = step
  if (isStatic(table, row)) return
  let idle = idleDeadline(step, row)
  if (idle >= deadline) return
  if (idle === 0) {
    if (from === "outside") return
    // One that ran out beside what still wants the row ends before its successor.
    if (word(table, MAPPING, row, MappingWord.IDLE) !== 0) tidyRow(step, row, changes)
    idle = idleDeadline(step, row)
  }
  const mapping = implicitOf(step, mappedEndOf(table, row), externalOf(step, row), deadline)
  change(step, row, changes, idle === 0 ? "created" : "renewed", mapping)
}

/** Has the implicit mapping of a row end with the last of its sessions: the connection that kept it so long is over. */
const shortenImplicit = (step: Step, row: number, changes: Change[]): void => {
  const idle = idleDeadline(step, row)
  const last = lastSession(step, row, LOOK)
  if (idle === 0 || last === undefined || last === 0 || last >= idle) return
  change(step, row, changes, "renewed", { ...implicitAsData(step, row), expires: instantOf(step.config, last) })
}
