import { createHash } from "node:crypto"
import { type BigIntStats, lstatSync, renameSync, type Stats } from "node:fs"
import { access, constants, type FileHandle, lstat, open, readFile, rename, stat, unlink } from "node:fs/promises"
import { dirname } from "node:path"
import {
  type CgnChangeable,
  type CgnState,
  type FirewallSettings,
  type FirewallState,
  firewallCgn,
  restoreFirewall,
  saveCgn,
  saveFirewall,
} from "../../core/cgn/index.ts"
import {
  type Restored,
  type RestoreError,
  type RestoreServer,
  restore,
  restoreOver,
  type SaveCgn,
  type ServerState,
  snapshotOver,
} from "../../core/server/index.ts"
import { hasCode, reasonOf } from "../system-error.ts"

/** How a server's state becomes octets and is one again. */
export interface StateForm<S> {
  readonly save: SaveCgn<S>
  readonly restore: (bytes: Uint8Array, options: RestoreServer) => Restored<S>
}

/** The form of a server over the in-memory NAT, with its settings of today. */
export const natForm = (cgn: CgnChangeable): StateForm<CgnState> => ({
  save: saveCgn,
  restore: (bytes, options) => restore(bytes, { cgn, ...options }),
})

/** The form of a server over a firewall, with its settings of today. */
export const firewallForm = (settings: Omit<FirewallSettings, "now">): StateForm<FirewallState> => ({
  save: saveFirewall,
  restore: (bytes, options) =>
    restoreOver(firewallCgn, (octets, time) => restoreFirewall(octets, settings, time), bytes, options),
})

/** What a state file gave. */
export type Loaded<S = CgnState> =
  /** There is no such file, and its directory may have one: a first start. */
  | { readonly found: "nothing" }
  | {
      readonly found: "state"
      readonly state: ServerState<S>
      /** Epoch Time began again, as the last run did not end in order: `announce` it. */
      readonly lost: boolean
      /** Milliseconds since the file was written, by the wall clock. */
      readonly elapsed: number
    }
  /** The settings of today are wrong; the file stays. */
  | { readonly found: "bad-settings"; readonly error: RestoreError }
  | Aside

type Aside =
  /** It is no snapshot that can be gone on from, and was renamed to `aside`: begin anew, and `announce`. */
  | { readonly found: "bad"; readonly error: RestoreError; readonly aside: string }
  /** The operating system does not let it be read, written or renamed. */
  | { readonly found: "failed"; readonly text: string }

export type Saved = { readonly ok: true; readonly octets: number } | { readonly ok: false; readonly text: string }

const hasher = () => createHash("sha256")

/**
 * Goes on from a state file. One that says that its server ended in order is written again before anything else, as from now
 * on that is not so: after a crash it would have clients believe in mappings that are lost (RFC 6887 section 8.5).
 */
export const loadState = async <S>(path: string, form: StateForm<S>, options: RestoreServer): Promise<Loaded<S>> => {
  let bytes: Uint8Array
  try {
    if (isDevice(await stat(path))) return { found: "failed", text: NO_FILE }
    bytes = await readFile(path)
  } catch (cause) {
    return hasCode(cause, "ENOENT") ? firstStart(path) : { found: "failed", text: reasonOf(cause) }
  }
  const restored = form.restore(bytes, { hasher, ...options })
  if (!restored.ok)
    return isOfFile(restored.error) ? setAside(path, restored.error) : { found: "bad-settings", ...restored }
  const { state, lost, elapsed } = restored
  if (!lost) {
    const saved = await saveState(path, form.save, state, options)
    if (!saved.ok) return { found: "failed", text: saved.text }
  }
  return { found: "state", state, lost, elapsed }
}

/**
 * Is it anything but a file, or a folder, of which the system speaks for itself? Renaming goes by names alone: /dev/null would
 * be set aside as a bad snapshot, and a file be there in its place for everybody.
 */
const isDevice = (there: Stats | undefined): boolean =>
  there !== undefined && !there.isFile() && !there.isDirectory() && !there.isSymbolicLink()

const NO_FILE = "it is a device, pipe or socket, and no file"

/** Told at once where no file can come to be: at the first writing there would be mappings to lose. */
const firstStart = async (path: string): Promise<Extract<Loaded, { found: "nothing" | "failed" }>> => {
  try {
    await access(dirname(path), constants.W_OK | constants.X_OK)
    return { found: "nothing" }
  } catch (cause) {
    return { found: "failed", text: reasonOf(cause) }
  }
}

const isOfFile = ({ code }: RestoreError): boolean =>
  code === "foreign" || code === "format" || code === "truncated" || code === "damaged" || code === "contents"

/** Most files kept aside. */
const MOST_ASIDE = 1000

const setAside = async (path: string, error: RestoreError): Promise<Aside> => {
  try {
    for (let n = 1; n <= MOST_ASIDE; n++) {
      const aside = `${path}.bad-${n}`
      try {
        // A name of its own first: renaming would replace a file that is there.
        await (await open(aside, "wx", 0o600)).close()
      } catch (cause) {
        if (hasCode(cause, "EEXIST")) continue
        throw cause
      }
      await rename(path, aside)
      return { found: "bad", error, aside }
    }
    return { found: "failed", text: `${error.text}; ${MOST_ASIDE} files ${path}.bad-… are there already` }
  } catch (cause) {
    return { found: "failed", text: `${error.text}; keeping it aside failed: ${reasonOf(cause)}` }
  }
}

/**
 * Writes a state to a file, of mode 0600, so that whatever happens the file is the old one whole or the new one whole: to
 * `PATH.new` first, on to the disk, then renamed, then the directory on to the disk. One call at a time for a path. Others
 * get their turn between parts of 256 KiB.
 */
export const saveState = async <S>(
  path: string,
  save: SaveCgn<S>,
  state: ServerState<S>,
  time: { readonly now: number; readonly wallClock: number; readonly final?: boolean },
): Promise<Saved> => {
  const temporary = `${path}.new`
  let file: FileHandle | undefined
  let own: BigIntStats | undefined
  try {
    if (isDevice(await lstat(path).catch(() => undefined))) return { ok: false, text: NO_FILE }
    await unlink(temporary).catch(() => undefined)
    // "wx": never through a link that somebody put there.
    file = await open(temporary, "wx", 0o600)
    own = await file.stat({ bigint: true })
    let octets = 0
    for (const part of snapshotOver(save, state, time, hasher)) {
      await file.writeFile(part)
      octets += part.length
    }
    await file.sync()
    await file.close()
    file = undefined
    // One breath from the look to the renaming: what another server is halfway through must not be put in place.
    if (!isThere(temporary, own)) return { ok: false, text: `another server writes ${path} too` }
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
