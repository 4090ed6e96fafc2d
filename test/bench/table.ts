/**
 * The persistent table against a Map of objects doing the same in place: `node test/bench/table.ts [rows, default 1000000]`.
 * The ratios within one run are what counts. Rows are met in random order; rates are the median of three passes. The Map
 * comes last, when the table's part is over, so that its objects do not lengthen the table's collections.
 */
import {
  addRow,
  copy,
  createTable,
  dropRow,
  find,
  historyBytes,
  indexRow,
  keyOf,
  memoryBytes,
  nextFree,
  open,
  popDue,
  schedule,
  seal,
  setWord,
  take,
  unindexRow,
  type Version,
} from "../../core/table/index.ts"

const ROWS = Number(process.argv[2] ?? 1_000_000)
const KEEP_EACH = 1000
/** Words 1 to 6 of a row are its key, 7 to 10 are written once, these each time. */
const EXPIRY = 11
const OTHER = 12

/** Seconds that `count` steps take. */
const timed = (count: number, step: (n: number) => void): number => {
  const start = performance.now()
  for (let n = 0; n < count; n++) step(n)
  return (performance.now() - start) / 1000
}

/** Steps a second: the median of three passes over all rows. */
const rateOf = (step: (n: number) => void): number =>
  [0, 1, 2].map(() => ROWS / timed(ROWS, step)).toSorted((a, b) => a - b)[1]

/** Times each step alone: "p99.99 …, longest …". */
const singleSteps = (count: number, step: (n: number) => void): string => {
  const buckets = new Uint32Array(100_000)
  let longest = 0
  let before = performance.now()
  for (let n = 0; n < count; n++) {
    step(n)
    const now = performance.now()
    const micros = (now - before) * 1000
    before = now
    longest = Math.max(longest, micros)
    buckets[Math.min(buckets.length - 1, Math.floor(micros * 10))]++
  }
  let bucket = 0
  for (let seen = 0; seen < count * 0.9999; bucket++) seen += buckets[bucket]
  return `p99.99 ${bucket / 10} µs, longest ${(longest / 1000).toFixed(1)} ms`
}

/** A far jump each step that meets every row once: the factor is odd and no multiple of 5, ROWS a power of ten to 10^7. */
const scattered = (n: number): number => (n * 618_033_989) % ROWS

const rates = new Map<string, number>()
const show = (name: string, rate: number): void => {
  rates.set(name, rate)
  console.log(`${name.padEnd(44)}${(rate / 1e6).toFixed(2)} M/s`)
}
const note = (text: string): void => console.log(`  ${text}`)

console.log(`${ROWS} rows of 16 words, node ${process.version}`)
const residentBefore = process.memoryUsage.rss()

let version: Version = createTable({
  families: [{ width: 16, key: { from: 1, to: 7 } }],
  sparse: 0,
  sets: 1,
  wheel: { family: 0, next: 13, prev: 14, slot: 15 },
  hashKey: [0x243f6a88, 0x05a308d3],
})

const fillKey = (key: Int32Array, n: number): void => {
  key[2] = 0xffff
  key[3] = 0x0a000000 + (n >>> 4)
  key[4] = (17 << 16) | (n & 15)
}

const create = (n: number): void => {
  const table = open(version)
  const key = keyOf(table, 0)
  fillKey(key, n)
  if (find(table, 0) !== 0) return
  const row = addRow(table, 0)
  for (let at = 0; at < 6; at++) setWord(table, 0, row, 1 + at, key[at])
  for (let at = 7; at < 11; at++) setWord(table, 0, row, at, n + at)
  setWord(table, 0, row, EXPIRY, 7200)
  indexRow(table, 0, row)
  version = seal(table)
}

const lookUp = (n: number): number => {
  const table = open(version)
  fillKey(keyOf(table, 0), scattered(n))
  return find(table, 0)
}

let tick = 7200
const renew = (n: number): void => {
  const table = open(version)
  fillKey(keyOf(table, 0), scattered(n))
  setWord(table, 0, find(table, 0), EXPIRY, ++tick)
  version = seal(table)
}

show("find + add + index + seal", ROWS / timed(ROWS, create))
const { rss } = process.memoryUsage()
const counted = memoryBytes(open(version)) / ROWS
note(`${counted.toFixed(1)} bytes a row counted, ${((rss - residentBefore) / ROWS).toFixed(1)} resident`)
show("find", rateOf(lookUp))
show("find + setWord + seal", rateOf(renew))
const kept: Version[] = []
const keptRate = rateOf((n) => {
  renew(n)
  if (n % KEEP_EACH === 0) kept.push(version)
})
show(`the same, each ${KEEP_EACH}th version kept`, keptRate)
note(`${kept.length} versions kept: ${(historyBytes(kept[0]) / kept.length).toFixed(0)} bytes of log each`)
kept.length = 0
note(`single renewals: ${singleSteps(3 * ROWS, renew)}`)

for (const back of [1000, 100_000, 1_000_000]) {
  const then = version
  timed(back, renew)
  note(`going back ${back} renewals: ${(timed(1, () => open(then)) * 1000).toFixed(2)} ms`)
}

let fork = version
const bump = (from: Version, row: number, n: number): Version => {
  const table = open(from)
  setWord(table, 0, row, OTHER, n)
  return seal(table)
}
const origin = version
const ALTERNATIONS = 100_000
const alternate = (n: number): void => {
  bump(origin, 1, n + 1)
  fork = bump(origin, 2, n + 1)
}
show("two forks a step apart, alternating", (2 * ALTERNATIONS) / timed(ALTERNATIONS, alternate))
version = fork

show(
  "schedule over a day + seal",
  ROWS /
    timed(ROWS, (n) => {
      const table = open(version)
      schedule(table, scattered(n) + 1, 1 + (n % 86_400))
      version = seal(table)
    }),
)
let popped = 0
const drain = (): void => {
  const table = open(version)
  if (popDue(table, 90_000) !== 0) popped++
  version = seal(table)
}
show("popDue + seal", ROWS / timed(ROWS, drain))
show("popDue, nothing due", ROWS / timed(ROWS, drain))
if (popped !== ROWS) throw new Error(`${popped} rows came up, not ${ROWS}`)

show(
  "take a number, sets filling up + seal",
  ROWS /
    timed(ROWS, (n) => {
      const table = open(version)
      take(table, 0, n >>> 16, nextFree(table, 0, n >>> 16, scattered(n) & 65535, 0, 65535))
      version = seal(table)
    }),
)
note(`a copy: ${(timed(1, () => copy(version)) * 1000).toFixed(0)} ms`)

show(
  "find + unindex + drop + seal",
  ROWS /
    timed(ROWS, (n) => {
      const row = lookUp(n)
      const table = open(version)
      unindexRow(table, 0, row)
      dropRow(table, 0, row)
      version = seal(table)
    }),
)
note(`single creates into the emptied table: ${singleSteps(ROWS, create)}`)

version = createTable({ families: [], sparse: 0, sets: 0, wheel: undefined, hashKey: [0, 0] })
fork = version
globalThis.gc?.()

interface Entry {
  readonly nonce: number
  readonly expiry: number
}
const map = new Map<string, Entry>()
const textKey = (n: number): string =>
  String.fromCharCode(0, 0, 0, 0, 0, 0xffff, 0x0a00 + (n >>> 20), (n >>> 4) & 0xffff, 17, n & 15)
const against = (name: string, rival: string, rate: number): void => {
  const ratio = (rates.get(name) ?? 0) / rate
  console.log(`${rival.padEnd(44)}${(rate / 1e6).toFixed(2)} M/s   the table: ${ratio.toFixed(2)} times that`)
}
const createEntry = (n: number): void => {
  const key = textKey(n)
  if (map.get(key) === undefined) map.set(key, { nonce: n, expiry: 7200 })
}
const renewEntry = (n: number): void => {
  const key = textKey(scattered(n))
  const entry = map.get(key)
  if (entry !== undefined) map.set(key, { nonce: entry.nonce, expiry: ++tick })
}
let found = 0
against("find + add + index + seal", "Map: get + set of a new object", ROWS / timed(ROWS, createEntry))
const getRate = rateOf((n) => {
  if (map.get(textKey(scattered(n))) !== undefined) found++
})
against("find", "Map: get", getRate)
against("find + setWord + seal", "Map: get + set of a fresh object", rateOf(renewEntry))
note(`single renewals: ${singleSteps(3 * ROWS, renewEntry)}`)
if (found !== 3 * ROWS || map.size !== ROWS) throw new Error(`the Map found ${found} of ${map.size}`)
