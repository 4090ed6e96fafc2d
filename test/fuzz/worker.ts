/** Fuzzes one target over a range of inputs, in a thread of its own: whoever started it sees where it is, and that it is not stuck. */
import { parentPort, workerData } from "node:worker_threads"
import { clientTarget } from "./client.ts"
import { deviceTarget } from "./devices.ts"
import { inputOf } from "./mutate.ts"
import { overlayTarget } from "./overlay.ts"
import { serverTarget, wireTarget } from "./target.ts"

const TARGETS = {
  wire: wireTarget,
  server: serverTarget,
  devices: deviceTarget,
  client: clientTarget,
  overlay: overlayTarget,
}

export interface Job {
  readonly target: keyof typeof TARGETS
  readonly seed: number
  readonly first: number
  readonly last: number
  /** The number of the input being tried, less `first`; then 1 to stop. */
  readonly progress: Int32Array<SharedArrayBuffer>
}

/** What went wrong at one input. */
export interface Failure {
  readonly index: number
  readonly why: string
}

const run = ({ target, seed, first, last, progress }: Job): Failure | undefined => {
  const attempt = TARGETS[target]()
  for (let index = first; index < last && Atomics.load(progress, 1) === 0; index++) {
    Atomics.store(progress, 0, index - first)
    try {
      const why = attempt(inputOf(seed, index), index)
      if (why !== undefined) return { index, why }
    } catch (error) {
      return { index, why: error instanceof Error ? (error.stack ?? error.message) : String(error) }
    }
  }
  return undefined
}

const job: Job = workerData
parentPort?.postMessage(run(job))
