import { type Address, Protocol, putU16, putU32, u16 } from "../../wire/index.ts"
import { adjustAt, changed } from "./checksum.ts"
import type { Crossing, CrossingSettings, Translated } from "./crossing.ts"
import { type Drop, drop } from "./drop.ts"
import { hopLimit, identification, isFragment, trafficClass } from "./flow.ts"
import { cutIpv4 } from "./fragment.ts"
import { icmpErrorTo4 } from "./icmp-map.ts"
import type { IpPacket } from "./packet.ts"
import {
  Icmp4,
  Icmp6,
  IPV4_HEADER,
  IpProtocol,
  isPassedOver,
  MIN_IPV4_MTU,
  MIN_IPV6_MTU,
  UNMARKED,
} from "./protocol.ts"
import { addresses4, addresses6, copyOctets, icmpValue, pseudo6, putIcmpChecksum, putIpv4Header } from "./put-header.ts"
import { extensionsAt } from "./read.ts"
import { fixedPorts, retouch } from "./retouch.ts"
import { isUnicast6 } from "./rfc6052.ts"
import { type Allocate, allocateEach } from "./room.ts"

/**
 * An IPv6 packet translated to IPv4 (RFC 7915 section 5), with the ends that the caller found: by RFC 6052 for stateless
 * translation, from a binding for NAT64 (RFC 6146 section 3.7). Ports change where new ones are given.
 *
 * `packetId` is the next of the translator's generator of IPv4 identifications, for packets without a Fragment header.
 *
 * - Hop-by-hop options, destination options and routing headers are passed over; segments left drop the packet with the
 *   pointer to them (section 5.1). A fragment whose data begins with an extension header is dropped (section 5.1.1).
 * - DF is set on whole packets of more than 1260 octets alone. What has no DF and is longer than the next hop's MTU goes in
 *   fragments; what has is dropped with that MTU plus 20.
 * - Transport checksums change by the difference. UDP without one, which RFC 6936 allows to tunnels, stays without.
 * - ICMPv6: echo, and the errors of section 5.2 with the packet in error translated (section 5.3); all else is dropped.
 */
export const toIpv4 = (
  packet: IpPacket,
  to: Crossing,
  packetId: number,
  settings: CrossingSettings,
  allocate: Allocate = allocateEach,
): Translated => {
  const fault = refusal(packet, settings) ?? fixedPorts(packet, to)
  if (fault !== undefined) return fault
  const made =
    packet.embedded === undefined
      ? plain(packet, to, packetId, settings, allocate)
      : error(packet, packet.embedded, to, packetId, settings)
  if (!(made instanceof Uint8Array)) return made
  if (made.length <= settings.ipv4Mtu) return { ok: true, packets: [made] }
  const unmarked = (made[6] & 0x40) === 0
  if (unmarked && settings.ipv4Mtu >= MIN_IPV4_MTU) return { ok: true, packets: cutIpv4(made, settings.ipv4Mtu) }
  return tooBig(packet, settings)
}

const tooBig = (packet: IpPacket, { ipv4Mtu }: CrossingSettings): Drop =>
  drop("too-big", packet.start + 4, { kind: "too-big", mtu: Math.max(MIN_IPV6_MTU, ipv4Mtu + 20) })

const refusal = (packet: IpPacket, settings: CrossingSettings): Drop | undefined => {
  const { bytes, version, start, payload, protocol, content, segmentsLeftAt, fragmentAt } = packet
  if (version !== 6) return drop("wrong-family", start)
  if (content !== "error" && !isLegalIpv6Source(bytes, start + 8)) return drop("illegal-source", start + 8)
  if (segmentsLeftAt !== 0)
    return drop("routing-header", segmentsLeftAt, { kind: "parameter", pointer: segmentsLeftAt - start })
  if (settings.hops !== 0 && hopLimit(packet) <= settings.hops)
    return drop("hop-limit", start + 7, { kind: "hop-limit" })
  if (fragmentAt !== 0 && isExtension(bytes[fragmentAt])) return drop("fragmented-extension", fragmentAt)
  if (protocol === Protocol.ICMPV6 && isFragment(packet)) return drop("fragmented-icmp", payload)
  // ICMP over IPv6 would come out as if it had been translated.
  return protocol === Protocol.ICMP || content === "icmp" ? drop("not-translatable", payload) : undefined
}

/** The unspecified address, loopback, link-local, multicast: never a source beyond their own link (RFC 4291 section 2.5). */
const isLegalIpv6Source = (bytes: Uint8Array, at: number): boolean =>
  (u16(bytes, at) & 0xffc0) !== 0xfe80 && isUnicast6(bytes, at)

/** Of RFC 7045 section 4, without ESP (section 5.1.1): mobility, HIP and Shim6 among them. */
const isExtension = (next: number): boolean =>
  isPassedOver(next) || next === IpProtocol.AH || next === 135 || next === 139 || next === 140

const plain = (
  packet: IpPacket,
  to: Crossing,
  packetId: number,
  settings: CrossingSettings,
  allocate: Allocate,
): Uint8Array | Drop => {
  const total = IPV4_HEADER + packet.end - packet.payload
  if (total > 0xffff) return tooBig(packet, settings)
  const out = allocate(total)
  putIpv4(out, 0, packet, to.source, to.destination, hopLimit(packet) - settings.hops, packetId, settings)
  if (!putTransport(out, 0, packet, to.sourcePort, to.destinationPort)) return drop("not-translatable", packet.payload)
  return out
}

/** Octets behind the IPv6 headers as the first has them; in an ICMP error some may be cut off. */
const upperLength = (packet: IpPacket): number => packet.totalLength - (packet.payload - packet.start)

/** Writes the IPv4 header at `at` and copies what there is of the payload behind. */
const putIpv4 = (
  out: Uint8Array,
  at: number,
  packet: IpPacket,
  source: Address,
  destination: Address,
  timeToLive: number,
  packetId: number,
  settings: CrossingSettings,
): void => {
  const totalLength = Math.min(0xffff, IPV4_HEADER + upperLength(packet))
  const whole = packet.fragmentAt === 0
  putIpv4Header(out, at, {
    tos: settings.tos === "copy" ? trafficClass(packet) : settings.tos,
    totalLength,
    identification: whole ? packetId : identification(packet),
    fragment: whole
      ? totalLength <= UNMARKED
        ? 0
        : 0x4000
      : (packet.moreFragments ? 0x2000 : 0) | (packet.fragmentOffset >>> 3),
    timeToLive,
    protocol: packet.protocol === Protocol.ICMPV6 ? Protocol.ICMP : packet.protocol,
    source,
    destination,
  })
  copyOctets(out, at + IPV4_HEADER, packet.bytes, packet.payload, packet.end)
}

/** Makes the copied transport header one of the IPv4 packet at `ip`; `false`: an ICMPv6 message that has no counterpart. */
const putTransport = (
  out: Uint8Array,
  ip: number,
  packet: IpPacket,
  sourcePort: number | undefined,
  destinationPort: number | undefined,
): boolean => {
  const at = ip + IPV4_HEADER
  if (packet.content === "ports") {
    // The pseudo-headers differ in their addresses alone: the words that go count inverted.
    const removed = 16 * 0xffff - addresses6(packet.bytes, packet.start)
    retouch(out, at, packet, removed + addresses4(out, ip), sourcePort, destinationPort)
    return true
  }
  if (packet.content !== "query") return packet.content !== "icmp"
  const before = u16(out, at)
  out[at] = out[at] === Icmp6.ECHO ? Icmp4.ECHO : Icmp4.ECHO_REPLY
  // The pseudo-header goes: 16 words of addresses, two of the length, one of the next header.
  const removed = 19 * 0xffff - pseudo6(packet.bytes, packet.start, upperLength(packet), Protocol.ICMPV6)
  retouch(out, at, packet, 0, sourcePort, destinationPort)
  adjustAt(out, at + 2, changed(before, u16(out, at)) + removed)
  return true
}

const error = (
  packet: IpPacket,
  inner: IpPacket,
  to: Crossing,
  packetId: number,
  settings: CrossingSettings,
): Uint8Array | Drop => {
  const { bytes, payload } = packet
  if (inner.protocol === Protocol.ICMPV6 && isFragment(inner)) return drop("fragmented-icmp", inner.start)
  if (inner.protocol === Protocol.ICMP || inner.content === "icmp") return drop("not-translatable", inner.payload)
  const value = icmpValue(bytes, payload)
  const mapped = icmpErrorTo4(bytes[payload], bytes[payload + 1], value, {
    mtu: value,
    totalLength: inner.totalLength,
    fragment: inner.fragmentAt !== 0,
    ipv4Mtu: settings.ipv4Mtu,
    ipv6Mtu: settings.ipv6Mtu,
  })
  if (mapped === undefined) return drop("not-translatable", payload)
  const icmp = IPV4_HEADER
  const quoted = IPV4_HEADER + inner.end - inner.payload
  const from = extensionsAt(packet)
  const padded = Math.max(128, (quoted + 3) & ~3)
  const extensions = padded <= 255 * 4 ? packet.end - from : 0
  const total = icmp + 8 + (extensions > 0 ? padded + extensions : quoted)
  if (total > 0xffff) return tooBig(packet, settings)
  const out = new Uint8Array(total)
  putIpv4Header(out, 0, {
    tos: settings.tos === "copy" ? trafficClass(packet) : settings.tos,
    totalLength: total,
    identification: packetId,
    fragment: total <= UNMARKED ? 0 : 0x4000,
    timeToLive: hopLimit(packet) - settings.hops,
    protocol: Protocol.ICMP,
    source: to.errorSource ?? to.source,
    destination: to.destination,
  })
  putU16(out, icmp, (mapped.type << 8) | mapped.code)
  putU32(out, icmp + 4, mapped.value)
  const at = icmp + 8
  putIpv4(out, at, inner, to.destination, to.source, hopLimit(inner), 0, settings)
  if (!putTransport(out, at, inner, to.destinationPort, to.sourcePort)) return drop("not-translatable", inner.payload)
  if (extensions > 0) {
    out[icmp + 5] = padded / 4
    copyOctets(out, at + padded, bytes, from, packet.end)
  }
  putIcmpChecksum(out, icmp, 0)
  return out
}
