/** The Internet checksum of RFC 1071, as a running sum so that a pseudo-header needs no buffer. */
import { type Address, addressWord, isIpv4 } from "../../wire/index.ts"

/** Adds the octets `from` to `to` as big-endian 16-bit words to `sum`; an odd last octet counts as its word's high half. */
export const sumOctets = (bytes: Uint8Array, from: number, to: number, sum: number): number => {
  let total = sum
  let i = from
  for (; i + 1 < to; i += 2) total += (bytes[i] << 8) | bytes[i + 1]
  return i < to ? total + (bytes[i] << 8) : total
}

const sumWord = (word: number): number => (word >>> 16) + (word & 0xffff)

/** The sum of a pseudo-header (RFC 768, RFC 8200 section 8.1): its length and next header go into the same words in both families. */
export const sumPseudo = (source: Address, destination: Address, protocol: number, length: number): number => {
  const words = isIpv4(source) && isIpv4(destination) ? ([3] as const) : ([0, 1, 2, 3] as const)
  let sum = protocol + sumWord(length)
  for (const word of words) sum += sumWord(addressWord(source, word)) + sumWord(addressWord(destination, word))
  return sum
}

/** The checksum field for a sum: its carries folded in, complemented. */
export const checksumOf = (sum: number): number => {
  let total = sum
  while (total > 0xffff) total = (total % 0x10000) + Math.floor(total / 0x10000)
  return ~total & 0xffff
}
