import { u16 } from "../octets.ts"
import { foldChecksum, sumOctets } from "./checksum.ts"
import type { Udp } from "./ip.ts"
import { PORTS, stripIp } from "./ip.ts"
import type { Link } from "./link.ts"
import { LinkType, stripLink } from "./link.ts"
import type { SkipReason } from "./reading.ts"

/** A datagram with the headers around it. */
export type Frame = { readonly link: Link; readonly udp: Udp }

/** The datagram of a frame of a known link type, or why it is left out. */
export const stripFrame = (
  linkType: number,
  bytes: Uint8Array,
  from: number,
  end: number,
  ports: ReadonlySet<number> = PORTS,
): Frame | SkipReason => {
  const link = stripLink(linkType, bytes, from, end)
  if (typeof link === "string") return link
  const udp = stripIp(bytes, link.from, end, ports)
  return typeof udp === "string" ? udp : { link, udp }
}

/**
 * The link type of octets that came without one, when they prove to be a frame: the IP version, a valid IPv4 header
 * checksum or an IPv6 payload length that fits to the octet, and for Ethernet at most its padding behind. A PCP or NAT-PMP
 * message starts with octet 0, 1 or 2 and so is never taken for an IP packet; that one passes as an Ethernet frame needs an
 * EtherType and a checksum at the right place by accident. `undefined`: no frame.
 */
export const guessLinkType = (bytes: Uint8Array): number | undefined => {
  for (const type of [LinkType.RAW, LinkType.ETHERNET, LinkType.LINUX_SLL, LinkType.LINUX_SLL2, LinkType.NULL]) {
    const link = stripLink(type, bytes, 0, bytes.length)
    if (typeof link !== "string" && isIpPacket(bytes, link.from)) return type
  }
  return undefined
}

/** Octets that Ethernet may add to a short packet, with a frame check sequence. */
const PADDING = 50

const isIpPacket = (bytes: Uint8Array, from: number): boolean => {
  const left = bytes.length - from
  if (left < 28) return false
  if (bytes[from] >>> 4 === 6) {
    const spare = left - 40 - u16(bytes, from + 4)
    return spare >= 0 && spare <= (from === 0 ? 0 : PADDING) && u16(bytes, from + 4) >= 8
  }
  const header = (bytes[from] & 15) * 4
  if (bytes[from] >>> 4 !== 4 || header < 20 || header > left) return false
  const spare = left - u16(bytes, from + 2)
  if (spare < 0 || spare > (from === 0 ? 0 : PADDING)) return false
  return foldChecksum(sumOctets(bytes, from, from + header, 0)) === 0
}

/** The likeliest link type of octets that are known to be a packet: IP by its version, else Ethernet (or SLL) by its EtherType. */
export const looseLinkType = (bytes: Uint8Array): number => {
  if (bytes.length === 0 || bytes[0] >>> 4 === 4 || bytes[0] >>> 4 === 6) return LinkType.RAW
  for (const type of [LinkType.ETHERNET, LinkType.LINUX_SLL, LinkType.LINUX_SLL2, LinkType.NULL])
    if (typeof stripLink(type, bytes, 0, bytes.length) !== "string") return type
  return LinkType.ETHERNET
}
