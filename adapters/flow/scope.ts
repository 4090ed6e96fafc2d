import type { FlowEnd } from "../../core/flow/index.ts"
import { type Address, addressFromWords, addressWord, isLinkLocal6 } from "../../core/wire/index.ts"
import type { Endpoint } from "../udp.ts"

/** Turns ends with zones into the core's ends and back. */
export interface Scopes {
  /** An end as the core knows it. */
  in(end: Endpoint): FlowEnd
  /** An end as a runtime knows it. */
  out(end: FlowEnd): Endpoint
}

/** Zones at most: a machine has no more interfaces. */
const MOST = 0xffff

/**
 * The core's ends have no zones. A link-local address is another one on each interface, so its zone goes into octets that are zero in all of them
 * (RFC 4291 section 2.5.6), as a number of this layer's own; on the wire they are zero again.
 */
export const scopes = (): Scopes => {
  const numbers = new Map<string, number>()
  const zones: string[] = [""]
  const numberOf = (zone: string): number => {
    const known = numbers.get(zone)
    if (known !== undefined || zones.length > MOST) return known ?? 0
    numbers.set(zone, zones.length)
    return zones.push(zone) - 1
  }
  return {
    in: ({ address, port, zone }) => {
      if (zone === undefined || !isLinkLocal6(address)) return { address, port }
      return { address: withSecond(address, numberOf(zone)), port }
    },
    out: ({ address, port }) => {
      const number = isLinkLocal6(address) ? addressWord(address, 1) : 0
      return number === 0 ? { address, port } : { address: withSecond(address, 0), port, zone: zones[number] }
    },
  }
}

const withSecond = (address: Address, word: number): Address =>
  addressFromWords(addressWord(address, 0), word, addressWord(address, 2), addressWord(address, 3))
