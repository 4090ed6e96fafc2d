import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import {
  addRow,
  copy,
  createTable,
  dropRow,
  find,
  give,
  historyBytes,
  indexRow,
  isTaken,
  keyOf,
  nextDue,
  nextFree,
  open,
  peek,
  poke,
  popDue,
  rowCount,
  rowLimit,
  type Sizes,
  schedule,
  seal,
  setWord,
  setWords,
  type Table,
  take,
  takenCount,
  unindexRow,
  unschedule,
  type Version,
  word,
} from "../../../core/table/index.ts"
import { copyModel, dueRows, emptyModel, freeNumber, type Model, secondFor, setOf } from "./model.ts"

/** Random histories over tiny sizes, so that every boundary is met, jumping between all versions kept so far. */

const FAMILIES = [
  { width: 8, key: { from: 1, to: 3 } },
  { width: 3, key: undefined },
  { width: 2, key: { from: 0, to: 2 } },
] as const
/** Words of each family that the test writes at will; the wheel has 5, 6 and 7 of family 0. */
const WORDS = [5, 3, 2] as const
const TURN = 8
const SPARSES = 2
const SETS = ["0/0", "0/5", "1/0"] as const

/** [what to do, three numbers for it] */
type Move = readonly [number, number, number, number]

interface Run {
  table: Table
  model: Model
  now: number
  readonly kept: { readonly version: Version; readonly model: Model; readonly now: number }[]
}

const pick = <T>(from: Iterable<T>, n: number): T | undefined => {
  const all = [...from]
  return all[n % all.length]
}

const keyText = (family: number, words: readonly number[]): string => {
  const key = FAMILIES[family].key
  return key === undefined ? "" : words.slice(key.from, key.to).join()
}

const isIndexed = (model: Model, family: number, row: number): boolean =>
  [...model.families[family].index.values()].includes(row)

const setAt = (n: number): { name: string; group: number; set: number } => {
  const name = SETS[n % SETS.length]
  return { name, group: Number(name[0]), set: Number(name[2]) }
}

/** Numbers near the ends of a set and of its words. */
const portAt = (n: number): number => [n % 70, 1000 + (n % 50), 65535 - (n % 70)][n % 3]

const moves: readonly ((run: Run, a: number, b: number, c: number) => void)[] = [
  function add({ table, model }, a) {
    const family = model.families[a % 3]
    const row = family.dropped.pop() ?? ++family.used
    family.rows.set(row, new Array(FAMILIES[a % 3].width).fill(0))
    assert.equal(addRow(table, a % 3), row)
  },
  function drop({ table, model }, a, b) {
    const family = model.families[a % 3]
    const row = pick(family.rows.keys(), b)
    if (row === undefined) return
    if (isIndexed(model, a % 3, row)) {
      family.index.delete(keyText(a % 3, family.rows.get(row) ?? []))
      unindexRow(table, a % 3, row)
    }
    if (a % 3 === 0) model.linked.delete(row)
    family.rows.delete(row)
    family.dropped.push(row)
    dropRow(table, a % 3, row)
  },
  function write({ table, model }, a, b, c) {
    const row = pick(model.families[a % 3].rows, b)
    const index = (b >>> 8) % WORDS[a % 3]
    if (row === undefined || isIndexed(model, a % 3, row[0])) return
    row[1][index] = c % 4
    setWord(table, a % 3, row[0], index, c % 4)
  },
  function writeFirst({ table, model }, a, b, c) {
    const row = pick(model.families[a % 3].rows, b)
    if (row === undefined || isIndexed(model, a % 3, row[0])) return
    const words = Int32Array.from({ length: WORDS[a % 3] }, (_, i) => ((c >>> (2 * i)) + i) % 4)
    row[1].splice(0, words.length, ...words)
    setWords(table, a % 3, row[0], words)
  },
  function enterOrLeave({ table, model }, a, b) {
    const family = model.families[a % 3]
    const entry = pick(family.rows, b)
    if (entry === undefined || FAMILIES[a % 3].key === undefined) return
    const [row, words] = entry
    if (isIndexed(model, a % 3, row)) {
      family.index.delete(keyText(a % 3, words))
      unindexRow(table, a % 3, row)
    } else if (!family.index.has(keyText(a % 3, words))) {
      family.index.set(keyText(a % 3, words), row)
      indexRow(table, a % 3, row)
    }
  },
  function pokeWord({ table, model }, a, b, c) {
    const at = [b % 40, 0xffffffff - (b % 20)][b & 1]
    model.sparse[a % SPARSES].set(at, c % 3)
    poke(table, a % SPARSES, at, c % 3)
  },
  function takeRun({ table, model }, a, b, c) {
    const { name, group, set } = setAt(a)
    const first = portAt(b)
    for (let n = first; n <= Math.min(65535, first + (c % 50)); n++) {
      setOf(model, name).add(n)
      take(table, group, set, n)
    }
  },
  function giveRun({ table, model }, a, b, c) {
    const { name, group, set } = setAt(a)
    const first = portAt(b)
    for (let n = first; n <= Math.min(65535, first + (c % 20)); n++) {
      setOf(model, name).delete(n)
      give(table, group, set, n)
    }
  },
  function askFree({ table, model }, a, b, c) {
    const { name, group, set } = setAt(a)
    const [from, first] = [portAt(b), portAt(c)]
    const last = Math.min(65535, first + (b % 90))
    assert.equal(nextFree(table, group, set, from, first, last), freeNumber(setOf(model, name), from, first, last))
  },
  function scheduleRow({ table, model, now }, a, b) {
    const row = pick(model.families[0].rows.keys(), a)
    if (row === undefined) return
    const deadline = Math.max(0, now - 2 + (b % 14))
    const second = secondFor(model, TURN, deadline)
    if (second < (model.linked.get(row) ?? Infinity)) model.linked.set(row, second)
    schedule(table, row, deadline)
  },
  function unscheduleRow({ table, model }, a) {
    const row = pick(model.families[0].rows.keys(), a)
    if (row === undefined) return
    model.linked.delete(row)
    unschedule(table, row)
  },
  function pop(run, a, b) {
    run.now += a % 5 === 0 ? b % 30 : a % 3
    const may = dueRows(run.model, TURN, run.now)
    const row = popDue(run.table, run.now)
    assert.ok(may.length === 0 ? row === 0 : may.includes(row), `${row} of ${may}`)
    run.model.linked.delete(row)
  },
  keep,
  keep,
  function jump(run, a) {
    const { version, model, now } = run.kept[a % run.kept.length]
    run.table = open(version)
    run.model = copyModel(model)
    run.now = now
  },
]

function keep(run: Run): void {
  run.kept.push({ version: seal(run.table), model: copyModel(run.model), now: run.now })
}

const KEYS = [0, 1, 2, 3].flatMap((a) => [0, 1, 2, 3].map((b) => [a, b] as const))

const assertSame = (table: Table, model: Model): void => {
  model.families.forEach((family, number) => {
    assert.equal(rowCount(table, number), family.rows.size)
    assert.equal(rowLimit(table, number), family.used + 1)
    for (const [row, words] of family.rows) {
      for (let index = 0; index < WORDS[number]; index++) assert.equal(word(table, number, row, index), words[index])
    }
    for (const key of FAMILIES[number].key === undefined ? [] : KEYS) {
      keyOf(table, number).set(key)
      assert.equal(find(table, number), family.index.get(key.join()) ?? 0)
    }
  })
  model.sparse.forEach((words, sparse) => {
    for (const at of [...words.keys(), 3, 39, 0xfffffff0]) assert.equal(peek(table, sparse, at), words.get(at) ?? 0)
  })
  SETS.forEach((name, n) => {
    const { group, set } = setAt(n)
    const numbers = model.sets.get(name) ?? new Set()
    assert.equal(takenCount(table, group, set), numbers.size)
    for (const number of [...numbers, 0, 31, 65535]) {
      assert.equal(isTaken(table, group, set, number), numbers.has(number))
    }
  })
  assert.equal(nextDue(table), model.linked.size === 0 ? undefined : Math.min(...model.linked.values()))
}

/** Takes everything off the wheel of a version: the links, not only the heads, are as they were. */
const assertDrains = (table: Table, model: Model): void => {
  const left = copyModel(model)
  const end = left.cursor + TURN - 1
  for (let may = dueRows(left, TURN, end); may.length > 0; may = dueRows(left, TURN, end)) {
    const row = popDue(table, end)
    assert.ok(may.includes(row))
    left.linked.delete(row)
  }
  assert.equal(popDue(table, end), 0)
}

const play = (sizes: Sizes, hashKey: readonly [number, number], history: readonly Move[]): void => {
  const wheel = { family: 0, next: 5, prev: 6, slot: 7 }
  const first = createTable({ families: FAMILIES, sparse: SPARSES, sets: 2, wheel, hashKey, sizes })
  const run: Run = { table: open(first), model: emptyModel(FAMILIES.length, SPARSES), now: 0, kept: [] }
  keep(run)
  for (const [what, a, b, c] of history) moves[what % moves.length](run, a, b, c)
  keep(run)
  const { kept } = run
  const copied = kept[kept.length >> 1]
  const twin = copy(copied.version)
  // In the order of keeping, then with a stride, so that the path between two versions is now short, now long.
  for (const { version, model } of kept) assertSame(open(version), model)
  for (let step = 0; step < kept.length; step++) {
    const { version, model } = kept[(step * 7919) % kept.length]
    assertSame(open(version), model)
    assert.equal(historyBytes(version), 0)
    assertDrains(open(version), model)
  }
  for (const { version, model } of kept) assertSame(open(version), model)
  assertSame(open(twin), copied.model)
  assertDrains(open(twin), copied.model)
  assertSame(open(kept[0].version), kept[0].model)
}

const sizes = fc.record({
  segmentBits: fc.constantFrom(4, 5, 6, 10),
  chunkRecords: fc.constantFrom(1, 3, 4, 7, 100),
  hashSegmentSlots: fc.constantFrom(4, 8),
  wheelSlots: fc.constant(TURN),
  pageBits: fc.constant(3),
})
const number = fc.integer({ min: 0, max: 0xffff })
const moveOf = fc.tuple(fc.integer({ min: 0, max: moves.length - 1 }), number, number, number)

test("every version kept of a random history reads as a copy made then", () => {
  fc.assert(
    fc.property(
      sizes,
      fc.tuple(fc.integer(), fc.integer()),
      fc.array(moveOf, { maxLength: 300, size: "max" }),
      (sizesOf, hashKey, history) => play(sizesOf, hashKey, history),
    ),
    { numRuns: 60 },
  )
})

test("so it is with hundreds of versions kept", () => {
  const long = fc.array(moveOf, { minLength: 3000, maxLength: 3000, size: "max" })
  fc.assert(
    fc.property(sizes, fc.tuple(fc.integer(), fc.integer()), long, (sizesOf, hashKey, history) =>
      play(sizesOf, hashKey, history),
    ),
    { numRuns: 3, endOnFailure: true },
  )
})
