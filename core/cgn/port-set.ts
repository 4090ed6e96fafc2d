import { word } from "../table/index.ts"
import { ResultCode } from "../wire/index.ts"
import { boundsAt, isAssigned } from "./area.ts"
import type { Change } from "./change.ts"
import { choose, sweepEnd } from "./choose.ts"
import type { CgnResult, DeleteAsk, MapAsk } from "./contract.ts"
import { deletePort } from "./delete.ts"
import { addressOf, holderOf, isTranslated, SCTP, slotOf, WHOLE } from "./end.ts"
import { type CgnState, deadlineOf, MAPPING, MappingWord, type Step } from "./layout.ts"
import { answerExisting, answeredDescription, detailsAfter, mapOf, wantOf } from "./map.ts"
import type { Owner } from "./owner.ts"
import { isAvailable, isInRange, nextStart } from "./ports.ts"
import { quotaLeft } from "./quota.ts"
import { findRow } from "./row.ts"
import type { PortRange } from "./rule.ts"
import { type ChosenEnd, create, done, externalOf, refused, stepOf } from "./step.ts"
import { findSubscriber } from "./subscriber.ts"
import { expireRows, freshRow, freshSubscriber, subscriberAfter } from "./sweep.ts"

/** Ports that one request maps or deletes at most, so that none takes long; RFC 7753 section 4.2 lets a server map fewer. */
const MOST = 1024

/** Where a run of free ports is tried to begin, and ports looked at in all of them together. */
const TRIES = 32
const LOOKS = 4096

/** Rows swept for a longer run. */
const SWEEP = 1024

/**
 * A set of ports (RFC 7753): a run of consecutive internal ports from the ask's own up, mapped to a run of consecutive
 * external ports as long as can be had, at least one. Every port is a mapping of its own in the changes. Internal ports
 * in the range that are mapped already are renewed, each as if asked for alone (section 4.4.1); where the first is one of
 * them, the answer is the run that goes on from it.
 */
export const addPortSet = (state: CgnState, ask: MapAsk, now: number): CgnResult<CgnState> => {
  const step = stepOf(state, now)
  const changes: Change[] = []
  const slot = slotOf(ask.protocol, ask.internalPort)
  if (!isTranslated(step.config, ask.protocol, ask.internalPort)) return refused(ResultCode.UNSUPP_PROTOCOL)
  const asked = ask.portSet?.size ?? 1
  // SCTP's ports are not rewritten, so that each may be on another address: one is all that is promised.
  const size = slot === SCTP || slot === WHOLE ? 1 : Math.min(asked, MOST, 65536 - ask.internalPort)
  const found = findRows(step, ask, size, changes)
  const lead = found[0]
  const known = findSubscriber(step.table, ask.internal, ask.realm)
  if (lead !== 0) return extend(step, ask, found, changes)
  const free = found.findIndex((row) => row !== 0)
  const wanted = quotaLeft(step, ask, known, free < 0 ? size : free, changes)
  if (wanted === 0) return refused(ResultCode.USER_EX_QUOTA)
  const chosen = choose(step, subscriberAfter(step, ask, known, changes), wantOf(ask), changes)
  if (!chosen.ok) return refused(chosen.code)
  const run = bestRun(step, ask, chosen, wanted, changes)
  for (let i = 0; i < run.length; i++) map(step, ask, i, run.external, run.port + i, changes)
  renewRest(step, ask, found, run.length, changes)
  const at = { external: step.config.addresses[run.external], externalPort: run.port }
  return done(step, "new", at, ask.lifetime, changes, answeredDescription(ask), run.length)
}

const port = (ask: MapAsk, i: number): MapAsk => ({ ...ask, internalPort: ask.internalPort + i, portSet: undefined })

/** The rows of the range's internal ports; 0 where there is none. */
const findRows = (step: Step, ask: MapAsk, size: number, changes: Change[]): readonly number[] => {
  const rows: number[] = []
  for (let i = 0; i < size; i++) {
    const alone = port(ask, i)
    rows.push(freshRow(step, findRow(step.table, alone), alone, changes))
  }
  return rows
}

const ownerOf = (ask: MapAsk, i: number, subscriber: number): Owner => ({
  ...wantOf(port(ask, i)),
  subscriber,
})

/** Maps port `i` of the range to an external port that is free or the asker's to reclaim. */
const map = (step: Step, ask: MapAsk, i: number, external: number, externalPort: number, changes: Change[]): void => {
  const { config, table, now } = step
  const held = holderOf(table, external, slotOf(ask.protocol, ask.internalPort), externalPort)
  const at = { external: config.addresses[external], externalPort }
  const mapping = mapOf(step, port(ask, i), at, deadlineOf(config, now, ask.lifetime), detailsAfter(ask, undefined))
  const subscriber = findSubscriber(table, ask.internal, ask.realm)
  create(step, subscriber, { external, port: externalPort, held }, changes, mapping, ask.createAsLocked)
}

/** How many ports from this external one up are to be had for the range, at most `wanted`. */
const runFrom = (
  step: Step,
  ask: MapAsk,
  external: number,
  first: number,
  wanted: number,
  subscriber: number,
  bounds: PortRange,
): number => {
  const slot = slotOf(ask.protocol, ask.internalPort)
  let length = 0
  while (length < wanted && first + length >= bounds.first && first + length <= bounds.last) {
    if (!isAvailable(step, external, slot, first + length, ownerOf(ask, length, subscriber))) break
    length++
  }
  return length
}

/** May whoever asks have any port of the range? */
const isAnybodys = ({ config }: Step): boolean => config.assignment.kind === "random"

/**
 * The longest of the runs that some starts on the chosen address have, the chosen port's first: as long as wanted, that
 * one is taken. With parity asked for, a start of the first internal port's parity goes before a longer run without.
 */
const longestRun = (step: Step, ask: MapAsk, chosen: ChosenEnd, wanted: number, changes: Change[]) => {
  // What is swept after the choice could take the block of the chosen port along.
  const fresh = isAnybodys(step) ? freshSubscriber(step, ask, 0, changes) : 0
  const subscriber = fresh || findSubscriber(step.table, ask.internal, ask.realm)
  const { external } = chosen
  const bounds = boundsAt(step, ask, external, chosen.port)
  const parity = ask.portSet?.parity ? ask.internalPort & 1 : undefined
  const fits = (start: number): boolean => parity === undefined || (start & 1) === parity
  let best = { external, port: chosen.port, length: 1 }
  let looks = 0
  for (let n = 0, start = chosen.port; n < TRIES && start >= 0 && looks < LOOKS; n++) {
    const from = fits(start) ? start : start + 1
    const length = runFrom(step, ask, external, from, wanted, subscriber, bounds)
    looks += length + 1
    const better = fits(best.port) ? length > best.length : length > 0
    if (length > 0 && (better || (from === best.port && length > best.length))) best = { external, port: from, length }
    if (fits(best.port) && best.length === wanted) break
    start = nextStart(step, external, ownerOf(ask, 0, subscriber), from + length + 1, bounds)
  }
  return best
}

/** {@link longestRun}, once more where one too short may be so for what has run out and waits to be taken away. */
const bestRun = (step: Step, ask: MapAsk, chosen: ChosenEnd, wanted: number, changes: Change[]) => {
  const run = longestRun(step, ask, chosen, wanted, changes)
  const fits = !ask.portSet?.parity || ((run.port ^ ask.internalPort) & 1) === 0
  if ((fits && run.length === wanted) || !isAnybodys(step) || expireRows(step, SWEEP, changes) === 0) return run
  return longestRun(step, ask, chosen, wanted, changes)
}

/** Renews the mappings of the range from `from` on that are there, each as if asked for alone. */
const renewRest = (step: Step, ask: MapAsk, found: readonly number[], from: number, changes: Change[]): void => {
  for (let i = from; i < found.length; i++) if (found[i] !== 0) renew(step, ask, i, changes)
}

/** Renews one mapping of the range, or makes it beside what is there; `refused` when it is another's by its nonce. */
const renew = (step: Step, ask: MapAsk, i: number, changes: Change[]): CgnResult<CgnState>["outcome"] => {
  const alone = { ...port(ask, i), suggestedPort: 0 }
  const subscriber = findSubscriber(step.table, ask.internal, ask.realm)
  const own: Change[] = []
  const row = freshRow(step, findRow(step.table, alone), alone, own)
  const result = row === 0 ? undefined : answerExisting(step, row, subscriber, alone, own)
  const renewed = result !== undefined && result.outcome !== "refused"
  // What was swept on the way happened all the same.
  for (const change of renewed ? result.changes : own) changes.push(change)
  return result?.outcome ?? "refused"
}

/** The first port is mapped already: it is renewed, and the run goes on from its external end as far as it can. */
const extend = (step: Step, ask: MapAsk, found: readonly number[], changes: Change[]): CgnResult<CgnState> => {
  const { table } = step
  const alone = port(ask, 0)
  const subscriber = findSubscriber(table, ask.internal, ask.realm)
  const lead = answerExisting(step, found[0], subscriber, alone, changes)
  if (lead.outcome === "refused" || lead.outcome === "static") return lead
  const all: Change[] = [...lead.changes]
  const at = externalOf(step, found[0])
  const external = addressOf(word(table, MAPPING, found[0], MappingWord.EXTERNAL))
  const slot = slotOf(ask.protocol, ask.internalPort)
  let left = quotaLeft(step, ask, subscriber, found.length - 1, all)
  let length = 1
  let isNew = lead.outcome === "new"
  for (; length < found.length; length++) {
    const externalPort = at.externalPort + length
    if (found[length] !== 0) {
      const there = externalOf(step, found[length])
      if (there.external !== at.external || there.externalPort !== externalPort) break
      const renewed = renew(step, ask, length, all)
      if (renewed === "refused") break
      // A MAP beside the host's own PEER counts too.
      if (renewed === "new") left = Math.max(0, left - 1)
      continue
    }
    if (step.config.inPool[external]) sweepEnd(step, external, slot, externalPort, all)
    const owner = ownerOf(ask, length, findSubscriber(table, ask.internal, ask.realm))
    if (left === 0 || !step.config.inPool[external] || !isInRange(step.config, externalPort)) break
    if (!isAssigned(step, ask, external, externalPort)) break
    if (!isAvailable(step, external, slot, externalPort, owner)) break
    map(step, ask, length, external, externalPort, all)
    left--
    isNew = true
  }
  renewRest(step, ask, found, length, all)
  return done(step, isNew ? "new" : "ok", at, lead.lifetime, all, lead.description, length)
}

/**
 * Deletes a set of ports (RFC 7753 section 4.4): the first as if alone, which is the answer; of the rest whatever the nonce
 * has a right to.
 */
export const delPortSet = (state: CgnState, ask: DeleteAsk, now: number): CgnResult<CgnState> => {
  const step = stepOf(state, now)
  const changes: Change[] = []
  const size = Math.min(ask.portSet?.size ?? 1, MOST, 65536 - ask.internalPort)
  const lead = deletePort(step, ask, changes)
  if (lead.outcome === "refused") return lead
  let { lifetime } = lead
  for (let i = 1; i < size; i++) {
    const rest = deletePort(step, { ...ask, internalPort: ask.internalPort + i }, changes, false)
    if (rest.outcome !== "refused") lifetime = Math.max(lifetime, rest.lifetime)
  }
  return done(step, "ok", lead.at, lifetime, changes, undefined, size)
}
