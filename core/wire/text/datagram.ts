import type { Address } from "../address.ts"
import { addressWord, isIpv4, writeAddress } from "../address.ts"
import { putU16, putU32 } from "../octets.ts"
import { foldChecksum, sumOctets } from "./checksum.ts"

/** A UDP payload with its two ends. */
export type Datagram = {
  /** The UDP payload. */
  readonly bytes: Uint8Array
  /** Of the same family as `destination`. */
  readonly source: Address
  /** 0 to 65535. */
  readonly sourcePort: number
  /** Of the same family as `source`. */
  readonly destination: Address
  /** 0 to 65535. */
  readonly destinationPort: number
}

const UDP = 17
const UDP_HEADER = 8
const IPV4_HEADER = 20
const IPV6_HEADER = 40
const HOP_LIMIT = 64

const inIpv4 = (d: Datagram): boolean => isIpv4(d.source) && isIpv4(d.destination)

/** Octets of IP and UDP header that {@link putDatagram} writes before the payload: 28 with two IPv4 ends, otherwise 48. */
export const headerLength = (d: Datagram): number => UDP_HEADER + (inIpv4(d) ? IPV4_HEADER : IPV6_HEADER)

/** The largest payload that one packet between these ends holds: its length fields have 16 bits (RFC 791, RFC 8200, RFC 768). */
export const payloadLimit = (d: Datagram): number => 65535 - UDP_HEADER - (inIpv4(d) ? IPV4_HEADER : 0)

/**
 * Writes an IP packet at `offset`: IPv4 (RFC 791, 20 octets, Don't Fragment, TTL 64 or on-link 1) when both ends are IPv4, otherwise IPv6
 * (RFC 8200, 40 octets; an IPv4 end then shows as its mapped address), the UDP header (RFC 768) with a valid checksum, and the
 * first `length` octets of the payload. The caller has checked the room, `headerLength(d) + length`, and `payloadLimit(d)`.
 */
export const putDatagram = (out: Uint8Array, offset: number, d: Datagram, length: number): void => {
  const udp = offset + headerLength(d) - UDP_HEADER
  if (inIpv4(d)) putIpv4(out, offset, d, UDP_HEADER + length)
  else putIpv6(out, offset, d, UDP_HEADER + length)
  putU16(out, udp, d.sourcePort)
  putU16(out, udp + 2, d.destinationPort)
  putU16(out, udp + 4, UDP_HEADER + length)
  putU16(out, udp + 6, 0)
  out.set(length === d.bytes.length ? d.bytes : d.bytes.subarray(0, length), udp + UDP_HEADER)
  // The addresses lie right before the UDP header in both families: sum them with it, then the pseudo-header's other words.
  const addresses = inIpv4(d) ? 8 : 32
  const end = udp + UDP_HEADER + length
  const checksum = foldChecksum(sumOctets(out, udp - addresses, end, UDP + UDP_HEADER + length))
  // RFC 768: a computed zero is sent as all ones, since zero says "no checksum".
  putU16(out, udp + 6, checksum === 0 ? 0xffff : checksum)
}

const putIpv4 = (out: Uint8Array, o: number, d: Datagram, length: number): void => {
  putU16(out, o, 0x4500)
  putU16(out, o + 2, IPV4_HEADER + length)
  putU32(out, o + 4, 0x00004000)
  // The local network control block, 224.0.0.0/24, is never forwarded (RFC 5771 section 4).
  out[o + 8] = addressWord(d.destination, 3) >>> 8 === 0xe00000 ? 1 : HOP_LIMIT
  out[o + 9] = UDP
  putU16(out, o + 10, 0)
  putU32(out, o + 12, addressWord(d.source, 3))
  putU32(out, o + 16, addressWord(d.destination, 3))
  putU16(out, o + 10, foldChecksum(sumOctets(out, o, o + IPV4_HEADER, 0)))
}

const putIpv6 = (out: Uint8Array, o: number, d: Datagram, length: number): void => {
  putU32(out, o, 0x60000000)
  putU16(out, o + 4, length)
  out[o + 6] = UDP
  out[o + 7] = HOP_LIMIT
  writeAddress(out, o + 8, d.source)
  writeAddress(out, o + 24, d.destination)
}
