/**
 * A map of whole numbers from 0 to 2^50 - 1, persistent: a change gives a map that shares all but one path with the map that it is made of,
 * which stays as it was. Its entries are in the order of their keys. A trie of five bits a level, the highest first; a part with
 * one entry is that entry.
 */
export interface NumberMap<V> {
  /** How many entries there are. */
  readonly size: number
  /** Levels: keys are below 32 to the power of it. It grows with the keys, and starts again where the map is empty. */
  readonly levels: number
  /** `undefined`: nothing is in it. */
  readonly root: NumberMapNode<V> | undefined
}

/** A part of a map: an entry, or up to 32 parts, of which `mask` says which there are. */
export type NumberMapNode<V> =
  | { readonly key: number; readonly value: V }
  | { readonly key: undefined; readonly mask: number; readonly nodes: readonly NumberMapNode<V>[] }

const EMPTY: NumberMap<never> = { size: 0, levels: 1, root: undefined }

/** Without entries. */
export const emptyNumbers = <V>(): NumberMap<V> => EMPTY

const POWERS: readonly number[] = /* @__PURE__ */ Array.from({ length: 11 }, (_, level) => 32 ** level)

/** The five bits of a key at a level, 0 the lowest. */
const digit = (key: number, level: number): number => Math.floor(key / POWERS[level]) % 32

const bitsIn = (mask: number): number => {
  const pairs = mask - ((mask >>> 1) & 0x55555555)
  const fours = (pairs & 0x33333333) + ((pairs >>> 2) & 0x33333333)
  return Math.imul((fours + (fours >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24
}

/** Where the part of a digit stands, or would. */
const placeOf = (mask: number, at: number): number => bitsIn(mask & ((1 << at) - 1))

/** A key's value; `undefined`: it is not there. */
export const numberAt = <V>({ root, levels }: NumberMap<V>, key: number): V | undefined => {
  let node = key < POWERS[levels] ? root : undefined
  for (let level = levels - 1; node !== undefined; level--) {
    if (node.key !== undefined) return node.key === key ? node.value : undefined
    const at = digit(key, level)
    node = ((node.mask >>> at) & 1) === 0 ? undefined : node.nodes[placeOf(node.mask, at)]
  }
  return undefined
}

/** With a key's value. */
export const withNumber = <V>(map: NumberMap<V>, key: number, value: V): NumberMap<V> => {
  let { root, levels } = map
  while (key >= POWERS[levels]) {
    if (root !== undefined && root.key === undefined) root = { key: undefined, mask: 1, nodes: [root] }
    levels++
  }
  const leaf = { key, value }
  if (root === undefined) return { size: 1, levels, root: leaf }
  const isNew = numberAt(map, key) === undefined
  return { size: isNew ? map.size + 1 : map.size, levels, root: put(root, leaf, levels - 1) }
}

const put = <V>(
  node: NumberMapNode<V>,
  leaf: NumberMapNode<V> & { readonly key: number },
  level: number,
): NumberMapNode<V> => {
  if (node.key === leaf.key) return leaf
  const at = digit(leaf.key, level)
  if (node.key !== undefined) {
    const other = digit(node.key, level)
    if (other === at) return { key: undefined, mask: 1 << at, nodes: [put(node, leaf, level - 1)] }
    return { key: undefined, mask: (1 << at) | (1 << other), nodes: at < other ? [leaf, node] : [node, leaf] }
  }
  const place = placeOf(node.mask, at)
  const nodes = node.nodes.slice()
  if (((node.mask >>> at) & 1) === 0) nodes.splice(place, 0, leaf)
  else nodes[place] = put(nodes[place], leaf, level - 1)
  return { key: undefined, mask: node.mask | (1 << at), nodes }
}

/** Without a key; the same map where it is not there. */
export const withoutNumber = <V>(map: NumberMap<V>, key: number): NumberMap<V> => {
  if (map.root === undefined || numberAt(map, key) === undefined) return map
  const root = take(map.root, key, map.levels - 1)
  return root === undefined ? EMPTY : { size: map.size - 1, levels: map.levels, root }
}

const take = <V>(node: NumberMapNode<V>, key: number, level: number): NumberMapNode<V> | undefined => {
  if (node.key !== undefined) return undefined
  const at = digit(key, level)
  const place = placeOf(node.mask, at)
  const left = take(node.nodes[place], key, level - 1)
  const nodes = node.nodes.slice()
  if (left !== undefined) nodes[place] = left
  else nodes.splice(place, 1)
  const mask = left === undefined ? node.mask & ~(1 << at) : node.mask
  // What has one entry left is that entry.
  if (nodes.length === 1 && nodes[0].key !== undefined) return nodes[0]
  return nodes.length === 0 ? undefined : { key: undefined, mask, nodes }
}

/** The entries in the order of their keys, from `from` on. */
export const numbersFrom = <V>(map: NumberMap<V>, from = 0): Generator<readonly [number, V], void, undefined> =>
  walk(map.root, 0, from, map.levels - 1)

/** The entries of a part whose keys begin at `base`. */
function* walk<V>(
  node: NumberMapNode<V> | undefined,
  base: number,
  from: number,
  level: number,
): Generator<readonly [number, V], void, undefined> {
  if (node === undefined) return
  if (node.key !== undefined) {
    if (node.key >= from) yield [node.key, node.value]
    return
  }
  let place = 0
  for (let at = 0; at < 32; at++) {
    if (((node.mask >>> at) & 1) === 0) continue
    const part = node.nodes[place++]
    const start = base + at * POWERS[level]
    if (start + POWERS[level] > from) yield* walk(part, start, from, level - 1)
  }
}

/** The first entry from a key on; `undefined`: there is none. */
export const numberFrom = <V>(map: NumberMap<V>, from = 0): readonly [number, V] | undefined => {
  const next = numbersFrom(map, from).next()
  return next.done === true ? undefined : next.value
}
