import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import {
  addRow,
  copy,
  createTable,
  dropRow,
  hintOf,
  makeReader,
  makeWriter,
  open,
  partsOf,
  restoreTable,
  type Shape,
  saveTable,
  seal,
  setHint,
  setWord,
  word,
} from "../../../core/table/index.ts"

const SHAPE: Shape = {
  families: [
    { width: 4, key: undefined },
    { width: 2, key: undefined },
  ],
  sparse: 0,
  sets: 0,
  wheel: undefined,
  hashKey: [1, 2],
  sizes: { segmentBits: 3, chunkRecords: 4 },
}

test("a hint is 0 until one is written, and each row of each family has its own", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.constantFrom(0, 1), fc.integer({ min: 1, max: 40 }), fc.nat())), (writes) => {
      const table = open(createTable(SHAPE))
      const hints = new Map<string, number>()
      for (const [family, row, hint] of writes) {
        setHint(table, family, row, hint)
        hints.set(`${family} ${row}`, hint)
        for (const other of [0, 1])
          for (let at = 1; at <= 50; at++) assert.equal(hintOf(table, other, at), hints.get(`${other} ${at}`) ?? 0)
      }
    }),
  )
})

test("a hint is of no version: it changes none, stays when one is left, and is in no snapshot", () => {
  const table = open(createTable(SHAPE))
  const row = addRow(table, 0)
  setWord(table, 0, row, 1, 7)
  const before = seal(table)
  setHint(table, 0, row, 5)
  assert.equal(seal(table), before)
  setWord(table, 0, row, 1, 8)
  const after = seal(table)
  assert.equal(word(open(before), 0, row, 1), 7)
  assert.equal(hintOf(table, 0, row), 5)
  const octetsOf = (): readonly Uint8Array[] => {
    const writer = makeWriter()
    saveTable(before, writer)
    return partsOf(writer).map((part) => part.slice())
  }
  const saved = octetsOf()
  setHint(table, 0, row, 6)
  assert.deepEqual(octetsOf(), saved)
  const restored = restoreTable(SHAPE, makeReader(saved[0]))
  assert.ok(typeof restored !== "string")
  assert.equal(hintOf(open(restored), 0, row), 0)
  dropRow(open(after), 0, row)
  assert.equal(hintOf(table, 0, row), 6)
})

test("a copy's hints are its own", () => {
  const version = createTable(SHAPE)
  setHint(open(version), 1, 3, 5)
  const twin = open(copy(version))
  assert.equal(hintOf(twin, 1, 3), 5)
  setHint(twin, 1, 3, 9)
  assert.equal(hintOf(open(version), 1, 3), 5)
})
