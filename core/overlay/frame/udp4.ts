import {
  type Address,
  type Encoded,
  ipv4Value,
  isIpv4,
  putU16,
  putU32,
  readIpv4,
  sliceOctets,
  u16,
} from "../../wire/index.ts"
import { endsEarly, type OverlayParsed, readAs, tooWide, unread, unwritable } from "../parsed.ts"
import { checksumOf, sumOctets, sumPseudo } from "./checksum.ts"
import { IpProtocol } from "./neighbor.ts"

/** Octets of an IPv4 header without options. */
export const IPV4_HEADER = 20
/** Octets of a UDP header. */
export const UDP_HEADER = 8

/** A UDP datagram in one whole IPv4 packet (RFC 791, RFC 768): header 20 and options | UDP header 8 | payload. */
export interface Udp4Packet {
  /** The octet of DSCP and ECN. */
  readonly service: number
  /** Identification, 16 bits. */
  readonly id: number
  /** Only Don't Fragment may be set of the three flags but the reserved one: 3 bits. */
  readonly flags: number
  /** Time to live. */
  readonly ttl: number
  /** Only where it is wrong: what stands there. */
  readonly headerChecksum?: number
  /** IPv4-mapped. */
  readonly source: Address
  /** IPv4-mapped. */
  readonly destination: Address
  /** IP options, a multiple of 4 octets up to 40. */
  readonly options: Uint8Array
  /** 16 bits. */
  readonly sourcePort: number
  /** 16 bits. */
  readonly destinationPort: number
  /** Only where it is not the right one: what stands there, 0 for none. */
  readonly checksum?: number
  /** What UDP carries. */
  readonly payload: Uint8Array
  /** Octets of the IP packet behind what the UDP length covers. */
  readonly slack: Uint8Array
  /** Octets behind the IP packet: the padding of a short frame. */
  readonly trailing: Uint8Array
}

const IP = "RFC 791 3.1"
const UDP = "RFC 768"

/** Reads an Ethernet payload of type 0x0800 that is an unfragmented UDP datagram. */
export const parseUdp4 = (bytes: Uint8Array): OverlayParsed<Udp4Packet> => {
  if (bytes.length < IPV4_HEADER) return endsEarly(bytes, "an IPv4 header", IPV4_HEADER, IP)
  if (bytes[0] >>> 4 !== 4) return unread("version", 0, IP, `IP version ${bytes[0] >>> 4}, not 4`)
  const header = (bytes[0] & 15) * 4
  const total = u16(bytes, 2)
  const udp = header
  if (header < IPV4_HEADER) return unread("length", 0, IP, `an IPv4 header of ${header} octets`)
  if (total < header + UDP_HEADER) return unread("length", 2, IP, `a packet of ${total} octets has no UDP header`)
  if (total > bytes.length) return endsEarly(bytes, "the IPv4 packet", total, IP)
  if (bytes[9] !== IpProtocol.UDP) return unread("value", 9, IP, `protocol ${bytes[9]} is not UDP`)
  if ((u16(bytes, 6) & 0x3fff) !== 0) return unread("value", 6, IP, "a fragment")
  const length = u16(bytes, udp + 4)
  if (length < UDP_HEADER || udp + length > total)
    return unread("length", udp + 4, UDP, `a UDP length of ${length} octets, of ${total - udp}`)
  const headerChecksum = u16(bytes, 10)
  const checksum = u16(bytes, udp + 6)
  return readAs({
    service: bytes[1],
    id: u16(bytes, 4),
    flags: bytes[6] >>> 5,
    ttl: bytes[8],
    ...(headerChecksum === ipv4Checksum(bytes, header) ? {} : { headerChecksum }),
    source: readIpv4(bytes, 12),
    destination: readIpv4(bytes, 16),
    options: sliceOctets(bytes, IPV4_HEADER, header),
    sourcePort: u16(bytes, udp),
    destinationPort: u16(bytes, udp + 2),
    ...(checksum === udp4Checksum(bytes, udp) ? {} : { checksum }),
    payload: sliceOctets(bytes, udp + UDP_HEADER, udp + length),
    slack: sliceOctets(bytes, udp + length, total),
    trailing: sliceOctets(bytes, total),
  })
}

/** What the checksum of an IPv4 header of so many octets is to be. */
export const ipv4Checksum = (bytes: Uint8Array, header: number): number =>
  checksumOf(sumOctets(bytes, 0, header, 0) - u16(bytes, 10))

/** What the checksum of the UDP datagram at `udp` is to be: a computed 0 is sent as all ones (RFC 768). */
export const udp4Checksum = (bytes: Uint8Array, udp: number): number => {
  const length = u16(bytes, udp + 4)
  const pseudo = sumPseudo(readIpv4(bytes, 12), readIpv4(bytes, 16), IpProtocol.UDP, length)
  const computed = checksumOf(sumOctets(bytes, udp, udp + length, pseudo) - u16(bytes, udp + 6))
  return computed === 0 ? 0xffff : computed
}

/** The octets of a datagram with its IPv4 header. */
export const encodeUdp4 = (packet: Udp4Packet): Encoded => {
  const { options, payload, slack, trailing, source, destination, flags } = packet
  const udp = IPV4_HEADER + options.length
  const length = UDP_HEADER + payload.length
  const total = udp + length + slack.length
  const wide = tooWide([
    ["service", packet.service, 8],
    ["id", packet.id, 16],
    ["flags", flags, 3],
    ["ttl", packet.ttl, 8],
    ["header length", udp / 4, 4],
    ["total length", total, 16],
    ["header checksum", packet.headerChecksum ?? 0, 16],
    ["checksum", packet.checksum ?? 0, 16],
    ["sourcePort", packet.sourcePort, 16],
    ["destinationPort", packet.destinationPort, 16],
  ])
  if (wide !== undefined) return wide
  if (!isIpv4(source) || !isIpv4(destination)) return unwritable("IPv4 has IPv4 addresses")
  if ((flags & 1) === 1) return unwritable("a fragment is no datagram")
  const bytes = new Uint8Array(total + trailing.length)
  bytes[0] = 0x40 | (udp / 4)
  bytes[1] = packet.service
  putU16(bytes, 2, total)
  putU16(bytes, 4, packet.id)
  bytes[6] = flags << 5
  bytes[8] = packet.ttl
  bytes[9] = IpProtocol.UDP
  putU32(bytes, 12, ipv4Value(source))
  putU32(bytes, 16, ipv4Value(destination))
  bytes.set(options, IPV4_HEADER)
  putU16(bytes, 10, packet.headerChecksum ?? ipv4Checksum(bytes, udp))
  putU16(bytes, udp, packet.sourcePort)
  putU16(bytes, udp + 2, packet.destinationPort)
  putU16(bytes, udp + 4, length)
  bytes.set(payload, udp + UDP_HEADER)
  putU16(bytes, udp + 6, packet.checksum ?? udp4Checksum(bytes, udp))
  bytes.set(slack, udp + length)
  bytes.set(trailing, total)
  return { ok: true, bytes }
}
