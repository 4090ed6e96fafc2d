import type { Address } from "../../wire/index.ts"
import type { Drop } from "./drop.ts"
import { MIN_IPV4_MTU, MIN_IPV6_MTU } from "./protocol.ts"

/** The new ends of a packet that goes over to the other family; the rest as in {@link Rewrite}. */
export interface Crossing {
  readonly source: Address
  /** `undefined`: stays. */
  readonly sourcePort: number | undefined
  readonly destination: Address
  readonly destinationPort: number | undefined
  /** Source of an ICMP error itself, where it is not `source`: the translation of the router's address. */
  readonly errorSource?: Address | undefined
}

/** What RFC 7915 leaves to the administrator, and what only the translator knows. */
export interface CrossingSettings {
  /** `lowest-ipv6-mtu` of section 4.1, at least 1280: packets that may be fragmented are, to this length. */
  readonly lowestIpv6Mtu: number
  /** MTU of the next hop of each family, octets. */
  readonly ipv6Mtu: number
  /** Octets, as of IPv6. */
  readonly ipv4Mtu: number
  /** Traffic Class of IPv6: copied from TOS, or always this octet. */
  readonly trafficClass: "copy" | number
  /** TOS of IPv4: copied from the Traffic Class, or always this octet. */
  readonly tos: "copy" | number
  /** UDP over IPv4 without checksum (section 4.5): compute one for IPv6, or drop. In fragments it is dropped. */
  readonly udpZeroChecksum: "compute" | "drop"
  /** What TTL and hop limit lose. */
  readonly hops: 0 | 1
}

/** RFC 7915's defaults, with Ethernet's MTU. */
export const CROSSING_DEFAULTS: CrossingSettings = {
  lowestIpv6Mtu: 1280,
  ipv6Mtu: 1500,
  ipv4Mtu: 1500,
  trafficClass: "copy",
  tos: "copy",
  udpZeroChecksum: "compute",
  hops: 1,
}

const isWhole = (value: number, least: number, most: number): boolean =>
  Number.isInteger(value) && value >= least && value <= most
const isOctet = (value: "copy" | number): boolean => value === "copy" || isWhole(value, 0, 255)

/** What of these settings cannot be, in a sentence, or `undefined`. No link of IPv6 carries less than 1280 octets, of IPv4 68. */
export const crossingFault = (settings: CrossingSettings): string | undefined => {
  const { lowestIpv6Mtu, ipv6Mtu, ipv4Mtu, trafficClass, tos } = settings
  if (!isWhole(ipv6Mtu, MIN_IPV6_MTU, 65535) || !isWhole(ipv4Mtu, MIN_IPV4_MTU, 65535))
    return "an MTU is 1280 to 65535 octets in IPv6 and 68 to 65535 in IPv4"
  if (!isWhole(lowestIpv6Mtu, MIN_IPV6_MTU, 65535)) return "the lowest IPv6 MTU is 1280 to 65535 octets"
  return isOctet(trafficClass) && isOctet(tos) ? undefined : "a traffic class or TOS is copied, or an octet"
}

/** One packet, or its fragments in order; each a whole IP packet. */
export type Translated = { readonly ok: true; readonly packets: readonly Uint8Array[] } | Drop
