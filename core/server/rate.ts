import { type Address, isIpv4 } from "../wire/index.ts"
import { emptyTrie, getFrom, setIn, type Trie } from "./trie.ts"

/** A token bucket: `burst` requests at once, `perSecond` in the long run. */
export interface Rate {
  /** More than 0. */
  readonly perSecond: number
  /** 1 or more. */
  readonly burst: number
}

/** How many requests are taken (RFC 6887 section 8.2 lets an overloaded server drop them or answer NO_RESOURCES). */
export interface RateLimits {
  /** Of one source: an IPv4 address, or the /64 of an IPv6 one, as a host has all of that. `undefined`: no limit. */
  readonly perSource: Rate | undefined
  /** Of all together. `undefined`: no limit. */
  readonly global: Rate | undefined
  /** What becomes of a request over a limit. NAT-PMP's error is "out of resources". */
  readonly over: "drop" | "no-resources"
}

/**
 * The buckets. One is a single number, the instant at which it is full again (the generic cell rate algorithm): a source
 * that is not there has a full one. Bounded by two halves, as the cache is; a source that is pushed out by many others has
 * a full bucket again, which the global limit bounds.
 */
export interface Rates {
  readonly all: number
  readonly young: Trie<number>
  readonly old: Trie<number>
}

export const NO_RATES: Rates = { all: Number.NEGATIVE_INFINITY, young: emptyTrie(), old: emptyTrie() }

/** Sources in each half. */
const HALF = 4096

export type Taken =
  | { readonly ok: true; readonly rates: Rates }
  | { readonly ok: false; readonly reason: "source-rate" | "global-rate" }

/** Takes one request's tokens, or says which limit has none left. */
export const take = (rates: Rates, limits: RateLimits, source: Address, now: number): Taken => {
  const { global, perSource } = limits
  const key = isIpv4(source) ? source : source.slice(0, 4)
  const before = perSource === undefined ? undefined : (getFrom(rates.young, key) ?? getFrom(rates.old, key))
  const own = perSource === undefined ? undefined : filledAt(perSource, before ?? Number.NEGATIVE_INFINITY, now)
  if (perSource !== undefined && own === undefined) return { ok: false, reason: "source-rate" }
  const all = global === undefined ? rates.all : filledAt(global, rates.all, now)
  if (all === undefined) return { ok: false, reason: "global-rate" }
  if (own === undefined) return { ok: true, rates: { all, young: rates.young, old: rates.old } }
  return {
    ok: true,
    rates:
      rates.young.size >= HALF
        ? { all, young: setIn(emptyTrie<number>(), key, own), old: rates.young }
        : { all, young: setIn(rates.young, key, own), old: rates.old },
  }
}

/** When the bucket is full again after one more request at `now`; `undefined`: it is empty. */
const filledAt = (rate: Rate, full: number, now: number): number | undefined => {
  const one = 1000 / rate.perSecond
  const after = Math.max(full, now) + one
  // Half a nanosecond of slack: the sums of a fraction must not cost a request.
  return after - now > rate.burst * one + 1e-6 ? undefined : after
}
