/**
 * The Internet checksum: RFC 1071 in full, RFC 1624 (equation 3) where words change. Sums and deltas are plain numbers with
 * their carries not yet folded in: some 30000 words fit in 31 bits, and no packet has more than 32768.
 */

import { u16 } from "../../wire/index.ts"

/** Adds the octets `from` to `to` as big-endian 16-bit words to `sum`; an odd last octet counts as its word's high half. */
export const sumOctets = (bytes: Uint8Array, from: number, to: number, sum: number): number => {
  let total = sum
  let i = from
  for (; i + 1 < to; i += 2) total += (bytes[i] << 8) | bytes[i + 1]
  return i < to ? total + (bytes[i] << 8) : total
}

/** A sum's carries folded in: one's complement, 16 bits. Sums below 2^47 are exact. */
export const fold = (sum: number): number => {
  let total = sum > 0xffffffff ? (sum % 0x10000) + Math.floor(sum / 0x10000) : sum
  while (total > 0xffff) total = (total & 0xffff) + (total >>> 16)
  return total
}

/** What a change of one 16-bit word adds to the sum: `~m + m'` of RFC 1624 equation 3. */
export const changed = (before: number, after: number): number => (~before & 0xffff) + after

/** The same for two words in 32 bits, signed or unsigned. */
export const changed32 = (before: number, after: number): number =>
  (~before >>> 16) + (~before & 0xffff) + (after >>> 16) + (after & 0xffff)

/** A checksum after changes: `HC' = ~(~HC + ~m + m')`. What was wrong with it stays wrong by as much. */
export const adjust = (checksum: number, delta: number): number => ~fold((~checksum & 0xffff) + delta) & 0xffff

/** Adjusts the checksum at `at`; gives what its own change adds to a sum that covers it. */
export const adjustAt = (bytes: Uint8Array, at: number, delta: number): number => {
  const before = u16(bytes, at)
  const after = adjust(before, delta)
  bytes[at] = after >>> 8
  bytes[at + 1] = after
  return changed(before, after)
}
