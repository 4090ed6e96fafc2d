import { putU16, u16 } from "../../wire/index.ts"
import { checksumOf, sumOctets } from "./checksum.ts"
import { ETHERNET_HEADER, EtherType, isTagType, VLAN_TAG } from "./ethernet.ts"
import { IPV6_HEADER, IpProtocol } from "./neighbor.ts"
import { IPV4_HEADER, UDP_HEADER } from "./udp4.ts"

const TCP = 6
const TCP_HEADER = 20
/** Where the checksum stands. */
const TCP_CHECKSUM = 16
const UDP_CHECKSUM = 6

/**
 * Writes the checksum of TCP or UDP into a frame that its system left to the network card: in its place is the sum of the pseudo-header alone, not
 * complemented. Any other frame stays as it is, fragments and what has extension headers among them. True: it was written.
 */
export const completeChecksum = (frame: Uint8Array): boolean => {
  const at =
    frame.length >= ETHERNET_HEADER + VLAN_TAG && isTagType(u16(frame, 12))
      ? ETHERNET_HEADER + VLAN_TAG
      : ETHERNET_HEADER
  const segment = segmentOf(frame, at)
  if (segment === undefined) return false
  const { protocol, from, to, addresses, addressesEnd } = segment
  const isTcp = protocol === TCP
  if (to > frame.length || to - from < (isTcp ? TCP_HEADER : UDP_HEADER)) return false
  const place = from + (isTcp ? TCP_CHECKSUM : UDP_CHECKSUM)
  const pseudo = sumOctets(frame, addresses, addressesEnd, protocol + (to - from))
  const field = u16(frame, place)
  // The complement of the folded sum, complemented again.
  if (field !== (~checksumOf(pseudo) & 0xffff)) return false
  const checksum = checksumOf(sumOctets(frame, from, to, pseudo) - field)
  putU16(frame, place, checksum === 0 && !isTcp ? 0xffff : checksum)
  return true
}

interface Segment {
  readonly protocol: number
  readonly from: number
  readonly to: number
  /** Both addresses. */
  readonly addresses: number
  readonly addressesEnd: number
}

const segmentOf = (frame: Uint8Array, ip: number): Segment | undefined => {
  const type = u16(frame, ip - 2)
  if (type === EtherType.IPV4 && frame.length >= ip + IPV4_HEADER) {
    const protocol = frame[ip + 9]
    const header = (frame[ip] & 15) * 4
    const isWhole = frame[ip] >>> 4 === 4 && header >= IPV4_HEADER && (u16(frame, ip + 6) & 0x3fff) === 0
    if (!isWhole || !hasChecksum(protocol)) return undefined
    return { protocol, from: ip + header, to: ip + u16(frame, ip + 2), addresses: ip + 12, addressesEnd: ip + 20 }
  }
  if (type !== EtherType.IPV6 || frame.length < ip + IPV6_HEADER || frame[ip] >>> 4 !== 6) return undefined
  const protocol = frame[ip + 6]
  if (!hasChecksum(protocol)) return undefined
  const from = ip + IPV6_HEADER
  return { protocol, from, to: from + u16(frame, ip + 4), addresses: ip + 8, addressesEnd: ip + 40 }
}

const hasChecksum = (protocol: number): boolean => protocol === TCP || protocol === IpProtocol.UDP
