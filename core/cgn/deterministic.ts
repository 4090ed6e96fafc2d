import { type Address, addressFromWords, addressWord, isIpv4 } from "../wire/index.ts"
import type { AssignmentSettings } from "./assignment.ts"
import type { Realm } from "./mapping.ts"
import { isInPrefix, type PortRange, type Prefix } from "./rule.ts"

/** One internal prefix: the length that its subscribers' have, the number of the first of them, and how many they are. */
interface Inside {
  readonly prefix: Prefix
  readonly length: number
  readonly first: number
  readonly count: number
  /** Addresses before the first subscriber's: 1 where the first and last are nobody's (RFC 7422 section 2.3). */
  readonly skipped: 0 | 1
}

/** Deterministic settings with what is computed from them once. */
export interface DeterministicPlan {
  /** The internal prefixes, with how many subscribers each has. */
  readonly insides: readonly Inside[]
  /** A subscriber is a realm rather than an internal address. */
  readonly realms: boolean
  /** All subscribers there can be. */
  readonly subscribers: number
  /** C: subscribers an external address. */
  readonly ratio: number
  /** The least C with which all have room. */
  readonly least: number
  /** Ports of one subscriber. */
  readonly size: number
  /** The first port that can be assigned. */
  readonly firstPort: number
}

const insideOf = (prefix: Prefix, unit: { readonly ipv4: number; readonly ipv6: number }, first: number): Inside => {
  const length = isIpv4(prefix.address) ? 96 + unit.ipv4 : unit.ipv6
  const all = 2 ** (length - prefix.prefixLength)
  const skipped = isIpv4(prefix.address) && length === 128 && all > 2 ? 1 : 0
  return { prefix, length, first, count: all - 2 * skipped, skipped }
}

/**
 * RFC 7422 section 2 with the sequential algorithm (A = 0): of C + D equal parts of each address's ports, after those that
 * are reserved, the first C are the subscribers', one after the other from the first address on, and the rest is the
 * dynamic pool's. `undefined`: no such assignment, or one for which the pool has no room.
 */
export const planDeterministic = (settings: AssignmentSettings): DeterministicPlan | undefined => {
  const { assignment, external, ports, subscriberPrefix } = settings
  if (assignment.kind !== "deterministic") return undefined
  const insides: Inside[] = []
  let subscribers = 0
  for (const prefix of assignment.internal) {
    const inside = insideOf(prefix, subscriberPrefix, subscribers)
    insides.push(inside)
    subscribers += inside.count
  }
  const least = Math.ceil(subscribers / external.length)
  const ratio = assignment.ratio ?? least
  const size = Math.floor((ports.last - ports.first + 1) / (ratio + (assignment.dynamic?.factor ?? 0)))
  if (!(size >= 1)) return undefined
  return { insides, realms: assignment.realms === true, subscribers, ratio, least, size, firstPort: ports.first }
}

/** A subscriber's ports: of the external address with this place in the pool, from 0. */
export interface AssignedRange extends PortRange {
  /** From 0, in the pool's own order. */
  readonly place: number
}

/** The number of the host's subscriber, or -1: it is none of those that are served. */
const subscriberNumber = (plan: DeterministicPlan, internal: Address, realm: Realm | undefined): number => {
  if (plan.realms !== (realm !== undefined)) return -1
  const address = realm ?? internal
  for (const { prefix, length, first, count, skipped } of plan.insides) {
    if (!isInPrefix(address, prefix)) continue
    const n = bits(address, prefix.prefixLength, length - prefix.prefixLength) - skipped
    return n >= 0 && n < count ? first + n : -1
  }
  return -1
}

/** Function 1 of RFC 7422 section 2: the ports that a host has, or `undefined` for one that is not served. */
export const deterministicRange = (
  plan: DeterministicPlan,
  internal: Address,
  realm: Realm | undefined,
): AssignedRange | undefined => {
  const n = subscriberNumber(plan, internal, realm)
  if (n < 0) return undefined
  const first = plan.firstPort + (n % plan.ratio) * plan.size
  return { place: Math.floor(n / plan.ratio), first, last: first + plan.size - 1 }
}

/** All the addresses that one subscriber has: of its hosts, or of its realm. */
export interface DeterministicSubscriber {
  /** What `subscriber` is a prefix of. */
  readonly of: "internal" | "realm"
  /** One address where `prefixLength` is 128. */
  readonly subscriber: Prefix
  /** The ports that are its. */
  readonly range: AssignedRange
}

/** Function 2 of RFC 7422 section 2: whose a port is, of the external address with this place in the pool. */
export const deterministicSubscriber = (
  plan: DeterministicPlan,
  place: number,
  port: number,
): DeterministicSubscriber | undefined => {
  const part = Math.floor((port - plan.firstPort) / plan.size)
  if (place < 0 || part < 0 || part >= plan.ratio) return undefined
  const n = place * plan.ratio + part
  const inside = plan.insides.find(({ first, count }) => n >= first && n < first + count)
  if (inside === undefined) return undefined
  const { prefix, length, first, skipped } = inside
  const address = withBits(prefix, length, n - first + skipped)
  const firstPort = plan.firstPort + part * plan.size
  return {
    of: plan.realms ? "realm" : "internal",
    subscriber: { address, prefixLength: length },
    range: { place, first: firstPort, last: firstPort + plan.size - 1 },
  }
}

/** Word `i` of an address, which may be 4 and more where none of its bits is wanted. */
const wordAt = (address: Address, i: number): number =>
  i === 0 || i === 1 || i === 2 || i === 3 ? addressWord(address, i) : 0

/** `count` bits of an address, 0 to 30, from bit `from` on, as a number. */
const bits = (address: Address, from: number, count: number): number => {
  if (count === 0) return 0
  const skip = from & 31
  const high = (wordAt(address, from >>> 5) << skip) >>> 0
  const low = skip === 0 ? 0 : wordAt(address, (from >>> 5) + 1) >>> (32 - skip)
  return ((high | low) >>> 0) >>> (32 - count)
}

/** The address of a prefix whose next bits, as far as `length`, are this number, and zero after them. */
const withBits = ({ address, prefixLength }: Prefix, length: number, n: number): Address => {
  const word = (i: number): number => {
    const kept = prefixLength - 32 * i
    let value = kept >= 32 ? wordAt(address, i) : kept <= 0 ? 0 : wordAt(address, i) & ~(-1 >>> kept)
    for (let bit = 0; bit < 32; bit++) {
      const at = 32 * i + bit
      if (at < prefixLength || at >= length) continue
      if (Math.floor(n / 2 ** (length - 1 - at)) % 2 === 1) value |= 1 << (31 - bit)
    }
    return value
  }
  return addressFromWords(word(0), word(1), word(2), word(3))
}
