/**
 * IP packets without state: what a translator does once it knows where a packet goes.
 *
 *     readPacket(bytes)              a packet in place, or a Drop
 *     flowOf(packet)                 whose it is: the key into mappings, of ICMP errors too
 *     rewrite, toIpv6, toIpv4,       the packet with the ends that were found
 *     nptv6Outbound, nptv6Inbound,
 *     encapsulate, decapsulate
 *     fitLink, reassemble            fragments
 *     icmpError(packet, drop.reply)  what the sender of a dropped packet is told
 */
export { CROSSING_DEFAULTS, type Crossing, type CrossingSettings, crossingFault, type Translated } from "./crossing.ts"
export { DROP_CLAUSES, type Drop, type DropCode } from "./drop.ts"
export {
  destinationAddress,
  dontFragment,
  type Flow,
  flowLabel,
  flowOf,
  hopLimit,
  identification,
  isFragment,
  sourceAddress,
  sourceRouteAt,
  subjectOf,
  TcpFlag,
  tcpFlags,
  trafficClass,
} from "./flow.ts"
export { fitLink } from "./fragment.ts"
export { type IcmpCause, icmpError } from "./icmp-error.ts"
export { nptv6Inbound, nptv6Outbound } from "./nptv6.ts"
export type { Content, IpPacket } from "./packet.ts"
export { copyPlain, PlainEnd, plainIpv4, plainIpv6, plainToIpv4, plainToIpv6, readdress } from "./plain.ts"
export { MIN_IPV6_MTU } from "./protocol.ts"
export { readPacket } from "./read.ts"
export { reassemble } from "./reassemble.ts"
export { KEEP, type Rewrite, type Rewritten, rewrite, rewriteInPlace } from "./rewrite.ts"
export {
  embedIpv4,
  extractIpv4,
  isGlobal,
  isHost,
  isLegalIpv4Source,
  prefix64Fault,
  WELL_KNOWN_PREFIX,
} from "./rfc6052.ts"
export { type Allocate, allocateEach, copyOf, createRing, createSlabs } from "./room.ts"
export { toIpv4 } from "./to-ipv4.ts"
export { toIpv6 } from "./to-ipv6.ts"
export { type Decapsulated, decapsulate, encapsulate, type Tunnel } from "./tunnel.ts"
