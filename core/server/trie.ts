/**
 * A map from strings that stays valid: setting or taking away copies the few nodes on the way, 16 ways each, and shares all
 * others. For what a server remembers beside its CGN. The hash has no secret, so that a host may choose keys that collide: they
 * share a list in their order, which is searched by halves and bounded by the holder.
 */
export interface Trie<V> {
  readonly size: number
  readonly root: Node<V> | undefined
}

interface Entry<V> {
  readonly key: string
  readonly value: V
}

/** Below the last level the entries of one hash are a list. */
type Node<V> =
  | { readonly leaf: true; readonly hash: number; readonly entries: readonly Entry<V>[] }
  | { readonly leaf: false; readonly ways: readonly (Node<V> | undefined)[] }

/** Bits of the hash a level takes. */
const BITS = 4
const WAYS = 1 << BITS

const EMPTY: Trie<never> = { size: 0, root: undefined }

export const emptyTrie = <V>(): Trie<V> => EMPTY

/** FNV-1a over the code units, finished by a multiplication so that the low bits mix too. */
const hashOf = (key: string): number => {
  let hash = 0x811c9dc5
  for (let i = 0; i < key.length; i++) hash = Math.imul(hash ^ key.charCodeAt(i), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 15), 0x85ebca6b)
  return (hash ^ (hash >>> 13)) >>> 0
}

const wayOf = (hash: number, level: number): number => (hash >>> (level * BITS)) & (WAYS - 1)

/** Where a key is in a list in order, or where it would come. */
const placeOf = (entries: readonly { readonly key: string }[], key: string): number => {
  let from = 0
  let to = entries.length
  while (from < to) {
    const middle = (from + to) >>> 1
    if (entries[middle].key < key) from = middle + 1
    else to = middle
  }
  return from
}

const entryOf = <V>(entries: readonly Entry<V>[], key: string): Entry<V> | undefined => {
  const entry = entries.at(placeOf(entries, key))
  return entry?.key === key ? entry : undefined
}

/** The list with `entry` in place of the one of its key, or at its place; without one of `key` where there is no entry. */
const spliced = <V>(entries: readonly Entry<V>[], key: string, entry: Entry<V> | undefined): readonly Entry<V>[] => {
  const at = placeOf(entries, key)
  const copy = entries.slice()
  copy.splice(at, entries.at(at)?.key === key ? 1 : 0, ...(entry === undefined ? [] : [entry]))
  return copy
}

export const getFrom = <V>(trie: Trie<V>, key: string): V | undefined => {
  const hash = hashOf(key)
  let node = trie.root
  for (let level = 0; node !== undefined; level++) {
    if (node.leaf) return node.hash === hash ? entryOf(node.entries, key)?.value : undefined
    node = node.ways[wayOf(hash, level)]
  }
  return undefined
}

export const setIn = <V>(trie: Trie<V>, key: string, value: V): Trie<V> => {
  const added = getFrom(trie, key) === undefined ? 1 : 0
  return { size: trie.size + added, root: put(trie.root, hashOf(key), 0, { key, value }) }
}

const put = <V>(node: Node<V> | undefined, hash: number, level: number, entry: Entry<V>): Node<V> => {
  if (node === undefined) return { leaf: true, hash, entries: [entry] }
  if (!node.leaf) {
    const way = wayOf(hash, level)
    return { leaf: false, ways: replaced(node.ways, way, put(node.ways[way], hash, level + 1, entry)) }
  }
  if (node.hash === hash) return { leaf: true, hash, entries: spliced(node.entries, entry.key, entry) }
  const ways = new Array<Node<V> | undefined>(WAYS).fill(undefined)
  ways[wayOf(node.hash, level)] = node
  return put({ leaf: false, ways }, hash, level, entry)
}

const replaced = <T>(list: readonly T[], index: number, value: T): readonly T[] => {
  const copy = list.slice()
  copy[index] = value
  return copy
}

export const deleteFrom = <V>(trie: Trie<V>, key: string): Trie<V> =>
  getFrom(trie, key) === undefined ? trie : { size: trie.size - 1, root: take(trie.root, hashOf(key), 0, key) }

const take = <V>(node: Node<V> | undefined, hash: number, level: number, gone: string): Node<V> | undefined => {
  if (node === undefined) return undefined
  if (node.leaf) {
    const entries = spliced(node.entries, gone, undefined)
    return entries.length === 0 ? undefined : { ...node, entries }
  }
  const way = wayOf(hash, level)
  const ways = replaced(node.ways, way, take(node.ways[way], hash, level + 1, gone))
  return ways.every((one) => one === undefined) ? undefined : { leaf: false, ways }
}
