import { batch } from "@preact/signals"
import { type CapturePart, collectParts } from "../model/capture/index.ts"
import type { FromWorker, ToWorker } from "./capture-worker.ts"
import type { PageState } from "./page-state.ts"

/** Has a worker open a text or a file, and shows it when all of it is there; `isNewest` says whether it is still wanted. */
export const openInWorker = async (
  page: PageState,
  name: string,
  input: string | File,
  isNewest: () => boolean,
): Promise<void> => {
  const { opening, bench } = page
  const begun = { name, doing: "reading", fraction: 0, packets: 0 } as const
  let worker: Worker | undefined
  const end = (): void => {
    worker?.terminate()
    opening.value = undefined
  }
  const stop = (): void => {
    end()
    bench.said.value = `${name} was not read to its end`
  }
  opening.value = { ...begun, end, stop }
  const { default: CaptureWorker } = await import("./capture-worker.ts?worker&inline")
  // Stopped or overtaken before its code was there.
  if (!isNewest() || opening.peek()?.end !== end) return
  worker = new CaptureWorker()
  const post = (word: ToWorker): void => worker?.postMessage(word)
  const fail = (why: string): void => {
    end()
    bench.said.value = `${name} cannot be read: ${why}`
  }
  const collect = collectParts()
  const take = (part: CapturePart): void => {
    const whole = collect(part)
    if (whole === undefined) {
      post({ kind: "more" })
      return
    }
    const { opened, capture } = whole
    batch(() => {
      end()
      page.mode.value = "inspect"
      page.dialog.value = undefined
      if (typeof input !== "string") page.sourceText.value = undefined
      bench.show(opened, { title: `${name}: ${opened.takenFor}`, capture })
    })
  }
  worker.addEventListener("message", ({ data }: MessageEvent<FromWorker>) => {
    if (data.kind === "failed") {
      fail(data.text)
      return
    }
    opening.value = { name, ...data.progress, end, stop }
    if (data.kind === "part") take(data.part)
  })
  worker.addEventListener("error", () => fail("the browser ended the work"))
  post({ kind: "open", input })
}
