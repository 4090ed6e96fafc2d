/** Reads and lists a capture away from the page, so that the page stays quick however big the file is. */
import {
  type CapturePart,
  type CaptureProgress,
  OPENED,
  type OpenedCapture,
  openCaptureInSteps,
  partsOf,
} from "../model/capture/index.ts"

/** What the page says: what to open, and then, for each part that it has taken, that it may have another. */
export type ToWorker = { readonly kind: "open"; readonly input: string | File } | { readonly kind: "more" }

/** What the worker says: how far it is, at the end what it found, part by part, or why there is nothing. */
export type FromWorker =
  | { readonly kind: "progress"; readonly progress: CaptureProgress }
  | { readonly kind: "part"; readonly part: CapturePart; readonly progress: CaptureProgress }
  | { readonly kind: "failed"; readonly text: string }

/** Milliseconds between two words on how far it is. */
const EVERY = 50

const say = (word: FromWorker, transfer: Transferable[] = []): void => postMessage(word, { transfer })

let parts: Generator<CapturePart, void> | undefined
let handed = 0
let packets = 0

/** One part at a time: the page asks for the next when it has room for it, and ends the worker to stop it. */
const handOver = (): void => {
  const step = parts?.next()
  if (step === undefined || step.done === true) return
  const part = step.value
  if (part.kind === "rows") handed += part.rows.length
  const fraction = OPENED + ((1 - OPENED) * handed) / Math.max(1, packets)
  say({ kind: "part", part, progress: { doing: "handing over", fraction, packets } }, [
    ...(part.kind === "rows" ? [part.octets.buffer] : []),
  ])
}

const openAll = (input: string | Uint8Array): OpenedCapture => {
  const steps = openCaptureInSteps(input)
  let said = 0
  let step = steps.next()
  for (; step.done !== true; step = steps.next()) {
    const now = performance.now()
    if (now - said < EVERY) continue
    said = now
    say({ kind: "progress", progress: step.value })
  }
  return step.value
}

const open = async (input: string | File): Promise<void> => {
  try {
    const opened = openAll(typeof input === "string" ? input : new Uint8Array(await input.arrayBuffer()))
    packets = opened.opened.packets.length
    parts = partsOf(opened)
  } catch (error) {
    // A file that is gone or forbidden by now, or more than there is memory for.
    say({ kind: "failed", text: error instanceof Error ? error.message : String(error) })
    return
  }
  handOver()
}

addEventListener("message", ({ data }: MessageEvent<ToWorker>) => {
  if (data.kind === "open") open(data.input)
  else handOver()
})
