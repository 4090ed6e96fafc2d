import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import {
  addRow,
  createTable,
  dropRow,
  find,
  indexRow,
  keyOf,
  makeReader,
  makeWriter,
  open,
  partsOf,
  restoreTable,
  type Shape,
  saveTable,
  seal,
  setWord,
  type Table,
  unindexRow,
  type Version,
  word,
} from "../../../core/table/index.ts"

const OWNER = 0
const ITEM = 1

/** Items are found by their owner's two key words and a word of their own. */
const shape: Shape = {
  families: [
    { width: 4, key: { from: 1, to: 3 } },
    { width: 4, key: { from: 1, to: 3, repeats: true, through: { family: OWNER, from: 1, to: 3 } } },
  ],
  sparse: 0,
  sets: 0,
  wheel: undefined,
  hashKey: [3, 4],
  sizes: { segmentBits: 3, chunkRecords: 3, hashSegmentSlots: 4 },
}

interface Model {
  /** Row of each owner, by its key words. */
  readonly owners: ReadonlyMap<string, number>
  /** Row of each item, by its owner's key words and its own. */
  readonly items: ReadonlyMap<string, number>
}

const A = [0, 1, -1]
const B = [0, -1, 5]
const C = [0, 1, 2]

const findItem = (table: Table, a: number, b: number, c: number): number => {
  keyOf(table, ITEM).set([a, b, c])
  return find(table, ITEM)
}

const agrees = (version: Version, { owners, items }: Model): void => {
  const table = open(version)
  for (const a of A)
    for (const b of B) {
      keyOf(table, OWNER).set([a, b])
      assert.equal(find(table, OWNER), owners.get(`${a} ${b}`) ?? 0)
      for (const c of C) assert.equal(findItem(table, a, b, c), items.get(`${a} ${b} ${c}`) ?? 0, `${a} ${b} ${c}`)
    }
}

/** Adds what is not there and drops what is; an owner goes only when it has no items. */
const turn = (version: Version, { owners, items }: Model, a: number, b: number, c: number, asked: boolean) => {
  const table = open(version)
  const owner = `${a} ${b}`
  const item = `${owner} ${c}`
  const nextOwners = new Map(owners)
  const nextItems = new Map(items)
  if (asked) findItem(table, a, b, c)
  const there = items.get(item)
  if (there !== undefined) {
    unindexRow(table, ITEM, there)
    dropRow(table, ITEM, there)
    nextItems.delete(item)
    if (![...nextItems.keys()].some((key) => key.startsWith(`${owner} `))) {
      const row = owners.get(owner) ?? 0
      unindexRow(table, OWNER, row)
      dropRow(table, OWNER, row)
      nextOwners.delete(owner)
    }
    return { version: seal(table), model: { owners: nextOwners, items: nextItems } }
  }
  let row = owners.get(owner) ?? 0
  if (row === 0) {
    row = addRow(table, OWNER)
    setWord(table, OWNER, row, 1, a)
    setWord(table, OWNER, row, 2, b)
    indexRow(table, OWNER, row)
    nextOwners.set(owner, row)
  }
  const made = addRow(table, ITEM)
  setWord(table, ITEM, made, 1, row)
  setWord(table, ITEM, made, 2, c)
  indexRow(table, ITEM, made)
  nextItems.set(item, made)
  return { version: seal(table), model: { owners: nextOwners, items: nextItems } }
}

test("a key through another row is found in one search, in every version", () => {
  const step = fc.record({
    a: fc.constantFrom(...A),
    b: fc.constantFrom(...B),
    c: fc.constantFrom(...C),
    asked: fc.boolean(),
    back: fc.nat(),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const empty: Model = { owners: new Map(), items: new Map() }
      const kept = [{ version: createTable(shape), model: empty }]
      for (const { a, b, c, asked, back } of steps) {
        // Now and then an older state goes on.
        const from = back % 4 === 0 ? kept[back % kept.length] : kept[kept.length - 1]
        kept.push(turn(from.version, from.model, a, b, c, asked))
      }
      for (const { version, model } of kept) agrees(version, model)
      const last = kept[kept.length - 1]
      const writer = makeWriter()
      saveTable(last.version, writer)
      const restored = restoreTable(shape, makeReader(Uint8Array.from(partsOf(writer).flatMap((part) => [...part]))))
      assert.ok(typeof restored === "object")
      agrees(restored, last.model)
    }),
    { numRuns: 200 },
  )
})

test("rows of nobody are found under -1 for each of the owner's words, several with one key", () => {
  const table = open(createTable(shape))
  const zeros = addRow(table, OWNER)
  indexRow(table, OWNER, zeros)
  for (const c of [7, 7, 8]) {
    const row = addRow(table, ITEM)
    setWord(table, ITEM, row, 2, c)
    indexRow(table, ITEM, row)
  }
  const ones = addRow(table, OWNER)
  setWord(table, OWNER, ones, 1, -1)
  indexRow(table, OWNER, ones)
  assert.equal(findItem(table, 0, 0, 7), 0, "an owner whose words are 0 is somebody")
  assert.equal(findItem(table, -1, 0, 7), 0)
  const found = findItem(table, -1, -1, 7)
  assert.ok(found === 1 || found === 2)
  unindexRow(table, ITEM, found)
  assert.equal(findItem(table, -1, -1, 7), 3 - found)
  assert.equal(findItem(table, -1, -1, 8), 3)
})

test("a snapshot whose key goes through a row that is not there is refused", () => {
  const table = open(createTable(shape))
  const row = addRow(table, ITEM)
  setWord(table, ITEM, row, 1, 0)
  setWord(table, ITEM, row, 2, 5)
  indexRow(table, ITEM, row)
  const save = (): Uint8Array => {
    const writer = makeWriter()
    saveTable(seal(table), writer)
    return Uint8Array.from(partsOf(writer).flatMap((part) => [...part]))
  }
  assert.equal(typeof restoreTable(shape, makeReader(save())), "object")
  for (const owner of [1, -1, 0x7fffffff]) {
    setWord(table, ITEM, row, 1, owner)
    assert.equal(restoreTable(shape, makeReader(save())), "contents", `owner ${owner}`)
  }
  assert.equal(word(table, ITEM, row, 2), 5)
})
