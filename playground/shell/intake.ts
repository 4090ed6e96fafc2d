import { batch } from "@preact/signals"
import { open } from "../model/open/index.ts"
import type { PageState } from "./page-state.ts"
import { takeTurn } from "./turn.ts"

/** What is longer is opened by a worker: the page must not wait for it. */
const AT_ONCE = 65_536
/** Of a text longer than this nobody wants to see the text again, and of a session a file is no longer. */
const MOST_TEXT = 1_000_000
const MOST_SESSION = 4_000_000
/** More than a browser gives as one piece of memory without fail. */
const MOST_FILE = 2 ** 30

/** Opens pasted or typed text. */
export const openText = async (page: PageState, text: string): Promise<void> => {
  const isNewest = takeTurn(page)
  if (text.length <= MOST_SESSION && /^\s*\{/.test(text) && (await openSession(page, text, "the session", isNewest)))
    return
  if (!isNewest()) return
  page.sourceText.value = text.length <= MOST_TEXT ? text : undefined
  if (text.length > AT_ONCE) {
    openInWorker(page, "the text", text, isNewest)
    return
  }
  showPackets(page, text, undefined)
}

/** Opens a file that was dropped or chosen. */
export const openFile = async (page: PageState, file: File): Promise<void> => {
  const isNewest = takeTurn(page)
  const { name, size } = file
  if (size > MOST_FILE) {
    page.bench.said.value = `${name} has more than 1 GiB: take a part of it, such as with editcap -c`
    return
  }
  try {
    if (name.endsWith(".json") && size <= MOST_SESSION && (await openSession(page, await file.text(), name, isNewest)))
      return
    if (size > AT_ONCE) {
      if (isNewest()) openInWorker(page, name, file, isNewest)
      return
    }
    const octets = new Uint8Array(await file.arrayBuffer())
    if (!isNewest()) return
    page.sourceText.value = undefined
    showPackets(page, octets, name)
  } catch {
    // A folder, or a file that is gone by now.
    if (isNewest()) page.bench.said.value = `${name} cannot be read: is it a folder, or not there any more?`
  }
}

const showPackets = (page: PageState, input: string | Uint8Array, name: string | undefined): void => {
  const opened = open(input)
  batch(() => {
    page.mode.value = "inspect"
    page.dialog.value = undefined
    page.bench.show(opened, name === undefined ? {} : { title: `${name}: ${opened.takenFor}` })
  })
  if (opened.packets.length > 1) listPackets(page)
}

/** A session's file goes to Replay; of one that is not sound it is said why. False: it is no session at all. */
const openSession = async (page: PageState, text: string, name: string, isNewest: () => boolean): Promise<boolean> => {
  if (!/"steps"\s*:/.test(text)) return false
  const { readSession } = await import("../model/session/index.ts")
  if (!isNewest()) return true
  const read = readSession(text)
  if (read.ok)
    batch(() => {
      page.session.value = read.session
      page.dialog.value = undefined
      page.mode.value = "replay"
    })
  else {
    const [{ path, text: why }] = read.faults
    page.bench.said.value = `${name} is no sound session: ${path === "" ? "" : `${path}: `}${why}`
  }
  return true
}

const openInWorker = async (
  page: PageState,
  name: string,
  input: string | File,
  isNewest: () => boolean,
): Promise<void> => (await import("./open-in-worker.ts")).openInWorker(page, name, input, isNewest)

/** The list of a few packets is made on the page itself, once its code is there. */
export const listPackets = async ({ bench }: PageState): Promise<void> => {
  const { number, opened } = bench.work.value
  const { readPackets } = await import("../model/capture/index.ts")
  const capture = readPackets(opened.packets)
  if (bench.work.value.number === number) bench.list(capture)
}

const isTyped = (target: EventTarget | null): boolean =>
  target instanceof HTMLInputElement || target instanceof HTMLTextAreaElement

/** Takes what is pasted or dropped anywhere on the page, but for text that is meant for the field where it goes. */
export const listenForInput = (page: PageState): void => {
  const take = ({ files, items }: DataTransfer, text: string, how: "pasted" | "dropped"): void => {
    const [file] = files
    if (file !== undefined) {
      openFile(page, file)
      if (files.length > 1) page.bench.said.value = `only ${file.name} is opened, of ${files.length} files`
    } else if (text.trim() !== "") openText(page, text)
    else if (items.length > 0) page.bench.said.value = `nothing to read was ${how}: neither text nor a file`
    else page.bench.said.value = `nothing was ${how}`
  }
  document.addEventListener("paste", (event) => {
    const { target, clipboardData } = event
    if (clipboardData === null || (isTyped(target) && clipboardData.files.length === 0)) return
    take(clipboardData, clipboardData.getData("text/plain"), "pasted")
    event.preventDefault()
  })
  /** A word dragged within a field stays what it is. */
  const isOurs = ({ target, dataTransfer }: DragEvent): boolean =>
    !isTyped(target) || dataTransfer?.types.includes("Files") === true
  document.addEventListener("dragover", (event) => {
    if (!isOurs(event)) return
    event.preventDefault()
    if (event.dataTransfer !== null) event.dataTransfer.dropEffect = "copy"
    document.documentElement.dataset.dropping = "true"
  })
  const over = (): void => {
    delete document.documentElement.dataset.dropping
  }
  document.addEventListener("dragleave", (event) => {
    if (event.relatedTarget === null) over()
  })
  document.addEventListener("dragend", over)
  document.addEventListener("drop", (event) => {
    over()
    if (!isOurs(event)) return
    event.preventDefault()
    const { dataTransfer } = event
    if (dataTransfer !== null) take(dataTransfer, dataTransfer.getData("text/plain"), "dropped")
  })
}
