import { createNpt, type NptState, nptCgn } from "../../../core/cgn/index.ts"
import { createServerOver, reconfigureOver } from "../../../core/server/index.ts"
import { nodeClock } from "../../node/index.ts"
import type { ServePlan } from "../config/plan.ts"
import { settingOf } from "../config/settings.ts"
import type { Device } from "./device.ts"
import { applyOver } from "./state.ts"

/** A stateless translator of IPv6 prefixes (RFC 6296): every host is mapped whole, always, and nothing is kept. */
export const nptDevice: Device<NptState> = {
  begin: async (plan) => {
    const made = make(plan)
    if (!made.ok) return { ok: false, text: plan.line(["prefixes"], made.error.text) }
    const created = createServerOver(nptCgn, made.state, nodeClock.now(), plan.settings.server)
    if (!created.ok) return { ok: false, text: plan.line(settingOf(created.error), created.error.text) }
    return { ok: true, value: { state: created.state, outdated: false, lost: true } }
  },
  undo: async () => {},
  keep: () => undefined,
  apply: (plan, host) => {
    const made = make(plan)
    if (!made.ok) return [plan.line(["prefixes"], made.error.text)]
    return applyOver(plan, host, (state, now) => {
      // Another prefix, another external address of every host (RFC 6887 section 8.5).
      const readdressed = textOf(state.cgnState) !== textOf(made.state)
      return reconfigureOver(state, plan.settings.server, now, { state: made.state, changes: [], readdressed })
    })
  },
  revoke: () => ({ ok: false, text: "an NPTv6 device has no mappings to revoke: it translates whole prefixes" }),
  list: () => ({ mappings: [], after: undefined }),
  count: () => 0,
  counts: () => ({}),
  pool: () => undefined,
  outside: ({ settings: { pairs } }) =>
    `${pairs.length} ${pairs.length === 1 ? "prefix" : "prefixes"}, translated one to one`,
}

const make = ({ settings: { cgn, pairs } }: ServePlan) => createNpt({ pairs, rules: cgn.rules ?? [] })

const textOf = ({ translators }: NptState): string => JSON.stringify(translators)
