/**
 * A fuzz run: a million inputs in the ordinary test run. SALLYPORT_FUZZ sets another number, 100000000 for a nightly run;
 * SALLYPORT_SEED another seed. Runs over two million tell on stderr how far they are and share out the processor's cores.
 */
import { availableParallelism } from "node:os"
import { env, stderr } from "node:process"
import { Worker } from "node:worker_threads"
import { hexAt } from "../core/server/model-message.ts"
import { inputOf } from "./mutate.ts"
import { seedOf } from "./random.ts"
import { SERVER_LIFE } from "./target.ts"
import type { Failure, Job } from "./worker.ts"

const ORDINARY = 1_000_000
/** No input takes a millisecond: whoever is at the same one for so long will never come back. */
const STUCK = 60_000

const report = (seed: number, { index, why }: Failure): string => {
  const input = inputOf(seed, index)
  return `seed ${seed}, input ${index}: ${why}\n${input.length} octets: ${hexAt(input, 0, input.length)}`
}

/** Runs one range in a worker; the failure, or `undefined` at its end. */
const runRange = (job: Job): Promise<Failure | undefined> =>
  new Promise((resolve, reject) => {
    const worker = new Worker(new URL("./worker.ts", import.meta.url), { workerData: job })
    let seen = -1
    const watch = setInterval(() => {
      const at = Atomics.load(job.progress, 0)
      if (at === seen) finish({ index: job.first + at, why: `no end after ${STUCK / 1000} s` })
      seen = at
    }, STUCK)
    const finish = (failure: Failure | undefined) => {
      clearInterval(watch)
      void worker.terminate()
      resolve(failure)
    }
    worker.once("message", finish)
    worker.once("error", (error) => {
      clearInterval(watch)
      reject(error)
    })
  })

/** Fuzzes a target; the report of the first failure, or `undefined`. */
export const fuzz = async (target: Job["target"], ownSeed: number): Promise<string | undefined> => {
  const given = Number(env.SALLYPORT_FUZZ ?? "")
  const count = Number.isSafeInteger(given) && given > 0 ? given : ORDINARY
  const seed = seedOf(ownSeed, env.SALLYPORT_SEED)
  const long = count > 2 * ORDINARY
  // Each range starts with a server's life, so that a part of a run is a part of the whole.
  const lives = Math.ceil(count / SERVER_LIFE)
  const workers = long ? Math.min(lives, availableParallelism()) : 1
  const jobs = Array.from({ length: workers }, (_, i): Job => {
    const edge = (n: number) => Math.min(count, Math.floor((n * lives) / workers) * SERVER_LIFE)
    const progress = new Int32Array(new SharedArrayBuffer(8))
    return { target, seed, first: edge(i), last: edge(i + 1), progress }
  })
  const start = performance.now()
  const tell = () => {
    const done = jobs.reduce((sum, { progress }) => sum + Atomics.load(progress, 0), 0)
    const rate = (done * 1000) / (performance.now() - start)
    const minutes = Math.ceil((count - done) / rate / 60)
    stderr.write(`${target}: ${done} of ${count} inputs, ${Math.round(rate)}/s, ${minutes} min left\n`)
  }
  const teller = long ? setInterval(tell, 10_000) : undefined
  const failures = await Promise.all(
    jobs.map(async (job) => {
      const failure = await runRange(job)
      // One is enough: the others need not go on for hours.
      if (failure !== undefined) for (const { progress } of jobs) Atomics.store(progress, 1, 1)
      return failure
    }),
  )
  clearInterval(teller)
  const failure = failures.find((one) => one !== undefined)
  return failure === undefined ? undefined : report(seed, failure)
}
