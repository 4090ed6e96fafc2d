/**
 * What the payload of an IP packet is read as:
 * - `ports`: TCP, UDP, UDP-Lite, DCCP, SCTP, with their ports (the first fragment too)
 * - `query`: an ICMP message with an identifier (RFC 5508 section 2: ICMP Query)
 * - `error`: an ICMP error, with the packet in error
 * - `icmp`: any other ICMP message
 * - `other`: any other protocol; ESP and AH among them
 * - `fragment`: a fragment behind the first: its ports stand in another packet
 */
export type Content = "ports" | "query" | "error" | "icmp" | "other" | "fragment"

/** An IP packet as it was read, in place: offsets into its bytes. */
export interface IpPacket {
  readonly ok: true
  readonly bytes: Uint8Array
  readonly version: 4 | 6
  /** Offset of the IP header. */
  readonly start: number
  /** Offset behind the packet; what follows there is not of it. A packet in an ICMP error may be cut before its length says. */
  readonly end: number
  /** Octets of the whole packet as its header says. */
  readonly totalLength: number
  /** Protocol behind IPv4's options or IPv6's extension headers; of a later fragment, the fragment's own next header. */
  readonly protocol: number
  /** Offset behind the IP header and those. */
  readonly payload: number
  readonly content: Content
  /** The identifier of a `query` stands in both ports; 0 where there are none. */
  readonly sourcePort: number
  readonly destinationPort: number
  /** Offset of the Internet checksum of the transport header; 0 where there is none, or it is cut off. */
  readonly checksumAt: number
  /** Octets; 0 for the first fragment and for whole packets. */
  readonly fragmentOffset: number
  readonly moreFragments: boolean
  /** Offset of IPv6's Fragment header; 0: none. */
  readonly fragmentAt: number
  /** Offset of the Segments Left octet of the IPv6 Routing header that has some left; 0: none has. */
  readonly segmentsLeftAt: number
  /** The packet in error of an ICMP error. */
  readonly embedded: IpPacket | undefined
}
