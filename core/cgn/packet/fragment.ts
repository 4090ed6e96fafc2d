import { putU16, u16 } from "../../wire/index.ts"
import { adjust, changed, fold, sumOctets } from "./checksum.ts"
import type { Translated } from "./crossing.ts"
import { drop } from "./drop.ts"
import { dontFragment } from "./flow.ts"
import type { IpPacket } from "./packet.ts"
import { FRAGMENT_HEADER, IPV4_HEADER, MIN_IPV4_MTU, MIN_IPV6_MTU } from "./protocol.ts"
import { allocateEach, copyOf } from "./room.ts"

/**
 * A packet as the next link carries it: as it is, in fragments (IPv4 without DF, RFC 791 section 2.3, RFC 4787 REQ-13a), or
 * dropped with the MTU to tell its sender (RFC 4787 REQ-13, RFC 8201).
 */
export const fitLink = (packet: IpPacket, mtu: number): Translated => {
  const { bytes, start, end } = packet
  if (end - start <= mtu) return { ok: true, packets: [copyOf(bytes, start, end, allocateEach)] }
  if (dontFragment(packet) || mtu < MIN_IPV4_MTU) {
    const told = packet.version === 6 ? Math.max(mtu, MIN_IPV6_MTU) : mtu
    return drop("too-big", start + 2, { kind: "too-big", mtu: told })
  }
  return { ok: true, packets: cutIpv4(bytes.subarray(start, end), mtu) }
}

/**
 * The fragments of a whole IPv4 packet, in order, each at most `mtu` octets, 68 or more (RFC 791 section 3.2). It may be a
 * fragment itself. Options without the copied flag are in the first alone.
 */
export const cutIpv4 = (bytes: Uint8Array, mtu: number): readonly Uint8Array[] => {
  if (bytes.length <= mtu) return [bytes]
  const first = (bytes[0] & 15) * 4
  const later = laterHeader(bytes, first)
  const before = u16(bytes, 6)
  const packets: Uint8Array[] = []
  let offset = before & 0x1fff
  let at = first
  while (at < bytes.length) {
    const header = at === first ? bytes.subarray(0, first) : later
    const rest = bytes.length - at
    const most = mtu - header.length
    const length = rest <= most ? rest : most & ~7
    const packet = new Uint8Array(header.length + length)
    packet.set(header)
    packet.set(bytes.subarray(at, at + length), header.length)
    const total = u16(packet, 2)
    const flags = (before & 0xe000) | (length < rest ? 0x2000 : 0) | offset
    putU16(packet, 2, packet.length)
    const fragment = u16(packet, 6)
    putU16(packet, 6, flags)
    putU16(packet, 10, adjust(u16(packet, 10), changed(total, packet.length) + changed(fragment, flags)))
    packets.push(packet)
    at += length
    offset += length >>> 3
  }
  return packets
}

/** The header of fragments behind the first: with the options alone that have the copied flag, and a checksum for them. */
const laterHeader = (bytes: Uint8Array, first: number): Uint8Array => {
  const options: number[] = []
  let at = IPV4_HEADER
  while (at < first) {
    const type = bytes[at]
    if (type === 0) break
    const length = type === 1 ? 1 : Math.max(2, bytes[at + 1])
    if (at + length > first) break
    if ((type & 0x80) !== 0) for (let i = 0; i < length; i++) options.push(bytes[at + i])
    at += length
  }
  while (options.length % 4 !== 0) options.push(0)
  const header = new Uint8Array(IPV4_HEADER + options.length)
  header.set(bytes.subarray(0, IPV4_HEADER))
  header.set(options, IPV4_HEADER)
  header[0] = 0x40 | (header.length / 4)
  putU16(header, 10, 0)
  putU16(header, 10, ~fold(sumOctets(header, 0, header.length, 0)) & 0xffff)
  return header
}

/**
 * The fragments of an IPv6 packet whose Fragment header at `fragmentAt` is there already and says what part of the original
 * this is: each at most `mtu` octets, in order (RFC 8200 section 4.5).
 */
export const cutIpv6 = (bytes: Uint8Array, fragmentAt: number, mtu: number): readonly Uint8Array[] => {
  if (bytes.length <= mtu) return [bytes]
  const header = fragmentAt + FRAGMENT_HEADER
  const before = u16(bytes, fragmentAt + 2)
  const packets: Uint8Array[] = []
  let offset = before & 0xfff8
  let at = header
  while (at < bytes.length) {
    const rest = bytes.length - at
    const length = rest <= mtu - header ? rest : (mtu - header) & ~7
    const packet = new Uint8Array(header + length)
    packet.set(bytes.subarray(0, header))
    packet.set(bytes.subarray(at, at + length), header)
    putU16(packet, 4, packet.length - 40)
    putU16(packet, fragmentAt + 2, offset | (length < rest ? 1 : before & 1))
    packets.push(packet)
    at += length
    offset += length
  }
  return packets
}
