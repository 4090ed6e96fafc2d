/** Asks the worker. A capture of some megabytes takes its time there, and the thread that asks stays free. */
import type { Decoded } from "./decode.ts"

/** A worker that decodes until it is told to stop. */
export type Decoder = {
  readonly decode: (input: string | Uint8Array) => Promise<Decoded>
  readonly stop: () => void
}

type Waiting = { readonly resolve: (decoded: Decoded) => void; readonly reject: (cause: Error) => void }

/** Starts a worker. Bundlers look for this very form of `new Worker(new URL(…))`, and bundle the worker beside the page. */
export const startDecoder = (): Decoder => {
  const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" })
  // The worker answers in order: the first who waits is the one who is answered.
  let waiting: Waiting[] = []
  worker.addEventListener("message", ({ data }: MessageEvent<Decoded>) => waiting.shift()?.resolve(data))
  // It did not load, or has a fault: nobody waits for ever.
  worker.addEventListener("error", (event) => {
    event.preventDefault()
    for (const { reject } of waiting) reject(new Error(`the worker ended: ${event.message}`))
    waiting = []
  })
  return {
    decode: (input) =>
      new Promise((resolve, reject) => {
        waiting.push({ resolve, reject })
        worker.postMessage(input)
      }),
    stop: () => worker.terminate(),
  }
}
