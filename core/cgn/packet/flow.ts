import { type Address, Protocol, readAddress, readIpv4, u16, u32 } from "../../wire/index.ts"
import type { IpPacket } from "./packet.ts"

/** The ends of a packet. */
export interface Flow {
  /** IANA protocol number. */
  readonly protocol: number
  readonly source: Address
  /** The port; of an ICMP query its identifier, at both ends; 0 for what has neither. */
  readonly sourcePort: number
  readonly destination: Address
  readonly destinationPort: number
  /** Is it of ICMP queries, whose ports are identifiers? Other ICMP messages have none, which their ports of 0 do not tell. */
  readonly query: boolean
}

/** Of the IP header. */
export const sourceAddress = ({ bytes, version, start }: IpPacket): Address =>
  version === 4 ? readIpv4(bytes, start + 12) : readAddress(bytes, start + 8)

/** Of the IP header. */
export const destinationAddress = ({ bytes, version, start }: IpPacket): Address =>
  version === 4 ? readIpv4(bytes, start + 16) : readAddress(bytes, start + 24)

/**
 * Whose packet it is. An ICMP error belongs to the flow of the packet in error, with both ends swapped: it goes where that
 * came from (RFC 6146 section 3.4, RFC 5508 section 4.2). Of a later fragment the ports are not known: {@link subjectOf}
 * tells.
 */
export const flowOf = (packet: IpPacket): Flow => {
  const { embedded } = packet
  return embedded === undefined
    ? {
        protocol: packet.protocol,
        source: sourceAddress(packet),
        sourcePort: packet.sourcePort,
        destination: destinationAddress(packet),
        destinationPort: packet.destinationPort,
        query: packet.content === "query",
      }
    : {
        protocol: embedded.protocol,
        source: destinationAddress(embedded),
        sourcePort: embedded.destinationPort,
        destination: sourceAddress(embedded),
        destinationPort: embedded.sourcePort,
        query: embedded.content === "query",
      }
}

/** The packet that the flow is of: of an ICMP error the packet in error. */
export const subjectOf = (packet: IpPacket): IpPacket => packet.embedded ?? packet

/** IPv4's Time to Live, IPv6's Hop Limit. */
export const hopLimit = ({ bytes, version, start }: IpPacket): number => bytes[start + (version === 4 ? 8 : 7)]

/** IPv4's Type of Service octet, IPv6's Traffic Class: DSCP and ECN (RFC 2474, RFC 3168). */
export const trafficClass = ({ bytes, version, start }: IpPacket): number =>
  version === 4 ? bytes[start + 1] : (u16(bytes, start) >>> 4) & 0xff

/** 20 bits; 0 for IPv4, which has none. */
export const flowLabel = ({ bytes, version, start }: IpPacket): number =>
  version === 4 ? 0 : u32(bytes, start) & 0xfffff

/** Whose fragments belong together: 16 bits of IPv4, 32 of IPv6's Fragment header, 0 without one. */
export const identification = ({ bytes, version, start, fragmentAt }: IpPacket): number =>
  version === 4 ? u16(bytes, start + 4) : fragmentAt === 0 ? 0 : u32(bytes, fragmentAt + 4)

/** May no router fragment it? IPv4's DF bit; always for IPv6 (RFC 8200 section 4.5). */
export const dontFragment = ({ bytes, version, start }: IpPacket): boolean =>
  version === 6 || (bytes[start + 6] & 0x40) !== 0

/** Part of a packet in several: later ones have no ports, and the first has not all data. */
export const isFragment = ({ fragmentOffset, moreFragments }: IpPacket): boolean => moreFragments || fragmentOffset > 0

/** The flags of a TCP header (RFC 9293 section 3.1). */
export const TcpFlag = { FIN: 1, SYN: 2, RST: 4, PSH: 8, ACK: 16, URG: 32 } as const

/** Flags of the TCP header, a sum of {@link TcpFlag}; 0 where the packet has no TCP header, or not so far. */
export const tcpFlags = ({ bytes, protocol, content, payload, end }: IpPacket): number =>
  protocol === Protocol.TCP && content === "ports" && payload + 14 <= end ? bytes[payload + 13] & 0x3f : 0

/** An unexpired source route option, loose or strict, of IPv4 (RFC 791 section 3.1): its offset; 0: there is none. */
export const sourceRouteAt = ({ bytes, version, start, payload }: IpPacket): number => {
  if (version === 6) return 0
  let at = start + 20
  while (at + 1 < payload) {
    const type = bytes[at]
    if (type === 0) return 0
    if (type === 1) {
      at++
      continue
    }
    const length = bytes[at + 1]
    if (length < 2) return 0
    // Its pointer is behind its length when all addresses of the route are used up.
    if ((type === 131 || type === 137) && length > 2 && at + 2 < payload && bytes[at + 2] <= length) return at
    at += length
  }
  return 0
}
