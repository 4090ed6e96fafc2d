import assert from "node:assert/strict"
import { test } from "node:test"
import {
  addRow,
  createTable,
  dropRow,
  find,
  give,
  historyBytes,
  indexRow,
  isTaken,
  keyOf,
  makeReader,
  makeWriter,
  nextDue,
  nextFree,
  open,
  partsOf,
  peek,
  poke,
  popDue,
  putWord,
  putWords,
  restoreTable,
  rowCount,
  rowLimit,
  type Shape,
  type Sizes,
  saveTable,
  schedule,
  seal,
  setWord,
  type Table,
  take,
  takenCount,
  takeWord,
  takeWords,
  unindexRow,
  type Version,
  word,
} from "../../../core/table/index.ts"
import { type Random, randomFrom } from "../../fuzz/random.ts"

const shapeOf = (sizes: Sizes, hashKey: readonly [number, number]): Shape => ({
  families: [
    { width: 8, key: { from: 0, to: 2 }, secondKey: { from: 2, to: 3 } },
    { width: 3, key: undefined },
    { width: 16, key: { from: 1, to: 4 } },
  ],
  sparse: 2,
  sets: 2,
  wheel: { family: 0, next: 5, prev: 6, slot: 7 },
  hashKey,
  sizes,
})

const sizesFrom = (random: Random): Sizes => ({
  segmentBits: 4 + random.below(3),
  chunkRecords: 1 + random.below(7),
  hashSegmentSlots: random.pick([4, 8]),
  pageBits: 2 + random.below(4),
  wheelSlots: random.pick([8, 16, 32]),
})

const octetsOf = (version: Version): Uint8Array => {
  const writer = makeWriter()
  saveTable(version, writer)
  return Uint8Array.from(partsOf(writer).flatMap((part) => [...part]))
}

const isVersion = (restored: ReturnType<typeof restoreTable>): restored is Version => typeof restored === "object"

const restored = (shape: Shape, octets: Uint8Array): Version => {
  const reader = makeReader(octets)
  const version = restoreTable(shape, reader)
  assert.ok(isVersion(version), String(version))
  assert.equal(reader.at, octets.length)
  return version
}

const KEYED = [0, 2]

/** Is a row of this family in use? Its first key word is then not 0 here. */
const rowsOf = (table: Table, family: number): number[] => {
  const rows: number[] = []
  for (let row = 1; row < rowLimit(table, family); row++) if (word(table, family, row, 2) !== 0) rows.push(row)
  return rows
}

/** Does something and says all that the table answered. Rows are indexed as soon as they are there. */
const act = (table: Table, random: Random, now: number): string => {
  const family = random.below(3)
  const rows = rowsOf(table, family)
  switch (random.below(9)) {
    case 0:
    case 1: {
      const a = random.below(6)
      const b = 1 + random.below(40)
      const key = keyOf(table, family)
      key.fill(0)
      if (family === 0) {
        key.set([a, b])
        if (find(table, 0) !== 0) return `had ${find(table, 0)}`
        keyOf(table, 0, 1)[0] = 100 * a + b
        if (find(table, 0, 1) !== 0) return `had end ${find(table, 0, 1)}`
      } else if (family === 2) {
        key.set([a, b, 7])
        if (find(table, 2) !== 0) return `had ${find(table, 2)}`
      }
      const row = addRow(table, family)
      const words = family === 0 ? [a, b, 100 * a + b, random.below(9)] : [random.below(9), a, b, 7]
      words.slice(0, family === 1 ? 3 : 4).forEach((value, at) => {
        setWord(table, family, row, at, value)
      })
      if (family !== 1) indexRow(table, family, row)
      return `added ${row}`
    }
    case 2: {
      if (rows.length === 0) return "none"
      const row = random.pick(rows)
      if (KEYED.includes(family)) unindexRow(table, family, row)
      dropRow(table, family, row)
      return `dropped ${row}, ${rowCount(table, family)} left`
    }
    case 3: {
      const known = rowsOf(table, 0)
      if (known.length === 0) return "none"
      const row = random.pick(known)
      schedule(table, row, now + random.below(40))
      return `due ${nextDue(table)}`
    }
    case 4:
      return `popped ${popDue(table, now)}`
    case 5: {
      const at = random.pick([random.below(20), 9000 + random.below(16)])
      const was = peek(table, random.below(2), at)
      poke(table, random.below(2), at, random.once(3) ? 0 : random.below(5))
      return `was ${was}`
    }
    case 6:
    case 7: {
      const set = random.pick([0, 3, 300])
      // Whole words fill up, so that summaries have bits.
      const from = random.pick([0, 992, 65504])
      let text = ""
      for (let n = from; n < from + 32; n++) if (!random.once(40)) text += `${take(table, 1, set, n)} `
      return `took ${text} next ${nextFree(table, 1, set, from, 0, 65535)}`
    }
    default: {
      const set = random.pick([0, 3, 300])
      const n = random.pick([0, 992, 65504]) + random.below(32)
      return `gave ${give(table, 1, set, n)} ${takenCount(table, 1, set)} ${isTaken(table, 1, set, n + 1)}`
    }
  }
}

/** A version after so many things done, on the way to which older ones were gone back to. */
const history = (shape: Shape, random: Random, steps: number): { version: Version; now: number } => {
  let version = createTable(shape)
  const kept = [{ version, now: 0 }]
  let now = 0
  for (let step = 0; step < steps; step++) {
    const table = open(version)
    now += random.once(3) ? random.below(8) : 0
    act(table, random, now)
    version = seal(table)
    if (random.once(10)) kept.push({ version, now })
    if (random.once(25)) ({ version, now } = random.pick(kept))
  }
  return { version, now }
}

test("a restored table answers as the one that was saved, whatever comes, with other sizes and another hash key too", () => {
  for (let seed = 1; seed <= 40; seed++) {
    const random = randomFrom(seed)
    const { version, now } = history(shapeOf(sizesFrom(random), [seed, 7]), random, 20 * seed)
    const octets = octetsOf(version)
    let twin = restored(shapeOf(sizesFrom(random), [seed, random.below(1000)]), octets)
    assert.equal(historyBytes(twin), 0)
    assert.deepEqual(octetsOf(twin), octets, `seed ${seed}`)
    const start = twin
    let at = now
    let here = version
    for (let step = 0; step < 200; step++) {
      const seedOfStep = random.below(2 ** 30)
      at += random.once(3) ? random.below(8) : 0
      const table = open(here)
      const wanted = act(table, randomFrom(seedOfStep), at)
      here = seal(table)
      const other = open(twin)
      const got = act(other, randomFrom(seedOfStep), at)
      twin = seal(other)
      assert.equal(got, wanted, `seed ${seed}, step ${step}`)
    }
    assert.deepEqual(octetsOf(twin), octetsOf(here), `seed ${seed}`)
    assert.deepEqual(octetsOf(start), octets, `seed ${seed}: the restored version stayed what it was`)
    assert.deepEqual(octetsOf(version), octets, `seed ${seed}: the saved version stayed what it was`)
  }
})

test("a snapshot is words in little-endian order, each part where the layout says", () => {
  const shape: Shape = {
    families: [{ width: 2, key: { from: 0, to: 1 } }],
    sparse: 1,
    sets: 1,
    wheel: undefined,
    hashKey: [1, 2],
    sizes: { pageBits: 1 },
  }
  const table = open(createTable(shape))
  for (const value of [0x11223344, 5]) {
    const row = addRow(table, 0)
    setWord(table, 0, row, 0, value)
    setWord(table, 0, row, 1, -1)
    indexRow(table, 0, row)
  }
  unindexRow(table, 0, 1)
  dropRow(table, 0, 1)
  poke(table, 0, 9, 0x0a0b0c0d)
  take(table, 0, 6, 33)
  const octets = octetsOf(seal(table))
  assert.deepEqual([...octets.subarray(0, 4)], [1, 0, 0, 0])
  const words = Array.from({ length: octets.length / 4 }, (_, at) => new DataView(octets.buffer).getInt32(4 * at, true))
  assert.deepEqual(words, [
    ...[1, 1, 1, 0, 1, 1, 1, 1, 0], // one family of 2^1 words, one key [0, 1); one array, pages of 2^1; one group; no wheel
    ...[1, 1, 2, 0], // row 1 is free, one is, two were used; no cursor
    ...[0, 0, 5, -1], // row 1, the last of the free ones, and row 2
    ...[1, 4, 0, 0x0a0b0c0d, 0], // page 4, its second word
    ...[1, 6, 2, ...new Array(63).fill(0), 2, 0], // set 6: word 1 of it is not 0, and has bit 1
    0, // no slots
  ])
})

test("words go by one as they go in bulk, over the ends of parts", () => {
  const words = Int32Array.from({ length: 200_000 }, (_, n) => Math.imul(n, 0x9e3779b1))
  const write = (bulk: boolean): Uint8Array => {
    const writer = makeWriter()
    putWord(writer, -7)
    putWords(writer, words, 3, words.length, bulk)
    const parts = partsOf(writer)
    assert.ok(parts.length > 3)
    return Uint8Array.from(parts.flatMap((part) => [...part]))
  }
  const octets = write(true)
  assert.equal(octets.length, 4 * (words.length - 2))
  assert.ok(write(false).every((octet, at) => octet === octets[at]))
  for (const bulk of [true, false]) {
    const reader = makeReader(octets.slice(0).subarray(0))
    assert.equal(takeWord(reader), -7)
    const back = new Int32Array(words.length)
    takeWords(reader, back, 3, back.length, bulk)
    assert.deepEqual(back.subarray(3), words.subarray(3))
    takeWords(reader, back, 0, 1, bulk)
    assert.ok(reader.failed)
    assert.equal(takeWord(reader), 0)
  }
})

/** A snapshot with something in every part of it. */
const full = (seed: number): { shape: Shape; octets: Uint8Array; now: number } => {
  const random = randomFrom(seed)
  const shape = shapeOf(sizesFrom(random), [seed, 7])
  const { version, now } = history(shape, random, 900)
  return { shape, octets: octetsOf(version), now }
}

test("a snapshot cut short anywhere is no table, and neither is one of another shape", () => {
  const { shape, octets } = full(5)
  const step = Math.max(1, octets.length >> 10)
  for (let length = 0; length < octets.length; length += length < 300 || octets.length - length < 300 ? 1 : step) {
    const restoredOne = restoreTable(shape, makeReader(octets.subarray(0, length)))
    assert.ok(typeof restoredOne === "string", `${length} octets of ${octets.length}`)
  }
  for (const other of [
    { ...shape, families: shape.families.slice(1) },
    { ...shape, families: shape.families.map((family) => ({ ...family, width: 2 * family.width })) },
    { ...shape, sets: 3 },
    { ...shape, sparse: 0 },
    { ...shape, wheel: undefined },
  ])
    assert.equal(restoreTable(other, makeReader(octets)), "shape")
})

test("a snapshot with any word changed is no table, or one that holds together and can be gone on from", () => {
  let refused = 0
  let taken = 0
  for (let seed = 1; seed <= 8; seed++) {
    const { shape, octets, now } = full(seed)
    const random = randomFrom(seed)
    for (let run = 0; run < 200; run++) {
      const changed = octets.slice()
      const view = new DataView(changed.buffer)
      const at = 4 * random.below(octets.length / 4)
      const was = view.getInt32(at, true)
      const word = random.pick([0, 1, -1, was + 1, was ^ (1 << random.below(32)), 0x7fffffff, random.below(40)])
      view.setInt32(at, word, true)
      const version = restoreTable(shape, makeReader(changed))
      if (!isVersion(version)) {
        refused++
        continue
      }
      taken++
      const table = open(version)
      for (let step = 0; step < 40; step++) act(table, random, now + step)
      while (popDue(table, 0xfffffff0) !== 0);
      assert.equal(nextDue(table), undefined)
    }
  }
  assert.ok(refused > 300 && taken > 300, `${refused} refused, ${taken} taken`)
})
