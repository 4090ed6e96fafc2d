import { clock, entropy, natForm } from "#runtime"
import {
  type CgnState,
  createCgn,
  listFilters,
  listMappings,
  mappingCount,
  mappingCounts,
  memoryCgn,
  poolUse,
  saveCgn,
} from "../../../core/cgn/index.ts"
import { createServerOver, reconfigure, revoke, type ServerState } from "../../../core/server/index.ts"
import { pushedOutput } from "../../server-machine.ts"
import type { SettingPath } from "../config/fault.ts"
import type { ServePlan } from "../config/plan.ts"
import { type ServeSettings, settingOf } from "../config/settings.ts"
import type { Read } from "../read.ts"
import type { Begin, Device } from "./device.ts"
import { applyOver, beginFrom, keepWith, undoWith } from "./state.ts"

export type StateMade =
  | { readonly ok: true; readonly state: ServerState }
  | { readonly ok: false; readonly path: SettingPath; readonly text: string }

/** A server over the in-memory CGN with these settings, its Epoch Time 0 at `now`, milliseconds. */
export const createState = ({ cgn, server }: ServeSettings, secret: Uint8Array, now: number): StateMade => {
  const made = createCgn({ ...cgn, secret, now })
  const created = made.ok ? createServerOver(memoryCgn, made.state, now, server) : made
  return created.ok ? created : { ok: false, path: settingOf(created.error), text: created.error.text }
}

const begin = async (plan: ServePlan): Promise<Read<Begin<CgnState>>> => {
  const made = createState(plan.settings, entropy(32), clock.now())
  return made.ok
    ? beginFrom(plan, natForm(plan.settings.cgn), made.state)
    : { ok: false, text: plan.line(made.path, made.text) }
}

/** The in-memory NAT of `core/cgn`. */
export const natDevice: Device<CgnState> = {
  begin,
  undo: undoWith(saveCgn),
  keep: keepWith(saveCgn),
  apply: (plan, host) => {
    // The profile says these for itself.
    const { internalFamily, otherProtocols, port0, oneToOne, ...cgn } = plan.settings.cgn
    return applyOver(plan, host, (state, now) => reconfigure(state, { ...plan.settings.server, ...cgn }, now))
  },
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
  filters: listFilters,
  count: mappingCount,
  counts: mappingCounts,
  pool: (state) => ({ addresses: state.config.external.length, ...poolUse(state) }),
  addresses: (state) => state.config.external,
  outside: () => undefined,
}
