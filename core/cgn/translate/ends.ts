import { addressWord, i32, isIpv4, Protocol, u16 } from "../../wire/index.ts"
import type { Change } from "../change.ts"
import { internalEndOf, isWhole } from "../dependent.ts"
import type { Step } from "../layout.ts"
import type { Realm } from "../mapping.ts"
import {
  type Allocate,
  CROSSING_DEFAULTS,
  type CrossingSettings,
  type Drop,
  embedIpv4,
  extractIpv4,
  flowOf,
  type IcmpCause,
  type IpPacket,
  isHost,
  rewrite,
  sourceAddress,
  TcpFlag,
  tcpFlags,
  toIpv4,
  toIpv6,
} from "../packet/index.ts"
import type { Reason } from "../passage.ts"
import type { Prefix } from "../rule.ts"
import { externalOf } from "../step.ts"
import { asMapped, findInbound, findOutbound } from "./find.ts"
import { firstTimeout, keep } from "./keep.ts"

/** A packet translated, in as many as it takes, or why it is not. */
export type Ended =
  | { readonly ok: true; readonly packets: readonly Uint8Array[]; readonly realm: Realm | undefined }
  | { readonly ok: false; readonly reason: Reason; readonly reply: IcmpCause | undefined }

export const no = (reason: Reason, reply?: IcmpCause): Ended & { readonly ok: false } => ({ ok: false, reason, reply })
export const stopped = ({ code, reply }: Drop): Ended & { readonly ok: false } => no(code, reply)

/** MTUs and hops of a change of family; between two translations, where a packet turns, there is no link. */
const crossingOf = ({ config }: Step, hops: 0 | 1, turns: boolean): CrossingSettings => {
  const { mtu, crossing } = config.translation
  const lowestIpv6Mtu = Math.min(crossing.lowestIpv6Mtu ?? CROSSING_DEFAULTS.lowestIpv6Mtu, mtu.inside)
  const ipv4Mtu = turns ? 65535 : mtu.outside
  return { ...CROSSING_DEFAULTS, ...crossing, lowestIpv6Mtu, ipv6Mtu: mtu.inside, ipv4Mtu, hops }
}

/**
 * A packet from inside with its external end. `prefix`: that of a NAT64, whose hosts have IPv6. Without a mapping it gets one,
 * unless it is an ICMP error or begins nothing. `turns`: it comes in again at once.
 */
export const outwards = (
  step: Step,
  packet: IpPacket,
  realm: Realm | undefined,
  prefix: Prefix | undefined,
  changes: Change[],
  allocate: Allocate,
):
  | (Ended & { readonly ok: false })
  | { readonly ok: true; readonly packets: readonly Uint8Array[]; readonly turns: boolean } => {
  const { table, config } = step
  const flow = asMapped(flowOf(packet))
  const destination = prefix === undefined ? flow.destination : extractIpv4(prefix, flow.destination)
  if (destination === undefined) return no("not-served", { kind: "no-route" })
  // Its own hairpinned packets would go round for ever (RFC 6146 section 3.5).
  if (prefix === undefined ? !isHost(flow.source) : extractIpv4(prefix, flow.source) !== undefined)
    return no("illegal-source")
  if (isIpv4(flow.source) && config.addressWords.has(addressWord(flow.source, 3))) return no("illegal-source")
  if (!isHost(destination)) return no("not-served")
  const turns = config.addressWords.has(addressWord(destination, 3))
  if (turns && !config.translation.hairpinning) return no("no-mapping")
  const isError = packet.embedded !== undefined
  const timeout = isError ? 0 : firstTimeout(step, packet)
  const found = findOutbound(step, flow, realm, timeout, absence(packet), changes)
  if (!found.ok) return no(found.reason, toldInside(packet, found.reason))
  const { row } = found.key
  const { external, externalPort } = externalOf(step, row)
  const sourcePort = isWhole(table, row) ? undefined : externalPort
  if (prefix === undefined) {
    const to = { source: external, sourcePort, destination: undefined, destinationPort: undefined }
    const made = rewrite(packet, to, 1, allocate)
    if (!made.ok) return stopped(made)
    if (!isError) keep(step, { key: found.key, packet, from: "inside" }, changes)
    return { ok: true, packets: [made.bytes], turns }
  }
  const to = { source: external, sourcePort, destination, destinationPort: undefined }
  const made = toIpv4(packet, to, identify(packet), crossingOf(step, 1, turns), allocate)
  if (!made.ok) return stopped(made)
  if (!isError) keep(step, { key: found.key, packet, from: "inside" }, changes)
  return { ok: true, packets: made.packets, turns }
}

/**
 * An identification for the IPv4 packet of an IPv6 packet that had none: of what is in it, so that no state is needed and
 * fragments of different packets differ, but for those that do not matter.
 */
const identify = ({ bytes, payload, checksumAt, totalLength }: IpPacket): number =>
  identificationOf(checksumAt === 0 ? u16(bytes, payload) : u16(bytes, checksumAt), totalLength)

/** The same by the transport checksum and the octets of the whole IPv6 packet. */
export const identificationOf = (checksum: number, totalLength: number): number =>
  (checksum ^ (totalLength * 0x9e37)) & 0xffff

/** Protocols whose packets a NAT64 carries (RFC 6146 section 1.2). */
const isCarried = (protocol: number): boolean =>
  protocol === Protocol.TCP || protocol === Protocol.UDP || protocol === Protocol.ICMP || protocol === Protocol.ICMPV6

/**
 * What a host is told whose packet got no mapping. Where there is none to be had, code 1 over IPv4, a soft error, rather than
 * RFC 5508 REQ-8's code 13 (RFC 6888 REQ-11), and code 3 over IPv6 (RFC 6146 section 3.5.1.1). An IPv6 host learns of protocols
 * that are not carried (RFC 6146 section 3.4).
 */
const toldInside = (packet: IpPacket, reason: Reason): IcmpCause | undefined => {
  if (reason === "no-resources" || reason === "over-quota") return { kind: "address-unreachable" }
  return reason === "not-translatable" && packet.version === 6 && !isCarried(packet.protocol)
    ? { kind: "protocol-unreachable" }
    : undefined
}

/** Why a packet from inside without a mapping is given none. */
const absence = (packet: IpPacket): Reason => {
  if (packet.embedded !== undefined) return "no-flow"
  return packet.protocol === Protocol.TCP ? "no-connection" : "not-translatable"
}

/**
 * Can a packet have come from outside with its source (RFC 1812 section 5.3.7)? From the CGN's own addresses comes only what turns:
 * two internal hosts could else be set to answer each other. Errors go over to IPv6 whatever their source (RFC 7915 section 4.1).
 */
const isFromOutside = ({ config }: Step, packet: IpPacket): boolean => {
  const source = sourceAddress(packet)
  if (packet.embedded !== undefined) return config.translation.inside.kind === "nat64" || isHost(source)
  return isHost(source) && !config.addressWords.has(addressWord(source, 3))
}

/** A packet from outside with its internal end; `hops` is 0 for one that has just turned. */
export const inwards = (
  step: Step,
  packet: IpPacket,
  prefix: Prefix | undefined,
  hops: 0 | 1,
  changes: Change[],
  allocate: Allocate,
): Ended => {
  const plain = flowOf(packet)
  const source = prefix === undefined ? plain.source : embedIpv4(prefix, plain.source)
  if (source === undefined || (hops !== 0 && !isFromOutside(step, packet))) return no("illegal-source")
  const isError = packet.embedded !== undefined
  const found = findInbound(step, prefix === undefined ? plain : { ...plain, source })
  if (!found.ok)
    return no(isError && found.reason === "no-mapping" ? "no-flow" : found.reason, told(step, packet, found.reason))
  const { internal, internalPort, realm } = internalEndOf(step.table, found.key.row)
  const destinationPort = isWhole(step.table, found.key.row) ? undefined : internalPort
  if (prefix === undefined) {
    const to = { source: undefined, sourcePort: undefined, destination: internal, destinationPort }
    const made = rewrite(packet, to, hops, allocate)
    if (!made.ok) return stopped(made)
    if (!isError) keep(step, { key: found.key, packet, from: "outside" }, changes)
    return { ok: true, packets: [made.bytes], realm }
  }
  const errorSource = isError ? embedIpv4(prefix, sourceAddress(packet)) : undefined
  const to = { source, sourcePort: undefined, destination: internal, destinationPort, errorSource }
  const made = toIpv6(packet, to, crossingOf(step, hops, false), allocate)
  if (!made.ok) return stopped(made)
  if (!isError) keep(step, { key: found.key, packet, from: "outside" }, changes)
  return { ok: true, packets: made.packets, realm }
}

/**
 * What the sender of a packet from outside is told at once that nobody is to get, by the settings: nothing of a SYN, whose
 * connection the host inside may be opening as well (RFC 5382 REQ-4). A query is for no port (RFC 6146 section 3.5.3), and
 * other protocols have none (section 3.4).
 */
const told = ({ config }: Step, packet: IpPacket, reason: Reason): IcmpCause | undefined => {
  if (!config.translation.filteredErrors) return undefined
  if ((tcpFlags(packet) & (TcpFlag.SYN | TcpFlag.ACK)) === TcpFlag.SYN) return undefined
  if (reason === "filtered") return { kind: "prohibited" }
  if (!isCarried(packet.protocol)) return { kind: "protocol-unreachable" }
  return { kind: packet.content === "query" ? "address-unreachable" : "port-unreachable" }
}

/** An identification of 32 bits for the fragments of a softwire's packet, of the IPv4 packet's own and its checksum. */
export const identifyTunnel = ({ bytes, start }: IpPacket): number =>
  (u16(bytes, start + 4) << 16) | (i32(bytes, start + 8) & 0xffff)
