import {
  type CgnState,
  createCgn,
  listMappings,
  mappingCount,
  mappingCounts,
  memoryCgn,
  poolUse,
} from "../../../core/cgn/index.ts"
import { createServerOver, reconfigure, revoke, type ServerState } from "../../../core/server/index.ts"
import { entropy, keepState, loadState, nodeClock, type StateKeeper, saveState } from "../../node/index.ts"
import { pushedOutput } from "../../server-machine.ts"
import { complain } from "../complain.ts"
import type { SettingPath } from "../config/fault.ts"
import type { ServePlan } from "../config/plan.ts"
import { type ServeSettings, settingOf } from "../config/settings.ts"
import type { Read } from "../read.ts"
import type { ServeHost } from "../serve-listen.ts"
import type { Begin, Device } from "./device.ts"

export type StateMade =
  | { readonly ok: true; readonly state: ServerState }
  | { readonly ok: false; readonly path: SettingPath; readonly text: string }

/** A server over the in-memory CGN with these settings, its Epoch Time 0 at `now`, milliseconds. */
export const createState = ({ cgn, server }: ServeSettings, secret: Uint8Array, now: number): StateMade => {
  const made = createCgn({ ...cgn, secret, now })
  const created = made.ok ? createServerOver(memoryCgn, made.state, now, server) : made
  return created.ok ? created : { ok: false, path: settingOf(created.error), text: created.error.text }
}

/** The state to begin with: the state file's, or a new one where there is none or it is bad. */
const begin = async (plan: ServePlan): Promise<Read<Begin<CgnState>>> => {
  const { settings, state: kept } = plan
  const made = createState(settings, entropy(32), nodeClock.now())
  if (!made.ok) return { ok: false, text: plan.line(made.path, made.text) }
  const fresh: Read<Begin<CgnState>> = { ok: true, value: { state: made.state, restored: false, lost: true } }
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
const undo = async ({ state: kept }: ServePlan, { state, restored, lost }: Begin<CgnState>): Promise<void> => {
  if (kept === undefined || !restored || lost) return
  await saveState(kept.file, state, { now: nodeClock.now(), wallClock: Date.now(), final: true })
}

/** Has the state written to its file again and again; `undefined`: nobody wants that. */
const keep = ({ state: kept }: ServePlan, host: ServeHost<CgnState>): StateKeeper | undefined =>
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

const apply = ({ settings, line }: ServePlan, host: ServeHost<CgnState>): readonly string[] => {
  // The profile says these for itself.
  const { internalFamily, otherProtocols, port0, oneToOne, ...cgn } = settings.cgn
  let refused: readonly string[] = []
  host.act((state, now) => {
    const done = reconfigure(state, { ...settings.server, ...cgn }, now)
    if (done.ok) return [done.state, pushedOutput(done.pushed)]
    refused = [line(settingOf(done.error), done.error.text)]
    return [state, pushedOutput({ changes: [], next: undefined })]
  })
  return refused
}

/** The in-memory NAT of `core/cgn`. */
export const natDevice: Device<CgnState> = {
  begin,
  undo,
  keep,
  apply,
  revoke: (host, internal, realm) => {
    let deleted = 0
    host.act((state, now) => {
      const [after, { changes }] = revoke(state, internal, realm, now)
      deleted = changes.filter(({ type }) => type === "deleted").length
      return [after, pushedOutput({ changes, next: undefined })]
    })
    return { ok: true, value: deleted }
  },
  list: listMappings,
  count: mappingCount,
  counts: mappingCounts,
  pool: (state) => ({ addresses: state.config.external.length, ...poolUse(state) }),
  outside: () => undefined,
}
