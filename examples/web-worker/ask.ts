/** Asks the worker. A capture of some megabytes takes its time there, and the thread that asks stays free. */
import type { Decoded } from "./decode.ts"

/** A worker that decodes until it is told to stop. */
export type Decoder = {
  readonly decode: (input: string | Uint8Array) => Promise<Decoded>
  readonly stop: () => void
}

/** Starts a worker. Bundlers look for this very form of `new Worker(new URL(…))`, and bundle the worker beside the page. */
export const startDecoder = (): Decoder => {
  const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" })
  // The worker answers in order: the first who waits is the one who is answered.
  const waiting: ((decoded: Decoded) => void)[] = []
  worker.addEventListener("message", ({ data }: MessageEvent<Decoded>) => waiting.shift()?.(data))
  return {
    decode: (input) =>
      new Promise((resolve) => {
        waiting.push(resolve)
        worker.postMessage(input)
      }),
    stop: () => worker.terminate(),
  }
}
