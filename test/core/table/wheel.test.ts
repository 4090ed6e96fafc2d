import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import {
  addRow,
  createTable,
  dropRow,
  nextDue,
  open,
  popDue,
  schedule,
  seal,
  type Table,
  unschedule,
} from "../../../core/table/index.ts"

const wheelTable = (wheelSlots: number, rows: number): Table => {
  const table = open(
    createTable({
      families: [{ width: 4, key: undefined }],
      sparse: 0,
      sets: 0,
      wheel: { family: 0, next: 1, prev: 2, slot: 3 },
      hashKey: [1, 2],
      sizes: { segmentBits: 6, wheelSlots },
    }),
  )
  for (let row = 0; row < rows; row++) addRow(table, 0)
  return table
}

const popAll = (table: Table, now: number): number[] => {
  const rows: number[] = []
  for (let row = popDue(table, now); row !== 0; row = popDue(table, now)) rows.push(row)
  return rows
}

test("rows come up at their second, earlier seconds first, none before", () => {
  const table = wheelTable(64, 4)
  assert.equal(nextDue(table), undefined)
  for (const [row, deadline] of [
    [1, 30],
    [2, 10],
    [3, 30],
    [4, 11],
  ]) {
    schedule(table, row, deadline)
  }
  assert.equal(nextDue(table), 10)
  assert.deepEqual(popAll(table, 9), [])
  assert.deepEqual(popAll(table, 10), [2])
  assert.equal(nextDue(table), 11)
  assert.deepEqual(popAll(table, 29), [4])
  assert.deepEqual(popAll(table, 30).sort(), [1, 3])
  assert.equal(nextDue(table), undefined)
})

test("a later deadline leaves a row where it is, an earlier one moves it; neither writes without need", () => {
  const table = wheelTable(64, 2)
  schedule(table, 1, 20)
  const linked = seal(table)
  schedule(table, 1, 50)
  schedule(table, 1, 20)
  assert.equal(seal(table), linked)
  assert.equal(nextDue(table), 20)
  schedule(table, 1, 15)
  assert.equal(nextDue(table), 15)
  assert.deepEqual(popAll(table, 15), [1])
  schedule(table, 1, 50)
  assert.equal(nextDue(table), 50)
  assert.equal(nextDue(open(linked)), 20)
})

test("a deadline in the past comes up at once, and the deadline 2^32 - 1 never", () => {
  const table = wheelTable(64, 3)
  assert.equal(popDue(table, 1000), 0)
  schedule(table, 1, 5)
  assert.equal(nextDue(table), 1000)
  assert.deepEqual(popAll(table, 1000), [1])
  const none = seal(table)
  schedule(table, 2, 0xffffffff)
  assert.equal(seal(table), none)
  schedule(table, 2, 1010)
  schedule(table, 2, 0xffffffff)
  assert.equal(nextDue(table), undefined)
})

test("deadlines beyond a turn come up early and reach their second when scheduled again, at any gaps", () => {
  for (const gap of [1, 7, 8, 9, 100, 4000000]) {
    const table = wheelTable(8, 1)
    const deadline = 20000000 + gap
    let now = 19999000
    popDue(table, now)
    schedule(table, 1, deadline)
    let pops = 0
    while (now < deadline) {
      now += gap
      for (const row of popAll(table, now)) {
        pops++
        if (deadline > now) schedule(table, row, deadline)
      }
    }
    assert.equal(nextDue(table), undefined)
    assert.ok(pops <= 2 + 1000 / 7, `${pops} pops`)
  }
})

test("the last seconds of 32 bits work", () => {
  const table = wheelTable(64, 2)
  popDue(table, 0xfffffff0)
  schedule(table, 1, 0xfffffffe)
  schedule(table, 2, 0xfffffff2)
  assert.equal(nextDue(table), 0xfffffff2)
  assert.deepEqual(popAll(table, 0xfffffffd), [2])
  assert.deepEqual(popAll(table, 0xfffffffe), [1])
})

test("a clock that steps back gives nothing and loses nothing", () => {
  const table = wheelTable(64, 2)
  popDue(table, 100)
  schedule(table, 1, 110)
  assert.equal(popDue(table, 50), 0)
  assert.equal(nextDue(table), 110)
  schedule(table, 2, 60)
  assert.equal(nextDue(table), 100)
  assert.equal(popDue(table, 99), 0)
  assert.deepEqual(popAll(table, 110), [2, 1])
})

test("a row leaves from the front, the middle and the end of a slot, and by being dropped", () => {
  for (const [first, second] of [
    [1, 2],
    [2, 3],
    [3, 1],
    [2, 1],
  ]) {
    const table = wheelTable(32, 3)
    for (const row of [1, 2, 3]) schedule(table, row, 40)
    unschedule(table, first)
    unschedule(table, first)
    dropRow(table, 0, second)
    assert.deepEqual(popAll(table, 40), [6 - first - second])
    assert.equal(nextDue(table), undefined)
  }
})

test("the next second with rows is found from any cursor, however far off, on wheels of all sizes", () => {
  for (const wheelSlots of [1, 8, 32, 64, 1024, 2048, 131072]) {
    const table = wheelTable(wheelSlots, 1)
    for (let round = 0; round < 300; round++) {
      const cursor = round * 200_003
      popDue(table, cursor)
      assert.equal(nextDue(table), undefined)
      const deadline = cursor + ((round * 40_503) % wheelSlots)
      schedule(table, 1, deadline)
      assert.equal(nextDue(table), deadline)
      if (deadline > cursor) assert.equal(popDue(table, deadline - 1), 0)
      assert.equal(popDue(table, deadline), 1)
    }
  }
})

test("rows all over a turn come up in the order of their seconds, from any cursor", () => {
  const seconds = fc.array(fc.integer({ min: 0, max: 2047 }), { minLength: 1, maxLength: 12 })
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 5000 }), seconds, fc.boolean(), (cursor, ahead, farthest) => {
      const table = wheelTable(2048, ahead.length + 1)
      popDue(table, cursor)
      // The farthest second's slot is the one just behind the cursor's.
      const deadlines = [...ahead, ...(farthest ? [2047] : [])].map((seconds) => cursor + seconds)
      deadlines.forEach((deadline, n) => {
        schedule(table, n + 1, deadline)
      })
      for (const deadline of deadlines.toSorted((a, b) => a - b)) {
        assert.equal(nextDue(table), deadline)
        assert.equal(deadlines[popDue(table, cursor + 2047) - 1], deadline)
      }
      assert.equal(nextDue(table), undefined)
    }),
  )
})

test("without a wheel nothing is ever due", () => {
  const table = open(
    createTable({ families: [{ width: 4, key: undefined }], sparse: 0, sets: 0, wheel: undefined, hashKey: [1, 2] }),
  )
  addRow(table, 0)
  schedule(table, 1, 5)
  unschedule(table, 1)
  assert.equal(popDue(table, 10), 0)
  assert.equal(nextDue(table), undefined)
})
