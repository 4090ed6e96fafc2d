import { Protocol, u16 } from "../../wire/index.ts"
import { type Drop, drop } from "./drop.ts"
import type { Content, IpPacket } from "./packet.ts"
import { Icmp4, Icmp6 } from "./protocol.ts"

/** What the IP header and its extensions said, before the payload is looked at. */
export interface IpHeader
  extends Omit<IpPacket, "ok" | "content" | "sourcePort" | "destinationPort" | "checksumAt" | "embedded"> {
  /** Is it a packet in an ICMP error? */
  readonly embedded: boolean
}

/** Octets that an ICMP error always quotes of the transport header (RFC 792), and where ports and identifiers stand. */
const QUOTED = 8

export const readTransport = (ip: IpHeader): IpPacket | Drop => {
  const { bytes, payload, protocol } = ip
  const room = ip.end - payload
  const inFragments = ip.moreFragments || ip.fragmentOffset > 0
  if (inFragments && !ip.embedded) {
    const data = ip.start + ip.totalLength - payload
    if ((ip.moreFragments && (data & 7) !== 0) || ip.fragmentOffset + data > 0xffff)
      return drop("bad-fragment", payload)
    // RFC 1858 section 3.2.2: flags of a TCP header are not for a second fragment to write over.
    if (ip.fragmentOffset === 8 && protocol === Protocol.TCP) return drop("tiny-fragment", payload)
  }
  if (ip.fragmentOffset > 0) return packetOf(ip, "fragment", 0, 0, 0)
  switch (protocol) {
    case Protocol.TCP: {
      if (room < (ip.embedded ? QUOTED : 20)) return short(ip)
      if (!ip.embedded) {
        const header = (bytes[payload + 12] >>> 4) * 4
        if (header < 20 || header > room) return drop(inFragments ? "tiny-fragment" : "bad-tcp-offset", payload + 12)
      }
      return withPorts(ip, room < 18 ? 0 : payload + 16)
    }
    case Protocol.UDP: {
      if (room < QUOTED) return short(ip)
      const length = u16(bytes, payload + 4)
      if (!ip.embedded && (length < 8 || (length > room && !inFragments))) return drop("bad-udp-length", payload + 4)
      return withPorts(ip, payload + 6)
    }
    case Protocol.UDP_LITE: {
      if (room < QUOTED) return short(ip)
      const coverage = u16(bytes, payload + 4)
      if (!ip.embedded && coverage !== 0 && (coverage < 8 || (coverage > room && !inFragments)))
        return drop("bad-udp-lite-coverage", payload + 4)
      return withPorts(ip, payload + 6)
    }
    case Protocol.DCCP:
      return room < (ip.embedded ? QUOTED : 12) ? short(ip) : withPorts(ip, payload + 6)
    case Protocol.SCTP:
      return room < (ip.embedded ? QUOTED : 12) ? short(ip) : withPorts(ip, 0)
    case Protocol.ICMP:
      return ip.version === 4 ? readIcmp(ip, content4(bytes[payload]), room) : other(ip)
    case Protocol.ICMPV6:
      return ip.version === 6 ? readIcmp(ip, content6(bytes[payload]), room) : other(ip)
    default:
      return other(ip)
  }
}

const packetOf = (
  ip: IpHeader,
  content: Content,
  sourcePort: number,
  destinationPort: number,
  checksumAt: number,
): IpPacket => ({
  ok: true,
  bytes: ip.bytes,
  version: ip.version,
  start: ip.start,
  end: ip.end,
  totalLength: ip.totalLength,
  protocol: ip.protocol,
  payload: ip.payload,
  content,
  sourcePort,
  destinationPort,
  checksumAt,
  fragmentOffset: ip.fragmentOffset,
  moreFragments: ip.moreFragments,
  fragmentAt: ip.fragmentAt,
  segmentsLeftAt: ip.segmentsLeftAt,
  embedded: undefined,
})

const short = (ip: IpHeader): Drop =>
  drop(ip.embedded ? "bad-embedded-packet" : ip.moreFragments ? "tiny-fragment" : "short-transport", ip.end)

const other = (ip: IpHeader): IpPacket => packetOf(ip, "other", 0, 0, 0)

const withPorts = (ip: IpHeader, checksumAt: number): IpPacket =>
  packetOf(ip, "ports", u16(ip.bytes, ip.payload), u16(ip.bytes, ip.payload + 2), checksumAt)

const readIcmp = (ip: IpHeader, content: Content, room: number): IpPacket | Drop => {
  const { bytes, payload } = ip
  if (room < QUOTED) return short(ip)
  if (content === "query") {
    const identifier = u16(bytes, payload + 4)
    return packetOf(ip, content, identifier, identifier, payload + 2)
  }
  return packetOf(ip, content, 0, 0, payload + 2)
}

/** Echo, and the obsolete queries that have an identifier at the same place (RFC 792, RFC 950). */
const content4 = (type: number): Content => {
  if (type === Icmp4.ECHO || type === Icmp4.ECHO_REPLY) return "query"
  if (type === Icmp4.UNREACHABLE || type === Icmp4.TIME_EXCEEDED || type === Icmp4.PARAMETER_PROBLEM) return "error"
  return type >= Icmp4.TIMESTAMP && type <= Icmp4.ADDRESS_MASK_REPLY ? "query" : "icmp"
}

const content6 = (type: number): Content => {
  if (type === Icmp6.ECHO || type === Icmp6.ECHO_REPLY) return "query"
  return type >= Icmp6.UNREACHABLE && type <= Icmp6.PARAMETER_PROBLEM ? "error" : "icmp"
}
