import { createNpt, type NptState, nptCgn } from "../../../core/cgn/index.ts"
import type { Device } from "./device.ts"
import { statelessDevice } from "./stateless.ts"

/** A translator of IPv6 prefixes (RFC 6296). */
export const nptDevice: Device<NptState> = statelessDevice({
  cgn: nptCgn,
  name: "an NPTv6 device",
  make: ({ settings: { cgn, pairs } }) => {
    const made = createNpt({ pairs, rules: cgn.rules ?? [] })
    return made.ok ? made : { ok: false, path: ["prefixes"], text: made.error.text }
  },
  addressing: ({ translators }) => JSON.stringify(translators),
  outside: ({ settings: { pairs } }) =>
    `${pairs.length} ${pairs.length === 1 ? "prefix" : "prefixes"}, translated one to one`,
})
