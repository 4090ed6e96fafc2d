import { popDue, word } from "../table/index.ts"
import type { Address } from "../wire/index.ts"
import type { Change } from "./change.ts"
import type { InternalEnd } from "./contract.ts"
import { Flag, MAPPING, MappingWord, PEER, PeerWord, type Step, SUBSCRIBER, Subscriber } from "./layout.ts"
import type { Mapping } from "./mapping.ts"
import {
  findSubscriber,
  idleDeadline,
  implicitAsData,
  mapAsData,
  mapDeadline,
  peerAsData,
  peerDeadline,
  rowDeadline,
  scheduleRow,
} from "./row.ts"
import { change, findRow } from "./step.ts"

/** Takes away what has run out of all that wants a row; true when the row is gone with it. */
export const sweepRow = (step: Step, row: number, changes: Change[]): boolean => {
  const { table } = step
  // The common row, a MAP mapping alone and not at its end, needs no list.
  const alone = word(table, MAPPING, row, MappingWord.PEERS) === 0 && word(table, MAPPING, row, MappingWord.IDLE) === 0
  if (alone && mapDeadline(step, row) !== 0) return false
  const gone = rowDeadline(step, row) === 0
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

/** The row of an internal end with nothing in it that has run out, or 0. */
export const freshRow = (step: Step, end: InternalEnd, changes: Change[]): number => {
  const row = findRow(step, end)
  return row === 0 || sweepRow(step, row, changes) ? 0 : row
}

/** Has the subscriber room for one more MAP or PEER mapping? What has run out does not count: it is swept to see. */
export const hasQuota = (step: Step, internal: Address, changes: Change[]): boolean => {
  const { table, config } = step
  if (config.quota === 0) return true
  const count = () => {
    const subscriber = findSubscriber(table, internal)
    return subscriber === 0 ? 0 : word(table, SUBSCRIBER, subscriber, Subscriber.COUNT)
  }
  if (count() < config.quota) return true
  const subscriber = findSubscriber(table, internal)
  for (let row = word(table, SUBSCRIBER, subscriber, Subscriber.MAPPINGS); row !== 0; ) {
    const next = word(table, MAPPING, row, MappingWord.NEXT)
    sweepRow(step, row, changes)
    row = next
  }
  return count() < config.quota
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
