import { type Directory, enter, lookUp, makeDirectory } from "./directory.ts"
import { ensure, read, write } from "./memory.ts"
import type { Table } from "./table.ts"

/** An array of words over all 32-bit numbers; pages are made at the first write to them and never given back. */
export interface Sparse {
  /** Page of the index space -> its place among the pages of all sparse arrays, from 1. */
  readonly pages: Directory
}

export const makeSparse = (): Sparse => ({ pages: makeDirectory() })

/** The word at `index` (0 to 2^32 - 1) of sparse array `sparse`; 0 where nothing was written. */
export const peek = (table: Table, sparse: number, index: number): number => {
  const page = lookUp(table.sparses[sparse].pages, index >>> table.pageBits)
  return page === 0 ? 0 : read(table, table.pages, ((page - 1) << table.pageBits) | (index & table.pageMask))
}

/** Adds 1 to the word at `index` (0 to 2^32 - 1) of sparse array `sparse`. */
export const increment = (table: Table, sparse: number, index: number): void => {
  const page = lookUp(table.sparses[sparse].pages, index >>> table.pageBits)
  if (page === 0) {
    poke(table, sparse, index, 1)
    return
  }
  const at = ((page - 1) << table.pageBits) | (index & table.pageMask)
  write(table, table.pages, at, read(table, table.pages, at) + 1)
}

/** Writes a 32-bit word at `index` (0 to 2^32 - 1) of sparse array `sparse`. */
export const poke = (table: Table, sparse: number, index: number, value: number): void => {
  const { pages } = table.sparses[sparse]
  const key = index >>> table.pageBits
  let page = lookUp(pages, key)
  if (page === 0) {
    if (value === 0) return
    page = table.pageCount + 1
    ensure(table, table.pages, page * (table.pageMask + 1) - 1)
    enter(pages, key, page)
    table.pageCount = page
  }
  write(table, table.pages, ((page - 1) << table.pageBits) | (index & table.pageMask), value)
}
