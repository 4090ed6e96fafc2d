import { addRow, dropRow, setWord, type Table, word } from "../table/index.ts"
import { i32, putU32 } from "../wire/index.ts"
import { OCTETS, OCTETS_WORDS, Octets } from "./layout.ts"

/** Octets that one row holds. */
const ROOM = (OCTETS_WORDS - Octets.FIRST) * 4

/** Keeps octets in as many rows as they need; the first of them, to get and to drop them by, or 0 for none. */
export const keepOctets = (table: Table, bytes: Uint8Array): number => {
  let first = 0
  const padded = new Uint8Array(Math.ceil(bytes.length / ROOM) * ROOM)
  padded.set(bytes)
  // From the end, so that each row is written once with the next one known.
  for (let at = padded.length - ROOM; at >= 0; at -= ROOM) {
    const row = addRow(table, OCTETS)
    setWord(table, OCTETS, row, Octets.NEXT, first)
    if (at === 0) setWord(table, OCTETS, row, Octets.LENGTH, bytes.length)
    for (let i = 0; i < OCTETS_WORDS - Octets.FIRST; i++) {
      const value = i32(padded, at + 4 * i)
      if (value !== 0) setWord(table, OCTETS, row, Octets.FIRST + i, value)
    }
    first = row
  }
  return first
}

/** The octets that are kept at a row; none at 0. */
export const keptOctets = (table: Table, first: number): Uint8Array => {
  const length = first === 0 ? 0 : word(table, OCTETS, first, Octets.LENGTH)
  const padded = new Uint8Array(Math.ceil(length / ROOM) * ROOM)
  let row = first
  for (let at = 0; at < padded.length; at += ROOM) {
    for (let i = 0; i < OCTETS_WORDS - Octets.FIRST; i++)
      putU32(padded, at + 4 * i, word(table, OCTETS, row, Octets.FIRST + i))
    row = word(table, OCTETS, row, Octets.NEXT)
  }
  return padded.slice(0, length)
}

/** Gives their rows back. */
export const dropOctets = (table: Table, first: number): void => {
  for (let row = first; row !== 0; ) {
    const next = word(table, OCTETS, row, Octets.NEXT)
    dropRow(table, OCTETS, row)
    row = next
  }
}

/** 32 bits that tell two requests of one requester apart (FNV-1a); nobody gains by two that are alike. */
export const digestOf = (bytes: Uint8Array): number => {
  let hash = 0x811c9dc5
  for (let i = 0; i < bytes.length; i++) hash = Math.imul(hash ^ bytes[i], 0x01000193)
  return hash | 0
}

/** Have both the same octets? */
export const sameOctets = (one: Uint8Array, other: Uint8Array): boolean => {
  if (one.length !== other.length) return false
  for (let i = 0; i < one.length; i++) if (one[i] !== other[i]) return false
  return true
}
