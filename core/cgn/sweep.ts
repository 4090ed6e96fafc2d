import { nextDue, popDue, schedule, word } from "../table/index.ts"
import type { Address } from "../wire/index.ts"
import type { Change } from "./change.ts"
import type { InternalEnd } from "./contract.ts"
import { implicitAsData, mapAsData, peerAsData } from "./data.ts"
import { idleDeadline, isStatic, isWanted, LOOK, livePeer, mapDeadline, peerDeadline, scheduleRow } from "./deadline.ts"
import { endHeld } from "./hold.ts"
import { Flag, MAPPING, MappingWord, PEER, PeerWord, type Step } from "./layout.ts"
import type { Mapping, Realm } from "./mapping.ts"
import { isHeld, isOver } from "./owner.ts"
import { findRow, firstRow } from "./row.ts"
import { end } from "./step.ts"
import { findSubscriber } from "./subscriber.ts"

/** What ran out first comes first; at one instant traffic, then PEERs, then MAP: the last decides whether the end is held. */
const RANK = { implicit: 0, peer: 1, map: 2, static: 3 } as const
const byEnd = (a: Mapping, b: Mapping): number => a.expires - b.expires || RANK[a.kind] - RANK[b.kind]

/** Takes a held end's row away if its time is over. */
const sweepHeld = (step: Step, row: number, changes: Change[]): boolean => {
  if (!isOver(step, row)) return false
  endHeld(step, row, changes)
  return true
}

/** Takes away all that has run out of what wants a row; true when the row wants nothing with it. Walks over all its peers. */
export const sweepRow = (step: Step, row: number, changes: Change[]): boolean => {
  const { table } = step
  if (isHeld(table, row)) return sweepHeld(step, row, changes)
  const gone = !isWanted(step, row)
  const due: Mapping[] = []
  for (
    let peer = word(table, MAPPING, row, MappingWord.PEERS);
    peer !== 0;
    peer = word(table, PEER, peer, PeerWord.NEXT)
  )
    if (peerDeadline(step, peer) === 0) due.push(peerAsData(step, peer))
  if ((word(table, MAPPING, row, MappingWord.FLAGS) & Flag.MAP) !== 0 && mapDeadline(step, row) === 0)
    due.push(mapAsData(step, row))
  if (word(table, MAPPING, row, MappingWord.IDLE) !== 0 && idleDeadline(step, row) === 0)
    due.push(implicitAsData(step, row))
  if (due.length > 1) due.sort(byEnd)
  for (const mapping of due) end(step, row, changes, "expired", mapping)
  return gone
}

/**
 * Takes away what has run out of a row that a request looks at: all of it when nothing wants the row any more, else
 * whatever is not a peer. Peers that ran out are seen as absent one by one until the wheel has them: walking over them
 * all at each request would let one host make its requests slow for everybody.
 */
export const tidyRow = (step: Step, row: number, changes: Change[]): boolean =>
  isHeld(step.table, row) ? sweepHeld(step, row, changes) : tidyMapping(step, row, changes)

/** {@link tidyRow} of a row that is known for a mapping's. */
const tidyMapping = (step: Step, row: number, changes: Change[]): boolean => {
  const { table } = step
  const map = mapDeadline(step, row)
  const idle = idleDeadline(step, row)
  if (map === 0 && idle === 0 && !isStatic(table, row) && livePeer(step, row) === 0) return sweepRow(step, row, changes)
  if (map === 0 && (word(table, MAPPING, row, MappingWord.FLAGS) & Flag.MAP) !== 0)
    end(step, row, changes, "expired", mapAsData(step, row))
  if (idle === 0 && word(table, MAPPING, row, MappingWord.IDLE) !== 0)
    end(step, row, changes, "expired", implicitAsData(step, row))
  return false
}

/**
 * Takes away peers of a row that have all run out, before a mapping of it is deleted: it must not be they, swept later,
 * that seem to have been the last in the row. They are walked over once, as this takes them away.
 */
export const tidyPeers = (step: Step, row: number, changes: Change[]): void => {
  if (word(step.table, MAPPING, row, MappingWord.PEERS) !== 0 && livePeer(step, row) === 0) sweepRow(step, row, changes)
}

/**
 * A mapping row that was found for an internal end (0: none), with nothing in the way that has run out, or 0. A locked
 * mapping that another request finds was given up: it goes, unannounced as it came.
 */
export const freshRow = (step: Step, row: number, ask: InternalEnd, changes: Change[]): number => {
  const { table } = step
  if (row === 0) return 0
  if ((word(table, MAPPING, row, MappingWord.FLAGS) & Flag.LOCKED) !== 0) {
    end(step, row, changes, "deleted", mapAsData(step, row))
    return findRow(table, ask)
  }
  return tidyMapping(step, row, changes) ? 0 : row
}

/** The subscriber's row after changes: it goes with its last mapping. */
export const subscriberAfter = (
  step: Step,
  host: { readonly internal: Address; readonly realm?: Realm | undefined },
  before: number,
  changes: readonly Change[],
): number => (changes.length === 0 ? before : findSubscriber(step.table, host.internal, host.realm))

/**
 * The subscriber's row if anything still wants it, else 0: one that mappings keep which have all run out must not decide
 * where the next goes. Looks at rows until one is wanted; beyond 256 that are not, the address stays.
 */
export const freshSubscriber = (
  step: Step,
  host: { readonly internal: Address; readonly realm?: Realm | undefined },
  known: number,
  changes: Change[],
): number => {
  let subscriber = subscriberAfter(step, host, known, changes)
  for (let n = 0; n < LOOK && subscriber !== 0; n++) {
    const before = changes.length
    const row = firstRow(step.table, subscriber)
    if (mapDeadline(step, row) !== 0 || !tidyMapping(step, row, changes)) return subscriber
    if (changes.length !== before) subscriber = findSubscriber(step.table, host.internal, host.realm)
  }
  return subscriber
}

/** Has the wheel been turned as far as this second? Then nothing that has run out is left anywhere, and all counts are exact. */
export const isSwept = (step: Step): boolean => {
  const due = nextDue(step.table)
  return due === undefined || due > step.second
}

/** Sweeps at most `limit` rows that are due, and returns how many came up. */
export const expireRows = (step: Step, limit: number, changes: Change[]): number => {
  for (let n = 0; n < limit; n++) {
    const row = popDue(step.table, step.second)
    if (row === 0) return n
    if (sweepRow(step, row, changes)) continue
    // One that was parked, as its time was beyond the wheel's turn.
    if (isHeld(step.table, row)) schedule(step.table, row, word(step.table, MAPPING, row, MappingWord.EXPIRES) >>> 0)
    else scheduleRow(step, row)
  }
  return limit
}
