import { nextDue, seal, word } from "../../table/index.ts"
import { Protocol } from "../../wire/index.ts"
import type { Change } from "../change.ts"
import { type Connection, connectionAfter, connectionFrom, connectionTimeout } from "../connection.ts"
import { deadlineOf, instantOf } from "../layout.ts"
import {
  type Allocate,
  allocateEach,
  type Drop,
  destinationAddress,
  flowOf,
  type IpPacket,
  icmpError,
  KEEP,
  readPacket,
  rewrite,
  subjectOf,
  TcpFlag,
  tcpFlags,
} from "../packet/index.ts"
import type { Out, Passage, Passed, Reason, Side } from "../passage.ts"
import { isInPrefix } from "../rule.ts"
import { make, sweep } from "./apply.ts"
import { admitsAt, hasPinhole } from "./filter.ts"
import { isServed } from "./firewall.ts"
import { connectionOfRow, type FlowEnds, findFlow, flowMapping } from "./flow.ts"
import { type FirewallState, type FirewallStep, HOST, Host } from "./layout.ts"
import { stepOf } from "./map.ts"
import { deadlineOfRow, findHost } from "./row.ts"

/** A packet's ends as the firewall sees them. */
interface Ends extends FlowEnds {
  readonly remote: NonNullable<FlowEnds["remote"]>
}

/** One packet on its way. */
interface Way {
  readonly step: FirewallStep
  readonly packet: IpPacket
  readonly ends: Ends
  readonly side: Side
  readonly now: number
  readonly changes: Change[]
}

/**
 * A packet at an IPv4 or IPv6 firewall: nothing of it changes but its hop limit.
 *
 * - Out goes what internal hosts send, and opens a flow with its remote peer, an implicit mapping of that one peer, for
 *   the timeouts of the settings. A TCP segment must open a connection, or be of one or of a pinhole's.
 * - In comes what is of a flow, and what an explicit mapping lets in past its filters (RFC 6887 sections 11.1 and 13.3).
 *   Packets from the outside open no flow: only what an internal host sends takes room.
 * - ICMP errors come in for flows and pinholes, and touch neither (RFC 5382 REQ-10). Other ICMP messages than errors and
 *   queries, such as redirects, go out and do not come in.
 * - Of a packet in fragments the first decides: those behind it are of no use without it, and pass to hosts that have a
 *   flow or pinhole at all (RFC 1858 section 2). No fragment is kept.
 */
export const translateFirewall = (
  state: FirewallState,
  { bytes, now, side, realm }: Passage,
  allocate: Allocate = allocateEach,
): Passed<FirewallState> => {
  const { config } = state
  const dropped = (reason: Reason): Passed<FirewallState> => unchanged(state, { kind: "dropped", reason })
  const packet = readPacket(bytes)
  if (!packet.ok) return dropped(packet.code)
  if (packet.version !== (config.family === "ipv4" ? 4 : 6)) return dropped("wrong-family")
  const { protocol, source, sourcePort, destination, destinationPort } = flowOf(packet)
  const ends: Ends =
    side === "inside"
      ? {
          protocol,
          internal: source,
          internalPort: sourcePort,
          realm,
          remote: destination,
          remotePort: destinationPort,
        }
      : {
          protocol,
          internal: destination,
          internalPort: destinationPort,
          realm,
          remote: source,
          remotePort: sourcePort,
        }
  if (!isServed(config, ends.internal)) return dropped(side === "inside" ? "not-served" : "no-mapping")
  // An error goes to whom its packet came from (RFC 792, RFC 4443 section 2.4): as nothing here is rewritten, one that does not
  // would reach any host by the flow of another.
  if (packet.embedded !== undefined && destinationAddress(packet) !== destination) return dropped("no-flow")
  const passed = rewrite(packet, KEEP, 1, allocate)
  if (!passed.ok) return unchanged(state, refusal(state, side, packet, passed))
  const way: Way = { step: stepOf(state, now), packet, ends, side, now, changes: [] }
  const onwards = side === "inside" && isInside(way) ? "inside" : side === "inside" ? "outside" : "inside"
  const refused = onwards === side ? undefined : judge(way)
  const out: Out =
    refused !== undefined
      ? { kind: "dropped", reason: refused }
      : { kind: "forwarded", side: onwards, packets: [passed.bytes], realm: onwards === "inside" ? realm : undefined }
  if (way.changes.length === 0) return unchanged(state, out)
  const due = nextDue(way.step.table)
  const next = due === undefined ? undefined : Math.max(now, instantOf(config, due))
  return { state: { version: seal(way.step.table), config }, out, changes: way.changes, next }
}

const unchanged = (state: FirewallState, out: Out): Passed<FirewallState> => ({
  state,
  out,
  changes: [],
  next: undefined,
})

const refusal = ({ config }: FirewallState, side: Side, packet: IpPacket, { code, reply }: Drop): Out => {
  const error =
    reply === undefined || config.routers === undefined ? undefined : icmpError(packet, reply, config.routers[side])
  return error === undefined ? { kind: "dropped", reason: code } : { kind: "returned", packet: error, reason: code }
}

/** Is the remote peer an internal host too? The firewall is not between them. Told only where the settings say who is. */
const isInside = ({ step, ends }: Way): boolean =>
  step.config.inside.length > 0 && step.config.inside.some((prefix) => isInPrefix(ends.remote, prefix))

/** Why a packet does not pass; `undefined`: it does, and what it changed is done. */
const judge = (way: Way): Reason | undefined => {
  const { packet, side } = way
  const { content } = subjectOf(packet)
  // Also one in an ICMP error, which then names no ports.
  if (content === "fragment") return side === "inside" || hasAnything(way) ? undefined : "no-mapping"
  if (packet.embedded !== undefined) return isKnown(way) ? undefined : "no-flow"
  if (content === "icmp") return side === "inside" ? undefined : "filtered"
  return packet.protocol === Protocol.TCP ? judgeTcp(way) : judgeOther(way)
}

const hasAnything = ({ step, ends }: Way): boolean => {
  const host = findHost(step.table, ends.internal, ends.realm)
  return host !== 0 && word(step.table, HOST, host, Host.COUNT) + word(step.table, HOST, host, Host.FLOWS) > 0
}

/** The live flow of a packet, or 0; one that has run out is taken away first. */
const freshFlow = ({ step, ends, changes }: Way): number => {
  const row = findFlow(step.table, ends)
  return row !== 0 && sweep(step, row, changes) ? 0 : row
}

const isAdmitted = ({ step, ends }: Way): boolean => admitsAt(step, ends)

/** Of an ICMP error: is its packet one of a flow or pinhole? Messages that are no query have no flow, but the ports of one of identifier 0. */
const isKnown = (way: Way): boolean =>
  (subjectOf(way.packet).content !== "icmp" && deadlineOfRow(way.step, findFlow(way.step.table, way.ends)) !== 0) ||
  isAdmitted(way)

/** From the outside, with nothing that lets it in: has the host closed the port to this peer, or to everybody? */
const keptOut = ({ step, ends }: Way): Reason => (hasPinhole(step, ends) ? "filtered" : "no-mapping")

const judgeTcp = (way: Way): Reason | undefined => {
  const { step, packet, side } = way
  const flags = tcpFlags(packet)
  const row = freshFlow(way)
  const before = row === 0 ? undefined : connectionOfRow(step.table, row)
  if (before !== undefined) {
    const after = connectionAfter(before, flags, side)
    // A connection that is over is opened anew from the outside only where one could be opened at first.
    if (side === "outside" && after === "opening-outside" && after !== before && !isAdmitted(way)) return keptOut(way)
    // What only waits for its end is not kept by what still comes of it.
    if (after !== before || (after !== "closing" && after !== "reset")) keep(way, row, after)
    return undefined
  }
  if (side === "outside") return isAdmitted(way) ? undefined : keptOut(way)
  const first = connectionFrom(flags, side)
  if (first !== undefined) return open(way, first)
  if (!isAdmitted(way)) return "no-connection"
  // By a pinhole: the SYN came in, and this one with its ACK is the second (RFC 6146 section 3.5.2.2, V4 INIT).
  return (flags & TcpFlag.SYN) !== 0 && (flags & TcpFlag.RST) === 0 ? open(way, "established") : undefined
}

/** Of ICMP messages with an identifier: the one that asks, not the answer. A flow is of queries from the inside. */
const isQuery = ({ bytes, version, payload }: IpPacket): boolean => {
  const type = bytes[payload]
  return version === 6 ? type === 128 : type === 8 || type === 13 || type === 15 || type === 17
}

const judgeOther = (way: Way): Reason | undefined => {
  const { step, packet, side } = way
  if (packet.content === "query" && isQuery(packet) !== (side === "inside")) {
    if (isAdmitted(way)) return undefined
    return side === "inside" ? "no-flow" : keptOut(way)
  }
  const row = freshFlow(way)
  if (row !== 0) {
    if (side === "inside" || step.config.inboundRefresh) keep(way, row, undefined)
    return undefined
  }
  if (side === "inside") return open(way, undefined)
  return isAdmitted(way) ? undefined : keptOut(way)
}

const timeoutOf = ({ config }: FirewallStep, protocol: number, connection: Connection | undefined): number => {
  const { timeouts } = config
  if (connection !== undefined) return connectionTimeout(connection, timeouts.tcp)
  if (protocol === Protocol.UDP) return timeouts.udp
  return protocol === Protocol.ICMP || protocol === Protocol.ICMPV6 ? timeouts.icmp : timeouts.other
}

/** A new flow, if its host may have one more; flows of the host that have run out wait for `expire`. */
const open = ({ step, ends, now, changes }: Way, connection: Connection | undefined): Reason | undefined => {
  const { config, table } = step
  const host = findHost(table, ends.internal, ends.realm)
  if (config.flowQuota !== 0 && host !== 0 && word(table, HOST, host, Host.FLOWS) >= config.flowQuota)
    return "over-quota"
  const deadline = deadlineOf(config, now, timeoutOf(step, ends.protocol, connection))
  make(step, changes, { type: "created", mapping: flowMapping(ends, instantOf(config, deadline), connection) })
  return undefined
}

/** Deadlines are whole seconds, so that a busy flow changes at most once in each. */
const keep = ({ step, ends, now, changes }: Way, row: number, connection: Connection | undefined): void => {
  const { config, table } = step
  const deadline = deadlineOf(config, now, timeoutOf(step, ends.protocol, connection))
  if (connectionOfRow(table, row) === connection && deadlineOfRow(step, row) >= deadline) return
  make(step, changes, { type: "renewed", mapping: flowMapping(ends, instantOf(config, deadline), connection) })
}
