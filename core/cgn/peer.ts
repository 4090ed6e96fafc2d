import { type Address, isAny, ResultCode } from "../wire/index.ts"
import type { Change } from "./change.ts"
import { choose } from "./choose.ts"
import type { CgnResult, PeerAsk } from "./contract.ts"
import { peerAsData, peerDetails } from "./data.ts"
import { livePeer, peerDeadline, wantedUntil } from "./deadline.ts"
import { dependenceOf, remoteOf, wantedTowards } from "./dependent.ts"
import { isTranslated } from "./end.ts"
import { type CgnState, deadlineOf, instantOf, PEER, PeerWord, type Step } from "./layout.ts"
import { answeredDescription, detailsAfter } from "./map.ts"
import type { Mapping, MappingDetails } from "./mapping.ts"
import { hasNonce } from "./nonce.ts"
import { hasQuota } from "./quota.ts"
import { findPeer, findRow, rowOf, subscriberOf } from "./row.ts"
import { change, create, done, end, externalOf, idleLeft, refused, sealed, secondsLeft, stepOf } from "./step.ts"
import { freshRow, subscriberAfter, sweepRow } from "./sweep.ts"

/**
 * RFC 6887 section 12.3. The matching mapping is the one by which packets to the remote peer go, whoever made it: the internal
 * end's, in an endpoint-independent NAT, or the one that is that peer's alone, as a new one is where the settings' `mapping`
 * says so. Its external end is the answer, and one nonce holds for all its peers (RFC ambiguity 7, see
 * test/requirements.md). PEER never shortens (12.1), and lifetime 0 asks without changing anything (RFC ambiguity 6); no
 * answer is less than what traffic alone gives (S-131).
 */
export const addDynamic = (state: CgnState, ask: PeerAsk, now: number): CgnResult<CgnState> => {
  const step = stepOf(state, now)
  const { table, config } = step
  const changes: Change[] = []
  const towards = config.addressDependent ? wantedTowards(step, ask, ask.remote, ask.remotePort) : 0
  const there = towards === 0 ? findRow(table, ask) : towards
  const subscriber = subscriberOf(table, there, ask)
  const row = freshRow(step, there, ask, changes)
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
    if (!isTranslated(config, ask.protocol, ask.internalPort)) return refused(ResultCode.UNSUPP_PROTOCOL)
    if (!hasQuota(step, ask, subscriber, changes)) return refused(ResultCode.USER_EX_QUOTA)
    const exact = ask.suggestedPort !== 0 || !isAny(ask.suggested)
    const dependence = dependenceOf(config, ask.protocol)
    const over = dependence === undefined ? 0 : rowOf(table, { ...ask, dependence })
    if (over !== 0) sweepRow(step, over, changes)
    const chosen = choose(step, subscriber, { ...ask, dependence, natPmp: false, exact }, changes)
    if (!chosen.ok) return refused(chosen.code)
    const at = { external: config.addresses[chosen.external], externalPort: chosen.port }
    const mapping = peerOf(step, ask, at, deadlineOf(config, now, ask.lifetime), detailsAfter(ask, undefined))
    const made = dependence === undefined ? mapping : { ...mapping, dependence }
    create(step, subscriberAfter(step, ask, subscriber, changes), chosen, changes, made)
    return done(step, "new", at, ask.lifetime, changes, answeredDescription(ask))
  }
  const at = externalOf(step, row)
  const other = livePeer(step, row)
  const compared = config.noncePolicy !== "off"
  if (compared && other !== 0 && !hasNonce(table, PEER, other, PeerWord.NONCE, ask.nonce))
    return refused(ResultCode.NOT_AUTHORIZED, secondsLeft(step, wantedUntil(step, row), now))
  const found = findPeer(table, row, ask.remote, ask.remotePort)
  const deadline = found === 0 ? 0 : peerDeadline(step, found)
  const peer = deadline === 0 ? 0 : found
  // One that ran out and waits for the wheel makes room for its successor; what else wants the row keeps it.
  if (found !== 0 && peer === 0) end(step, row, changes, "expired", peerAsData(step, found))
  const asked = ask.lifetime === 0 ? 0 : deadlineOf(config, now, ask.lifetime)
  const idle = idleLeft(step, row, now)
  if (asked <= deadline || ask.lifetime === 0) {
    const last = deadline === 0 ? wantedUntil(step, row) : deadline
    return done(step, "ok", at, Math.max(secondsLeft(step, last, now), idle), changes)
  }
  if (peer === 0 && !hasQuota(step, ask, subscriber, changes)) return refused(ResultCode.USER_EX_QUOTA)
  const lifetime = Math.max(ask.lifetime, idle)
  const details = detailsAfter(ask, peer === 0 ? undefined : peerDetails(step, peer))
  const mapping = peerOf(step, ask, at, deadlineOf(config, now, lifetime), details)
  const of = remoteOf(table, row)
  const made = of === undefined ? mapping : { ...mapping, dependence: of.dependence }
  change(step, row, changes, peer === 0 ? "created" : "renewed", made)
  return done(step, peer === 0 ? "new" : "ok", at, lifetime, changes, answeredDescription(ask))
}

const peerOf = (
  step: Step,
  ask: PeerAsk,
  at: { readonly external: Address; readonly externalPort: number },
  deadline: number,
  details: MappingDetails | undefined,
): Mapping => ({
  kind: "peer",
  realm: ask.realm,
  clientPort: ask.clientPort ?? 0,
  details,
  origin: "pcp",
  protocol: ask.protocol,
  internal: ask.internal,
  internalPort: ask.internalPort,
  external: at.external,
  externalPort: at.externalPort,
  remote: ask.remote,
  remotePort: ask.remotePort,
  nonce: ask.nonce,
  expires: instantOf(step.config, deadline),
})
