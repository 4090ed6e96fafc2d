import { type FSWatcher, watch } from "node:fs"
import { open } from "node:fs/promises"
import { basename, dirname } from "node:path"
import { reasonOf } from "../system-error.ts"

/** Octets of a plugin's file: a million hosts have room. */
const LARGEST = 256 * 1024 * 1024

/** What a file says, or why that is not known. */
export type FileRead =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly text: string; readonly cause: unknown }

/** Reads a file of text whole. Never rejects. */
export const readText = async (path: string): Promise<FileRead> => {
  try {
    const file = await open(path, "r")
    try {
      const { size } = await file.stat()
      if (size > LARGEST) return { ok: false, text: `it has over ${LARGEST} octets`, cause: undefined }
      return { ok: true, text: await file.readFile("utf8") }
    } finally {
      await file.close()
    }
  } catch (cause) {
    return { ok: false, text: reasonOf(cause), cause }
  }
}

/** A file that is read again whenever it changes. */
export interface WatchedFile {
  /** Reads it now, whether it changed or not. */
  again(): Promise<void>
  close(): void
}

/** Milliseconds that writers have for the rest of what they write. */
const SETTLE = 50
/** And how many milliseconds after the first of their changes it is read all the same: some never settle. */
const LATEST = 1000

/**
 * Tells the text of a file each time that it is another than before, `first` at the beginning. What is watched is its folder: a file that is
 * renamed into place has another inode. A file that is away or cannot be read changes nothing, until it is there again.
 */
export const watchFile = (path: string, first: string, changed: (text: string) => void): WatchedFile => {
  let last = first
  let begun = 0
  /** Of the readings that ended, the one that began last. */
  let newest = 0
  let isClosed = false
  let timer: ReturnType<typeof setTimeout> | undefined
  /** When the first of the changes came that were not read yet. */
  let since: number | undefined
  const settled = (): void => {
    since = undefined
    void again()
  }
  const again = async (): Promise<void> => {
    const turn = ++begun
    const read = await readText(path)
    // Of a large file that was replaced meanwhile the reading may end after that of its successor.
    if (isClosed || !read.ok || turn < newest) return
    newest = turn
    if (read.text === last) return
    last = read.text
    changed(read.text)
  }
  let watcher: FSWatcher | undefined
  try {
    watcher = watch(dirname(path), { persistent: false }, (_, name) => {
      if (isClosed || (name !== null && name !== basename(path))) return
      clearTimeout(timer)
      const now = performance.now()
      since ??= now
      timer = setTimeout(settled, Math.max(0, Math.min(SETTLE, since + LATEST - now)))
    })
    watcher.on("error", () => {})
  } catch {
    // Systems have so many watches and no more: the file is still read again when its owner says so.
  }
  // What was written between the first reading and the watch.
  void again()
  return {
    again,
    close: () => {
      isClosed = true
      clearTimeout(timer)
      watcher?.close()
    },
  }
}
