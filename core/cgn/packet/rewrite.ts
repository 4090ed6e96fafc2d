import { type Address, Protocol, u16 } from "../../wire/index.ts"
import { adjustAt, changed } from "./checksum.ts"
import { type Drop, drop } from "./drop.ts"
import { hopLimit, sourceRouteAt } from "./flow.ts"
import type { IpPacket } from "./packet.ts"
import { fixedPorts, putIpv4Address, putIpv6Address, retouch } from "./retouch.ts"
import { type Allocate, allocateEach, copyOf } from "./room.ts"

/**
 * The new ends of a packet, as its {@link Flow} has them: of an ICMP error those of the packet in error, swapped, so that
 * an error is translated like any other packet of its direction. What is `undefined` stays.
 */
export interface Rewrite {
  readonly source: Address | undefined
  /** A port, or the identifier of an ICMP query. */
  readonly sourcePort: number | undefined
  readonly destination: Address | undefined
  /** Of an ICMP query the identifier, where no `sourcePort` is given. */
  readonly destinationPort: number | undefined
  /** Source of an ICMP error itself, where it is not `source`: a router between sent it (RFC 5508 REQ-5c). */
  readonly errorSource?: Address | undefined
}

/** Nothing new: a packet that is forwarded as it is. */
export const KEEP: Rewrite = {
  source: undefined,
  sourcePort: undefined,
  destination: undefined,
  destinationPort: undefined,
}

/** One packet out of one. */
export type Rewritten = { readonly ok: true; readonly bytes: Uint8Array } | Drop

/**
 * A copy of the packet with new ends in its own family: NAT44 of every kind, and with {@link KEEP} a router. `hops`, 0 or 1,
 * is what its TTL or hop limit loses; a packet that has no more is dropped (RFC 1812 section 5.3.1).
 *
 * - Ports: TCP, UDP, UDP-Lite, DCCP, and identifiers of ICMP queries. SCTP keeps its ports (RFC 6887 section 16.3.3); other
 *   protocols, and fragments behind the first, have none.
 * - Checksums change by the difference (RFC 1624); one that was wrong is wrong still, a UDP checksum that was not there is
 *   not there still. CRC32c needs no change.
 * - ICMP errors: type and code stay, the packet in error gets back the ends that it had (RFC 5508 REQ-4, REQ-5, REQ-7).
 * - Other ICMP messages, redirects among them, may have addresses in them: they are dropped where an end is new (RFC 5508
 *   REQ-11).
 * - ICMP with a source route, outer or inner, does not go out with a new source (RFC 5508 section 7.3).
 */
export const rewrite = (
  packet: IpPacket,
  to: Rewrite,
  hops: 0 | 1 = 1,
  allocate: Allocate = allocateEach,
): Rewritten => {
  const fault = refusal(packet, to, hops)
  if (fault !== undefined) return fault
  const out = copyOf(packet.bytes, packet.start, packet.end, allocate)
  put(out, packet.start, packet, to, hops)
  return { ok: true, bytes: out }
}

/**
 * The same in the packet's own bytes, which the caller gives away: no copy is made, and `packet` no longer holds. Gives the
 * reason why nothing was written, or `undefined`.
 */
export const rewriteInPlace = (packet: IpPacket, to: Rewrite, hops: 0 | 1 = 1): Drop | undefined => {
  const fault = refusal(packet, to, hops)
  if (fault === undefined) put(packet.bytes, 0, packet, to, hops)
  return fault
}

const refusal = (packet: IpPacket, to: Rewrite, hops: 0 | 1): Drop | undefined => {
  if (hops !== 0 && hopLimit(packet) <= hops)
    return drop("hop-limit", packet.start + (packet.version === 4 ? 8 : 7), { kind: "hop-limit" })
  if (packet.content === "icmp" && (to.source !== undefined || to.destination !== undefined))
    return drop("not-translatable", packet.payload)
  const fixed = fixedPorts(packet, to)
  if (fixed !== undefined) return fixed
  if (packet.protocol === Protocol.ICMP && packet.version === 4 && to.source !== undefined) {
    const at = sourceRouteAt(packet) || (packet.embedded === undefined ? 0 : sourceRouteAt(packet.embedded))
    if (at !== 0) return drop("source-route", at)
  }
  return undefined
}

/** Writes the new ends; `shift` is where in `packet.bytes` the first octet of `out` stood. */
const put = (out: Uint8Array, shift: number, packet: IpPacket, to: Rewrite, hops: 0 | 1): void => {
  const { embedded } = packet
  if (embedded === undefined) {
    putEnds(out, shift, packet, to.source, to.sourcePort, to.destination, to.destinationPort, hops)
    return
  }
  const source = to.errorSource ?? to.source
  const inner = putEnds(out, shift, embedded, to.destination, to.destinationPort, to.source, to.sourcePort, 0)
  if (inner !== 0) adjustAt(out, packet.checksumAt - shift, inner)
  putEnds(out, shift, packet, source, undefined, to.destination, undefined, hops)
}

/** Gives what the changes add to a sum over the whole packet. */
const putEnds = (
  out: Uint8Array,
  shift: number,
  packet: IpPacket,
  source: Address | undefined,
  sourcePort: number | undefined,
  destination: Address | undefined,
  destinationPort: number | undefined,
  hops: 0 | 1,
): number => {
  const at = packet.start - shift
  const payload = packet.payload - shift
  let addresses = 0
  if (packet.version === 6) {
    if (source !== undefined) addresses += putIpv6Address(out, at + 8, source)
    if (destination !== undefined) addresses += putIpv6Address(out, at + 24, destination)
    out[at + 7] -= hops
    return addresses + retouch(out, payload, packet, addresses, sourcePort, destinationPort)
  }
  if (source !== undefined) addresses += putIpv4Address(out, at + 12, source)
  if (destination !== undefined) addresses += putIpv4Address(out, at + 16, destination)
  let header = addresses
  if (hops !== 0) {
    const before = u16(out, at + 8)
    out[at + 8] -= hops
    header += changed(before, before - (hops << 8))
  }
  if (header !== 0) header += adjustAt(out, at + 10, header)
  return header + retouch(out, payload, packet, addresses, sourcePort, destinationPort)
}
