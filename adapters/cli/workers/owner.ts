import type { Subject } from "../../../core/server/index.ts"
import { type Address, addressWord, isIpv4 } from "../../../core/wire/index.ts"
import type { ServeSettings } from "../config/settings.ts"

/** What decides who owns a subscriber; a change of it would have mappings change hands. */
export interface OwnerRule {
  readonly workers: number
  /** Leading bits that one subscriber's addresses share: of 32 for IPv4, of 128 for IPv6. */
  readonly prefix: { readonly ipv4: number; readonly ipv6: number }
  /** Realms are IPv6 addresses of B4s: see {@link ownerOf}. */
  readonly dslite: boolean
}

/** Bits of an IPv6 address that are looked at: a host has all of a /64, and the rate limit of one source is a /64's. */
const HOST6 = 64

export const ownerRule = (settings: ServeSettings, workers: number): OwnerRule => {
  const { ipv4 = 32, ipv6 = HOST6 } = settings.cgn.subscriberPrefix ?? {}
  const { kind } = settings.server.profile
  return { workers, prefix: { ipv4, ipv6: Math.min(ipv6, HOST6) }, dslite: kind === "dslite" }
}

/**
 * The number, from 0, of the worker that has a subscriber's mappings: all hosts of one `subscriberPrefix`, or of one realm, are
 * one subscriber, as for quotas and blocks of ports, and have one owner. Rendezvous hashing (Thaler and Ravishankar, 1998):
 * of all workers the one whose hash together with the subscriber's is greatest, so that of another number of workers only
 * those move that have to. Not keyed: the same in every run, as state files are a worker's own.
 */
export const ownerOf = (rule: OwnerRule, { internal, realm }: Subject): number => {
  const { prefix, workers, dslite } = rule
  if (workers === 1) return 0
  const of = realm ?? internal
  const bits = realm !== undefined ? (dslite ? HOST6 : 128) : isIpv4(internal) ? 96 + prefix.ipv4 : prefix.ipv6
  let hash = realm === undefined ? 0 : 1
  for (const i of [0, 1, 2, 3] as const) hash = mixed(hash ^ leading(of, i, bits - 32 * i))
  let owner = 0
  let greatest = -1
  for (let worker = 0; worker < workers; worker++) {
    const weight = mixed(hash ^ Math.imul(worker + 1, 0x9e3779b1)) >>> 0
    if (weight <= greatest) continue
    greatest = weight
    owner = worker
  }
  return owner
}

const leading = (address: Address, word: 0 | 1 | 2 | 3, bits: number): number =>
  bits <= 0 ? 0 : bits >= 32 ? addressWord(address, word) : addressWord(address, word) & ~(-1 >>> bits)

/** Each bit of the result depends on each of the argument: MurmurHash3's finish for 32 bits. */
const mixed = (value: number): number => {
  let hash = value ^ (value >>> 16)
  hash = Math.imul(hash, 0x85ebca6b)
  hash ^= hash >>> 13
  hash = Math.imul(hash, 0xc2b2ae35)
  return hash ^ (hash >>> 16)
}
