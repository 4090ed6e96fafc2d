import {
  type Address,
  ANY6,
  addressFromIpv4,
  addressFromWords,
  addressWord,
  i32,
  ipv4Value,
  isIpv4,
} from "../../wire/index.ts"
import type { Prefix } from "../rule.ts"

/** `64:ff9b::/96`, for global IPv4 addresses alone (RFC 6052 sections 2.1 and 3.1). */
export const WELL_KNOWN_PREFIX: Prefix = { address: addressFromWords(0x0064ff9b, 0, 0, 0), prefixLength: 96 }

/** Why a prefix cannot have IPv4 addresses behind it, as the end of a sentence; `undefined` when it is fine. */
export const prefix64Fault = ({ address, prefixLength: length }: Prefix): string | undefined => {
  if (![32, 40, 48, 56, 64, 96].includes(length)) return `has ${length} bits, not 32, 40, 48, 56, 64 or 96`
  if (address === ANY6 || isIpv4(address) || addressWord(address, 0) >>> 24 === 0xff) return "is not of IPv6 unicast"
  if (address.charCodeAt(4) >>> 8 !== 0) return "has bits 64 to 71 that are not zero"
  for (let unit = 0; unit < 8; unit++) {
    const inside = Math.min(16, Math.max(0, length - 16 * unit))
    if (((address.charCodeAt(unit) << inside) & 0xffff) !== 0) return `has bits behind its first ${length}`
  }
  return undefined
}

/**
 * The IPv6 address that stands for an IPv4 address (RFC 6052 section 2.3): prefix, the 32 bits with octet 8 of the whole left
 * zero, zeros. `undefined` where there is none: the Well-Known Prefix with an address that is not global (section 3.1), or
 * no IPv4 address. The prefix is one without a {@link prefix64Fault}.
 */
export const embedIpv4 = (prefix: Prefix, ipv4: Address): Address | undefined => {
  if (!isIpv4(ipv4)) return undefined
  const value = ipv4Value(ipv4)
  const { address, prefixLength: length } = prefix
  if (address === WELL_KNOWN_PREFIX.address && !isGlobal(value)) return undefined
  const w0 = addressWord(address, 0)
  const w1 = addressWord(address, 1)
  switch (length) {
    case 32:
      return addressFromWords(w0, value, 0, 0)
    case 40:
      return addressFromWords(w0, w1 | (value >>> 8), (value & 0xff) << 16, 0)
    case 48:
      return addressFromWords(w0, w1 | (value >>> 16), (value & 0xffff) << 8, 0)
    case 56:
      return addressFromWords(w0, w1 | (value >>> 24), value & 0xffffff, 0)
    case 64:
      return addressFromWords(w0, w1, value >>> 8, value << 24)
    default:
      return addressFromWords(w0, w1, addressWord(address, 2), value)
  }
}

/**
 * The IPv4 address behind a prefix (RFC 6052 section 2.3): octet 8 is passed over and bits behind the address are not looked
 * at (section 2.2). `undefined` for an address with another prefix, and for the Well-Known Prefix with an address that is
 * not global (section 3.1).
 */
export const extractIpv4 = (prefix: Prefix, address: Address): Address | undefined => {
  const { address: bits, prefixLength: length } = prefix
  if (addressWord(address, 0) !== addressWord(bits, 0)) return undefined
  const w1 = addressWord(address, 1)
  const p1 = addressWord(bits, 1)
  const w2 = addressWord(address, 2)
  switch (length) {
    case 32:
      return addressFromIpv4(w1)
    case 40:
      return w1 >>> 24 === p1 >>> 24 ? addressFromIpv4((w1 << 8) | ((w2 >>> 16) & 0xff)) : undefined
    case 48:
      return w1 >>> 16 === p1 >>> 16 ? addressFromIpv4((w1 << 16) | ((w2 >>> 8) & 0xffff)) : undefined
    case 56:
      return w1 >>> 8 === p1 >>> 8 ? addressFromIpv4((w1 << 24) | (w2 & 0xffffff)) : undefined
    case 64:
      return w1 === p1 ? addressFromIpv4((w2 << 8) | (addressWord(address, 3) >>> 24)) : undefined
    default: {
      if (w1 !== p1 || w2 !== addressWord(bits, 2)) return undefined
      const value = addressWord(address, 3)
      return bits === WELL_KNOWN_PREFIX.address && !isGlobal(value) ? undefined : addressFromIpv4(value)
    }
  }
}

/** First 32 bits and length of what is not global (RFC 1918, and RFC 5735 section 3, which RFC 6052 section 3.1 names). */
const NOT_GLOBAL: readonly (readonly [number, number])[] = [
  [0x00000000, 8],
  [0x0a000000, 8],
  [0x7f000000, 8],
  [0xa9fe0000, 16],
  [0xac100000, 12],
  [0xc0000000, 24],
  [0xc0000200, 24],
  [0xc0586300, 24],
  [0xc0a80000, 16],
  [0xc6120000, 15],
  [0xc6336400, 24],
  [0xcb007100, 24],
  [0xe0000000, 4],
  [0xf0000000, 4],
]

/** Is an IPv4 address of 32 bits one that the Well-Known Prefix may stand before? */
export const isGlobal = (value: number): boolean =>
  NOT_GLOBAL.every(([bits, length]) => (value ^ bits) >>> (32 - length) !== 0)

/** Can a packet have come from there? Not from this network, loopback, multicast, class E (RFC 1812 section 5.3.7). */
export const isLegalIpv4Source = (word: number): boolean => {
  const first = word >>> 24
  return first !== 0 && first !== 127 && first < 224
}

/** Is this the IPv4 address of one host elsewhere: not of this network, loopback, multicast or beyond? */
export const isHost = (address: Address): boolean => isLegalIpv4Source(addressWord(address, 3))

/** Is the IPv6 address at `at` one of a host elsewhere: not the unspecified one, loopback or multicast (RFC 4291 section 2.4)? */
export const isUnicast6 = (bytes: Uint8Array, at: number): boolean =>
  bytes[at] !== 0xff &&
  (i32(bytes, at) !== 0 || i32(bytes, at + 4) !== 0 || i32(bytes, at + 8) !== 0 || i32(bytes, at + 12) >>> 1 !== 0)
