/** The Internet checksum of RFC 1071, kept as a running sum so that a pseudo-header needs no buffer. */

/** Adds the octets `from` to `to` of `bytes` as big-endian 16-bit words to `sum`; an odd last octet counts as its word's high half. */
export const sumOctets = (bytes: Uint8Array, from: number, to: number, sum: number): number => {
  let total = sum
  let i = from
  for (; i + 1 < to; i += 2) total += (bytes[i] << 8) | bytes[i + 1]
  return i < to ? total + (bytes[i] << 8) : total
}

/** The checksum field for a sum: its carries folded in, complemented. Sums stay exact up to 2^53. */
export const foldChecksum = (sum: number): number => {
  let total = sum
  while (total > 0xffff) total = (total % 0x10000) + Math.floor(total / 0x10000)
  return ~total & 0xffff
}
