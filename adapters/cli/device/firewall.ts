import { clock, entropy, firewallForm } from "#runtime"
import {
  createFirewall,
  type FirewallState,
  firewallCgn,
  listPinholes,
  pinholeCount,
  pinholeFilters,
  revokePinholes,
  saveFirewall,
} from "../../../core/cgn/index.ts"
import { adopt, type CgnStep, createServerOver, reconfigureOver } from "../../../core/server/index.ts"
import { pushedOutput } from "../../server-machine.ts"
import type { ServePlan } from "../config/plan.ts"
import { settingOf } from "../config/settings.ts"
import type { Device } from "./device.ts"
import { applyOver, beginFrom, keepWith, undoWith } from "./state.ts"

/** A firewall of one address family: mappings are pinholes, and nothing is translated. */
export const firewallDevice: Device<FirewallState> = {
  begin: async (plan) => {
    const { line, settings } = plan
    const wanted = wantedBy(plan)
    const now = clock.now()
    const made = createFirewall({ ...wanted, now })
    if (!made.ok) return { ok: false, text: line([FIREWALL_SETTINGS[made.error.code]], made.error.text) }
    const created = createServerOver(firewallCgn, made.state, now, settings.server)
    if (!created.ok) return { ok: false, text: line(settingOf(created.error), created.error.text) }
    const begun = await beginFrom(plan, firewallForm(wanted), created.state)
    // What is restored has the settings of today already.
    return begun.ok ? { ok: true, value: { ...begun.value, outdated: false } } : begun
  },
  undo: undoWith(saveFirewall),
  keep: keepWith(saveFirewall),
  apply: (plan, host) => {
    const made = createFirewall({ ...wantedBy(plan), now: clock.now() })
    if (!made.ok) return [plan.line([FIREWALL_SETTINGS[made.error.code]], made.error.text)]
    return applyOver(plan, host, (state, now) => {
      // Pinholes stay; those of hosts that are served no more end with their lifetime.
      const { version, config } = state.cgnState
      const cgnState = { version, config: { ...made.state.config, now: config.now } }
      return reconfigureOver(state, plan.settings.server, now, { state: cgnState, changes: [] })
    })
  },
  revoke: (host, internal, realm) => {
    let deleted = 0
    host.act((state, now) => {
      const step: CgnStep<FirewallState> = revokePinholes(state.cgnState, internal, realm, now)
      const [after, pushed] = adopt(state, step, now)
      deleted = step.changes.filter(({ type }) => type === "deleted").length
      return [after, pushedOutput(pushed)]
    })
    return { ok: true, value: deleted }
  },
  list: listPinholes,
  filters: pinholeFilters,
  count: pinholeCount,
  counts: (state) => ({ map: pinholeCount(state) }),
  pool: () => undefined,
  addresses: () => [],
  outside: () => "as inside: nothing is translated",
}

const wantedBy = ({ settings: { cgn, inside, server } }: ServePlan) => ({
  family: server.profile.mapInternal ? ("ipv4" as const) : ("ipv6" as const),
  inside,
  quota: cgn.quota,
  filterLimit: cgn.filterLimit,
  rules: cgn.rules ?? [],
  secret: entropy(32),
})

const FIREWALL_SETTINGS = {
  "bad-prefix": "inside",
  "bad-quota": "quota",
  "bad-filters": "filterLimit",
  // The command carries no packets.
  "bad-translation": "",
  "bad-secret": "",
} as const
