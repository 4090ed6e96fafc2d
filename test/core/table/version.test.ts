import assert from "node:assert/strict"
import { test } from "node:test"
import {
  addRow,
  copy,
  createTable,
  find,
  historyBytes,
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
  type Table,
  take,
  takenCount,
  unindexRow,
  type Version,
} from "../../../core/table/index.ts"

const shape = (chunkRecords: number) => ({
  families: [{ width: 2, key: { from: 0, to: 1 } }],
  sparse: 1,
  sets: 1,
  wheel: undefined,
  hashKey: [1, 2] as const,
  sizes: { segmentBits: 4, chunkRecords, hashSegmentSlots: 4, pageBits: 3 },
})

/** Writes 0 = value once more in a version: one record. */
const step = (version: Version, value: number): Version => {
  const table = open(version)
  poke(table, 0, 0, value)
  return seal(table)
}

const value = (version: Version): number => peek(open(version), 0, 0)

test("a version is its own until something is written", () => {
  const first = createTable(shape(4))
  assert.equal(seal(open(first)), first)
  const second = step(first, 1)
  assert.notEqual(second, first)
  assert.equal(seal(open(second)), second)
  assert.equal(seal(open(first)), first)
  assert.equal(step(second, 1), second)
})

for (const chunkRecords of [1, 2, 3, 5, 16384]) {
  test(`a line of 200 versions, and branches from each, stay what they were (${chunkRecords} records a chunk)`, () => {
    const line = [createTable(shape(chunkRecords))]
    for (let n = 1; n < 200; n++) line.push(step(line[n - 1], n))
    const branches = line.map((version, n) => step(step(version, 1000 + n), 2000 + n))
    const twigs = branches.map((version, n) => step(version, 3000 + n))
    for (let n = 0; n < 200; n++) {
      const at = (n * 67) % 200
      assert.equal(value(line[at]), at)
      assert.equal(value(twigs[199 - at]), 3199 - at)
      assert.equal(value(branches[at]), 2000 + at)
    }
    for (let n = 199; n >= 0; n--) assert.equal(value(line[n]), n)
  })
}

test("historyBytes counts 8 a write between a version and the present, and opening it sets that to 0", () => {
  for (const chunkRecords of [1, 3, 1000]) {
    const line = [createTable(shape(chunkRecords))]
    for (let n = 1; n <= 50; n++) line.push(step(line[n - 1], n))
    for (let n = 0; n <= 50; n++) assert.equal(historyBytes(line[n]), (50 - n) * 8)
    assert.equal(value(line[20]), 20)
    for (let n = 0; n <= 50; n++) assert.equal(historyBytes(line[n]), Math.abs(20 - n) * 8)
    const branch = step(step(line[20], 7), 8)
    for (let n = 0; n <= 50; n++) assert.equal(historyBytes(line[n]), Math.abs(20 - n) * 8 + 16)
    assert.equal(historyBytes(branch), 0)
  }
})

test("leaving and entering an index are undone and redone in the row's own time", () => {
  let table = open(createTable(shape(2)))
  const wanted = (version: Version, key: number): number => {
    table = open(version)
    keyOf(table, 0)[0] = key
    return find(table, 0)
  }
  const row = addRow(table, 0)
  setWord(table, 0, row, 0, 10)
  indexRow(table, 0, row)
  const ten = seal(table)
  unindexRow(table, 0, row)
  setWord(table, 0, row, 0, 20)
  indexRow(table, 0, row)
  const twenty = seal(table)
  for (let round = 0; round < 3; round++) {
    assert.deepEqual([wanted(ten, 10), wanted(ten, 20)], [row, 0])
    assert.deepEqual([wanted(twenty, 10), wanted(twenty, 20)], [0, row])
  }
})

test("a copy has the contents and goes its own way", () => {
  const first = step(createTable(shape(3)), 5)
  const later = step(first, 6)
  const twin = copy(first)
  assert.equal(historyBytes(twin), 0)
  assert.equal(value(twin), 5)
  const changed = step(twin, 9)
  assert.deepEqual([value(changed), value(twin), value(later), value(first)], [9, 5, 6, 5])
  // What only one of them ever used exists only there.
  const [mine, theirs] = [open(changed), open(later)]
  for (const [table, n] of [
    [mine, 100],
    [theirs, 200],
    [mine, 300],
  ] as const) {
    poke(table, 0, n, n)
    take(table, 0, n, n)
  }
  assert.deepEqual(
    [100, 200, 300].map((n) => [peek(mine, 0, n), peek(theirs, 0, n)]),
    [
      [100, 0],
      [0, 200],
      [300, 0],
    ],
  )
  assert.deepEqual(
    [100, 200, 300].map((n) => [takenCount(mine, 0, n), takenCount(theirs, 0, n)]),
    [
      [1, 0],
      [0, 1],
      [1, 0],
    ],
  )
})

/** Runs `change` while the runtime refuses typed arrays from the `after`-th on; whether it was refused. */
const refused = (after: number, change: () => void): boolean => {
  const real = globalThis.Int32Array
  let left = after
  globalThis.Int32Array = new Proxy(real, {
    construct(target, args, newTarget) {
      if (left-- === 0) throw new RangeError("Array buffer allocation failed")
      return Reflect.construct(target, args, newTarget)
    },
  })
  try {
    change()
    return false
  } catch (error) {
    assert.ok(error instanceof RangeError)
    return true
  } finally {
    globalThis.Int32Array = real
  }
}

test("when memory runs out at any point of a change, every version kept is still good, and the table goes on", () => {
  let refusals = 0
  const fill = (table: Table, from: number, to: number): void => {
    for (let key = from; key <= to; key++) {
      setWord(table, 0, addRow(table, 0), 0, key)
      indexRow(table, 0, key)
      poke(table, 0, key, 1)
    }
  }
  const assertHolds = (table: Table, rows: number): void => {
    assert.equal(rowCount(table, 0), rows)
    assert.equal(rowLimit(table, 0), rows + 1)
    for (let key = 1; key <= 40; key++) {
      keyOf(table, 0)[0] = key
      assert.equal(find(table, 0), key <= rows ? key : 0)
      assert.equal(peek(table, 0, key), key <= rows ? 1 : 0)
    }
  }
  for (let after = 0; after < 150; after++) {
    const before = createTable(shape(1 + (after % 3)))
    const table = open(before)
    fill(table, 1, 6)
    const six = seal(table)
    if (refused(after, () => fill(table, 7, 40))) refusals++
    if (refused(after, () => open(six))) refusals++
    assertHolds(open(six), 6)
    assertHolds(open(before), 0)
    fill(open(six), 7, 40)
    assertHolds(table, 40)
    for (let key = 1; key <= 40; key++) unindexRow(table, 0, key)
    for (let key = 1; key <= 40; key++) {
      keyOf(table, 0)[0] = key
      assert.equal(find(table, 0), 0)
    }
    assertHolds(open(six), 6)
  }
  assert.ok(refusals > 100, `${refusals} refusals`)
})

test("when memory runs out on the way back to a version, the way can be gone again", () => {
  let refusals = 0
  for (let after = 0; after < 10; after++) {
    const table = open(createTable(shape(2)))
    for (let key = 1; key <= 60; key++) {
      setWord(table, 0, addRow(table, 0), 0, key)
      indexRow(table, 0, key)
    }
    const full = seal(table)
    for (let key = 1; key <= 60; key++) unindexRow(table, 0, key)
    const none = seal(table)
    // Coming back, the merged index must grow.
    if (refused(after, () => open(full))) refusals++
    for (const version of [full, none, full]) {
      const opened = open(version)
      for (let key = 1; key <= 60; key++) {
        keyOf(opened, 0)[0] = key
        assert.equal(find(opened, 0), version === full ? key : 0)
      }
    }
  }
  assert.ok(refusals > 3, `${refusals} refusals`)
})

test("a small table takes little memory", () => {
  const table = open(createTable({ ...shape(16384), sizes: {} }))
  addRow(table, 0)
  assert.ok(memoryBytes(table) < 4096, `${memoryBytes(table)}`)
})
