import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import {
  createTable,
  give,
  isTaken,
  nextFree,
  nextFreeInBoth,
  open,
  seal,
  take,
  takenCount,
} from "../../../core/table/index.ts"

const empty = () =>
  createTable({ families: [], sparse: 0, sets: 2, wheel: undefined, hashKey: [1, 2], sizes: { segmentBits: 5 } })

/** The definition, one number at a time. */
const naiveNextFree = (taken: ReadonlySet<number>, from: number, first: number, last: number): number => {
  const start = from < first || from > last ? first : from
  for (let n = start; n <= last; n++) if (!taken.has(n)) return n
  for (let n = first; n < start; n++) if (!taken.has(n)) return n
  return -1
}

test("a set that was never written is empty", () => {
  const table = open(empty())
  assert.equal(takenCount(table, 1, 9), 0)
  assert.equal(isTaken(table, 1, 9, 65535), false)
  assert.equal(nextFree(table, 1, 9, 40000, 1024, 65535), 40000)
  assert.equal(nextFree(table, 1, 9, 7, 1024, 65535), 1024)
  assert.equal(nextFree(table, 1, 9, 7, 5, 4), -1)
  give(table, 1, 9, 3)
  assert.equal(takenCount(table, 1, 9), 0)
})

test("all 65536 numbers can be taken in any order, and a full set says so", () => {
  const version = empty()
  const table = open(version)
  for (let step = 0; step < 65536; step++) take(table, 0, 0, (step * 40503) & 65535)
  const full = seal(table)
  assert.equal(takenCount(table, 0, 0), 65536)
  assert.equal(nextFree(table, 0, 0, 30000, 0, 65535), -1)
  for (const n of [0, 31, 32, 1023, 1024, 32767, 32768, 65504, 65535]) {
    give(table, 0, 0, n)
    assert.equal(nextFree(table, 0, 0, 30000, 0, 65535), n)
    assert.equal(nextFree(table, 0, 0, n, 0, 65535), n)
    if (n > 0) assert.equal(nextFree(table, 0, 0, 0, 0, n - 1), -1)
    if (n < 65535) assert.equal(nextFree(table, 0, 0, 65535, n + 1, 65535), -1)
    take(table, 0, 0, n)
  }
  assert.equal(takenCount(open(version), 0, 0), 0)
  assert.equal(nextFree(open(version), 0, 0, 12345, 0, 65535), 12345)
  assert.equal(nextFree(open(full), 0, 0, 12345, 0, 65535), -1)
})

test("the one free number of a full set is found from everywhere", () => {
  const table = open(empty())
  for (let n = 0; n < 65536; n++) take(table, 0, 0, n)
  for (let hole = 5; hole < 65536; hole += 1021) {
    give(table, 0, 0, hole)
    for (let from = 0; from < 65536; from += 1019) assert.equal(nextFree(table, 0, 0, from, 0, 65535), hole)
    take(table, 0, 0, hole)
  }
})

test("taking twice and giving twice change nothing", () => {
  const table = open(empty())
  take(table, 0, 3, 65535)
  const once = seal(table)
  take(table, 0, 3, 65535)
  assert.equal(seal(table), once)
  give(table, 0, 3, 65535)
  const none = seal(table)
  give(table, 0, 3, 65535)
  assert.equal(seal(table), none)
  assert.equal(takenCount(table, 0, 3), 0)
})

const near = fc.oneof(
  fc.constantFrom(0, 31, 32, 1023, 1024, 2047, 32767, 32768, 64511, 64512, 65503, 65504, 65535),
  fc.integer({ min: 0, max: 65535 }),
)

test("nextFree agrees with one look at each number, after any runs taken and given, in each version", () => {
  const run = fc.record({ on: fc.boolean(), at: near, length: fc.constantFrom(1, 2, 33, 1024, 3000, 33000, 65536) })
  const ask = fc.record({ from: near, first: near, last: near })
  fc.assert(
    fc.property(fc.array(run, { maxLength: 8 }), fc.array(ask, { maxLength: 12 }), (runs, asks) => {
      const table = open(empty())
      const taken = new Set<number>()
      const before = seal(table)
      const kept = runs.map(({ on, at, length }) => {
        for (let n = at; n < Math.min(65536, at + length); n++) {
          if (on) take(table, 1, 2, n)
          else give(table, 1, 2, n)
          if (on) taken.add(n)
          else taken.delete(n)
        }
        return { version: seal(table), taken: new Set(taken) }
      })
      for (const { version, taken: then } of [{ version: before, taken: new Set<number>() }, ...kept]) {
        const opened = open(version)
        assert.equal(takenCount(opened, 1, 2), then.size)
        for (const { from, first, last } of asks) {
          assert.equal(nextFree(opened, 1, 2, from, first, last), naiveNextFree(then, from, first, last))
          assert.equal(isTaken(opened, 1, 2, from), then.has(from))
        }
      }
    }),
    { numRuns: 40 },
  )
})

test("nextFreeInBoth agrees with one look at each number of both sets", () => {
  const run = fc.record({ set: fc.constantFrom(2, 7), at: near, length: fc.constantFrom(1, 2, 33, 1024, 33000, 65536) })
  const ask = fc.record({ from: near, first: near, last: near })
  fc.assert(
    fc.property(fc.array(run, { maxLength: 6 }), fc.array(ask, { maxLength: 12 }), (runs, asks) => {
      const table = open(empty())
      const taken = new Set<number>()
      runs.forEach(({ set, at, length }, step) => {
        // Every second number of each run, so that the sets fill each other's gaps.
        for (let n = at; n < Math.min(65536, at + length); n += 1 + (step % 2)) {
          take(table, 1, set, n)
          taken.add(n)
        }
      })
      for (const { from, first, last } of asks)
        assert.equal(nextFreeInBoth(table, 1, 2, 7, from, first, last), naiveNextFree(taken, from, first, last))
    }),
    { numRuns: 60 },
  )
})
