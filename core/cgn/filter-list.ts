import { addRow, dropRow, setWord, type Table, word } from "../table/index.ts"
import { type Address, addressWord } from "../wire/index.ts"
import type { FilterAsk } from "./contract.ts"
import type { Filter } from "./mapping.ts"
import { addressAt, setAddress } from "./subscriber.ts"

/** Filters of a mapping as rows of a family of their own, of 8 words each, in a list; 0 ends it. */
const FilterWord = { REMOTE: 0, PREFIX: 4, PORT: 5, NEXT: 6 } as const

/** Which word of a filter row has the next one, for who checks the lists of a table. */
export const NEXT_FILTER: number = FilterWord.NEXT

/** The filters from row `first` of this family on, in their order. */
export const readFilters = (table: Table, family: number, first: number): readonly Filter[] => {
  const filters: Filter[] = []
  for (let at = first; at !== 0; at = word(table, family, at, FilterWord.NEXT))
    filters.push({
      remote: addressAt(table, family, at, FilterWord.REMOTE),
      prefixLength: word(table, family, at, FilterWord.PREFIX),
      remotePort: word(table, family, at, FilterWord.PORT),
    })
  return filters
}

/** Puts these in the place of the filters from row `first` on; the first row of the new ones, 0 for none. */
export const writeFilters = (table: Table, family: number, first: number, filters: readonly Filter[]): number => {
  for (let at = first; at !== 0; ) {
    const next = word(table, family, at, FilterWord.NEXT)
    dropRow(table, family, at)
    at = next
  }
  let next = 0
  for (let i = filters.length - 1; i >= 0; i--) {
    const { remote, prefixLength, remotePort } = filters[i]
    const at = addRow(table, family)
    setAddress(table, family, at, FilterWord.REMOTE, remote)
    setWord(table, family, at, FilterWord.PREFIX, prefixLength)
    setWord(table, family, at, FilterWord.PORT, remotePort)
    setWord(table, family, at, FilterWord.NEXT, next)
    next = at
  }
  return next
}

const isSame = (a: Filter, b: Filter): boolean =>
  a.remote === b.remote && a.prefixLength === b.prefixLength && a.remotePort === b.remotePort

/**
 * The filters that a mapping has after a request (RFC 6887 section 13.3). One that is there already is not added again: a
 * retransmission must not run into the limit.
 */
export const filtersAfter = (before: readonly Filter[], ask: FilterAsk): readonly Filter[] => {
  const after = ask.deleteFilters ? [] : [...before]
  for (const added of ask.filters) if (!after.some((one) => isSame(one, added))) after.push(added)
  return after
}

/** Are these the same filters in the same order? */
export const areSame = (a: readonly Filter[], b: readonly Filter[]): boolean =>
  a.length === b.length && a.every((one, i) => isSame(one, b[i]))

/** Does a remote peer's end match one of the filters from row `first` on (RFC 6887 section 13.3)? */
export const anyMatches = (
  table: Table,
  family: number,
  first: number,
  remote: Address,
  remotePort: number,
): boolean => {
  for (let at = first; at !== 0; at = word(table, family, at, FilterWord.NEXT)) {
    const port = word(table, family, at, FilterWord.PORT)
    if ((port === 0 || port === remotePort) && isInside(table, family, at, remote)) return true
  }
  return false
}

/** Has the address the prefix of this filter? */
const isInside = (table: Table, family: number, filter: number, remote: Address): boolean => {
  const length = word(table, family, filter, FilterWord.PREFIX)
  for (const i of [0, 1, 2, 3] as const) {
    const bits = Math.min(32, length - 32 * i)
    if (bits <= 0) return true
    const difference = word(table, family, filter, FilterWord.REMOTE + i) ^ addressWord(remote, i)
    if (difference >>> (32 - bits) !== 0) return false
  }
  return true
}
