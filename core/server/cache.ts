import type { Realm, SubscriberAnswer } from "../cgn/index.ts"
import type { Address } from "../wire/index.ts"
import { deleteFrom, emptyTrie, getFrom, setIn, type Trie } from "./trie.ts"

/**
 * What the CGN said of subscribers, so that it is not asked at every request: libpcpd's optional cache. Bounded by two
 * halves: when the young one is full it becomes the old one, and what nobody asked for since is forgotten.
 */
export interface Cache {
  readonly young: Trie<SubscriberAnswer>
  readonly old: Trie<SubscriberAnswer>
}

export const EMPTY_CACHE: Cache = { young: emptyTrie(), old: emptyTrie() }

/** One string for a subscriber: its internal address, and its realm where it has one. */
export const subscriberKey = (internal: Address, realm: Realm | undefined): string =>
  realm === undefined ? internal : internal + realm

/** An answer that is there, and the cache with it among the young; `undefined`: not there. */
export const recall = (
  cache: Cache,
  key: string,
  size: number,
): { readonly answer: SubscriberAnswer; readonly cache: Cache } | undefined => {
  const young = getFrom(cache.young, key)
  if (young !== undefined) return { answer: young, cache }
  const old = getFrom(cache.old, key)
  return old === undefined ? undefined : { answer: old, cache: remember(cache, key, old, size) }
}

/** Keeps an answer, among at most `size` of them. */
export const remember = (cache: Cache, key: string, answer: SubscriberAnswer, size: number): Cache => {
  const full = cache.young.size >= Math.max(1, size >>> 1)
  return full
    ? { young: setIn(emptyTrie<SubscriberAnswer>(), key, answer), old: cache.young }
    : { young: setIn(cache.young, key, answer), old: cache.old }
}

/** Drops one subscriber's answer. */
export const forget = (cache: Cache, key: string): Cache => ({
  young: deleteFrom(cache.young, key),
  old: deleteFrom(cache.old, key),
})
