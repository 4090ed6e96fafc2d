import { rename } from "node:fs/promises"
import { match } from "ts-pattern"
import { clock, keepState, loadState, type StateForm, saveState, type Versioned } from "#runtime"
import type { SaveCgn, ServerReconfigured, ServerState } from "../../../core/server/index.ts"
import { pushedOutput } from "../../server-machine.ts"
import { complain } from "../complain.ts"
import type { ServePlan } from "../config/plan.ts"
import { settingOf } from "../config/settings.ts"
import type { Read } from "../read.ts"
import type { ServeHost } from "../serve-listen.ts"
import type { Begin, Device } from "./device.ts"

/** The state to begin with: the state file's, or `made` where there is none or it is bad. */
export const beginFrom = async <S>(
  { settings: { server }, state: kept, line }: ServePlan,
  form: StateForm<S>,
  made: ServerState<S>,
): Promise<Read<Begin<S>>> => {
  const fresh = { ok: true, value: { state: made, outdated: false, lost: true } } as const
  if (kept === undefined) return fresh
  const loaded = await loadState(kept.file, form, { server, now: clock.now(), wallClock: Date.now() })
  return match(loaded)
    .returnType<Read<Begin<S>>>()
    .with({ found: "nothing" }, () => fresh)
    .with({ found: "state" }, ({ state, lost }) => {
      if (lost)
        complain(`${kept.file}: the last run did not end in order: mappings are kept, and the epoch begins again`)
      return { ok: true, value: { state, outdated: true, lost } }
    })
    .with({ found: "bad" }, ({ error, aside }) => {
      complain(`${kept.file}: ${error.text}; kept as ${aside}: no mappings, and the epoch begins again`)
      return { ok: true, value: { ...fresh.value, aside } }
    })
    .with({ found: "bad-settings" }, ({ error }) => ({ ok: false, text: line(settingOf(error), error.text) }))
    .with({ found: "failed" }, ({ text }) => ({ ok: false, text: `state file ${kept.file}: ${text}` }))
    .exhaustive()
}

/**
 * What becomes of a state file when the server does not come up after all: one that was the last of its run is so again, and
 * one that was set aside is where it was.
 */
export const undoWith =
  <S>(save: SaveCgn<S>): Device<S>["undo"] =>
  async ({ state: kept }, { state, lost, aside }) => {
    if (kept === undefined) return
    if (aside !== undefined) await rename(aside, kept.file).then(() => complain(`${kept.file}: put back`))
    if (lost) return
    await saveState(kept.file, save, state, { now: clock.now(), wallClock: Date.now(), final: true })
  }

/** Has the state written to its file again and again; `undefined`: nobody wants that. */
export const keepWith =
  <S extends Versioned>(save: SaveCgn<S>): Device<S>["keep"] =>
  ({ state: kept }, host) =>
    kept &&
    keepState({
      path: kept.file,
      save,
      period: kept.period,
      clock: clock,
      state: host.state,
      saved: (saved) => {
        if (!saved.ok) complain(`state file ${kept.file}: not written: ${saved.text}`)
      },
    })

/** Puts other settings in force by one step of the host; gives the line that says why not. */
export const applyOver = <S>(
  { line }: ServePlan,
  host: ServeHost<S>,
  step: (state: ServerState<S>, now: number) => ServerReconfigured<S>,
): readonly string[] => {
  let refused: readonly string[] = []
  host.act((state, now) => {
    const done = step(state, now)
    if (done.ok) return [done.state, pushedOutput(done.pushed)]
    refused = [line(settingOf(done.error), done.error.text)]
    return [state, pushedOutput({ changes: [], next: undefined })]
  })
  return refused
}
