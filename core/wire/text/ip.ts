import type { Address } from "../address.ts"
import { readAddress, readIpv4 } from "../address.ts"
import { u16 } from "../octets.ts"
import { CLIENT_PORT, SERVER_PORT } from "../registry.ts"
import { foldChecksum, sumOctets } from "./checksum.ts"
import type { Encapsulation, SkipReason } from "./reading.ts"

/** A UDP datagram inside an IP packet; `from` and `to` bound the payload that is there. */
export type Udp = {
  readonly ip: 4 | 6
  readonly source: Address
  readonly sourcePort: number
  readonly destination: Address
  readonly destinationPort: number
  readonly from: number
  readonly to: number
  /** Octets of payload that are not there. */
  readonly missing: number
  readonly checksum: Encapsulation["udpChecksum"]
}

const UDP = 17
const HEADER = 8

/** The ports of PCP and NAT-PMP: UDP between others is left out, unless the caller names more. */
export const PORTS: ReadonlySet<number> = new Set([SERVER_PORT, CLIENT_PORT])

/**
 * The datagram in the IP packet at `from`, whose captured octets end at `end`; or why there is none.
 * IPv4 with options (RFC 791), IPv6 with extension headers (RFC 8200 section 4), UDP from or to one of `ports`.
 * Fragments are not put together; octets after the IP packet, such as Ethernet padding, do not count.
 */
export const stripIp = (
  bytes: Uint8Array,
  from: number,
  end: number,
  ports: ReadonlySet<number> = PORTS,
): Udp | SkipReason => {
  if (from >= end) return "truncated"
  const version = bytes[from] >>> 4
  return version === 4
    ? stripIpv4(bytes, from, end, ports)
    : version === 6
      ? stripIpv6(bytes, from, end, ports)
      : "not-ip"
}

const stripIpv4 = (bytes: Uint8Array, from: number, end: number, ports: ReadonlySet<number>): Udp | SkipReason => {
  if (end - from < 20) return "truncated"
  const header = (bytes[from] & 15) * 4
  // A total length of 0 is left by network cards that cut segments themselves.
  const total = u16(bytes, from + 2) || end - from
  if (header < 20 || total < header) return "malformed"
  if (bytes[from + 9] !== UDP) return "not-udp"
  if ((u16(bytes, from + 6) & 0x3fff) !== 0) return "fragment"
  return stripUdp(bytes, from, from + header, from + total, end, 4, true, ports)
}

const stripIpv6 = (bytes: Uint8Array, from: number, end: number, ports: ReadonlySet<number>): Udp | SkipReason => {
  if (end - from < 40) return "truncated"
  const total = u16(bytes, from + 4) === 0 ? end - from : 40 + u16(bytes, from + 4)
  let next = bytes[from + 6]
  let o = from + 40
  let direct = true
  for (;;) {
    if (next === UDP) return stripUdp(bytes, from, o, from + total, end, 6, direct, ports)
    const fixed = next === 44
    if (!fixed && !EXTENSIONS.has(next)) return "not-udp"
    if (o + 8 > end) return "truncated"
    if (o + 8 > from + total) return "malformed"
    // RFC 8200 section 4.5; offset 0 without "more" is the atomic fragment of RFC 6946, a whole packet.
    if (fixed && (u16(bytes, o + 2) & 0xfff9) !== 0) return "fragment"
    // With segments left the checksum covers the final destination, which stands elsewhere (RFC 8200 section 8.1).
    if (next === 43 && bytes[o + 3] !== 0) direct = false
    const length = fixed ? 8 : next === 51 ? (bytes[o + 1] + 2) * 4 : (bytes[o + 1] + 1) * 8
    next = bytes[o]
    o += length
  }
}

/** Hop-by-hop, routing, authentication header (its length counts by 4 octets), destination options, mobility, HIP, shim6. */
const EXTENSIONS: ReadonlySet<number> = new Set([0, 43, 51, 60, 135, 139, 140])

const stripUdp = (
  bytes: Uint8Array,
  ip: number,
  udp: number,
  ipEnd: number,
  end: number,
  version: 4 | 6,
  direct: boolean,
  ports: ReadonlySet<number>,
): Udp | SkipReason => {
  if (udp + HEADER > ipEnd) return "malformed"
  if (udp + HEADER > end) return "truncated"
  const sourcePort = u16(bytes, udp)
  const destinationPort = u16(bytes, udp + 2)
  if (!ports.has(sourcePort) && !ports.has(destinationPort)) return "other-port"
  const length = u16(bytes, udp + 4) || ipEnd - udp
  if (length < HEADER || udp + length > ipEnd) return "malformed"
  const to = Math.min(udp + length, end)
  return {
    ip: version,
    source: version === 4 ? readIpv4(bytes, ip + 12) : readAddress(bytes, ip + 8),
    sourcePort,
    destination: version === 4 ? readIpv4(bytes, ip + 16) : readAddress(bytes, ip + 24),
    destinationPort,
    from: udp + HEADER,
    to,
    missing: udp + length - to,
    checksum: checkUdp(bytes, ip, udp, length, to, version, direct),
  }
}

const checkUdp = (
  bytes: Uint8Array,
  ip: number,
  udp: number,
  length: number,
  to: number,
  version: 4 | 6,
  direct: boolean,
): Encapsulation["udpChecksum"] => {
  if (u16(bytes, udp + 6) === 0) return "absent"
  if (to < udp + length || !direct) return "unknown"
  const addresses = version === 4 ? sumOctets(bytes, ip + 12, ip + 20, 0) : sumOctets(bytes, ip + 8, ip + 40, 0)
  return foldChecksum(sumOctets(bytes, udp, to, addresses + UDP + length)) === 0 ? "valid" : "invalid"
}
