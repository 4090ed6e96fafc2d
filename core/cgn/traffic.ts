import { ANY4, Protocol } from "../wire/index.ts"
import type { Change } from "./change.ts"
import { choose } from "./choose.ts"
import type { InternalEnd } from "./contract.ts"
import { idleDeadline } from "./deadline.ts"
import { isTranslated } from "./end.ts"
import { type CgnState, deadlineOf, instantOf } from "./layout.ts"
import type { Mapping } from "./mapping.ts"
import { hasImplicitLeft } from "./quota.ts"
import { findRow, subscriberOf } from "./row.ts"
import { change, create, type External, externalOf, sealed, stepOf } from "./step.ts"
import { freshRow, subscriberAfter } from "./sweep.ts"

/**
 * An outbound packet passed: its internal end has an implicit mapping for the idle time from now on (RFC 4787 REQ-6), or
 * none when no external end is to be had. As it does not say where to, that is of all remote peers, whatever the settings'
 * `mapping` is. Refreshes at most once a second, so that a busy flow leaves no trail.
 */
export const noteOutbound = (
  state: CgnState,
  end: InternalEnd,
  now: number,
): { readonly state: CgnState; readonly changes: readonly Change[] } => {
  const step = stepOf(state, now)
  const { config } = step
  const changes: Change[] = []
  if (end.internalPort === 0 || !isTranslated(config, end.protocol, end.internalPort)) return { state, changes }
  const idleTime = end.protocol === Protocol.UDP ? config.idleTimeout.udp : config.idleTimeout.tcp
  const deadline = deadlineOf(config, now, idleTime)
  const implicit = (at: External): Mapping => ({
    kind: "implicit",
    origin: "traffic",
    protocol: end.protocol,
    internal: end.internal,
    internalPort: end.internalPort,
    ...at,
    remote: undefined,
    remotePort: 0,
    nonce: undefined,
    expires: instantOf(config, deadline),
    realm: end.realm,
    clientPort: 0,
    details: undefined,
  })
  const found = findRow(step.table, end)
  const subscriber = subscriberOf(step.table, found, end)
  const row = freshRow(step, found, end, changes)
  if (row === 0) {
    if (!hasImplicitLeft(step, end, changes)) return { state: sealed(step), changes }
    const want = { ...end, nonce: undefined, suggested: ANY4, suggestedPort: 0, natPmp: false, exact: false }
    const chosen = choose(step, subscriber, want, changes)
    if (!chosen.ok) return { state: sealed(step), changes }
    const at = { external: config.addresses[chosen.external], externalPort: chosen.port }
    create(step, subscriberAfter(step, end, subscriber, changes), chosen, changes, implicit(at))
    return { state: sealed(step), changes }
  }
  const idle = idleDeadline(step, row)
  if (idle < deadline) change(step, row, changes, idle === 0 ? "created" : "renewed", implicit(externalOf(step, row)))
  return { state: sealed(step), changes }
}
