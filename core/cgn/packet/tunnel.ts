import { type Address, u16 } from "../../wire/index.ts"
import { adjustAt, changed } from "./checksum.ts"
import type { Translated } from "./crossing.ts"
import { type Drop, drop } from "./drop.ts"
import { destinationAddress, dontFragment, isFragment, sourceAddress, trafficClass } from "./flow.ts"
import { cutIpv6 } from "./fragment.ts"
import type { IpPacket } from "./packet.ts"
import { FRAGMENT_HEADER, IPV6_HEADER, IpProtocol, MIN_IPV6_MTU } from "./protocol.ts"
import { copyOctets, putFragmentHeader, putIpv6Header } from "./put-header.ts"
import { readPacket } from "./read.ts"
import { isUnicast6 } from "./rfc6052.ts"
import { type Allocate, allocateEach, copyOf } from "./room.ts"

/** One end of an IPv4-in-IPv6 tunnel of Dual-Stack Lite, as it sends (RFC 6333 sections 5.2 and 6.2). */
export interface Tunnel {
  /** This end: the AFTR's address, or the B4's. */
  readonly local: Address
  readonly remote: Address
  /** Octets of the longest IPv6 packet on the way, at least 1280. */
  readonly mtu: number
  readonly hopLimit: number
}

/**
 * An IPv4 packet in IPv6 (RFC 2473): its traffic class is the packet's TOS (RFC 6333 section 7.1), its flow label 0. What is
 * too long for the tunnel then is fragmented as IPv6, never the IPv4 in it (RFC 6333 section 6.3); with DF it is dropped with
 * the MTU less 40 (RFC 2473 section 7.2). `identification`: 32 bits, the next of this end's, for such fragments.
 *
 * The IPv4 packet stays octet for octet: what its TTL loses it has lost in being forwarded.
 */
export const encapsulate = (
  packet: IpPacket,
  tunnel: Tunnel,
  identification: number,
  allocate: Allocate = allocateEach,
): Translated => {
  const { bytes, version, start, end } = packet
  if (version !== 4) return drop("wrong-family", start)
  const mtu = Math.max(MIN_IPV6_MTU, tunnel.mtu)
  const length = end - start
  const cut = IPV6_HEADER + length > mtu
  if (cut && dontFragment(packet)) return drop("too-big", start + 2, { kind: "too-big", mtu: mtu - IPV6_HEADER })
  const header = IPV6_HEADER + (cut ? FRAGMENT_HEADER : 0)
  // With a Fragment header, the longest IPv4 packets are beyond IPv6's payload length: in no fragment of them does it stand.
  const out = allocate(header + length)
  putIpv6Header(out, 0, {
    trafficClass: trafficClass(packet),
    payloadLength: header - IPV6_HEADER + length,
    nextHeader: IpProtocol.IPV4,
    hopLimit: tunnel.hopLimit,
    source: tunnel.local,
    destination: tunnel.remote,
  })
  if (cut) putFragmentHeader(out, 0, 0, identification)
  copyOctets(out, header, bytes, start, end)
  return { ok: true, packets: cut ? cutIpv6(out, IPV6_HEADER, mtu) : [out] }
}

/** An IPv4 packet out of a tunnel, and the tunnel's ends as its packet had them. */
export interface Decapsulated {
  readonly ok: true
  /** The sender's end: with it the inside addresses of DS-Lite are told apart (RFC 6333 section 6.6). */
  readonly remote: Address
  readonly local: Address
  readonly packet: IpPacket
}

/**
 * Takes the IPv4 packet out of an IPv6 packet (RFC 2473 section 3.3), in place where it can. Its DSCP becomes that of the
 * tunnel's packet (RFC 6333 section 7.1), its ECN what RFC 6040 section 4.2 makes of the two. Fragments are to be put together
 * first (RFC 6333 section 6.3).
 */
export const decapsulate = (outer: IpPacket): Decapsulated | Drop => {
  const { bytes, version, start, end, payload, protocol } = outer
  if (version !== 6) return drop("wrong-family", start)
  if (protocol !== IpProtocol.IPV4) return drop("not-a-tunnel", payload)
  if (isFragment(outer)) return drop("tunnel-fragment", outer.fragmentAt)
  // Whoever sends is whom its hosts' packets go back to: never a group, nobody, or this end itself (RFC 4291 sections 2.5.2 and 2.7).
  if (!isUnicast6(bytes, start + 8) || sourceAddress(outer) === destinationAddress(outer))
    return drop("illegal-source", start + 8)
  const inner = readPacket(bytes, payload, end)
  if (!inner.ok) return inner
  if (inner.version !== 4) return drop("not-a-tunnel", payload)
  const tos = carriedOver(trafficClass(inner), trafficClass(outer))
  if (tos < 0) return drop("tunnel-congestion", start)
  const packet = tos === trafficClass(inner) ? inner : withTos(inner, tos)
  return packet.ok ? { ok: true, remote: sourceAddress(outer), local: destinationAddress(outer), packet } : packet
}

const withTos = (packet: IpPacket, tos: number): IpPacket | Drop => {
  const copy = copyOf(packet.bytes, packet.start, packet.end, allocateEach)
  const before = u16(copy, 0)
  copy[1] = tos
  adjustAt(copy, 10, changed(before, u16(copy, 0)))
  return readPacket(copy)
}

/** The TOS octet of a packet that comes out of a tunnel; -1: it must be dropped. */
const carriedOver = (inner: number, outer: number): number => {
  const ecn = inner & 3
  const seen = outer & 3
  if (seen === 3) return ecn === 0 ? -1 : outer
  // ECT(1) in the tunnel is the stronger mark (RFC 6040 figure 4), but for a packet that has none.
  return (outer & 0xfc) | (seen === 1 && ecn === 2 ? 1 : ecn)
}
