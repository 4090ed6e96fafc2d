/**
 * Run by garbage.test.ts in a runtime that offers its collector. Writes through many log chunks and prints how many of them
 * are left after a collection, as JSON: with nobody keeping an old version, then with one kept, then with that let go.
 */
import { createTable, open, peek, poke, seal, type Version } from "../../../core/table/index.ts"

const RECORDS = 64
const CHUNKS = 50

const empty = (): Version =>
  createTable({
    families: [],
    sparse: 1,
    sets: 0,
    wheel: undefined,
    hashKey: [1, 2],
    sizes: { chunkRecords: RECORDS },
  })

/** Fills CHUNKS chunks and notes each, weakly. */
const write = (from: Version, chunks: WeakRef<object>[]): Version => {
  let version = from
  for (let n = 1; n <= CHUNKS * RECORDS; n++) {
    const table = open(version)
    poke(table, 0, 7, n)
    version = seal(table)
    if (n % RECORDS === 1) chunks.push(new WeakRef(version.chunk))
  }
  return version
}

const collect = async (): Promise<void> => {
  for (let round = 0; round < 5; round++) {
    await new Promise((resolve) => setTimeout(resolve, 5))
    globalThis.gc?.()
  }
}

const left = async (chunks: readonly WeakRef<object>[]): Promise<number> => {
  await collect()
  return chunks.filter((chunk) => chunk.deref() !== undefined).length
}

const hold: { present: Version; old: Version | undefined } = { present: empty(), old: undefined }

/** Bun's collector takes whatever an old word on the stack may name for alive: a leak is what is left each time. */
const ROUNDS = 6
let nobody = CHUNKS
let oneKept = CHUNKS
let letGo = CHUNKS
for (let round = 0; round < ROUNDS; round++) {
  const free: WeakRef<object>[] = []
  hold.present = write(hold.present, free)
  nobody = Math.min(nobody, await left(free))
  const held: WeakRef<object>[] = []
  hold.old = hold.present
  hold.present = write(hold.present, held)
  oneKept = Math.min(oneKept, await left(held))
  hold.old = undefined
  letGo = Math.min(letGo, await left(held))
}
const present = peek(open(hold.present), 0, 7)
console.log(JSON.stringify({ collector: globalThis.gc !== undefined, made: CHUNKS, nobody, oneKept, letGo, present }))
