import { type BigIntStats, lstatSync, renameSync } from "node:fs"
import { type FileHandle, lstat, open, unlink } from "node:fs/promises"
import { dirname } from "node:path"
import process from "node:process"
import { reasonOf } from "../system-error.ts"

/** How many octets were written, or why they were not. */
export type Saved = { readonly ok: true; readonly octets: number } | { readonly ok: false; readonly text: string }

/** Permissions of a file that nobody else is to read, and those that a mode can have. */
const [OWN, ALL] = [0o600, 0o777]

/**
 * Writes a file, of mode 0600 or, where `keepsMode`, of that of the file that is there, so that whatever happens it is the old one whole or the new one whole: to `PATH.new` first, on to
 * the disk, then renamed, then the directory on to the disk. One call at a time for a path. Others get their turn between parts.
 */
export const writeWhole = async (path: string, parts: Iterable<Uint8Array>, keepsMode = false): Promise<Saved> => {
  const temporary = `${path}.new`
  let file: FileHandle | undefined
  let own: BigIntStats | undefined
  try {
    const there = await lstat(path).catch(() => undefined)
    if (isDevice(there)) return { ok: false, text: NO_FILE }
    await unlink(temporary).catch(() => undefined)
    // "wx": never through a link that somebody put there.
    file = await open(temporary, "wx", OWN)
    own = await file.stat({ bigint: true })
    let octets = 0
    for (const part of parts) {
      await file.writeFile(part)
      octets += part.length
    }
    if (keepsMode && there?.isFile()) await file.chmod(there.mode & ALL)
    await file.sync()
    await file.close()
    file = undefined
    // One breath from the look to the renaming: what another process is halfway through must not be put in place.
    if (!isThere(temporary, own)) return { ok: false, text: `another process writes ${path} too` }
    renameSync(temporary, path)
    own = undefined
    await syncDirectory(dirname(path))
    return { ok: true, octets }
  } catch (cause) {
    await file?.close().catch(() => undefined)
    if (own !== undefined && isThere(temporary, own)) await unlink(temporary).catch(() => undefined)
    return { ok: false, text: reasonOf(cause) }
  }
}

/** What the system says of a path. */
interface Kind {
  isFile(): boolean
  isDirectory(): boolean
  isSymbolicLink(): boolean
}

/**
 * Is it anything but a file, or a folder, of which the system speaks for itself? Renaming goes by names alone: /dev/null would
 * be set aside as a bad snapshot, and a file be there in its place for everybody.
 */
export const isDevice = (there: Kind | undefined): boolean =>
  there !== undefined && !there.isFile() && !there.isDirectory() && !there.isSymbolicLink()

export const NO_FILE = "it is a device, pipe or socket, and no file"

/** Is this path still that file's? */
const isThere = (path: string, file: BigIntStats): boolean => {
  const there = lstatSync(path, { bigint: true, throwIfNoEntry: false })
  return there !== undefined && there.ino === file.ino && there.dev === file.dev
}

const syncDirectory = async (path: string): Promise<void> => {
  // Windows has no handles of directories to flush.
  if (process.platform === "win32") return
  const directory = await open(path, "r")
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
}
