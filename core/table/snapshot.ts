import { nextBit } from "./bit-tree.ts"
import { type Directory, eachEntry } from "./directory.ts"
import { type Extent, type Memory, read } from "./memory.ts"
import { type Family, FREE, FREE_COUNT, USED } from "./row.ts"
import { baseOf, FULL } from "./set.ts"
import type { Table } from "./table.ts"
import { open, type Version } from "./version.ts"
import { putWord, putWords, type Writer } from "./writer.ts"

/**
 * Appends all that a version has, as 32-bit words, little-endian, each list ended by a word 0:
 *
 * | words | what |
 * | --- | --- |
 * | shape | families; for each: width bits, keys, then from and to of each key; sparse arrays; page bits; groups of sets; wheel: 0, or 1, family, next, prev, slot, slots |
 * | 3 a family, 1 | header: first free row, free rows, ids ever used; the wheel's cursor |
 * | rows | for each family: its rows 1 up to the ids ever used, free ones among them |
 * | pages | for each sparse array: 1, page number, the page's words; only pages with a word that is not 0 |
 * | sets | for each group: 1, set id, 64 words with a bit for each of the set's 2048 words that is not 0, those words |
 * | heads | for each slot of the wheel that has rows: the slot plus 1, its first row |
 *
 * Indexes, summaries and counts of sets, and the wheel's tree of bits follow from these and are made again. So that the
 * indexes do, every row in use of a family with keys must be in them, as it is wherever rows are indexed when they are
 * added. How the table lies in memory (`Sizes`) plays no part, but for the page size and the slots of the wheel.
 */
export const saveTable = (version: Version, writer: Writer): void => {
  const table = open(version)
  for (const word of shapeWords(table)) putWord(writer, word)
  for (const { header } of table.families)
    for (const at of [FREE, FREE_COUNT, USED]) putWord(writer, read(table, table.header, header + at))
  putWord(writer, table.wheel === undefined ? 0 : read(table, table.header, table.wheel.cursorAt))
  for (const family of table.families) saveRows(table, family, writer)
  for (const { pages } of table.sparses) savePages(table, pages, writer)
  table.setGroups.forEach(({ places }, group) => {
    eachEntry(places, (set) => saveSet(table, group, set, writer))
    putWord(writer, 0)
  })
  saveHeads(table, writer)
}

/** The words that say what shape a table has; equal for tables whose snapshots fit each other. */
export const shapeWords = (table: Table): readonly number[] => [
  table.families.length,
  ...table.families.flatMap(({ widthBits, keys }) => [
    widthBits,
    keys.length,
    ...keys.flatMap(({ from, to }) => [from, to]),
  ]),
  table.sparses.length,
  table.pageBits,
  table.setGroups.length,
  ...wheelWords(table),
]

const wheelWords = ({ wheel }: Table): readonly number[] => {
  if (wheel === undefined) return [0]
  const { family, next, prev, slot } = wheel.shape
  return [1, family, next, prev, slot, wheel.slotMask + 1]
}

/** Calls `visit` for the words [from, to) of an extent, a memory segment's share at a time. */
export const eachSpan = (
  memory: Memory,
  extent: Extent,
  from: number,
  to: number,
  visit: (segment: Int32Array, start: number, end: number) => void,
): void => {
  for (let at = from; at < to; ) {
    const offset = at & memory.mask
    const count = Math.min(to - at, memory.mask + 1 - offset)
    visit(extent.segments[at >>> memory.bits], offset, offset + count)
    at += count
  }
}

/** Index of a family's first row's first word, and of the word after its last row's. */
export const rowSpan = ({ widthBits }: Family, used: number): readonly [number, number] => [
  1 << widthBits,
  (used + 1) << widthBits,
]

const saveRows = (table: Table, family: Family, writer: Writer): void => {
  const [from, to] = rowSpan(family, read(table, table.header, family.header + USED))
  eachSpan(table, family.rows, from, to, (segment, start, end) => putWords(writer, segment, start, end))
}

const savePages = (table: Table, directory: Directory, writer: Writer): void => {
  const size = table.pageMask + 1
  eachEntry(directory, (page, place) => {
    let used = false
    const from = (place - 1) * size
    for (let at = from; at < from + size && !used; at++) used = read(table, table.pages, at) !== 0
    if (!used) return
    putWord(writer, 1)
    putWord(writer, page)
    eachSpan(table, table.pages, from, from + size, (segment, start, end) => putWords(writer, segment, start, end))
  })
  putWord(writer, 0)
}

const saveSet = (table: Table, group: number, set: number, writer: Writer): void => {
  const base = baseOf(table, group, set)
  const words: number[] = []
  const which = new Int32Array(FULL >> 5)
  for (let at = 0; at < FULL; at++) {
    const word = read(table, table.setWords, base + at)
    if (word === 0) continue
    words.push(word)
    which[at >>> 5] |= 1 << (at & 31)
  }
  if (words.length === 0) return
  putWord(writer, 1)
  putWord(writer, set)
  for (const word of which) putWord(writer, word)
  for (const word of words) putWord(writer, word)
}

const saveHeads = (table: Table, writer: Writer): void => {
  const { wheel } = table
  if (wheel !== undefined && wheel.slots.reach > 0) {
    const next = (from: number): number => nextBit(table, wheel.slots, wheel.occupied, from)
    for (let slot = next(0); slot !== -1; slot = next(slot + 1)) {
      putWord(writer, slot + 1)
      putWord(writer, read(table, wheel.slots, slot))
    }
  }
  putWord(writer, 0)
}
