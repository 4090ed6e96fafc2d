import { type Address, isAny, ResultCode } from "../wire/index.ts"
import type { Change } from "./change.ts"
import { choose } from "./choose.ts"
import type { CgnResult, PeerAsk } from "./contract.ts"
import { type CgnState, deadlineOf, instantOf, PEER, PeerWord, type Step } from "./layout.ts"
import type { Mapping } from "./mapping.ts"
import { slotOf } from "./ports.ts"
import { findPeer, findSubscriber, hasNonce, livePeer, peerAsData, peerDeadline, wantedUntil } from "./row.ts"
import { change, create, done, externalOf, idleLeft, refused, sealed, secondsLeft, stepOf } from "./step.ts"
import { freshRow, hasQuota, subscriberAfter } from "./sweep.ts"

/**
 * RFC 6887 section 12.3. This NAT is endpoint-independent: a row for the internal end is the matching mapping whoever
 * made it, its external end is the answer, and one nonce holds for all its peers (reference trap 6.7). PEER never
 * shortens (12.1), and lifetime 0 asks without changing anything (trap 6.6).
 */
export const addDynamic = (state: CgnState, ask: PeerAsk, now: number): CgnResult<CgnState> => {
  const step = stepOf(state, now)
  const { table, config } = step
  if (slotOf(ask.protocol) < 0) return refused(ResultCode.UNSUPP_PROTOCOL)
  const changes: Change[] = []
  const subscriber = findSubscriber(table, ask.internal)
  const row = freshRow(step, subscriber, ask, changes)
  if (row === 0 && ask.lifetime === 0)
    return {
      outcome: "ok",
      state: sealed(step),
      external: ask.suggested,
      externalPort: ask.suggestedPort,
      lifetime: 0,
      changes,
      ports: 1,
      description: undefined,
    }
  if (row === 0) {
    if (!hasQuota(step, ask.internal, subscriber, changes)) return refused(ResultCode.USER_EX_QUOTA)
    const exact = ask.suggestedPort !== 0 || !isAny(ask.suggested)
    const chosen = choose(step, subscriber, { ...ask, natPmp: false, exact }, changes)
    if (!chosen.ok) return refused(chosen.code)
    const end = { external: config.addresses[chosen.external], externalPort: chosen.port }
    const mapping = peerOf(step, ask, end, deadlineOf(config, now, ask.lifetime))
    create(step, subscriberAfter(step, ask.internal, subscriber, changes), chosen.external, changes, mapping)
    return done(step, "new", end, ask.lifetime, changes)
  }
  const end = externalOf(step, row)
  const other = livePeer(step, row)
  if (other !== 0 && !hasNonce(table, PEER, other, PeerWord.NONCE, ask.nonce))
    return refused(ResultCode.NOT_AUTHORIZED, secondsLeft(step, wantedUntil(step, row), now))
  const found = findPeer(table, row, ask.remote, ask.remotePort)
  const deadline = found === 0 ? 0 : peerDeadline(step, found)
  const peer = deadline === 0 ? 0 : found
  // One that ran out and waits for the wheel makes room for its successor; what else wants the row keeps it.
  if (found !== 0 && peer === 0) change(step, row, changes, "expired", peerAsData(step, found))
  const asked = ask.lifetime === 0 ? 0 : deadlineOf(config, now, ask.lifetime)
  if (asked <= deadline || ask.lifetime === 0) {
    const last = deadline === 0 ? wantedUntil(step, row) : deadline
    return done(step, "ok", end, secondsLeft(step, last, now), changes)
  }
  if (peer === 0 && !hasQuota(step, ask.internal, subscriber, changes)) return refused(ResultCode.USER_EX_QUOTA)
  const lifetime = Math.max(ask.lifetime, idleLeft(step, row, now))
  const mapping = peerOf(step, ask, end, deadlineOf(config, now, lifetime))
  change(step, row, changes, peer === 0 ? "created" : "renewed", mapping)
  return done(step, peer === 0 ? "new" : "ok", end, lifetime, changes)
}

const peerOf = (
  step: Step,
  ask: PeerAsk,
  end: { external: Address; externalPort: number },
  deadline: number,
): Mapping => ({
  kind: "peer",
  realm: ask.realm,
  clientPort: ask.clientPort ?? 0,
  details: undefined,
  origin: "pcp",
  protocol: ask.protocol,
  internal: ask.internal,
  internalPort: ask.internalPort,
  external: end.external,
  externalPort: end.externalPort,
  remote: ask.remote,
  remotePort: ask.remotePort,
  nonce: ask.nonce,
  expires: instantOf(step.config, deadline),
})
