import { createNpt, type NptState, nptCgn } from "../../../core/cgn/index.ts"
import { createServerOver } from "../../../core/server/index.ts"
import { nodeClock } from "../../node/index.ts"
import { complain } from "../complain.ts"
import { settingOf } from "../config/settings.ts"
import { type Device, FIXED } from "./device.ts"

/** A stateless translator of IPv6 prefixes (RFC 6296): every host is mapped whole, always. */
export const nptDevice: Device<NptState> = {
  ...FIXED,
  begin: async ({ settings: { cgn, pairs, server }, line, state }) => {
    if (state !== undefined) complain(`${state.file}: not written: an NPTv6 device has no state that could be lost`)
    const made = createNpt({ pairs, rules: cgn.rules ?? [] })
    if (!made.ok) return { ok: false, text: line(["prefixes"], made.error.text) }
    const created = createServerOver(nptCgn, made.state, nodeClock.now(), server)
    if (!created.ok) return { ok: false, text: line(settingOf(created.error), created.error.text) }
    return { ok: true, value: { state: created.state, restored: false, lost: true } }
  },
  revoke: () => ({ ok: false, text: "an NPTv6 device has no mappings to revoke: it translates whole prefixes" }),
  list: () => ({ mappings: [], after: undefined }),
  count: () => 0,
  counts: () => ({}),
  pool: () => undefined,
  outside: ({ settings: { pairs } }) =>
    `${pairs.length} ${pairs.length === 1 ? "prefix" : "prefixes"}, translated one to one`,
}
