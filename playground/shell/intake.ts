import { batch } from "@preact/signals"
import { open } from "../model/open/index.ts"
import type { FromWorker } from "./capture-worker.ts"
import type { PageState } from "./page-state.ts"

/** What is longer is opened by a worker: the page must not wait for it. */
const AT_ONCE = 65_536
/** A file that is no capture is text; of more than this nobody wants to see the text again. */
const MOST_TEXT = 1_000_000

/** Opens pasted or typed text. */
export const openText = (page: PageState, text: string): void => {
  page.opening.peek()?.cancel()
  if (text.length > AT_ONCE) {
    openInWorker(page, "the text", text)
    return
  }
  const opened = open(text)
  batch(() => {
    page.mode.value = "inspect"
    page.sourceText.value = text
    page.bench.show(opened)
  })
  if (opened.packets.length > 1) listPackets(page)
}

/** Opens a file that was dropped or chosen. */
export const openFile = async (page: PageState, file: File): Promise<void> => {
  page.opening.peek()?.cancel()
  const octets = new Uint8Array(await file.arrayBuffer())
  if (await openSession(page, file.name, octets)) return
  if (octets.length > AT_ONCE) {
    openInWorker(page, file.name, octets)
    return
  }
  const opened = open(octets)
  batch(() => {
    page.mode.value = "inspect"
    page.sourceText.value = undefined
    page.bench.show(opened, { title: `${file.name}: ${opened.takenFor}` })
  })
  if (opened.packets.length > 1) listPackets(page)
}

/** A session's file goes to Replay. */
const openSession = async (page: PageState, name: string, octets: Uint8Array): Promise<boolean> => {
  if (!name.endsWith(".json") || octets.length > 4 * MOST_TEXT) return false
  const { readSession } = await import("../model/session/index.ts")
  const read = readSession(new TextDecoder().decode(octets))
  if (!read.ok) return false
  page.session.value = read.session
  page.mode.value = "replay"
  return true
}

const openInWorker = async (page: PageState, name: string, input: string | Uint8Array): Promise<void> => {
  const { default: CaptureWorker } = await import("./capture-worker.ts?worker&inline")
  const worker = new CaptureWorker()
  const end = (): void => {
    worker.terminate()
    page.opening.value = undefined
  }
  const cancel = (): void => {
    end()
    page.bench.said.value = `${name} was not read to its end`
  }
  page.opening.value = { name, fraction: 0, packets: 0, cancel }
  worker.addEventListener("message", ({ data }: MessageEvent<FromWorker>) => {
    if (data.kind === "progress") {
      const { fraction, packets } = data.progress
      page.opening.value = { name, fraction, packets, cancel }
      return
    }
    const { opened, capture } = data.result
    batch(() => {
      end()
      page.mode.value = "inspect"
      page.sourceText.value = typeof input === "string" && input.length <= MOST_TEXT ? input : undefined
      page.bench.show(opened, { title: `${name}: ${opened.takenFor}`, capture })
    })
  })
  worker.addEventListener("error", () => {
    end()
    page.bench.said.value = `${name} could not be read: the browser ended the work`
  })
  worker.postMessage(input)
}

/** The list of a few packets is made on the page itself, once its code is there. */
export const listPackets = async ({ bench }: PageState): Promise<void> => {
  const { number, opened } = bench.work.value
  const { readPackets } = await import("../model/capture/index.ts")
  const capture = readPackets(opened.packets)
  if (bench.work.value.number === number) bench.list(capture)
}

/** Takes what is pasted or dropped anywhere on the page. */
export const listenForInput = (page: PageState): void => {
  document.addEventListener("paste", (event) => {
    const { target, clipboardData } = event
    if (target instanceof HTMLInputElement || target instanceof HTMLTextAreaElement || clipboardData === null) return
    const [file] = clipboardData.files
    const text = clipboardData.getData("text/plain")
    if (file !== undefined) openFile(page, file)
    else if (text.trim() !== "") openText(page, text)
    else return
    event.preventDefault()
  })
  document.addEventListener("dragover", (event) => {
    event.preventDefault()
    document.documentElement.dataset.dropping = "true"
  })
  const over = (): void => {
    delete document.documentElement.dataset.dropping
  }
  document.addEventListener("dragleave", (event) => {
    if (event.relatedTarget === null) over()
  })
  document.addEventListener("drop", (event) => {
    event.preventDefault()
    over()
    const [file] = event.dataTransfer?.files ?? []
    const text = event.dataTransfer?.getData("text/plain") ?? ""
    if (file !== undefined) openFile(page, file)
    else if (text.trim() !== "") openText(page, text)
  })
}
