import { i32, Protocol, putU16, putU32, u16 } from "../../wire/index.ts"
import { adjustAt, changed, changed32, fold, sumOctets } from "./checksum.ts"
import { IPV4_HEADER, IPV6_HEADER, UNMARKED } from "./protocol.ts"
import { copyOctets } from "./put-header.ts"
import { type Allocate, copyOf } from "./room.ts"

/**
 * Plain packets, which nearly all are: TCP or UDP, whole, without IPv4 options or IPv6 extension headers, in the bytes from
 * the first. Everything stands at a known place in them, so that they are read, rewritten and translated without a value
 * that says where; with the same octets as `readPacket`, `rewrite`, `toIpv4` and `toIpv6` have for them.
 */

/** Where a plain IPv4 packet has an end's address; its port stands at half that and 14. */
export const PlainEnd = { SOURCE: 12, DESTINATION: 16 } as const

/**
 * The protocol of a plain IPv4 packet that has a hop left, with all that `readPacket` looks at in order; 0 for any other
 * bytes, which may still be a good packet.
 */
export const plainIpv4 = (bytes: Uint8Array): number => {
  if (bytes.length < IPV4_HEADER + 8 || bytes[0] !== 0x45) return 0
  const total = u16(bytes, 2)
  if (total > bytes.length || (u16(bytes, 6) & 0x3fff) !== 0 || bytes[8] <= 1) return 0
  return fold(sumOctets(bytes, 0, IPV4_HEADER, 0)) === 0xffff ? sound(bytes, IPV4_HEADER, total, bytes[9]) : 0
}

/** The same of IPv6: with unicast addresses of more than their own link, neither of which begins with sixteen zero bits. */
export const plainIpv6 = (bytes: Uint8Array): number => {
  if (bytes.length < IPV6_HEADER + 8 || bytes[0] >>> 4 !== 6) return 0
  const total = IPV6_HEADER + u16(bytes, 4)
  if (total > bytes.length || bytes[7] <= 1 || !isWide(u16(bytes, 8)) || !isWide(u16(bytes, 24))) return 0
  return sound(bytes, IPV6_HEADER, total, bytes[6])
}

const isWide = (first: number): boolean => first !== 0 && first < 0xfe80

const sound = (bytes: Uint8Array, at: number, end: number, protocol: number): number => {
  const room = end - at
  if (protocol === Protocol.UDP) {
    const length = room < 8 ? 0 : u16(bytes, at + 4)
    return length >= 8 && length <= room ? protocol : 0
  }
  if (protocol !== Protocol.TCP || room < 20) return 0
  const header = (bytes[at + 12] >>> 4) * 4
  return header >= 20 && header <= room ? protocol : 0
}

/** Makes a transport checksum right for what a change adds to a sum; UDP's 0 says that there is none. */
const touch = (out: Uint8Array, at: number, protocol: number, delta: number): void => {
  if (protocol === Protocol.TCP) {
    adjustAt(out, at + 16, delta)
    return
  }
  if (u16(out, at + 6) === 0) return
  adjustAt(out, at + 6, delta)
  if (u16(out, at + 6) === 0) putU16(out, at + 6, 0xffff)
}

/** Gives the end at `at` of a plain IPv4 packet another address (32 bits) and port, in place; its TTL loses 1. */
export const readdress = (
  out: Uint8Array,
  at: (typeof PlainEnd)[keyof typeof PlainEnd],
  address: number,
  port: number,
): void => {
  const ends = changed32(i32(out, at), address)
  putU32(out, at, address)
  const life = u16(out, 8)
  out[8]--
  adjustAt(out, 10, ends + changed(life, life - 0x100))
  const portAt = (at >>> 1) + 14
  const before = u16(out, portAt)
  putU16(out, portAt, port)
  touch(out, IPV4_HEADER, out[9], ends + changed(before, port))
}

/** The plain IPv4 packet in room of its own. */
export const copyPlain = (bytes: Uint8Array, allocate: Allocate): Uint8Array =>
  copyOf(bytes, 0, u16(bytes, 2), allocate)

/**
 * A plain IPv6 packet as IPv4, from another source and port to `destination` (RFC 7915 section 5); `packetId` is its
 * identification.
 */
export const plainToIpv4 = (
  bytes: Uint8Array,
  source: number,
  sourcePort: number,
  destination: number,
  packetId: number,
  allocate: Allocate,
): Uint8Array => {
  const end = IPV6_HEADER + u16(bytes, 4)
  const total = end - (IPV6_HEADER - IPV4_HEADER)
  const protocol = bytes[6]
  const out = allocate(total, true)
  copyOctets(out, IPV4_HEADER, bytes, IPV6_HEADER, end)
  putU16(out, 0, 0x4500 | ((u16(bytes, 0) >>> 4) & 0xff))
  putU16(out, 2, total)
  putU16(out, 4, packetId)
  putU16(out, 6, total <= UNMARKED ? 0 : 0x4000)
  putU16(out, 8, ((bytes[7] - 1) << 8) | protocol)
  putU32(out, 12, source)
  putU32(out, 16, destination)
  const ends = sumOctets(out, 12, IPV4_HEADER, 0)
  putU16(out, 10, ~fold(sumOctets(out, 0, 10, ends)) & 0xffff)
  const before = u16(out, IPV4_HEADER)
  putU16(out, IPV4_HEADER, sourcePort)
  const removed = 16 * 0xffff - sumOctets(bytes, 8, IPV6_HEADER, 0)
  touch(out, IPV4_HEADER, protocol, removed + ends + changed(before, sourcePort))
  return out
}

/**
 * A plain IPv4 packet as IPv6, from the source whose first 96 bits are `prefix` to another destination, in four words, and
 * port (RFC 7915 section 4). UDP has a checksum.
 */
export const plainToIpv6 = (
  bytes: Uint8Array,
  prefix: readonly number[],
  d0: number,
  d1: number,
  d2: number,
  d3: number,
  destinationPort: number,
  allocate: Allocate,
): Uint8Array => {
  const end = u16(bytes, 2)
  const protocol = bytes[9]
  const out = allocate(end + IPV6_HEADER - IPV4_HEADER, true)
  copyOctets(out, IPV6_HEADER, bytes, IPV4_HEADER, end)
  putU32(out, 0, 0x60000000 | (bytes[1] << 20))
  putU16(out, 4, end - IPV4_HEADER)
  putU16(out, 6, (protocol << 8) | (bytes[8] - 1))
  putU32(out, 8, prefix[0])
  putU32(out, 12, prefix[1])
  putU32(out, 16, prefix[2])
  putU32(out, 20, i32(bytes, 12))
  putU32(out, 24, d0)
  putU32(out, 28, d1)
  putU32(out, 32, d2)
  putU32(out, 36, d3)
  const before = u16(out, IPV6_HEADER + 2)
  putU16(out, IPV6_HEADER + 2, destinationPort)
  const removed = 4 * 0xffff - sumOctets(bytes, 12, IPV4_HEADER, 0)
  touch(out, IPV6_HEADER, protocol, removed + sumOctets(out, 8, IPV6_HEADER, 0) + changed(before, destinationPort))
  return out
}
