import { word } from "../table/index.ts"
import { type Address, isAny, ResultCode } from "../wire/index.ts"
import type { Change } from "./change.ts"
import type { InternalEnd } from "./contract.ts"
import { type Step, SUBSCRIBER, Subscriber } from "./layout.ts"
import { chooseAddress, choosePort, holderOf, isAvailable, pairedAddress, slotOf } from "./ports.ts"
import { findSubscriber } from "./row.ts"
import { expireRows, sweepRow } from "./sweep.ts"

export interface Want extends InternalEnd {
  readonly suggested: Address
  readonly suggestedPort: number
  readonly natPmp: boolean
  /** The suggestion or nothing: PREFER_FAILURE, and PEER's like rule (RFC 6887 sections 12.3 and 13.2). */
  readonly exact: boolean
}

/** The external end chosen: pool number and port; or the result code of why there is none. */
type Chosen =
  | { readonly ok: true; readonly external: number; readonly port: number }
  | { readonly ok: false; readonly code: number }

/**
 * Chooses an external end (RFC 6887 section 11.3). The suggestion wins where it can be had; then any port of the suggested
 * address; then the subscriber's own address, so that it has one while it can (RFC 4787 REQ-2); then, since a request
 * must not fail that could be met, any address with a port free.
 */
export const choose = (step: Step, want: Want, changes: Change[]): Chosen => {
  const { table, config } = step
  const slot = slotOf(want.protocol)
  const subscriber = findSubscriber(table, want.internal)
  const own =
    subscriber === 0
      ? pairedAddress(config, want.internal)
      : word(table, SUBSCRIBER, subscriber, Subscriber.EXTERNAL) - 1
  const suggested = isAny(want.suggested) ? own : config.poolIndex.get(want.suggested)
  if (suggested !== undefined && want.suggestedPort !== 0) {
    sweepEnd(step, suggested, slot, want.suggestedPort, changes)
    const holder = findSubscriber(table, want.internal)
    if (isAvailable(step, suggested, slot, want.suggestedPort, holder, want.natPmp))
      return { ok: true, external: suggested, port: want.suggestedPort }
  }
  if (want.exact && (want.suggestedPort !== 0 || suggested === undefined))
    return { ok: false, code: ResultCode.CANNOT_PROVIDE_EXTERNAL }
  for (;;) {
    const first = suggested ?? own
    for (const external of first === own || want.exact ? [first] : [first, own]) {
      const port = choosePort(step, external, want.internal, want.protocol, want.internalPort, want.natPmp)
      if (port >= 0) return { ok: true, external, port }
    }
    if (!want.exact || isAny(want.suggested)) {
      const external = chooseAddress(step, own, want.protocol, want.natPmp)
      if (external >= 0) {
        const port = choosePort(step, external, want.internal, want.protocol, want.internalPort, want.natPmp)
        if (port >= 0) return { ok: true, external, port }
      }
    }
    // Full: but for mappings that have run out and are still to be taken away.
    if (expireRows(step, SWEEP, changes) === 0)
      return {
        ok: false,
        code: want.exact && !isAny(want.suggested) ? ResultCode.CANNOT_PROVIDE_EXTERNAL : ResultCode.NO_RESOURCES,
      }
  }
}

const SWEEP = 1024

/** Takes away what has run out at an external end and at its companion, so that neither stands in the way. */
const sweepEnd = (step: Step, external: number, slot: number, port: number, changes: Change[]): void => {
  for (const at of [slot, 1 - slot]) {
    const row = holderOf(step.table, external, at, port)
    if (row !== 0) sweepRow(step, row, changes)
  }
}
