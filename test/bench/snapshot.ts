/**
 * Snapshot and restore of a server, by mappings: size, and how long each holds a server up. Run by `npm run bench`, or by
 * itself: node --expose-gc test/bench/snapshot.ts [sizes…, default 100000 1000000]
 */
import { createHash } from "node:crypto"
import { argv } from "node:process"
import { type CgnSettings, createCgn, memoryCgn } from "../../core/cgn/index.ts"
import {
  createServerOver,
  mappingCount,
  restore,
  type ServerState,
  process as serve,
  snapshot,
  snapshotParts,
} from "../../core/server/index.ts"
import { addressFromIpv4, putU16, putU32, writeAddress } from "../../core/wire/index.ts"

const sizes = argv.slice(2).map(Number)

const settingsFor = (size: number): CgnSettings => ({
  external: Array.from({ length: Math.max(4, Math.ceil(size / 32256)) }, (_, i) => addressFromIpv4(0xcb007100 + i)),
  ports: { first: 1024, last: 65535 },
  quota: 0,
  filterLimit: 8,
  idleTimeout: { udp: 300, tcp: 7440 },
  secret: new Uint8Array(32).fill(1),
  now: 0,
})

/** So many mappings, 16 a subscriber, each with a lifetime of its own. */
const serverWith = (settings: CgnSettings, size: number): ServerState => {
  const cgn = createCgn(settings)
  if (!cgn.ok) throw new Error(cgn.error.text)
  const made = createServerOver(memoryCgn, cgn.state, 0)
  if (!made.ok) throw new Error(made.error.text)
  let { state } = made
  const bytes = new Uint8Array(60)
  bytes[0] = 2
  bytes[1] = 1
  bytes[36] = 17
  writeAddress(bytes, 44, addressFromIpv4(0))
  for (let n = 0; n < size; n++) {
    const source = addressFromIpv4(0x0a000000 + (n >>> 4))
    writeAddress(bytes, 8, source)
    putU32(bytes, 4, 7200 + (n % 3600))
    putU32(bytes, 24, Math.imul(n, 0x9e3779b1))
    putU32(bytes, 28, n)
    putU16(bytes, 40, 5000 + (n & 15))
    ;[state] = serve(state, { bytes, now: 1000, source, sourcePort: 40000 })
  }
  return state
}

/** What a server of a Map of objects would write: one small object a mapping, with all that a client could ask of it. */
const plainMap = (size: number): ReadonlyMap<string, object> =>
  new Map(
    Array.from({ length: size }, (_, n) => [
      `17 10.${n >>> 20}.${(n >>> 12) & 255}.${(n >>> 4) & 255} ${5000 + (n & 15)}`,
      {
        nonce: `${Math.imul(n, 0x9e3779b1) >>> 0}`.padStart(24, "0"),
        external: "203.0.113.1",
        port: 1024 + n,
        expires: 7200 + n,
      },
    ]),
  )

const timed = <T>(what: () => T): readonly [T, number] => {
  const start = performance.now()
  const value = what()
  return [value, performance.now() - start]
}

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1]
const ms = (value: number): string => `${value.toFixed(value < 10 ? 1 : 0)} ms`

for (const size of sizes.length === 0 ? [100_000, 1_000_000] : sizes) {
  const settings = settingsFor(size)
  const state = serverWith(settings, size)
  const time = { now: 2000, wallClock: 1e12, final: true }
  const options = { cgn: settings, now: 0, wallClock: 1e12 + 1000 }
  const hasher = () => createHash("sha256")
  const wholes: number[] = []
  const natives: number[] = []
  const copies: number[] = []
  const longest: number[] = []
  const restores: number[] = []
  const nativeRestores: number[] = []
  let octets = 0
  for (let round = 0; round < 5; round++) {
    globalThis.gc?.()
    const [bytes, whole] = timed(() => snapshot(state, time))
    octets = bytes.length
    wholes.push(whole)
    natives.push(timed(() => snapshot(state, time, hasher))[1])
    const parts = snapshotParts(state, time, hasher)
    const steps: number[] = []
    for (let done = false; !done; ) {
      const [step, took] = timed(() => parts.next())
      steps.push(took)
      done = step.done === true
    }
    copies.push(steps[0] + steps[1])
    longest.push(Math.max(...steps.slice(2)))
    globalThis.gc?.()
    const [restored, took] = timed(() => restore(bytes, options))
    if (!restored.ok || mappingCount(restored.state) !== size) throw new Error("the snapshot does not come back")
    restores.push(took)
    globalThis.gc?.()
    nativeRestores.push(timed(() => restore(bytes, { ...options, hasher }))[1])
  }
  const rival = plainMap(size)
  globalThis.gc?.()
  const [json, written] = timed(() => JSON.stringify([...rival]))
  globalThis.gc?.()
  const [, read] = timed(() => new Map(JSON.parse(json)))
  console.log(
    `${size} mappings, ${(octets / size).toFixed(1)} octets each: snapshot ${ms(median(wholes))}, with Node's SHA-256 ` +
      `${ms(median(natives))}, in parts ${ms(median(copies))} then ${ms(median(longest))} at most; ` +
      `restore ${ms(median(restores))}, with Node's SHA-256 ${ms(median(nativeRestores))}; ` +
      `JSON of a Map of objects, without a digest: ${(json.length / size).toFixed(1)} octets each, write ${ms(written)}, read ${ms(read)}`,
  )
}
