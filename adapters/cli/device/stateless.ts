import { clock } from "#runtime"
import type { Cgn } from "../../../core/cgn/index.ts"
import { createServerOver, reconfigureOver } from "../../../core/server/index.ts"
import type { SettingPath } from "../config/fault.ts"
import type { ServePlan } from "../config/plan.ts"
import { settingOf } from "../config/settings.ts"
import type { Device } from "./device.ts"
import { applyOver } from "./state.ts"

/** A translator that keeps nothing: every host is mapped whole, always. */
interface Stateless<S> {
  readonly cgn: Cgn<S>
  readonly name: string
  readonly make: (plan: ServePlan) => { readonly ok: true; readonly state: S } | Fault
  /** What decides the external address of every host, as text that differs when that does. */
  readonly addressing: (state: S) => string
  readonly outside: (plan: ServePlan) => string
}

interface Fault {
  readonly ok: false
  readonly path: SettingPath
  readonly text: string
}

export const statelessDevice = <S>({ cgn, name, make, addressing, outside }: Stateless<S>): Device<S> => ({
  begin: async (plan) => {
    const made = make(plan)
    if (!made.ok) return { ok: false, text: plan.line(made.path, made.text) }
    const created = createServerOver(cgn, made.state, clock.now(), plan.settings.server)
    if (!created.ok) return { ok: false, text: plan.line(settingOf(created.error), created.error.text) }
    return { ok: true, value: { state: created.state, outdated: false, lost: true } }
  },
  undo: async () => {},
  keep: () => undefined,
  apply: (plan, host) => {
    const made = make(plan)
    if (!made.ok) return [plan.line(made.path, made.text)]
    return applyOver(plan, host, (state, now) => {
      // Another prefix, another external address of every host (RFC 6887 section 8.5).
      const readdressed = addressing(state.cgnState) !== addressing(made.state)
      return reconfigureOver(state, plan.settings.server, now, { state: made.state, changes: [], readdressed })
    })
  },
  revoke: () => ({ ok: false, text: `${name} has no mappings to revoke: it keeps none` }),
  list: () => ({ mappings: [], after: undefined }),
  filters: () => [],
  count: () => 0,
  counts: () => ({}),
  pool: () => undefined,
  addresses: () => [],
  outside,
})
