/** Reads and lists a capture away from the page, so that the page stays quick however big the file is. */
import { type CaptureProgress, type OpenedCapture, openCaptureInSteps } from "../model/capture/index.ts"

/** What the worker says: how far it is, and at the end what it found. */
export type FromWorker =
  | { readonly kind: "progress"; readonly progress: CaptureProgress }
  | { readonly kind: "done"; readonly result: OpenedCapture }

/** The next step only when the last word was sent: the page ends a worker to stop it. */
addEventListener("message", ({ data }: MessageEvent<string | Uint8Array>) => {
  const steps = openCaptureInSteps(data)
  let said = 0
  let step = steps.next()
  for (; step.done !== true; step = steps.next()) {
    const now = performance.now()
    if (now - said < 50) continue
    said = now
    postMessage({ kind: "progress", progress: step.value } satisfies FromWorker)
  }
  postMessage({ kind: "done", result: step.value } satisfies FromWorker)
})
