import {
  type Address,
  isIpv4,
  isLoopback,
  isMulticast,
  joinOctets,
  readAddress,
  sliceOctets,
  u16,
} from "../../wire/index.ts"
import {
  encodeNeighbor,
  Icmpv6Type,
  IPV6_HEADER,
  IpProtocol,
  NEIGHBOR_HEADER,
  NeighborFlag,
  NeighborOptionType,
} from "../frame/neighbor.ts"
import { isIpv6GroupMac, type Mac, writeMac } from "../mac.ts"
import { type FrameQuery, fitsBuffer, isOfType } from "./query.ts"

/**
 * The IPv6 address whose MAC a neighbour solicitation asks for; `undefined`: it is dropped without a word. It is taken when it goes to a
 * multicast MAC of IPv6 and to ff02::/16, its lengths fit, the target is no group, no IPv4-mapped address and not ::1, and a
 * source link-layer address is among its options: solicitations of duplicate address detection have none and get no answer. The
 * checksum is not looked at (`libvarpd_plugin_proxy_ndp`).
 *
 * The reference takes a message of another type when its code is 0, and a solicitation with any code: here it is type 135 with code 0.
 */
export const askedByNdp = (query: FrameQuery, frame: Uint8Array): Address | undefined => {
  if (!isOfType(query, "IPV6") || !isIpv6GroupMac(query.destination)) return undefined
  if (!fitsBuffer(query, IPV6_HEADER + NEIGHBOR_HEADER)) return undefined
  if (frame.length > query.headerSize + query.packetSize) return undefined
  const packet = frame.subarray(query.headerSize)
  if (packet.length < IPV6_HEADER + NEIGHBOR_HEADER) return undefined
  if (packet[0] >>> 4 !== 6 || packet[6] !== IpProtocol.ICMPV6) return undefined
  // The solicited-node groups, ff02::1:ff00:0/104, are of ff02::/16 as well (RFC 4291 section 2.7.1).
  if (u16(packet, 24) !== 0xff02) return undefined
  const end = IPV6_HEADER + u16(packet, 4)
  if (end > packet.length || end < IPV6_HEADER + NEIGHBOR_HEADER) return undefined
  if (packet[IPV6_HEADER] !== Icmpv6Type.NEIGHBOR_SOLICITATION || packet[IPV6_HEADER + 1] !== 0) return undefined
  const target = readAddress(packet, IPV6_HEADER + 8)
  if (isMulticast(target) || isIpv4(target) || isLoopback(target)) return undefined
  return hasSource(packet, end) ? target : undefined
}

const hasSource = (packet: Uint8Array, end: number): boolean => {
  let found = false
  for (let at = IPV6_HEADER + NEIGHBOR_HEADER; at < end; ) {
    const size = at + 1 < end ? packet[at + 1] * 8 : 0
    if (size === 0 || at + size > end) return false
    if (packet[at] === NeighborOptionType.SOURCE_LINK_LAYER) found = true
    at += size
  }
  return found
}

/**
 * The answer to a solicitation that {@link askedByNdp} takes: an advertisement with the flags Solicited and Override and the target's
 * link-layer address, for the asking host alone. The IPv6 header is the solicitation's, its hop limit too, and so is the VLAN tag.
 */
export const replyToNdp = (query: FrameQuery, frame: Uint8Array, found: Mac): Uint8Array | undefined => {
  const target = askedByNdp(query, frame)
  if (target === undefined) return undefined
  const packet = frame.subarray(query.headerSize)
  const encoded = encodeNeighbor({
    kind: "neighbor-advertisement",
    trafficClass: ((packet[0] & 15) << 4) | (packet[1] >>> 4),
    flowLabel: ((packet[1] & 15) << 16) | u16(packet, 2),
    hopLimit: packet[7],
    source: target,
    destination: readAddress(packet, 8),
    code: 0,
    flags: NeighborFlag.SOLICITED | NeighborFlag.OVERRIDE,
    reserved: 0,
    target,
    options: [{ kind: "target-link-layer", mac: found }],
    trailing: new Uint8Array(0),
  })
  if (!encoded.ok) return undefined
  const header = sliceOctets(frame, 0, query.headerSize)
  writeMac(header, 0, query.source)
  writeMac(header, 6, found)
  return joinOctets([header, encoded.bytes])
}
