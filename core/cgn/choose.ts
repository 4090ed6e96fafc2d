import { word } from "../table/index.ts"
import { type Address, isAny, ResultCode } from "../wire/index.ts"
import type { Change } from "./change.ts"
import type { InternalEnd } from "./contract.ts"
import { type Step, SUBSCRIBER, Subscriber } from "./layout.ts"
import { chooseAddress, choosePort, holderOf, isAvailable, pairedAddress, slotOf } from "./ports.ts"
import { expireRows, subscriberAfter, tidyRow } from "./sweep.ts"

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
 * must not fail that could be met, any address with a port free. `known` is the subscriber's row before `changes`, or 0.
 */
export const choose = (step: Step, known: number, want: Want, changes: Change[]): Chosen => {
  const { table, config } = step
  const slot = slotOf(want.protocol)
  const subscriber = subscriberAfter(step, want.internal, known, changes)
  const own =
    subscriber === 0
      ? pairedAddress(config, want.internal)
      : word(table, SUBSCRIBER, subscriber, Subscriber.EXTERNAL) - 1
  const suggested = isAny(want.suggested) ? own : config.poolIndex.get(want.suggested)
  if (suggested !== undefined && want.suggestedPort !== 0) {
    sweepEnd(step, suggested, slot, want.suggestedPort, changes)
    const holder = subscriberAfter(step, want.internal, subscriber, changes)
    if (isAvailable(step, suggested, slot, want.suggestedPort, holder, want.natPmp))
      return { ok: true, external: suggested, port: want.suggestedPort }
  }
  if (want.exact && (want.suggestedPort !== 0 || suggested === undefined))
    return { ok: false, code: ResultCode.CANNOT_PROVIDE_EXTERNAL }
  const first = suggested ?? own
  const port = (external: number): number =>
    choosePort(step, external, want.internal, want.protocol, want.internalPort, want.natPmp)
  for (let round = 0; ; round++) {
    const here = port(first)
    if (here >= 0) return { ok: true, external: first, port: here }
    const elsewhere = !want.exact || isAny(want.suggested)
    // Full, but perhaps of mappings that have run out and wait to be taken away: some of them before going elsewhere,
    // more before giving up. Not all: rows renewed since come up as well, and a refusal keeps nothing of the sweep, so
    // that each request to a full pool would walk over all of it again. The client asks again in half a minute.
    if (round < (elsewhere ? ROUNDS : LAST_ROUND) && expireRows(step, SWEEP, changes) > 0) continue
    if (!elsewhere) return { ok: false, code: ResultCode.CANNOT_PROVIDE_EXTERNAL }
    const there = first === own ? -1 : port(own)
    if (there >= 0) return { ok: true, external: own, port: there }
    const external = chooseAddress(step, own, want.protocol, want.natPmp)
    const anywhere = external < 0 ? -1 : port(external)
    if (anywhere >= 0) return { ok: true, external, port: anywhere }
    if (round >= LAST_ROUND || expireRows(step, SWEEP, changes) === 0)
      return { ok: false, code: ResultCode.NO_RESOURCES }
  }
}

/** Rows swept at a time, how often before another address is taken, and how often at most: some milliseconds in all. */
const SWEEP = 256
const ROUNDS = 4
const LAST_ROUND = 16

/** Takes away what has run out at an external end and at its companion, so that neither stands in the way. */
const sweepEnd = (step: Step, external: number, slot: number, port: number, changes: Change[]): void => {
  for (const at of [slot, 1 - slot]) {
    const row = holderOf(step.table, external, at, port)
    if (row !== 0) tidyRow(step, row, changes)
  }
}
