import { type Address, addressWord, putU16, putU32, u16, u32, writeAddress } from "../../wire/index.ts"
import { fold, sumOctets } from "./checksum.ts"
import { IPV4_HEADER, IPV6_HEADER, IpProtocol } from "./protocol.ts"

/** What a new IPv4 header without options says. */
export interface Ipv4Header {
  readonly tos: number
  /** Octets of the whole packet. */
  readonly totalLength: number
  readonly identification: number
  /** Flags and fragment offset, as the header's third 16-bit word has them. */
  readonly fragment: number
  readonly timeToLive: number
  readonly protocol: number
  readonly source: Address
  readonly destination: Address
}

/** Writes 20 octets at `at`, the checksum among them. */
export const putIpv4Header = (out: Uint8Array, at: number, header: Ipv4Header): void => {
  out[at] = 0x45
  out[at + 1] = header.tos
  putU16(out, at + 2, header.totalLength)
  putU16(out, at + 4, header.identification)
  putU16(out, at + 6, header.fragment)
  out[at + 8] = header.timeToLive
  out[at + 9] = header.protocol
  putU16(out, at + 10, 0)
  putU32(out, at + 12, addressWord(header.source, 3))
  putU32(out, at + 16, addressWord(header.destination, 3))
  putU16(out, at + 10, ~fold(sumOctets(out, at, at + IPV4_HEADER, 0)) & 0xffff)
}

/** What a new IPv6 header says. */
export interface Ipv6Header {
  readonly trafficClass: number
  /** Octets behind these 40. */
  readonly payloadLength: number
  readonly nextHeader: number
  readonly hopLimit: number
  readonly source: Address
  readonly destination: Address
}

/** Writes 40 octets at `at`; the flow label is 0. */
export const putIpv6Header = (out: Uint8Array, at: number, header: Ipv6Header): void => {
  putU32(out, at, 0x60000000 | (header.trafficClass << 20))
  putU16(out, at + 4, header.payloadLength)
  out[at + 6] = header.nextHeader
  out[at + 7] = header.hopLimit
  writeAddress(out, at + 8, header.source)
  writeAddress(out, at + 24, header.destination)
}

/** Writes a Fragment header (RFC 8200 section 4.5) behind the IPv6 header at `at`; `fragment`: offset in octets, and M as bit 0. */
export const putFragmentHeader = (out: Uint8Array, at: number, fragment: number, identification: number): void => {
  const header = at + IPV6_HEADER
  out[header] = out[at + 6]
  out[header + 1] = 0
  putU16(out, header + 2, fragment)
  putU32(out, header + 4, identification)
  out[at + 6] = IpProtocol.FRAGMENT
}

/** Copies octets; for the short payloads that most packets have, a loop is faster than `set`, or the view that it needs. */
export const copyOctets = (out: Uint8Array, at: number, bytes: Uint8Array, from: number, to: number): void => {
  if (to - from > 96) out.set(to - from === bytes.length ? bytes : bytes.subarray(from, to), at)
  else for (let i = from, o = at; i < to; i++, o++) out[o] = bytes[i]
}

/** The sum of the IPv6 pseudo-header (RFC 8200 section 8.1) with the addresses of the header at `at`. */
export const pseudo6 = (bytes: Uint8Array, at: number, length: number, protocol: number): number =>
  addresses6(bytes, at) + (length >>> 16) + (length & 0xffff) + protocol

/** The sum of the 16 words of addresses in the IPv6 header at `at`. */
export const addresses6 = (bytes: Uint8Array, at: number): number => sumOctets(bytes, at + 8, at + IPV6_HEADER, 0)

/** The sum of the 4 words of addresses in the IPv4 header at `at`. */
export const addresses4 = (bytes: Uint8Array, at: number): number => sumOctets(bytes, at + 12, at + IPV4_HEADER, 0)

/** Writes the checksum of an ICMP message from `at` to the end of `out`; `pseudo`: the sum of its pseudo-header, 0 for ICMP. */
export const putIcmpChecksum = (out: Uint8Array, at: number, pseudo: number): void => {
  putU16(out, at + 2, 0)
  putU16(out, at + 2, ~fold(sumOctets(out, at, out.length, pseudo)) & 0xffff)
}

/**
 * Gives the UDP datagram at `at` a checksum for the IPv6 header at `ip`, all of it being there; a sum of zero is sent as
 * ones (RFC 8200 section 8.1).
 */
export const putUdpChecksum6 = (out: Uint8Array, ip: number, at: number): void => {
  const length = u16(out, at + 4)
  const checksum = ~fold(sumOctets(out, at, at + length, pseudo6(out, ip, length, 17))) & 0xffff
  putU16(out, at + 6, checksum === 0 ? 0xffff : checksum)
}

/** The 32 bits behind the checksum of an ICMP message. */
export const icmpValue = (bytes: Uint8Array, at: number): number => u32(bytes, at + 4)
