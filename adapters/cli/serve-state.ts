import { createCgn, memoryCgn } from "../../core/cgn/index.ts"
import { createServerOver, type ServerState } from "../../core/server/index.ts"
import { entropy, keepState, loadState, nodeClock, type StateKeeper, saveState } from "../node/index.ts"
import { complain } from "./complain.ts"
import type { SettingPath } from "./config/fault.ts"
import type { ServePlan } from "./config/plan.ts"
import { type ServeSettings, settingOf } from "./config/settings.ts"
import type { Read } from "./read.ts"
import type { ServeHost } from "./serve-listen.ts"

export type StateMade =
  | { readonly ok: true; readonly state: ServerState }
  | { readonly ok: false; readonly path: SettingPath; readonly text: string }

/** A server over the in-memory CGN with these settings, its Epoch Time 0 at `now`, milliseconds. */
export const createState = ({ cgn, server }: ServeSettings, secret: Uint8Array, now: number): StateMade => {
  const made = createCgn({ ...cgn, secret, now })
  const created = made.ok ? createServerOver(memoryCgn, made.state, now, server) : made
  return created.ok ? created : { ok: false, path: settingOf(created.error), text: created.error.text }
}

/** What a server begins with. */
export interface Begin {
  readonly state: ServerState
  /** It is the last run's, with the settings of that run. */
  readonly restored: boolean
  /** Epoch Time began again, which clients are to be told (RFC 6887 sections 8.5 and 14.1.3). */
  readonly lost: boolean
}

/** The state to begin with: the state file's, or a new one where there is none or it is bad. */
export const beginState = async (plan: ServePlan): Promise<Read<Begin>> => {
  const { settings, state: kept } = plan
  const made = createState(settings, entropy(32), nodeClock.now())
  if (!made.ok) return { ok: false, text: plan.line(made.path, made.text) }
  const fresh: Read<Begin> = { ok: true, value: { state: made.state, restored: false, lost: true } }
  if (kept === undefined) return fresh
  const loaded = await loadState(kept.file, { ...settings, now: nodeClock.now(), wallClock: Date.now() })
  switch (loaded.found) {
    case "nothing":
      return fresh
    case "state":
      if (loaded.lost)
        complain(`${kept.file}: the last run did not end in order: mappings are kept, and the epoch begins again`)
      return { ok: true, value: { state: loaded.state, restored: true, lost: loaded.lost } }
    case "bad":
      complain(`${kept.file}: ${loaded.error.text}; kept as ${loaded.aside}: no mappings, and the epoch begins again`)
      return fresh
    case "bad-settings":
      return { ok: false, text: plan.line(settingOf(loaded.error), loaded.error.text) }
    case "failed":
      return { ok: false, text: `state file ${kept.file}: ${loaded.text}` }
  }
}

/** The server does not come up after all: a state that was the last of its run is so again. */
export const undo = async ({ state: kept }: ServePlan, { state, restored, lost }: Begin): Promise<void> => {
  if (kept === undefined || !restored || lost) return
  await saveState(kept.file, state, { now: nodeClock.now(), wallClock: Date.now(), final: true })
}

/** Has the state written to its file again and again; `undefined`: nobody wants that. */
export const keepServerState = ({ state: kept }: ServePlan, host: ServeHost): StateKeeper | undefined =>
  kept &&
  keepState({
    path: kept.file,
    period: kept.period,
    clock: nodeClock,
    state: host.state,
    saved: (saved) => {
      if (!saved.ok) complain(`state file ${kept.file}: not written: ${saved.text}`)
    },
  })
