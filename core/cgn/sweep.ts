import { popDue, word } from "../table/index.ts"
import type { Address } from "../wire/index.ts"
import type { Change } from "./change.ts"
import type { InternalEnd } from "./contract.ts"
import { Flag, MAPPING, MappingWord, PEER, PeerWord, type Step, SUBSCRIBER, Subscriber } from "./layout.ts"
import type { Mapping } from "./mapping.ts"
import {
  findMapping,
  findSubscriber,
  idleDeadline,
  implicitAsData,
  isWanted,
  livePeer,
  mapAsData,
  mapDeadline,
  peerAsData,
  peerDeadline,
  scheduleRow,
} from "./row.ts"
import { change } from "./step.ts"

/** Takes away all that has run out of what wants a row; true when the row is gone with it. Walks over all its peers. */
export const sweepRow = (step: Step, row: number, changes: Change[]): boolean => {
  const { table } = step
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
  for (const mapping of due) change(step, row, changes, "expired", mapping)
  return gone
}

/**
 * Takes away what has run out of a row that a request looks at: all of it when nothing wants the row any more, else
 * whatever is not a peer. Peers that ran out are seen as absent one by one until the wheel has them: walking over them
 * all at each request would let one host make its requests slow for everybody.
 */
export const tidyRow = (step: Step, row: number, changes: Change[]): boolean => {
  const { table } = step
  const map = mapDeadline(step, row)
  const idle = idleDeadline(step, row)
  if (map === 0 && idle === 0 && livePeer(step, row) === 0) return sweepRow(step, row, changes)
  if (map === 0 && (word(table, MAPPING, row, MappingWord.FLAGS) & Flag.MAP) !== 0)
    change(step, row, changes, "expired", mapAsData(step, row))
  if (idle === 0 && word(table, MAPPING, row, MappingWord.IDLE) !== 0)
    change(step, row, changes, "expired", implicitAsData(step, row))
  return false
}

/** The row of an internal end of this subscriber (0: none) with nothing in the way that has run out, or 0. */
export const freshRow = (step: Step, subscriber: number, end: InternalEnd, changes: Change[]): number => {
  const row = findMapping(step.table, subscriber, end.protocol, end.internalPort)
  return row === 0 || tidyRow(step, row, changes) ? 0 : row
}

/** The subscriber's row after changes: it goes with its last mapping. */
export const subscriberAfter = (step: Step, internal: Address, before: number, changes: readonly Change[]): number =>
  changes.length === 0 ? before : findSubscriber(step.table, internal)

/** Has the subscriber room for one more MAP or PEER mapping? What has run out does not count: it is swept to see. */
export const hasQuota = (step: Step, internal: Address, known: number, changes: Change[]): boolean => {
  const { table, config } = step
  if (config.quota === 0) return true
  const subscriber = subscriberAfter(step, internal, known, changes)
  if (subscriber === 0 || word(table, SUBSCRIBER, subscriber, Subscriber.COUNT) < config.quota) return true
  for (let row = word(table, SUBSCRIBER, subscriber, Subscriber.MAPPINGS); row !== 0; ) {
    const next = word(table, MAPPING, row, MappingWord.NEXT)
    sweepRow(step, row, changes)
    row = next
  }
  const left = subscriberAfter(step, internal, subscriber, changes)
  return left === 0 || word(table, SUBSCRIBER, left, Subscriber.COUNT) < config.quota
}

/** Sweeps at most `limit` rows that are due, and returns how many came up. */
export const expireRows = (step: Step, limit: number, changes: Change[]): number => {
  for (let n = 0; n < limit; n++) {
    const row = popDue(step.table, step.second)
    if (row === 0) return n
    if (!sweepRow(step, row, changes)) scheduleRow(step, row)
  }
  return limit
}
