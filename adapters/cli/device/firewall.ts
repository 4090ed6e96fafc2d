import {
  createFirewall,
  type FirewallState,
  firewallCgn,
  listPinholes,
  pinholeCount,
  saveFirewall,
} from "../../../core/cgn/index.ts"
import { createServerOver } from "../../../core/server/index.ts"
import { entropy, firewallForm, nodeClock } from "../../node/index.ts"
import { settingOf } from "../config/settings.ts"
import { type Device, FIXED } from "./device.ts"
import { beginFrom, keepWith, undoWith } from "./state.ts"

/** A firewall of one address family: mappings are pinholes, and nothing is translated. */
export const firewallDevice: Device<FirewallState> = {
  ...FIXED,
  begin: async (plan) => {
    const { settings, line } = plan
    const { cgn, inside, server } = settings
    const now = nodeClock.now()
    const { quota, filterLimit, rules = [] } = cgn
    const family = server.profile.mapInternal ? "ipv4" : "ipv6"
    const wanted = { family, inside, quota, filterLimit, rules, secret: entropy(32) } as const
    const made = createFirewall({ ...wanted, now })
    if (!made.ok) return { ok: false, text: line([FIREWALL_SETTINGS[made.error.code]], made.error.text) }
    const created = createServerOver(firewallCgn, made.state, now, server)
    if (!created.ok) return { ok: false, text: line(settingOf(created.error), created.error.text) }
    const begun = await beginFrom(plan, firewallForm(wanted), created.state)
    // What is restored has the settings of today already.
    return begun.ok ? { ok: true, value: { ...begun.value, restored: false } } : begun
  },
  undo: undoWith(saveFirewall),
  keep: keepWith(saveFirewall),
  revoke: () => ({ ok: false, text: "a firewall's pinholes are not revoked: they end with their lifetime" }),
  list: listPinholes,
  count: pinholeCount,
  counts: (state) => ({ map: pinholeCount(state) }),
  pool: () => undefined,
  outside: () => "as inside: nothing is translated",
}

const FIREWALL_SETTINGS = {
  "bad-prefix": "inside",
  "bad-quota": "quota",
  "bad-filters": "filterLimit",
  "bad-secret": "",
} as const
