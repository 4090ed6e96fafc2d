import { type Address, addressWord, isIpv4, parseAddress } from "../wire/index.ts"
import { type AddressClass, SPECIAL_BLOCKS, type SpecialBlock } from "./special-block.ts"

/** A block, ready to compare with: the words of its prefix, and of its mask. */
interface Compiled {
  readonly block: SpecialBlock
  readonly ipv4: boolean
  readonly prefix: readonly number[]
  readonly mask: readonly number[]
  readonly length: number
}

const WORDS = [0, 1, 2, 3] as const

const compile = (block: SpecialBlock): readonly Compiled[] => {
  const [text, bits] = block.prefix.split("/")
  const address = parseAddress(text)
  // Every row of the table is an address: the tests go through them all.
  if (address === undefined) return []
  const ipv4 = isIpv4(address)
  const length = Number(bits) + (ipv4 ? 96 : 0)
  const mask = WORDS.map((word) => {
    const ones = Math.min(Math.max(length - 32 * word, 0), 32)
    return ones === 0 ? 0 : (-1 << (32 - ones)) | 0
  })
  return [{ block, ipv4, prefix: WORDS.map((word) => addressWord(address, word)), mask, length }]
}

/** The longest first: a block inside another is the one that counts. */
const BLOCKS = SPECIAL_BLOCKS.flatMap(compile).sort((one, other) => other.length - one.length)

/** The smallest block of a special purpose that has the address; `undefined` for a public one. */
export const specialBlockOf = (address: Address): SpecialBlock | undefined => {
  const has = ({ ipv4, prefix, mask }: Compiled): boolean =>
    // In the numbers of IPv6 the IPv4-mapped addresses are inside a block of its own.
    ipv4 === isIpv4(address) && WORDS.every((word) => (addressWord(address, word) & mask[word]) === prefix[word])
  return BLOCKS.find(has)?.block
}

/**
 * What kind of address a NAT says that it has outside, by IANA's registries of special-purpose addresses (RFC 6890). A mapping is
 * of use to the Internet at a `public` one alone: gateways are known to answer with 0.0.0.0 while their own line is down, and with
 * 100.64.0.0/10 behind a carrier's NAT.
 */
export const classOfAddress = (address: Address): AddressClass => specialBlockOf(address)?.class ?? "public"

/**
 * Does an external address of this class mean that another NAT is in front of the one that answered? Its mappings then reach as far
 * as the network between the two, and who wants to be reached from the Internet has to ask the other one too.
 */
export const isDoubleNat = (kind: AddressClass): boolean => BETWEEN_NATS.has(kind)

/** Addresses that hosts do have, and that only a translator brings to the Internet. */
const BETWEEN_NATS: ReadonlySet<AddressClass> = new Set<AddressClass>([
  "private",
  "shared",
  "link-local",
  "unique-local",
  "site-local",
  "service-continuity",
])
