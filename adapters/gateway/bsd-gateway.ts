import {
  type Address,
  addressFromWords,
  addressWord,
  isIpv4,
  isLinkLocal6,
  parseAddress,
} from "../../core/wire/index.ts"
import { type Gateway, gatewayOf } from "./gateway.ts"

/** A gateway as the tools of the BSDs and of macOS print it. */
export interface Printed {
  /** An address, for a link-local one with `%` and its interface, or whatever else a route may have there. */
  readonly text: string
  /** The interface that stands beside it. */
  readonly interfaceName: string | undefined
  readonly metric: number
  /** Characters that its column has. Some tools cut what is longer: an address that just fits may be part of one. */
  readonly room?: number | undefined
}

/** Characters of the longest text of an IPv6 address. */
const LONGEST = 39

/**
 * `undefined` for what is no router's address: an interface (`link#4`, `utun6`), an Ethernet address, a name, an address that was
 * cut off, or the prefix `fe80::` that macOS gives its tunnels for a gateway.
 */
export const bsdGateway = ({ text, interfaceName, metric, room }: Printed): Gateway | undefined => {
  const [head, zone, ...rest] = text.split("%")
  const address = parseAddress(head)
  if (address === undefined || rest.length > 0) return undefined
  if (isIpv4(address)) return zone === undefined ? gatewayOf({ address, interfaceName, zone, metric }) : undefined

  if (zone === undefined && text.length === room && text.length < LONGEST) return undefined
  if (!isLinkLocal6(address))
    return zone === undefined ? gatewayOf({ address, interfaceName, zone, metric }) : undefined

  const name = zone === undefined ? interfaceName : wholeName(zone, interfaceName)
  const bare = withoutScope(address)
  if (name === undefined || (addressWord(bare, 2) === 0 && addressWord(bare, 3) === 0)) return undefined
  return gatewayOf({ address: bare, interfaceName: name, zone: name, metric })
}

/** The interface column may be cut off as well, and then the zone has the rest. A zone that has less was cut itself. */
const wholeName = (zone: string, interfaceName: string | undefined): string | undefined =>
  zone !== "" && (interfaceName === undefined || zone.startsWith(interfaceName)) ? zone : undefined

/** Inside the kernels of KAME's descent the second unit has the interface's index, and some tools show it: on the wire it is 0. */
const withoutScope = (address: Address): Address =>
  addressFromWords(addressWord(address, 0) & 0xffff0000, 0, addressWord(address, 2), addressWord(address, 3))
