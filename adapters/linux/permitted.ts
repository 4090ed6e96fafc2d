import type { Filter } from "../../core/cgn/index.ts"
import { type Address, addressFromWords, addressWord, formatAddress, isIpv4 } from "../../core/wire/index.ts"

/** Remote peers that a FILTER lets in, in nft's notation. */
export interface Permitted {
  /** `198.51.100.0/24`, or an address. */
  readonly remote: string
  /** `0-65535`, or a port. */
  readonly ports: string
}

interface Area extends Filter {
  readonly first: number
  readonly last: number
}

const LAST_PORT = 65535

/**
 * The remote peers that filters let in (RFC 6887 section 13.3) as areas that have nobody in common: the kernel takes no element
 * of a set with intervals that lies across another.
 */
export const permittedBy = (filters: readonly Filter[]): readonly Permitted[] => {
  const distinct = filters.filter((one, i) => !filters.some((other, j) => i !== j && covers(other, one, j < i)))
  return distinct
    .flatMap((filter): readonly Area[] => {
      if (filter.remotePort !== 0) return [{ ...filter, first: filter.remotePort, last: filter.remotePort }]
      // Ports that a wider prefix lets in already are left out of this one's.
      const elsewhere = distinct.flatMap((other) =>
        other !== filter && other.remotePort !== 0 && isWithin(filter, other) ? [other.remotePort] : [],
      )
      return gaps(elsewhere).map(([first, last]) => ({ ...filter, first, last }))
    })
    .map(({ remote, prefixLength, first, last }) => ({
      remote: prefixText(remote, prefixLength),
      ports: first === last ? `${first}` : `${first}-${last}`,
    }))
}

/** Does `wide` let in all that `narrow` does? Of two that are the same the earlier does. */
const covers = (wide: Filter, narrow: Filter, isEarlier: boolean): boolean => {
  if (!isWithin(narrow, wide) || (wide.remotePort !== 0 && wide.remotePort !== narrow.remotePort)) return false
  return isEarlier || wide.prefixLength !== narrow.prefixLength || wide.remotePort !== narrow.remotePort
}

const isWithin = (inner: Filter, outer: Filter): boolean =>
  inner.prefixLength >= outer.prefixLength &&
  WORDS.every((word) => {
    const mask = maskWord(outer.prefixLength, word)
    return (addressWord(inner.remote, word) & mask) === (addressWord(outer.remote, word) & mask)
  })

const WORDS = [0, 1, 2, 3] as const

/** The bits of a 128-bit address's word that a prefix has. */
const maskWord = (prefixLength: number, word: number): number => {
  const bits = Math.min(32, Math.max(0, prefixLength - 32 * word))
  return bits === 0 ? 0 : -1 << (32 - bits)
}

const gaps = (ports: readonly number[]): readonly (readonly [number, number])[] => {
  const sorted = [...new Set(ports)].sort((a, b) => a - b)
  const found: (readonly [number, number])[] = []
  let first = 0
  for (const port of sorted) {
    if (first < port) found.push([first, port - 1])
    first = port + 1
  }
  if (first <= LAST_PORT) found.push([first, LAST_PORT])
  return found
}

/** A prefix as nft has it; `prefixLength` is of the 128-bit address, so that of IPv4 is 96 and up. */
export const prefixText = (address: Address, prefixLength: number): string => {
  const [length, whole] = isIpv4(address) ? [Math.max(0, prefixLength - 96), 32] : [prefixLength, 128]
  return length === whole ? formatAddress(address) : `${formatAddress(maskedBy(address, prefixLength))}/${length}`
}

const maskedBy = (address: Address, prefixLength: number): Address => {
  const [a, b, c, d] = WORDS.map((word) => addressWord(address, word) & maskWord(prefixLength, word))
  return addressFromWords(a, b, c, d)
}
