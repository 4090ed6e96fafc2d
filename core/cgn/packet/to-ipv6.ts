import { type Address, i32, Protocol, putU16, putU32, u16 } from "../../wire/index.ts"
import { adjustAt, changed } from "./checksum.ts"
import type { Crossing, CrossingSettings, Translated } from "./crossing.ts"
import { type Drop, drop } from "./drop.ts"
import { dontFragment, hopLimit, identification, isFragment, sourceRouteAt, trafficClass } from "./flow.ts"
import { cutIpv6 } from "./fragment.ts"
import { icmpErrorTo6 } from "./icmp-map.ts"
import type { IpPacket } from "./packet.ts"
import { FRAGMENT_HEADER, Icmp4, Icmp6, IPV6_HEADER, IpProtocol, isPassedOver, MIN_IPV6_MTU } from "./protocol.ts"
import {
  addresses4,
  addresses6,
  copyOctets,
  icmpValue,
  pseudo6,
  putFragmentHeader,
  putIcmpChecksum,
  putIpv6Header,
  putUdpChecksum6,
} from "./put-header.ts"
import { extensionsAt } from "./read.ts"
import { fixedPorts, retouch } from "./retouch.ts"
import { isLegalIpv4Source } from "./rfc6052.ts"
import { type Allocate, allocateEach } from "./room.ts"

/**
 * An IPv4 packet translated to IPv6 (RFC 7915 section 4), with the ends that the caller found: by RFC 6052 for stateless
 * translation, from a binding for NAT64 (RFC 6146 section 3.7). Ports change where new ones are given.
 *
 * - Flow label 0, options dropped; an unexpired source route drops the packet (section 4.1).
 * - Fragments stay fragments, with the low 16 bits of the identification. What may be fragmented and is longer than
 *   `lowestIpv6Mtu` is; what may not and is longer than the next hop's MTU is dropped with that MTU less 20.
 * - Transport checksums change by the difference; UDP without one gets one, or is dropped, as the settings say.
 * - ICMP: echo, and the errors of section 4.2 with the packet in error translated (section 4.3); all else is dropped. An
 *   error longer than 1280 octets is cut there, and extensions that do not fit are left out (RFC 4443 section 2.4).
 */
export const toIpv6 = (
  packet: IpPacket,
  to: Crossing,
  settings: CrossingSettings,
  allocate: Allocate = allocateEach,
): Translated => {
  const fault = refusal(packet, settings) ?? fixedPorts(packet, to)
  if (fault !== undefined) return fault
  if (packet.embedded !== undefined) return errorToIpv6(packet, packet.embedded, to, settings)
  const fragment = isFragment(packet)
  const data = packet.end - packet.payload
  const size = IPV6_HEADER + (fragment ? FRAGMENT_HEADER : 0) + data
  if (size > settings.ipv6Mtu && dontFragment(packet)) {
    const mtu = settings.ipv6Mtu - (fragment ? 28 : 20)
    return drop("too-big", packet.start + 2, { kind: "too-big", mtu })
  }
  const lowest = Math.max(MIN_IPV6_MTU, settings.lowestIpv6Mtu)
  const cut = size > lowest && !dontFragment(packet)
  const header = IPV6_HEADER + (fragment || cut ? FRAGMENT_HEADER : 0)
  const out = allocate(header + data)
  const { source, sourcePort, destination, destinationPort } = to
  putIpv6(out, 0, packet, data, source, destination, hopLimit(packet) - settings.hops, cut, settings)
  if (!putTransport(out, 0, header, packet, sourcePort, destinationPort))
    return drop("not-translatable", packet.payload)
  if (packet.protocol === Protocol.UDP && packet.content === "ports" && u16(out, header + 6) === 0) {
    if (fragment || settings.udpZeroChecksum === "drop") return drop("udp-zero-checksum", packet.checksumAt)
    putUdpChecksum6(out, 0, header)
  }
  return { ok: true, packets: cut ? cutIpv6(out, IPV6_HEADER, lowest) : [out] }
}

const refusal = (packet: IpPacket, settings: CrossingSettings): Drop | undefined => {
  const { bytes, version, start, payload, protocol, content } = packet
  if (version !== 4) return drop("wrong-family", start)
  // Section 4.1: the source of an ICMP error is translated even so, for those who look for trouble.
  if (content !== "error" && !isLegalIpv4Source(i32(bytes, start + 12))) return drop("illegal-source", start + 12)
  const route = sourceRouteAt(packet)
  if (route !== 0) return drop("source-route", route, { kind: "source-route-failed" })
  if (settings.hops !== 0 && hopLimit(packet) <= settings.hops)
    return drop("hop-limit", start + 8, { kind: "hop-limit" })
  if (protocol === Protocol.ICMP && isFragment(packet)) return drop("fragmented-icmp", payload)
  return isForeign(protocol) || protocol === IpProtocol.IGMP || content === "icmp"
    ? drop("not-translatable", payload)
    : undefined
}

/**
 * Protocols that section 4.1 would have copied, and that IPv6 would take for what nobody looked at: ICMPv6 that was never
 * translated, and extension headers, with which a host of the IPv4 side could write a Routing or Fragment header.
 */
const isForeign = (protocol: number): boolean =>
  protocol === Protocol.ICMPV6 || protocol === IpProtocol.FRAGMENT || isPassedOver(protocol)

/** Writes IPv6 and, for a fragment or where `cut` asks for one, Fragment header at `at`, and copies `data` octets of payload behind. */
const putIpv6 = (
  out: Uint8Array,
  at: number,
  packet: IpPacket,
  data: number,
  source: Address,
  destination: Address,
  hops: number,
  cut: boolean,
  settings: CrossingSettings,
): void => {
  const fragment = cut || isFragment(packet) ? FRAGMENT_HEADER : 0
  putIpv6Header(out, at, {
    trafficClass: settings.trafficClass === "copy" ? trafficClass(packet) : settings.trafficClass,
    payloadLength: upperLength(packet) + fragment,
    nextHeader: packet.protocol === Protocol.ICMP ? Protocol.ICMPV6 : packet.protocol,
    hopLimit: hops,
    source,
    destination,
  })
  if (fragment !== 0)
    putFragmentHeader(out, at, packet.fragmentOffset | (packet.moreFragments ? 1 : 0), identification(packet))
  copyOctets(out, at + IPV6_HEADER + fragment, packet.bytes, packet.payload, packet.payload + data)
}

/** Octets behind the IPv4 header as it has them; in an ICMP error some may be cut off. */
const upperLength = (packet: IpPacket): number => packet.totalLength - (packet.payload - packet.start)

/** Makes the copied transport header at `at` one of the IPv6 packet at `ip`; `false`: an ICMP message that has no counterpart. */
const putTransport = (
  out: Uint8Array,
  ip: number,
  at: number,
  packet: IpPacket,
  sourcePort: number | undefined,
  destinationPort: number | undefined,
): boolean => {
  if (packet.content === "ports") {
    // The pseudo-headers differ in their addresses alone: the words that go count inverted.
    const removed = 4 * 0xffff - addresses4(packet.bytes, packet.start)
    retouch(out, at, packet, removed + addresses6(out, ip), sourcePort, destinationPort)
    return true
  }
  if (packet.content !== "query") return packet.content !== "icmp"
  const type = out[at]
  if (type !== Icmp4.ECHO && type !== Icmp4.ECHO_REPLY) return false
  const before = u16(out, at)
  out[at] = type === Icmp4.ECHO ? Icmp6.ECHO : Icmp6.ECHO_REPLY
  const pseudo = pseudo6(out, ip, upperLength(packet), Protocol.ICMPV6)
  retouch(out, at, packet, 0, sourcePort, destinationPort)
  adjustAt(out, at + 2, changed(before, u16(out, at)) + pseudo)
  return true
}

const errorToIpv6 = (packet: IpPacket, inner: IpPacket, to: Crossing, settings: CrossingSettings): Translated => {
  const { bytes, payload } = packet
  if (inner.protocol === Protocol.ICMP && isFragment(inner)) return drop("fragmented-icmp", inner.start)
  if (isForeign(inner.protocol) || inner.content === "icmp") return drop("not-translatable", inner.payload)
  const value = icmpValue(bytes, payload)
  const mapped = icmpErrorTo6(bytes[payload], bytes[payload + 1], value, {
    mtu: value & 0xffff,
    totalLength: inner.totalLength,
    fragment: false,
    ipv4Mtu: settings.ipv4Mtu,
    ipv6Mtu: settings.ipv6Mtu,
  })
  if (mapped === undefined) return drop("not-translatable", payload)
  const icmp = IPV6_HEADER
  const room = MIN_IPV6_MTU - icmp - 8
  const header = IPV6_HEADER + (isFragment(inner) ? FRAGMENT_HEADER : 0)
  const data = Math.min(inner.end - inner.payload, room - header)
  const quoted = header + data
  const from = extensionsAt(packet)
  const padded = Math.max(128, (quoted + 7) & ~7)
  const extended = mapped.type === Icmp6.UNREACHABLE || mapped.type === Icmp6.TIME_EXCEEDED
  const extensions = extended && padded + packet.end - from <= room ? packet.end - from : 0
  const length = 8 + (extensions > 0 ? padded + extensions : quoted)
  const out = new Uint8Array(icmp + length)
  putIpv6Header(out, 0, {
    trafficClass: settings.trafficClass === "copy" ? trafficClass(packet) : settings.trafficClass,
    payloadLength: length,
    nextHeader: Protocol.ICMPV6,
    hopLimit: hopLimit(packet) - settings.hops,
    source: to.errorSource ?? to.source,
    destination: to.destination,
  })
  putU16(out, icmp, (mapped.type << 8) | mapped.code)
  putU32(out, icmp + 4, mapped.value)
  const at = icmp + 8
  putIpv6(out, at, inner, data, to.destination, to.source, hopLimit(inner), false, settings)
  if (!putTransport(out, at, at + header, inner, to.destinationPort, to.sourcePort))
    return drop("not-translatable", inner.payload)
  if (extensions > 0) {
    out[icmp + 4] = padded / 8
    copyOctets(out, at + padded, bytes, from, packet.end)
  }
  putIcmpChecksum(out, icmp, pseudo6(out, 0, length, Protocol.ICMPV6))
  return { ok: true, packets: [out] }
}
