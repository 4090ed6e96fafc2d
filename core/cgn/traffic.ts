import { type Address, ANY4, Protocol } from "../wire/index.ts"
import type { Change } from "./change.ts"
import { choose } from "./choose.ts"
import type { InternalEnd } from "./contract.ts"
import { type CgnState, deadlineOf, instantOf } from "./layout.ts"
import { slotOf } from "./ports.ts"
import { findSubscriber, idleDeadline } from "./row.ts"
import { change, externalOf, sealed, stepOf } from "./step.ts"
import { freshRow } from "./sweep.ts"

/**
 * An outbound packet passed: its internal end has an implicit mapping for the idle time from now on (RFC 4787 REQ-6), or
 * none when no external end is to be had. Refreshes at most once a second, so that a busy flow leaves no trail.
 */
export const noteOutbound = (
  state: CgnState,
  end: InternalEnd,
  now: number,
): { readonly state: CgnState; readonly changes: readonly Change[] } => {
  const step = stepOf(state, now)
  const { config } = step
  const changes: Change[] = []
  if (slotOf(end.protocol) < 0) return { state, changes }
  const deadline = deadlineOf(
    config,
    now,
    end.protocol === Protocol.TCP ? config.idleTimeout.tcp : config.idleTimeout.udp,
  )
  const subscriber = findSubscriber(step.table, end.internal)
  const row = freshRow(step, subscriber, end, changes)
  let external: { readonly external: Address; readonly externalPort: number }
  if (row !== 0) external = externalOf(step, row)
  else {
    const want = { ...end, suggested: ANY4, suggestedPort: 0, natPmp: false, exact: false }
    const chosen = choose(step, subscriber, want, changes)
    if (!chosen.ok) return { state: sealed(step), changes }
    external = { external: config.addresses[chosen.external], externalPort: chosen.port }
  }
  const idle = row === 0 ? 0 : idleDeadline(step, row)
  if (idle < deadline)
    change(step, row, changes, idle === 0 ? "created" : "renewed", {
      kind: "implicit",
      origin: "traffic",
      protocol: end.protocol,
      internal: end.internal,
      internalPort: end.internalPort,
      ...external,
      remote: undefined,
      remotePort: 0,
      nonce: undefined,
      expires: instantOf(config, deadline),
      realm: end.realm,
      clientPort: 0,
      details: undefined,
    })
  return { state: sealed(step), changes }
}
