/** IANA protocol numbers of packets, beside those that a mapping can have: `Protocol` of core/wire. */
export const IpProtocol = {
  HOP_BY_HOP: 0,
  IGMP: 2,
  IPV4: 4,
  ROUTING: 43,
  FRAGMENT: 44,
  AH: 51,
  DESTINATION_OPTIONS: 60,
} as const

/** IPv6 extension headers that say nothing to IPv4 and are passed over (RFC 7915 section 5.1). */
export const isPassedOver = (next: number): boolean =>
  next === IpProtocol.HOP_BY_HOP || next === IpProtocol.ROUTING || next === IpProtocol.DESTINATION_OPTIONS

/** ICMP types (RFC 792, RFC 1812). */
export const Icmp4 = {
  ECHO_REPLY: 0,
  UNREACHABLE: 3,
  ECHO: 8,
  TIME_EXCEEDED: 11,
  PARAMETER_PROBLEM: 12,
  TIMESTAMP: 13,
  ADDRESS_MASK_REPLY: 18,
} as const

/** ICMPv6 types (RFC 4443). */
export const Icmp6 = {
  UNREACHABLE: 1,
  PACKET_TOO_BIG: 2,
  TIME_EXCEEDED: 3,
  PARAMETER_PROBLEM: 4,
  ECHO: 128,
  ECHO_REPLY: 129,
} as const

/** Octets of the IP headers without options and extension headers, and of IPv6's Fragment header. */
export const IPV4_HEADER = 20
export const IPV6_HEADER = 40
export const FRAGMENT_HEADER = 8
/** The smallest MTU of an IPv6 link (RFC 8200 section 5), and the largest ICMPv6 error (RFC 4443 section 2.4). */
export const MIN_IPV6_MTU = 1280
/** The largest IPv4 header and one unit of a fragment (RFC 791 section 3.2). */
export const MIN_IPV4_MTU = 68
/** Longest IPv4 packet that a translator sends without DF: 1280 less 20 (RFC 7915 section 5.1). */
export const UNMARKED = 1260
