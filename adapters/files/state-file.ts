import { createHash } from "node:crypto"
import { access, constants, readFile, stat } from "node:fs/promises"
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
import { keepAside } from "./aside.ts"
import { isDevice, NO_FILE, type Saved, writeWhole } from "./whole-file.ts"

/** How a server's state becomes octets and is one again. */
export interface StateForm<S> {
  /** Makes octets of the CGN's part. */
  readonly save: SaveCgn<S>
  /** Makes a server of all octets. */
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
  /** It is no snapshot that can be gone on from, and was renamed to `aside`: begin anew, and `announce`. */
  | { readonly found: "bad"; readonly error: RestoreError; readonly aside: string }
  /** The operating system does not let it be read, written or renamed. */
  | { readonly found: "failed"; readonly text: string }

/** Why there is no state to go on from. */
type Aside = Extract<Loaded, { readonly found: "bad" | "failed" }>

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

const setAside = async (path: string, error: RestoreError): Promise<Aside> => {
  const kept = await keepAside(path)
  return kept.ok ? { found: "bad", error, aside: kept.aside } : { found: "failed", text: `${error.text}; ${kept.text}` }
}

/**
 * Writes a state to a file, of mode 0600, whole or not at all: see `writeWhole`. One call at a time for a path. Others get their turn
 * between parts of 256 KiB.
 */
export const saveState = <S>(
  path: string,
  save: SaveCgn<S>,
  state: ServerState<S>,
  time: { readonly now: number; readonly wallClock: number; readonly final?: boolean },
): Promise<Saved> => writeWhole(path, partsOf(save, state, time))

/** The snapshot begins with the first part that is asked for: a path that no file can have costs none. */
const partsOf = <S>(
  save: SaveCgn<S>,
  state: ServerState<S>,
  time: { readonly now: number; readonly wallClock: number; readonly final?: boolean },
): Iterable<Uint8Array> => ({ [Symbol.iterator]: () => snapshotOver(save, state, time, hasher)[Symbol.iterator]() })
