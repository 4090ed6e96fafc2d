import { type Address, isAny, isIpv4, isLinkLocal6, isLoopback, isMulticast } from "../../core/wire/index.ts"

/** A default router of this host, as its routing table has it: where a PCP client finds its server (RFC 6887 section 8.1). */
export interface Gateway {
  /** IPv4 is IPv4-mapped. */
  readonly address: Address
  /** Of a link-local IPv6 address alone: its interface, by name, or on Windows by index as decimal text, as an endpoint wants it. */
  readonly zone?: string
  /** The interface that the route leaves by; `undefined` where the source doesn't name it. */
  readonly interfaceName: string | undefined
  /** The system takes the smallest of one family. Sources that have no metrics give 0, or count up in the order of preference. */
  readonly metric: number
}

/** What a row of a routing table says of its gateway. */
export interface Route {
  readonly address: Address
  readonly interfaceName: string | undefined
  /** How the system wants the interface of a link-local address named. */
  readonly zone: string | undefined
  readonly metric: number
}

/**
 * The gateway of a default route; `undefined` where no router can be behind it: an address that no unicast packet goes to, this
 * host's own, or a link-local one on no interface.
 */
export const gatewayOf = ({ address, interfaceName, zone, metric }: Route): Gateway | undefined => {
  if (isAny(address) || isMulticast(address) || isLoopback(address)) return undefined
  const plain = { address, interfaceName, metric }
  if (isIpv4(address)) return address.charCodeAt(6) < 0xe000 ? plain : undefined
  if (!isLinkLocal6(address)) return plain
  return zone === undefined ? undefined : { ...plain, zone }
}

/**
 * IPv4 first, then the smaller metric, then the order given, which is the system's own. Of routes that lead to one gateway by
 * one interface the first stays.
 */
export const inOrder = (gateways: readonly Gateway[]): readonly Gateway[] => {
  const family = ({ address }: Gateway): number => (isIpv4(address) ? 4 : 6)
  const sorted = [...gateways].sort((one, other) => family(one) - family(other) || one.metric - other.metric)
  const keyOf = ({ address, zone, interfaceName }: Gateway): string => JSON.stringify([address, zone, interfaceName])
  const first = new Map([...sorted].reverse().map((gateway) => [keyOf(gateway), gateway]))
  return sorted.filter((gateway) => first.get(keyOf(gateway)) === gateway)
}
