import { blake2s } from "@noble/hashes/blake2.js"
import {
  type Address,
  addressFromIpv4,
  ipv4Value,
  isIpv4,
  readAddress,
  writeAddress,
} from "../../../core/wire/index.ts"

/** Gives other addresses for addresses: those that share their first n bits go on to share exactly their first n bits. */
export type AddressCloak = (address: Address) => Address

/** A block of special-purpose addresses: its first octets, and how many bits. `whole`: nothing in it is changed. */
interface Special {
  readonly octets: readonly number[]
  readonly bits: number
  readonly whole: boolean
}

const block = (octets: readonly number[], bits: number, whole: boolean): Special => ({ octets, bits, whole })

/** IANA's special-purpose IPv4 registry (RFC 6890) and multicast: those that tell of nobody stay whole, of the others the block. */
const SPECIAL4: readonly Special[] = [
  block([0], 8, true),
  block([10], 8, false),
  block([100, 64], 10, false),
  block([127], 8, true),
  block([169, 254], 16, false),
  block([172, 16], 12, false),
  block([192, 0, 0], 24, true),
  block([192, 0, 2], 24, true),
  block([192, 168], 16, false),
  block([198, 18], 15, false),
  block([198, 51, 100], 24, true),
  block([203, 0, 113], 24, true),
  block([224], 3, true),
]

/** The same of IPv6: any and loopback, the prefix of IPv4-mapped addresses, NAT64's well-known prefix, whose IPv4 is changed as IPv4. */
const NAT64 = block([0x00, 0x64, 0xff, 0x9b], 96, false)
const SPECIAL6: readonly Special[] = [
  block([], 127, true),
  block([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff], 96, true),
  NAT64,
  block([0x20], 3, false),
  block([0x20, 0x01, 0x0d, 0xb8], 32, true),
  block([0xfc], 7, false),
  block([0xfe, 0x80], 10, false),
  block([0xff], 8, true),
]

const bitOf = (octets: { readonly [index: number]: number }, bit: number): number =>
  ((octets[bit >>> 3] ?? 0) >>> (7 - (bit & 7))) & 1

const sharedBits = (octets: Uint8Array, special: Special): number => {
  let bit = 0
  while (bit < special.bits && bitOf(octets, bit) === bitOf(special.octets, bit)) bit++
  return bit
}

/**
 * A cloak by a key, as Crypto-PAn's: whether a bit is turned is decided by a keyed hash of the bits before it. No bit is turned on
 * the way to the end of a special-purpose block, so that what is private, loopback, multicast or of documentation stays so, and
 * nothing else becomes it; an address that has its first n bits in common with such a block keeps those n, and the one after.
 */
export const addressCloak = (key: Uint8Array): AddressCloak => {
  const known = new Map<Address, Address>()
  const turns = new Map<string, number>()

  /** The first bit of a keyed hash of the first `bit` bits. */
  const turn = (octets: Uint8Array, bit: number, family: number): number => {
    const prefix = new Uint8Array(18)
    prefix[0] = family
    prefix[1] = bit
    const whole = bit >>> 3
    prefix.set(octets.subarray(0, whole), 2)
    if ((bit & 7) > 0) prefix[2 + whole] = octets[whole] & (0xff << (8 - (bit & 7)))
    const name = String.fromCharCode(...prefix)
    let found = turns.get(name)
    if (found === undefined) {
      found = blake2s(prefix, { key, dkLen: 1 })[0] >>> 7
      turns.set(name, found)
    }
    return found
  }

  const cloak = (octets: Uint8Array, specials: readonly Special[], family: number): Uint8Array => {
    let kept = 0
    for (const special of specials) {
      const shared = sharedBits(octets, special)
      if (shared === special.bits && special.whole) return octets
      // The bit that leaves the way to a block must go on leaving it.
      kept = Math.max(kept, Math.min(shared + 1, special.bits))
    }
    const other = octets.slice()
    for (let bit = kept; bit < 8 * octets.length; bit++)
      other[bit >>> 3] ^= turn(octets, bit, family) << (7 - (bit & 7))
    return other
  }

  const ipv4 = (value: number): number => {
    const octets = Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value)
    return cloak(octets, SPECIAL4, 4).reduce((sum, octet) => sum * 256 + octet, 0)
  }

  return (address) => {
    const before = known.get(address)
    if (before !== undefined) return before
    let after: Address
    if (isIpv4(address)) after = addressFromIpv4(ipv4(ipv4Value(address)))
    else {
      const octets = new Uint8Array(16)
      writeAddress(octets, 0, address)
      const inNat64 = sharedBits(octets, NAT64) === NAT64.bits
      const other = inNat64 ? octets.slice() : cloak(octets, SPECIAL6, 6)
      if (inNat64) other.set(cloak(octets.subarray(12), SPECIAL4, 4), 12)
      after = readAddress(other, 0)
    }
    // Whoever shares a packet has few addresses; a capture made to fill memory has many.
    if (known.size < 100_000) known.set(address, after)
    return after
  }
}
