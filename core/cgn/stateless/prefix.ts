import { type Address, addressFromWords, addressWord, formatAddress, isAny, isIpv4 } from "../../wire/index.ts"
import { isInPrefix, type Prefix } from "../rule.ts"

/** An internal prefix and the external one that replaces it: one NPTv6 translator (RFC 6296 section 3.1). */
export interface PrefixPair {
  /** Of the hosts inside. */
  readonly internal: Prefix
  /** What the outside sees in its place. */
  readonly external: Prefix
}

/** A translator as it is used: both prefixes at the same length, and the constant that keeps checksums what they were. */
export interface Translator {
  /** Of 1 to 64 bits, as many as the longer of the two had: the shorter is extended with zeros. */
  readonly internal: Prefix
  /** As long as the internal one. */
  readonly external: Prefix
  /** One's complement sum of the internal prefix minus that of the external one, 16 bits (RFC 6296 section 3.1). */
  readonly adjustment: number
}

/** Why a prefix is none that is translated, as the end of a sentence; `undefined` when it is fine. */
export const prefixFault = ({ address, prefixLength: length }: Prefix): string | undefined => {
  // The adjustment is that of the first 64 bits (RFC 6296 section 3.1): for longer prefixes the algorithm says nothing.
  if (!Number.isInteger(length) || length < 1 || length > 64) return `has ${length} bits, not 1 to 64`
  if (isIpv4(address) || isAny(address) || addressWord(address, 0) >>> 24 === 0xff) return "is not of IPv6 unicast"
  for (const word of [0, 1, 2, 3] as const) {
    const inside = Math.min(32, Math.max(0, length - 32 * word))
    // A shift by 32 would be a shift by 0.
    if (inside < 32 && addressWord(address, word) << inside !== 0) return `has bits behind its first ${length}`
  }
  return undefined
}

/** For people: `2001:db8:1::/48`. */
export const formatPrefix = ({ address, prefixLength }: Prefix): string => `${formatAddress(address)}/${prefixLength}`

/** Do the prefixes have addresses in common? */
export const overlap = (a: Prefix, b: Prefix): boolean =>
  a.prefixLength < b.prefixLength ? isInPrefix(b.address, a) : isInPrefix(a.address, b)

export const makeTranslator = ({ internal, external }: PrefixPair): Translator => {
  const prefixLength = Math.max(internal.prefixLength, external.prefixLength)
  return Object.freeze({
    internal: { address: internal.address, prefixLength },
    external: { address: external.address, prefixLength },
    adjustment: add(sum64(internal.address), ~sum64(external.address) & 0xffff),
  })
}

/** The external address of an internal one; `undefined` where it has none (RFC 6296 sections 3.2, 3.4, 3.5 and 3.7). */
export const outbound = ({ internal, external, adjustment }: Translator, address: Address): Address | undefined =>
  translate(address, internal, external, adjustment)

/** The internal address of an external one; `undefined` where it has none (RFC 6296 section 3.3). */
export const inbound = ({ internal, external, adjustment }: Translator, address: Address): Address | undefined =>
  translate(address, external, internal, ~adjustment & 0xffff)

const translate = (address: Address, from: Prefix, to: Prefix, adjustment: number): Address | undefined => {
  if (!isInPrefix(address, from)) return undefined
  const at = adjustedUnit(address, from.prefixLength)
  if (at === undefined) return undefined
  const units: number[] = []
  for (let i = 0; i < 8; i++) {
    const mask = unitMask(from.prefixLength - 16 * i)
    units.push((to.address.charCodeAt(i) & mask) | (address.charCodeAt(i) & ~mask))
  }
  const adjusted = add(units[at], adjustment)
  units[at] = adjusted === 0xffff ? 0 : adjusted
  return addressOfUnits(units)
}

/**
 * Which of an address's eight 16-bit units takes the adjustment: the subnet for prefixes of up to 48 bits (RFC 6296
 * section 3.4), else the first of the interface identifier that is not 0xffff (section 3.5). None where that subnet is
 * 0xffff (sections 3.2 and 4.2), where all four are, and where the identifier is all zeros (section 3.7).
 *
 * The other direction finds the same unit, as an adjusted one is never 0xffff.
 */
const adjustedUnit = (address: Address, length: number): number | undefined => {
  if (length <= 48) return address.charCodeAt(3) === 0xffff ? undefined : 3
  if (addressWord(address, 2) === 0 && addressWord(address, 3) === 0) return undefined
  for (let i = 4; i < 8; i++) if (address.charCodeAt(i) !== 0xffff) return i
  return undefined
}

/** One's complement sum of two 16-bit values (RFC 1071). */
const add = (a: number, b: number): number => {
  const sum = a + b
  return (sum & 0xffff) + (sum >>> 16)
}

/** One's complement sum of the first four 16-bit units: the zero-extended /64 of RFC 6296 section 3.1. */
const sum64 = (prefix: Address): number => {
  let sum = 0
  for (let i = 0; i < 4; i++) sum = add(sum, prefix.charCodeAt(i))
  return sum
}

/** The first `bits` bits of a 16-bit unit: none below 1, all from 16 up. */
const unitMask = (bits: number): number => (bits <= 0 ? 0 : bits >= 16 ? 0xffff : (0xffff << (16 - bits)) & 0xffff)

const addressOfUnits = (u: readonly number[]): Address =>
  addressFromWords((u[0] << 16) | u[1], (u[2] << 16) | u[3], (u[4] << 16) | u[5], (u[6] << 16) | u[7])
