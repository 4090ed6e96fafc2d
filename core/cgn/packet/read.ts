import { Protocol, u16 } from "../../wire/index.ts"
import { fold, sumOctets } from "./checksum.ts"
import { type Drop, type DropCode, drop } from "./drop.ts"
import { isFragment } from "./flow.ts"
import type { IpPacket } from "./packet.ts"
import { FRAGMENT_HEADER, Icmp6, IPV4_HEADER, IPV6_HEADER, IpProtocol, isPassedOver } from "./protocol.ts"
import { readTransport } from "./transport.ts"

/**
 * Reads the IP packet at `start`, whose octets end at `limit` at the latest, in place. Total: any bytes give a packet or the
 * reason why they are none. What lies behind the packet's own length, such as Ethernet padding, does not count.
 *
 * Checked: lengths, IPv4's header checksum, the order of extension headers, that fragments are possible and hold their
 * transport header, lengths in the transport header, and of ICMP errors their checksum and the packet in error (RFC 5508
 * REQ-3). Other transport checksums are the receiver's to judge.
 *
 * IPv4 (RFC 791) and IPv6 (RFC 8200) with any options and extension headers; AH is a protocol of its own, as what it
 * protects cannot be translated (RFC 7915 section 8). Jumbograms are not known: a payload length of 0 is no payload.
 */
export const readPacket = (bytes: Uint8Array, start = 0, limit: number = bytes.length): IpPacket | Drop => {
  if (start >= limit) return drop("truncated", start)
  const version = bytes[start] >>> 4
  if (version !== 4 && version !== 6) return drop("bad-version", start)
  const packet = version === 4 ? readIpv4(bytes, start, limit, false) : readIpv6(bytes, start, limit, false)
  return packet.ok && packet.content === "error" ? readError(packet) : packet
}

/** An ICMP error with its checksum checked and the packet in error read. */
const readError = (packet: IpPacket): IpPacket | Drop => {
  const { bytes, version, start, payload, end } = packet
  if (isFragment(packet)) return drop("fragmented-icmp", payload)
  const pseudo = version === 4 ? 0 : sumOctets(bytes, start + 8, start + IPV6_HEADER, end - payload + Protocol.ICMPV6)
  if (fold(sumOctets(bytes, payload, end, pseudo)) !== 0xffff) return drop("bad-icmp-checksum", payload + 2)
  const embedded = readEmbedded(bytes, version, payload + 8, extensionsAt(packet))
  if (!embedded.ok) return embedded
  return embedded.content === "error" ? drop("embedded-error", embedded.payload) : { ...packet, embedded }
}

/**
 * The packet in error at `start` of an ICMP error of IP `version`. It may be cut short anywhere behind the first 8 octets
 * of its transport header, and its transport checksum is nobody's to check (RFC 5508 REQ-3c).
 */
const readEmbedded = (bytes: Uint8Array, version: 4 | 6, start: number, limit: number): IpPacket | Drop => {
  if (start >= limit || bytes[start] >>> 4 !== version) return drop("bad-embedded-packet", start)
  return version === 4 ? readIpv4(bytes, start, limit, true) : readIpv6(bytes, start, limit, true)
}

/**
 * Where in an ICMP error the packet in error ends and extensions begin; the packet's end where there are none. Their length
 * attribute (RFC 4884 section 4) counts 32-bit words in octet 5 of ICMP's Destination Unreachable, Time Exceeded and
 * Parameter Problem, 64-bit words in octet 4 of ICMPv6's first two.
 */
export const extensionsAt = ({ bytes, version, payload, end }: IpPacket): number => {
  const type = bytes[payload]
  const counted = version === 4 || type === Icmp6.UNREACHABLE || type === Icmp6.TIME_EXCEEDED
  const length = !counted ? 0 : version === 4 ? bytes[payload + 5] * 4 : bytes[payload + 4] * 8
  // A length that cannot be is one that a router from before RFC 4884 left in an unused field.
  return length < 128 || payload + 8 + length + 4 > end ? end : payload + 8 + length
}

/** In an ICMP error, whatever is wrong with the packet in error is one thing: nobody can say whose it was. */
const fault = (code: DropCode, offset: number, embedded: boolean): Drop =>
  drop(embedded ? "bad-embedded-packet" : code, offset)

const readIpv4 = (bytes: Uint8Array, start: number, limit: number, embedded: boolean): IpPacket | Drop => {
  if (limit - start < IPV4_HEADER) return fault("truncated", limit, embedded)
  const header = (bytes[start] & 15) * 4
  const totalLength = u16(bytes, start + 2)
  if (header < IPV4_HEADER || header > totalLength) return fault("bad-header-length", start, embedded)
  const end = start + totalLength
  if (start + header > limit || (end > limit && !embedded)) return fault("truncated", limit, embedded)
  if (fold(sumOctets(bytes, start, start + header, 0)) !== 0xffff)
    return fault("bad-header-checksum", start + 10, embedded)
  const fragment = u16(bytes, start + 6)
  return readTransport({
    bytes,
    version: 4,
    start,
    end: Math.min(end, limit),
    totalLength,
    protocol: bytes[start + 9],
    payload: start + header,
    fragmentOffset: (fragment & 0x1fff) * 8,
    moreFragments: (fragment & 0x2000) !== 0,
    fragmentAt: 0,
    segmentsLeftAt: 0,
    embedded,
  })
}

const readIpv6 = (bytes: Uint8Array, start: number, limit: number, embedded: boolean): IpPacket | Drop => {
  if (limit - start < IPV6_HEADER) return fault("truncated", limit, embedded)
  const totalLength = IPV6_HEADER + u16(bytes, start + 4)
  if (start + totalLength > limit && !embedded) return fault("truncated", limit, embedded)
  if (isMapped(bytes, start + 8)) return fault("mapped-address", start + 8, embedded)
  if (isMapped(bytes, start + 24)) return fault("mapped-address", start + 24, embedded)
  const end = Math.min(start + totalLength, limit)
  let next = bytes[start + 6]
  let at = start + IPV6_HEADER
  let fragmentAt = 0
  let fragment = 0
  let segmentsLeftAt = 0
  for (;;) {
    if (next === IpProtocol.FRAGMENT) {
      if (fragmentAt !== 0) return fault("bad-extension-order", at, embedded)
      if (at + FRAGMENT_HEADER > end) return fault("truncated", end, embedded)
      fragmentAt = at
      fragment = u16(bytes, at + 2)
      next = bytes[at]
      at += FRAGMENT_HEADER
      // Behind the first fragment there is data, whatever next header it is part of.
      if ((fragment & 0xfff8) !== 0) break
    } else if (isPassedOver(next)) {
      if (next === IpProtocol.HOP_BY_HOP && at !== start + IPV6_HEADER)
        return fault("bad-extension-order", at, embedded)
      if (at + 8 > end) return fault("truncated", end, embedded)
      if (next === IpProtocol.ROUTING && bytes[at + 3] !== 0 && segmentsLeftAt === 0) segmentsLeftAt = at + 3
      next = bytes[at]
      at += (bytes[at + 1] + 1) * 8
      if (at > end) return fault("truncated", end, embedded)
    } else break
  }
  return readTransport({
    bytes,
    version: 6,
    start,
    end,
    totalLength,
    protocol: next,
    payload: at,
    fragmentOffset: fragment & 0xfff8,
    moreFragments: (fragment & 1) !== 0,
    fragmentAt,
    segmentsLeftAt,
    embedded,
  })
}

/** Is the address `::ffff:0:0/96`? */
const isMapped = (bytes: Uint8Array, at: number): boolean => {
  if (u16(bytes, at + 10) !== 0xffff) return false
  for (let i = 0; i < 10; i++) if (bytes[at + i] !== 0) return false
  return true
}
