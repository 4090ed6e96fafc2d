import { word } from "../table/index.ts"
import { isAny, ResultCode } from "../wire/index.ts"
import { place, prolong } from "./apply.ts"
import type { Change } from "./change.ts"
import { choose, type Want } from "./choose.ts"
import type { CgnResult, DeleteAsk, MapAsk } from "./contract.ts"
import { mapDetails } from "./data.ts"
import { isStatic, mapDeadline } from "./deadline.ts"
import { storedDescription } from "./details.ts"
import { isTranslated } from "./end.ts"
import { type CgnState, deadlineOf, Flag, instantOf, MAPPING, MappingWord, NEVER, type Step } from "./layout.ts"
import type { Mapping, MappingDetails } from "./mapping.ts"
import { hasNonce } from "./nonce.ts"
import { hasQuota } from "./quota.ts"
import { findMapping, subscriberOf } from "./row.ts"
import { change, create, done, type External, externalOf, idleLeft, refused, secondsLeft, stepOf } from "./step.ts"
import { freshRow, subscriberAfter } from "./sweep.ts"

const matchesSuggestion = (ask: MapAsk, at: External): boolean =>
  (isAny(ask.suggested) || ask.suggested === at.external) && ask.suggestedPort === at.externalPort

/** The details that a request leaves a mapping with: the latest ask's own, and the description unless it has one. */
export const detailsAfter = (
  ask: {
    readonly preferFailure?: boolean
    readonly requester?: MappingDetails["requester"]
    readonly thirdPartyId?: string | undefined
    readonly description?: string | undefined
  },
  before: MappingDetails | undefined,
): MappingDetails | undefined => {
  const { preferFailure = false, requester, thirdPartyId } = ask
  const asked = ask.description === undefined ? before?.description : storedDescription(ask.description)
  const description = asked === "" ? undefined : asked
  return preferFailure || requester !== undefined || thirdPartyId !== undefined || description !== undefined
    ? { preferFailure, requester, thirdPartyId, description }
    : undefined
}

export const mapOf = (
  step: Step,
  ask: MapAsk,
  at: External,
  deadline: number,
  details: MappingDetails | undefined,
): Mapping => ({
  kind: "map",
  origin: ask.origin,
  protocol: ask.protocol,
  internal: ask.internal,
  internalPort: ask.internalPort,
  external: at.external,
  externalPort: at.externalPort,
  remote: undefined,
  remotePort: 0,
  nonce: ask.nonce,
  expires: instantOf(step.config, deadline),
  realm: ask.realm,
  clientPort: ask.clientPort ?? 0,
  details,
})

/** What the answer says of a description: what is stored now, if the request had one. */
export const answeredDescription = (ask: Pick<MapAsk, "description">): string | undefined =>
  ask.description === undefined ? undefined : storedDescription(ask.description)

/** May this request change the MAP mapping of a row? `learn`: it may not, but is told of it (NAT-PMP of a PCP mapping). */
type Right = "change" | "learn" | "none"

export const rightOf = (step: Step, row: number, ask: DeleteAsk | MapAsk): Right => {
  const { table, config } = step
  const flags = word(table, MAPPING, row, MappingWord.FLAGS)
  if (config.noncePolicy === "off") return "change"
  if ((flags & Flag.NONCE) === 0) return config.noncePolicy === "strict" && ask.origin !== "nat-pmp" ? "none" : "change"
  if (ask.nonce === undefined) return config.noncePolicy === "strict" ? "none" : "learn"
  return hasNonce(table, MAPPING, row, MappingWord.NONCE, ask.nonce) ? "change" : "none"
}

/**
 * RFC 6887 section 11.3. The order of its decisions, where the text leaves it open (RFC ambiguity 11, see
 * test/requirements.md): nonce, then the sense of PREFER_FAILURE against what exists, then quota, then the external end.
 * A NAT-PMP request has no nonce: it may learn of a PCP mapping but not touch it, and PCP takes a NAT-PMP mapping of the
 * same host over with its nonce; `noncePolicy` says otherwise.
 */
export const addMapping = (state: CgnState, ask: MapAsk, now: number): CgnResult<CgnState> => {
  const step = stepOf(state, now)
  const { table, config } = step
  const changes: Change[] = []
  const found = findMapping(table, ask.internal, ask.realm, (ask.protocol << 16) | ask.internalPort)
  if (found !== 0 && isPlainRenewal(step, found, ask)) {
    const deadline = deadlineOf(config, now, ask.lifetime)
    const at = externalOf(step, found)
    const mapping = mapOf(step, ask, at, deadline, undefined)
    prolong(step, found, deadline, mapping.clientPort)
    return done(step, "ok", at, ask.lifetime, [{ type: "renewed", mapping }])
  }
  const subscriber = subscriberOf(table, found, ask)
  const row = found === 0 ? 0 : freshRow(step, found, ask, changes)
  if (row !== 0) return answerExisting(step, row, subscriber, ask, changes)
  if (!isTranslated(config, ask.protocol, ask.internalPort)) return refused(ResultCode.UNSUPP_PROTOCOL)
  if (!hasQuota(step, ask, subscriber, changes)) return refused(ResultCode.USER_EX_QUOTA)
  const chosen = choose(step, subscriber, wantOf(ask), changes)
  if (!chosen.ok) return refused(chosen.code)
  const at = { external: config.addresses[chosen.external], externalPort: chosen.port }
  const mapping = mapOf(step, ask, at, deadlineOf(config, now, ask.lifetime), detailsAfter(ask, undefined))
  if (changes.length === 0 && chosen.held === 0 && !ask.createAsLocked) {
    place(step, subscriber, chosen.external, mapping, false)
    return done(step, "new", at, ask.lifetime, [{ type: "created", mapping }], answeredDescription(ask))
  }
  create(step, subscriberAfter(step, ask, subscriber, changes), chosen, changes, mapping, ask.createAsLocked)
  return done(step, "new", at, ask.lifetime, changes, answeredDescription(ask))
}

/**
 * Is this what nearly every request is: a mapping renewed by its own nonce, with nothing about it but its deadline? Then
 * that and the client's port are all that changes, and all that is written.
 */
const isPlainRenewal = (step: Step, row: number, ask: MapAsk): boolean => {
  const { table } = step
  return (
    (word(table, MAPPING, row, MappingWord.FLAGS) & 0xffff) === (Flag.MAP | Flag.NONCE) &&
    word(table, MAPPING, row, MappingWord.IDLE) === 0 &&
    mapDeadline(step, row) !== 0 &&
    ask.nonce !== undefined &&
    hasNonce(table, MAPPING, row, MappingWord.NONCE, ask.nonce) &&
    !ask.preferFailure &&
    ask.requester === undefined &&
    ask.thirdPartyId === undefined &&
    ask.description === undefined
  )
}

export const wantOf = (ask: MapAsk): Want => ({
  protocol: ask.protocol,
  internal: ask.internal,
  internalPort: ask.internalPort,
  realm: ask.realm,
  nonce: ask.nonce,
  suggested: ask.suggested,
  suggestedPort: ask.suggestedPort,
  natPmp: ask.origin === "nat-pmp",
  exact: ask.preferFailure,
})

/**
 * S-45 and S-47: the administrator's mapping is answered as it is, and nothing of the request is kept. NAT-PMP wants no
 * lifetime above what was asked (RFC 6886 section 3.3).
 */
const answerStatic = (step: Step, row: number, ask: MapAsk, changes: readonly Change[]): CgnResult<CgnState> => {
  const at = externalOf(step, row)
  if (ask.preferFailure && !matchesSuggestion(ask, at)) return refused(ResultCode.CANNOT_PROVIDE_EXTERNAL)
  return done(step, "static", at, ask.origin === "nat-pmp" ? ask.lifetime : NEVER, changes)
}

/** A request for an internal end that has an external one: `row`, with nothing in it that has run out but peers. */
export const answerExisting = (
  step: Step,
  row: number,
  subscriber: number,
  ask: MapAsk,
  changes: Change[],
): CgnResult<CgnState> =>
  isStatic(step.table, row) ? answerStatic(step, row, ask, changes) : renewMap(step, row, subscriber, ask, changes)

/** A MAP mapping is renewed, or made beside what PEER or traffic have. */
const renewMap = (step: Step, row: number, subscriber: number, ask: MapAsk, changes: Change[]): CgnResult<CgnState> => {
  const { config, now } = step
  const at = externalOf(step, row)
  const deadline = mapDeadline(step, row)
  if (deadline !== 0) {
    const right = rightOf(step, row, ask)
    const left = secondsLeft(step, deadline, now)
    if (right === "learn") return done(step, "ok", at, Math.min(ask.lifetime, left), changes)
    if (right === "none") return refused(ResultCode.NOT_AUTHORIZED, left)
  }
  if (ask.preferFailure && !matchesSuggestion(ask, at)) return refused(ResultCode.CANNOT_PROVIDE_EXTERNAL)
  if (deadline === 0 && !hasQuota(step, ask, subscriber, changes)) return refused(ResultCode.USER_EX_QUOTA)
  // RFC 6886 section 3.3 has no lifetime over what was asked; what traffic keeps alive lives on beside it all the same.
  const lifetime = ask.origin === "nat-pmp" ? ask.lifetime : Math.max(ask.lifetime, idleLeft(step, row, now))
  const extended = deadlineOf(config, now, lifetime)
  const before = deadline === 0 ? undefined : mapDetails(step, row)
  const mapping = mapOf(step, ask, at, extended, detailsAfter(ask, before))
  change(step, row, changes, deadline === 0 ? "created" : "renewed", mapping)
  return done(step, deadline === 0 ? "new" : "ok", at, lifetime, changes, answeredDescription(ask))
}
