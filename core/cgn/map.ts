import { word } from "../table/index.ts"
import { type Address, ANY4, isAny, ResultCode } from "../wire/index.ts"
import type { Change } from "./change.ts"
import { choose } from "./choose.ts"
import type { CgnResult, DeleteAsk, MapAsk } from "./contract.ts"
import {
  type CgnState,
  deadlineOf,
  Flag,
  instantOf,
  MAPPING,
  MappingWord,
  type Step,
  SUBSCRIBER,
  Subscriber,
} from "./layout.ts"
import type { Mapping, Realm } from "./mapping.ts"
import { slotOf } from "./ports.ts"
import { findSubscriber, hasNonce, mapAsData, mapDeadline, protocolOf, setMapDeadline } from "./row.ts"
import { change, create, done, externalOf, idleLeft, refused, sealed, secondsLeft, stepOf } from "./step.ts"
import { freshRow, hasQuota, subscriberAfter, tidyRow } from "./sweep.ts"

const matchesSuggestion = (
  ask: { readonly suggested: Address; readonly suggestedPort: number },
  end: { readonly external: Address; readonly externalPort: number },
): boolean => (isAny(ask.suggested) || ask.suggested === end.external) && ask.suggestedPort === end.externalPort

const mapOf = (
  step: Step,
  ask: MapAsk,
  end: { external: Address; externalPort: number },
  deadline: number,
): Mapping => ({
  kind: "map",
  origin: ask.origin,
  protocol: ask.protocol,
  internal: ask.internal,
  internalPort: ask.internalPort,
  external: end.external,
  externalPort: end.externalPort,
  remote: undefined,
  remotePort: 0,
  nonce: ask.nonce,
  expires: instantOf(step.config, deadline),
  realm: ask.realm,
  clientPort: ask.clientPort ?? 0,
  details: undefined,
})

/**
 * RFC 6887 section 11.3. The order of its decisions, where the text leaves it open (reference trap 6.11): nonce, then the
 * sense of PREFER_FAILURE against what exists, then quota, then the external end. A NAT-PMP request has no nonce: it may
 * learn of a PCP mapping but not touch it, and PCP takes a NAT-PMP mapping of the same host over with its nonce.
 */
export const addMapping = (state: CgnState, ask: MapAsk, now: number): CgnResult<CgnState> => {
  const step = stepOf(state, now)
  const { table, config } = step
  if (slotOf(ask.protocol) < 0) return refused(ResultCode.UNSUPP_PROTOCOL)
  const changes: Change[] = []
  const subscriber = findSubscriber(table, ask.internal)
  const row = freshRow(step, subscriber, ask, changes)
  if (row !== 0) {
    const end = externalOf(step, row)
    const deadline = mapDeadline(step, row)
    const owned = deadline !== 0 && (word(table, MAPPING, row, MappingWord.FLAGS) & Flag.NONCE) !== 0
    if (owned && ask.nonce === undefined)
      return done(step, "ok", end, Math.min(ask.lifetime, secondsLeft(step, deadline, now)), changes)
    if (owned && ask.nonce !== undefined && !hasNonce(table, MAPPING, row, MappingWord.NONCE, ask.nonce))
      return refused(ResultCode.NOT_AUTHORIZED, secondsLeft(step, deadline, now))
    if (ask.preferFailure && !matchesSuggestion(ask, end)) return refused(ResultCode.CANNOT_PROVIDE_EXTERNAL)
    if (deadline === 0 && !hasQuota(step, ask.internal, subscriber, changes)) return refused(ResultCode.USER_EX_QUOTA)
    const lifetime = Math.max(ask.lifetime, idleLeft(step, row, now))
    const extended = deadlineOf(config, now, lifetime)
    const mapping = mapOf(step, ask, end, extended)
    if (!owned) {
      change(step, row, changes, deadline === 0 ? "created" : "renewed", mapping)
      return done(step, deadline === 0 ? "new" : "ok", end, lifetime, changes)
    }
    // Renewed by its own nonce: the deadline is all that changes. The list is made whole, since pushing costs a growth.
    setMapDeadline(step, row, extended)
    const renewed: Change = { type: "renewed", mapping }
    return done(step, "ok", end, lifetime, changes.length === 0 ? [renewed] : [...changes, renewed])
  }
  if (!hasQuota(step, ask.internal, subscriber, changes)) return refused(ResultCode.USER_EX_QUOTA)
  const chosen = choose(
    step,
    subscriber,
    { ...ask, natPmp: ask.origin === "nat-pmp", exact: ask.preferFailure },
    changes,
  )
  if (!chosen.ok) return refused(chosen.code)
  const end = { external: config.addresses[chosen.external], externalPort: chosen.port }
  const mapping = mapOf(step, ask, end, deadlineOf(config, now, ask.lifetime))
  create(step, subscriberAfter(step, ask.internal, subscriber, changes), chosen.external, changes, mapping)
  return done(step, "new", end, ask.lifetime, changes)
}

const NOWHERE = { external: ANY4, externalPort: 0 }

/**
 * RFC 6887 section 15.1: only MAP mappings can be deleted; one whose host sent a packet within the idle time lives on for
 * what is left of it (S-131), and the answer's lifetime says so although 15.1 has 0 there (reference trap 6.10).
 */
export const delMapping = (state: CgnState, ask: DeleteAsk, now: number): CgnResult<CgnState> => {
  const step = stepOf(state, now)
  const { config } = step
  const changes: Change[] = []
  const row = freshRow(step, findSubscriber(step.table, ask.internal), ask, changes)
  if (row === 0) return done(step, "ok", NOWHERE, 0, changes)
  const deadline = mapDeadline(step, row)
  // NAT-PMP knows no outbound mappings to refuse: to it there is nothing to delete (RFC 6886 section 3.4).
  if (deadline === 0 && ask.origin === "nat-pmp") return done(step, "ok", NOWHERE, 0, changes)
  if (deadline === 0) return refused(ResultCode.NOT_AUTHORIZED)
  if (!mayTouch(step, row, ask)) return refused(ResultCode.NOT_AUTHORIZED, secondsLeft(step, deadline, now))
  const end = externalOf(step, row)
  const lifetime = ask.origin === "pcp" ? idleLeft(step, row, now) : 0
  const mapping = mapAsData(step, row)
  if (lifetime === 0) change(step, row, changes, "deleted", mapping)
  else
    change(step, row, changes, "renewed", { ...mapping, expires: instantOf(config, deadlineOf(config, now, lifetime)) })
  return done(step, "ok", end, lifetime, changes)
}

/** A MAP mapping with a nonce is only for whoever knows it; one without is for its host. */
const mayTouch = (step: Step, row: number, ask: DeleteAsk): boolean => {
  const { table } = step
  if ((word(table, MAPPING, row, MappingWord.FLAGS) & Flag.NONCE) === 0) return true
  return ask.nonce !== undefined && hasNonce(table, MAPPING, row, MappingWord.NONCE, ask.nonce)
}

export const delMappings = (
  state: CgnState,
  internal: Address,
  _realm: Realm | undefined,
  protocol: number,
  now: number,
) => {
  const step = stepOf(state, now)
  const { table } = step
  const changes: Change[] = []
  let complete = true
  const subscriber = findSubscriber(table, internal)
  let row = subscriber === 0 ? 0 : word(table, SUBSCRIBER, subscriber, Subscriber.MAPPINGS)
  while (row !== 0) {
    const next = word(table, MAPPING, row, MappingWord.NEXT)
    if (protocolOf(table, row) === protocol && !tidyRow(step, row, changes) && mapDeadline(step, row) !== 0) {
      if ((word(table, MAPPING, row, MappingWord.FLAGS) & Flag.NONCE) !== 0) complete = false
      else change(step, row, changes, "deleted", mapAsData(step, row))
    }
    row = next
  }
  return { state: sealed(step), complete, changes }
}
