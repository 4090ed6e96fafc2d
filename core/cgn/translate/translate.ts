import { nextDue, word } from "../../table/index.ts"
import { addressWord, ipv4Value, Protocol, u32 } from "../../wire/index.ts"
import { type Change, counted } from "../change.ts"
import { type CgnState, instantOf, MAPPING, MappingWord, type Step } from "../layout.ts"
import type { Realm } from "../mapping.ts"
import {
  type Allocate,
  allocateEach,
  type Drop,
  destinationAddress,
  type Flow,
  fitLink,
  flowOf,
  hopLimit,
  type IcmpCause,
  type IpPacket,
  icmpError,
  isFragment,
  readPacket,
  rewrite,
  TcpFlag,
  tcpFlags,
} from "../packet/index.ts"
import { type Out, type Passage, type Passed, type Reason, reasonIndex, type Side } from "../passage.ts"
import { externalOf, sealed, stepOf } from "../step.ts"
import { findInbound, findOutbound } from "./find.ts"
import { gather } from "./fragments.ts"
import { firstTimeout, keep } from "./keep.ts"
import { internalEndOf } from "./session.ts"

/** A packet on its way. */
interface Carried {
  readonly packet: IpPacket
  readonly side: Side
  readonly realm: Realm | undefined
}

/** Where a packet goes, or why it does not. */
type Way =
  | { readonly ok: true; readonly side: Side; readonly bytes: Uint8Array; readonly realm: Realm | undefined }
  | { readonly ok: false; readonly reason: Reason; readonly reply: IcmpCause | undefined }

/**
 * A packet at a NAPT44 (RFC 4787, RFC 5382, RFC 5508), by the mappings that PCP, the administrator and traffic have made;
 * from the inside it makes an implicit one where there is none. What it changes is in `changes`, as with a request; a packet
 * that goes no further changes nothing but a counter of the vector `packet`.
 *
 * Fragments wait until their packet is whole, which then goes on in as many as the next link wants. How many ICMP errors are
 * sent in a second is the caller's to limit (RFC 1812 section 4.3.2.8).
 */
export const translate = (
  state: CgnState,
  { bytes, now, side, realm }: Passage,
  allocate: Allocate = allocateEach,
): Passed<CgnState> => {
  const packet = readPacket(bytes)
  if (!packet.ok) return lost(state, { kind: "dropped", reason: packet.code })
  const from = side === "inside" ? realm : undefined
  if (!isFragment(packet)) return carry(state, { packet, side, realm: from }, now, allocate)
  const gathered = gather(state.waiting ?? [], packet, side, from, now, state.config.translation.fragments)
  const after = { ...state, waiting: gathered.waiting }
  switch (gathered.kind) {
    case "waits":
      return { state: after, out: { kind: "kept" }, changes: [], next: undefined }
    case "dropped":
      return lost(after, { kind: "dropped", reason: gathered.reason })
    case "whole":
      return carry(after, { packet: gathered.packet, side, realm: from }, now, allocate)
  }
}

const lost = (state: CgnState, out: Extract<Out, { readonly reason: Reason }>): Passed<CgnState> => ({
  state,
  out,
  changes: [counted("packet", reasonIndex(out.reason))],
  next: undefined,
})

const carry = (state: CgnState, carried: Carried, now: number, allocate: Allocate): Passed<CgnState> => {
  const step = stepOf(state, now)
  const changes: Change[] = []
  const way = wayOf(step, carried, changes, allocate)
  if (!way.ok) return lost(state, refusal(step, carried, way.reason, way.reply))
  const packets = fit(step, way.side, way.bytes)
  if (!packets.ok) return lost(state, refusal(step, carried, packets.code, packets.reply))
  const out: Out = { kind: "forwarded", side: way.side, packets: packets.packets, realm: way.realm }
  if (changes.length === 0) return { state, out, changes, next: undefined }
  const due = nextDue(step.table)
  return { state: sealed(step), out, changes, next: due === undefined ? undefined : instantOf(step.config, due) }
}

/** A packet as the link on a side carries it. */
const fit = (
  { config }: Step,
  side: Side,
  bytes: Uint8Array,
): { readonly ok: true; readonly packets: readonly Uint8Array[] } | Drop => {
  const mtu = config.translation.mtu[side]
  if (bytes.length <= mtu) return { ok: true, packets: [bytes] }
  const packet = readPacket(bytes)
  return packet.ok ? fitLink(packet, mtu) : packet
}

const no = (reason: Reason, reply?: IcmpCause): Way => ({ ok: false, reason, reply })
const stopped = ({ code, reply }: Drop): Way => no(code, reply)

const wayOf = (step: Step, carried: Carried, changes: Change[], allocate: Allocate): Way => {
  const { packet, side } = carried
  if (packet.version !== 4) return no("wrong-family")
  if (hopLimit(packet) <= 1) return no("hop-limit", { kind: "hop-limit" })
  if (side === "outside") return inwards(step, packet, flowOf(packet), 1, changes, allocate)
  const out = outwards(step, carried, changes, allocate)
  if (!out.ok || !step.config.addressValues.has(u32(packet.bytes, packet.start + 16))) return out
  // To an external address of this CGN: in again, so that whoever gets it sees its sender's external end (RFC 4787 REQ-9).
  if (!step.config.translation.hairpinning) return no("no-mapping")
  const turned = readPacket(out.bytes)
  return turned.ok ? inwards(step, turned, flowOf(turned), 0, changes, allocate) : stopped(turned)
}

/** Is this an address of one host elsewhere: not of this network, loopback, multicast or beyond? */
const isHost = (address: Flow["source"]): boolean => {
  const first = addressWord(address, 3) >>> 24
  return first !== 0 && first !== 127 && first < 224
}

const outwards = (step: Step, { packet, realm }: Carried, changes: Change[], allocate: Allocate): Way => {
  const flow = flowOf(packet)
  const { table, config } = step
  const isError = packet.embedded !== undefined
  if (!isHost(flow.source) || config.addressValues.has(ipv4Value(flow.source))) return no("illegal-source")
  if (!isHost(flow.destination)) return no("not-served")
  const timeout = isError ? 0 : firstTimeout(step, packet, isRequest(packet))
  const found = findOutbound(step, flow, realm, timeout, absence(packet), changes)
  if (!found.ok) return no(found.reason, found.reason === "no-resources" ? { kind: "prohibited" } : undefined)
  const { row } = found.key
  const { external, externalPort } = externalOf(step, row)
  const whole = (word(table, MAPPING, row, MappingWord.INTERNAL) & 0xffff) === 0
  const rewritten = rewrite(
    packet,
    {
      source: external,
      sourcePort: whole ? undefined : externalPort,
      destination: undefined,
      destinationPort: undefined,
    },
    1,
    allocate,
  )
  if (!rewritten.ok) return stopped(rewritten)
  if (!isError) keep(step, { key: found.key, packet, from: "inside" }, changes)
  return { ok: true, side: "outside", bytes: rewritten.bytes, realm: undefined }
}

/** Why a packet from inside without a mapping is given none. */
const absence = (packet: IpPacket): Reason => {
  if (packet.embedded !== undefined) return "no-flow"
  return packet.protocol === Protocol.TCP ? "no-connection" : "not-translatable"
}

/** Does an ICMP query ask, rather than answer? Even types ask in ICMP, but for the answer to an echo; 128 in ICMPv6. */
const isRequest = ({ content, bytes, payload }: IpPacket): boolean =>
  content === "query" && bytes[payload] !== 0 && (bytes[payload] === 8 || (bytes[payload] & 1) === 1)

const inwards = (step: Step, packet: IpPacket, flow: Flow, hops: 0 | 1, changes: Change[], allocate: Allocate): Way => {
  const { table } = step
  const isError = packet.embedded !== undefined
  const found = findInbound(step, flow)
  if (!found.ok)
    return no(isError && found.reason === "no-mapping" ? "no-flow" : found.reason, told(step, packet, found.reason))
  const { row } = found.key
  const { internal, internalPort, realm } = internalEndOf(table, row)
  const rewritten = rewrite(
    packet,
    {
      source: undefined,
      sourcePort: undefined,
      destination: internal,
      destinationPort: internalPort === 0 ? undefined : internalPort,
    },
    hops,
    allocate,
  )
  if (!rewritten.ok) return stopped(rewritten)
  if (!isError) keep(step, { key: found.key, packet, from: "outside" }, changes)
  return { ok: true, side: "inside", bytes: rewritten.bytes, realm }
}

/**
 * What the sender of a packet from outside is told that nobody is to get, by the settings: nothing of a SYN, whose connection
 * the host inside may be opening as well (RFC 5382 REQ-4).
 */
const told = ({ config }: Step, packet: IpPacket, reason: Reason): IcmpCause | undefined => {
  if (!config.translation.filteredErrors) return undefined
  if ((tcpFlags(packet) & (TcpFlag.SYN | TcpFlag.ACK)) === TcpFlag.SYN) return undefined
  return { kind: reason === "filtered" ? "prohibited" : "port-unreachable" }
}

/** What becomes of a packet that goes no further: its sender is told where there is a cause to tell. */
const refusal = (
  { config }: Step,
  { packet, side }: Carried,
  reason: Reason,
  reply: IcmpCause | undefined,
): Extract<Out, { readonly reason: Reason }> => {
  const { routers } = config.translation
  const destination = destinationAddress(packet)
  const outside = config.addressIndex.has(destination)
    ? destination
    : (routers.outside ?? config.addresses[config.pool[0]])
  const error = reply === undefined ? undefined : icmpError(packet, reply, side === "inside" ? routers.inside : outside)
  return error === undefined ? { kind: "dropped", reason } : { kind: "returned", packet: error, reason }
}
