import { type Address, addressFromIpv4, addressFromWords, addressWord, isLinkLocal6 } from "../../core/wire/index.ts"
import type { Endpoint } from "../udp.ts"
import type { Zones } from "./zones.ts"

/**
 * A socket's name as the kernel has it, in 32-bit words as a little-endian machine reads them: the family and, above it, the port in
 * network order; then of struct sockaddr_in the address; of struct sockaddr_in6 flow, four words of address, and the scope.
 */
export const AF_INET = 2
export const AF_INET6 = 10
/** Octets of the two structures. */
export const NAME4 = 16
export const NAME6 = 28
/** 32-bit words from one name to the next where several lie in a row. */
export const NAME_WORDS = 8

/** Network order to host order and back, 32 bits. */
export const swap32 = (word: number): number =>
  (word << 24) | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00) | (word >>> 24)

const swap16 = (value: number): number => ((value & 0xff) << 8) | (value >>> 8)

/** Writes the name of an end at a place of words, and gives its octets. `scope`: the interface of a link-local address, 0 for none. */
export const writeName = (
  words: Uint32Array,
  at: number,
  family: 4 | 6,
  { address, port }: Endpoint,
  scope: number,
): number => {
  if (family === 4) {
    words[at] = AF_INET | (swap16(port) << 16)
    words[at + 1] = swap32(addressWord(address, 3))
    words[at + 2] = 0
    words[at + 3] = 0
    return NAME4
  }
  words[at] = AF_INET6 | (swap16(port) << 16)
  words[at + 1] = 0
  writeWords(words, at + 2, address)
  words[at + 6] = scope
  return NAME6
}

/** Writes all 128 bits of an address, in network order. */
export const writeWords = (words: Uint32Array, at: number, address: Address): void => {
  words[at] = swap32(addressWord(address, 0))
  words[at + 1] = swap32(addressWord(address, 1))
  words[at + 2] = swap32(addressWord(address, 2))
  words[at + 3] = swap32(addressWord(address, 3))
}

/** All 128 bits of an address in network order. */
export const readWords = (words: Uint32Array, at: number): Address =>
  addressFromWords(swap32(words[at]), swap32(words[at + 1]), swap32(words[at + 2]), swap32(words[at + 3]))

/** The end that a name at a place of words says. */
export const readName = (words: Uint32Array, at: number, zones: Zones): Endpoint => {
  const first = words[at]
  const port = swap16(first >>> 16)
  if ((first & 0xffff) === AF_INET) return { address: addressFromIpv4(swap32(words[at + 1]) >>> 0), port }
  const address = readWords(words, at + 2)
  const scope = words[at + 6]
  return scope !== 0 && isLinkLocal6(address) ? { address, port, zone: zones.name(scope) } : { address, port }
}

/** Reads names, remembering recent ones: who asks once asks again, and gets the same object. */
export interface NameReader {
  read(words: Uint32Array, at: number): Endpoint
}

/** Names that are remembered, each at the place that its hash says; a power of 2. */
const REMEMBERED = 4096

export const nameReader = (zones: Zones): NameReader => {
  const keys = new Uint32Array(REMEMBERED * NAME_WORDS)
  const ends: (Endpoint | undefined)[] = Array.from({ length: REMEMBERED }, () => undefined)
  return {
    read: (words, at) => {
      const isIpv4 = (words[at] & 0xffff) === AF_INET
      let hash = Math.imul(words[at], 0x9e3779b1) ^ Math.imul(words[at + 1], 0x85ebca6b)
      if (!isIpv4) {
        // The flow label is no part of who it is.
        hash = Math.imul(words[at], 0x9e3779b1) ^ Math.imul(words[at + 2] ^ words[at + 4], 0x85ebca6b)
        hash = Math.imul(hash ^ words[at + 3] ^ (words[at + 5] >>> 1), 0xc2b2ae35) ^ words[at + 5]
      }
      const slot = (hash ^ (hash >>> 15)) & (REMEMBERED - 1)
      const key = slot * NAME_WORDS
      const known = ends[slot]
      if (known !== undefined && keys[key] === words[at]) {
        if (isIpv4) {
          if (keys[key + 1] === words[at + 1]) return known
        } else if (
          keys[key + 2] === words[at + 2] &&
          keys[key + 3] === words[at + 3] &&
          keys[key + 4] === words[at + 4] &&
          keys[key + 5] === words[at + 5]
        )
          return known
      }
      const end = readName(words, at, zones)
      // Interfaces may get other names, and the same address is on each link somebody's.
      if (end.zone !== undefined) return end
      for (let i = 0; i < NAME_WORDS; i++) keys[key + i] = words[at + i]
      ends[slot] = end
      return end
    },
  }
}
