/** Numbers 0 to 2^32 - 1 to small positive numbers, 0 where nothing was put. Two levels, made on demand. Not versioned. */
export interface Directory {
  readonly leaves: Int32Array[]
}

const LEAF_BITS = 10
const LEAF_MASK = 2 ** LEAF_BITS - 1
/** Stands for every leaf without entries; never written. */
const EMPTY = new Int32Array(LEAF_MASK + 1)

export const makeDirectory = (): Directory => ({ leaves: [] })

export const lookUp = (directory: Directory, key: number): number => {
  const leaf = key >>> LEAF_BITS
  return leaf < directory.leaves.length ? directory.leaves[leaf][key & LEAF_MASK] : 0
}

export const enter = (directory: Directory, key: number, value: number): void => {
  const leaf = key >>> LEAF_BITS
  while (directory.leaves.length <= leaf) directory.leaves.push(EMPTY)
  if (directory.leaves[leaf] === EMPTY) directory.leaves[leaf] = new Int32Array(LEAF_MASK + 1)
  directory.leaves[leaf][key & LEAF_MASK] = value
}

export const copyDirectory = (directory: Directory): Directory => ({
  leaves: directory.leaves.map((leaf) => (leaf === EMPTY ? leaf : leaf.slice())),
})

export const directoryBytes = (directory: Directory): number =>
  directory.leaves.reduce((bytes, leaf) => bytes + 8 + (leaf === EMPTY ? 0 : leaf.byteLength), 0)

/** Calls `visit` with every number that has one, in order, and what it has. */
export const eachEntry = ({ leaves }: Directory, visit: (key: number, value: number) => void): void => {
  for (let high = 0; high < leaves.length; high++) {
    const leaf = leaves[high]
    if (leaf === EMPTY) continue
    for (let low = 0; low <= LEAF_MASK; low++) if (leaf[low] !== 0) visit(high * (LEAF_MASK + 1) + low, leaf[low])
  }
}
