import assert from "node:assert/strict"
import { test } from "node:test"
import {
  addRow,
  createTable,
  dropRow,
  find,
  indexRow,
  keyOf,
  memoryBytes,
  open,
  peek,
  poke,
  rowCount,
  rowLimit,
  seal,
  setWord,
  unindexRow,
  word,
} from "../../../core/table/index.ts"

const shape = {
  families: [
    { width: 3, key: { from: 1, to: 3 } },
    { width: 16, key: undefined },
  ],
  sparse: 2,
  sets: 0,
  wheel: undefined,
  hashKey: [0x01020304, -5],
} as const
const tiny = { segmentBits: 3, chunkRecords: 3, hashSegmentSlots: 4, pageBits: 3 }

test("ids start at 1, each family's own; a dropped id comes back with zeroed words", () => {
  const table = open(createTable({ ...shape, sizes: tiny }))
  assert.deepEqual([addRow(table, 0), addRow(table, 0), addRow(table, 1), addRow(table, 0)], [1, 2, 1, 3])
  for (let index = 0; index < 3; index++) setWord(table, 0, 2, index, -1 - index)
  assert.equal(word(table, 0, 2, 2), -3)
  dropRow(table, 0, 2)
  dropRow(table, 0, 1)
  assert.equal(rowCount(table, 0), 1)
  assert.equal(rowLimit(table, 0), 4)
  assert.deepEqual([addRow(table, 0), addRow(table, 0), addRow(table, 0)], [1, 2, 4])
  for (let index = 0; index < 3; index++) assert.equal(word(table, 0, 2, index), 0)
  assert.equal(rowCount(table, 0), 4)
  assert.equal(rowCount(table, 1), 1)
})

test("a row wider than the segments asked for still has all its words", () => {
  const table = open(createTable({ ...shape, sizes: tiny }))
  for (let row = 1; row <= 20; row++) {
    addRow(table, 1)
    for (let index = 0; index < 16; index++) setWord(table, 1, row, index, row * 100 + index)
  }
  for (let row = 1; row <= 20; row++) {
    for (let index = 0; index < 16; index++) assert.equal(word(table, 1, row, index), row * 100 + index)
  }
})

test("words keep 32 bits, and writing the same word in its other sign changes nothing", () => {
  const table = open(createTable(shape))
  addRow(table, 0)
  setWord(table, 0, 1, 0, 0xfffffffe)
  assert.equal(word(table, 0, 1, 0), -2)
  const version = seal(table)
  setWord(table, 0, 1, 0, -2)
  setWord(table, 0, 1, 0, 0xfffffffe)
  assert.equal(seal(table), version)
})

for (const slots of [4, 8, 64, 8192]) {
  test(`the index finds each of 20000 keys and no other, while it grows and shrinks (${slots} slots a segment)`, () => {
    const rows = 20000
    const table = open(createTable({ ...shape, sizes: { hashSegmentSlots: slots } }))
    const key = keyOf(table, 0)
    const wanted = (n: number): number => {
      key[0] = n >> 3
      key[1] = n & 7
      return find(table, 0)
    }
    for (let n = 1; n <= rows; n++) {
      addRow(table, 0)
      setWord(table, 0, n, 1, n >> 3)
      setWord(table, 0, n, 2, n & 7)
      assert.equal(wanted(n), 0)
      indexRow(table, 0, n)
    }
    const full = memoryBytes(table)
    for (let n = 1; n <= rows; n++) assert.equal(wanted(n), n)
    for (let n = rows + 1; n <= 2 * rows; n++) assert.equal(wanted(n), 0)
    for (let n = 1; n <= rows; n++) if (n % 100 !== 0) unindexRow(table, 0, n)
    for (let n = 1; n <= rows; n++) assert.equal(wanted(n), n % 100 === 0 ? n : 0)
    for (let n = 100; n <= rows; n += 100) unindexRow(table, 0, n)
    // Merged again: what is left is the rows' own memory and at most a few segments.
    if (slots < 8192) assert.ok(memoryBytes(table) < full - rows * 8, "segments far under-full merge")
    for (let n = 1; n <= rows; n++) indexRow(table, 0, n)
    for (let n = 1; n <= rows; n++) assert.equal(wanted(n), n)
  })
}

test("taking a row out of an index that it is not in changes nothing, in no version", () => {
  const table = open(createTable({ ...shape, sizes: tiny }))
  addRow(table, 0)
  const before = seal(table)
  unindexRow(table, 0, 1)
  assert.equal(seal(table), before)
  assert.equal(find(open(before), 0), 0)
})

test("a family without a key finds nothing", () => {
  const table = open(createTable(shape))
  addRow(table, 1)
  indexRow(table, 1, 1)
  unindexRow(table, 1, 1)
  assert.equal(find(table, 1), 0)
  assert.equal(keyOf(table, 1).length, 0)
})

test("sparse arrays hold a word at each 32-bit number, and read 0 elsewhere", () => {
  for (const sizes of [{}, { segmentBits: 3, pageBits: 5 }, tiny]) {
    const table = open(createTable({ ...shape, sizes }))
    const places = [0, 7, 8, 4095, 4096, 65535 * 65536, 0x7fffffff, 0x80000000, 0xffffffff]
    const before = seal(table)
    for (const at of places) poke(table, 0, at, 0)
    assert.equal(seal(table), before)
    for (const at of places) poke(table, 0, at, ~at)
    for (const at of places) {
      assert.equal(peek(table, 0, at), ~at)
      assert.equal(peek(table, 1, at), 0)
    }
    assert.equal(peek(table, 0, 9), 0)
    assert.equal(peek(table, 0, 0x12345678), 0)
    poke(table, 1, 8, 5)
    assert.equal(peek(table, 0, 8), ~8)
    for (const at of places) assert.equal(peek(open(before), 0, at), 0)
  }
})
