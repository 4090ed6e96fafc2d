/** Node's workers have no `self`: this file is both sides, the thread that asks and, once more, the worker. `node node.ts 0002…` */
import { argv } from "node:process"
import { isMainThread, parentPort, Worker } from "node:worker_threads"
import { decode } from "./decode.ts"

if (isMainThread) {
  const worker = new Worker(new URL(import.meta.url))
  worker.once("message", async (decoded) => {
    console.log(JSON.stringify(decoded))
    await worker.terminate()
  })
  worker.postMessage(argv.slice(2).join(" "))
} else {
  parentPort?.on("message", (input: string | Uint8Array) => parentPort?.postMessage(decode(input)))
}
