import { word } from "../table/index.ts"
import type { Change } from "./change.ts"
import type { InternalEnd } from "./contract.ts"
import { LOOK } from "./deadline.ts"
import { GROUP, GroupWord, MAPPING, MappingWord, type Step, SUBSCRIBER, Subscriber } from "./layout.ts"
import { findGroup, implicitWord } from "./subscriber.ts"
import { expireRows, isSwept, subscriberAfter, sweepRow } from "./sweep.ts"
import { implicitLimit } from "./translate/settings.ts"

const countOf = (step: Step, subscriber: number): number =>
  subscriber === 0 ? 0 : word(step.table, SUBSCRIBER, subscriber, Subscriber.COUNT)

const groupCount = (step: Step, host: InternalEnd): number => {
  const group = findGroup(step, host.internal, host.realm)
  return group === 0 ? 0 : word(step.table, GROUP, group, GroupWord.COUNT)
}

/** Takes away what has run out in the newest 256 rows of each of a subscriber's lists. */
const sweepSome = (step: Step, subscriber: number, changes: Change[]): void => {
  const { table } = step
  const first = [Subscriber.MAPPINGS, Subscriber.NATPMP, Subscriber.NATPMP + 1].map((list) =>
    word(table, SUBSCRIBER, subscriber, list),
  )
  for (let row of first)
    for (let n = 0; n < LOOK && row !== 0; n++) {
      const next = word(table, MAPPING, row, MappingWord.NEXT)
      sweepRow(step, row, changes)
      row = next
    }
}

/**
 * How many more MAP and PEER mappings, up to `most`, this host and its subscriber may have (RFC 6887 section 17.2). What
 * has run out does not count: it is swept to see, but never so much of it that a request could be made slow; `expire`
 * finds the rest.
 */
export const quotaLeft = (step: Step, host: InternalEnd, known: number, most: number, changes: Change[]): number => {
  const { quota, subscriberQuota } = step.config
  let left = most
  if (quota !== 0) {
    let subscriber = subscriberAfter(step, host, known, changes)
    if (countOf(step, subscriber) + left > quota && subscriber !== 0 && !isSwept(step)) {
      sweepSome(step, subscriber, changes)
      subscriber = subscriberAfter(step, host, subscriber, changes)
    }
    left = Math.min(left, Math.max(0, quota - countOf(step, subscriber)))
  }
  if (subscriberQuota !== 0 && left !== 0) {
    let count = groupCount(step, host)
    if (count + left > subscriberQuota && expireRows(step, 4 * LOOK, changes) > 0) count = groupCount(step, host)
    left = Math.min(left, Math.max(0, subscriberQuota - count))
  }
  return left
}

/**
 * Has the host's subscriber room for one more implicit mapping of this protocol (RFC 6888 REQ-4)? What has run out does not
 * count, as far as so many rows as a packet may look at tell.
 */
export const hasImplicitLeft = (step: Step, end: InternalEnd, changes: Change[]): boolean => {
  const limit = implicitLimit(step.config.translation, end.protocol)
  if (limit === 0) return true
  const count = (): number => {
    const group = findGroup(step, end.internal, end.realm)
    return group === 0 ? 0 : word(step.table, GROUP, group, implicitWord(end.protocol))
  }
  return count() < limit || (expireRows(step, 4 * LOOK, changes) > 0 && count() < limit)
}

/** Has the host room for one more MAP or PEER mapping? */
export const hasQuota = (step: Step, host: InternalEnd, known: number, changes: Change[]): boolean =>
  quotaLeft(step, host, known, 1, changes) !== 0
