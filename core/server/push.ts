import type { Change, Mapping, Realm } from "../cgn/index.ts"
import type { Address } from "../wire/index.ts"
import { emptyQueue, firstOf, pushed, type Queue, shifted } from "./queue.ts"
import { deleteFrom, emptyTrie, getFrom, setIn, type Trie } from "./trie.ts"

/** Where an unsolicited datagram goes: from the server's own address and port (RFC 6887 sections 14.1.3 and 14.2). */
export interface Destination {
  /** A client's, or a multicast group. */
  readonly address: Address
  /** UDP port. */
  readonly port: number
}

/** One announcement under way: RFC 6887 section 14.1.3, RFC 6886 section 3.2.1. */
export interface Series {
  /** `undefined`: multicast to all clients. */
  readonly to: Destination | undefined
  /** Transmissions so far. */
  readonly sent: number
  /** When the next one is due, milliseconds. */
  readonly at: number
}

/** One mapping update under way (RFC 6887 section 14.2). */
export interface Update {
  /** Names the mapping: see {@link mappingKey}. */
  readonly key: string
  /** The datagram but for its epoch and lifetime, which each transmission has anew. */
  readonly bytes: Uint8Array
  readonly destination: Destination
  /** Whose Epoch Time it carries. */
  readonly subscriber: Address
  readonly realm: Realm | undefined
  /** When the lifetime told ends, milliseconds; `Infinity` tells 2^32-1 s. Of an error: seconds that stay the same. */
  readonly expires: number
  readonly errorLifetime: number | undefined
}

interface Due {
  readonly update: Update
  readonly at: number
}

/**
 * What is still to be sent. The updates wait in one queue for each of their three transmissions, where all wait equally
 * long, so that each queue is in order; `pending` says which of them still hold.
 */
export interface Pushes {
  readonly series: readonly Series[]
  readonly queues: readonly [Queue<Due>, Queue<Due>, Queue<Due>]
  readonly pending: Trie<Update>
}

export const NO_PUSHES: Pushes = {
  series: [],
  queues: [emptyQueue(), emptyQueue(), emptyQueue()],
  pending: emptyTrie(),
}

/** Announcements under way at once; one more takes the place of the oldest. */
const SERIES_LIMIT = 256

/** Queue entries that one call looks at, so that requests are not held up, and milliseconds until the next one then. */
const STEP = 256
const PACE = 5

/** Milliseconds from the first transmission of an announcement to the second; each later interval doubles. */
const ANNOUNCE_INTERVAL = 250
/** Milliseconds from each transmission of an update to the next. */
const UPDATE_INTERVALS = [250, 500]

/** One string for a mapping: internal end, realm, and the remote peer of an outbound one. */
export const mappingKey = (
  mapping: Pick<Mapping, "kind" | "protocol" | "internal" | "internalPort" | "realm" | "remote" | "remotePort">,
): string => {
  const { kind, protocol, internal, internalPort, realm = "", remote, remotePort } = mapping
  const end = String.fromCharCode(protocol, internalPort) + internal + realm
  return kind === "peer" && remote !== undefined ? `${end}P${remote}${String.fromCharCode(remotePort)}` : end
}

const isSame = (a: Destination | undefined, b: Destination | undefined): boolean =>
  a?.address === b?.address && a?.port === b?.port

/** Begins an announcement; one to the same destination begins again. */
export const pushSeries = (pushes: Pushes, to: Destination | undefined, now: number): Pushes => {
  const others = pushes.series.filter((one) => !isSame(one.to, to))
  return { ...pushes, series: [...others, { to, sent: 0, at: now }].slice(-SERIES_LIMIT) }
}

/** Is there room for one more update, at most `limit` waiting? */
export const hasRoom = ({ queues: [first, second, third] }: Pushes, limit: number): boolean =>
  first.size + second.size + third.size < limit

/** Begins an update, in place of an earlier one of the same mapping. */
export const pushUpdate = (pushes: Pushes, update: Update, now: number): Pushes => {
  const [first, second, third] = pushes.queues
  return {
    series: pushes.series,
    queues: [pushed(first, { update, at: now }), second, third],
    pending: setIn(pushes.pending, update.key, update),
  }
}

/**
 * Ends the updates of mappings that these changes touch (RFC 6887 section 14.2: "Once the PCP server has received a
 * refreshed state for that mapping", no more of them). A mapping that moved is not refreshed: its update is yet to come.
 * Traffic refreshes nothing that a client asked for.
 */
export const stopUpdates = (pushes: Pushes, changes: readonly Change[]): Pushes => {
  let { pending } = pushes
  if (pending.size === 0) return pushes
  for (const change of changes)
    if ("mapping" in change && change.type !== "moved" && change.mapping.kind !== "implicit")
      pending = deleteFrom(pending, mappingKey(change.mapping))
  return pending === pushes.pending ? pushes : { ...pushes, pending }
}

/** What is due, and the pushes after it. */
export interface DuePushes {
  readonly pushes: Pushes
  readonly series: readonly Series[]
  readonly updates: readonly Update[]
  /** When to come back, milliseconds; `undefined`: nothing waits. */
  readonly next: number | undefined
}

/** Takes what is due at `now`. Late calls send once, and go on from then: intervals must not be shorter than they are. */
export const takeDue = (pushes: Pushes, announceCount: number, updateCount: number, now: number): DuePushes => {
  if (pushes === NO_PUSHES) return { pushes, series: [], updates: [], next: undefined }
  const due = pushes.series.filter(({ at, sent }) => at <= now && sent < announceCount)
  const series = pushes.series
    .map((one) => (one.at > now ? one : { ...one, sent: one.sent + 1, at: now + ANNOUNCE_INTERVAL * 2 ** one.sent }))
    .filter(({ sent }) => sent < announceCount)
  const updates: Update[] = []
  const queues: [Queue<Due>, Queue<Due>, Queue<Due>] = [...pushes.queues]
  let { pending } = pushes
  let looked = 0
  // The last transmissions first: what they make room for was waiting longest.
  for (const stage of [2, 1, 0] as const)
    for (let head = firstOf(queues[stage]); head !== undefined && head.at <= now && looked < STEP; looked++) {
      const { update } = head
      queues[stage] = shifted(queues[stage])
      head = firstOf(queues[stage])
      if (getFrom(pending, update.key) !== update) continue
      if (stage < updateCount) updates.push(update)
      if (stage !== 2 && stage + 1 < updateCount)
        queues[stage + 1] = pushed(queues[stage + 1], { update, at: now + UPDATE_INTERVALS[stage] })
      else pending = deleteFrom(pending, update.key)
    }
  const waiting = [...series.map(({ at }) => at), ...queues.flatMap((queue) => firstOf(queue)?.at ?? [])]
  const after: Pushes = waiting.length === 0 ? NO_PUSHES : { series, queues, pending }
  const soonest = waiting.length === 0 ? undefined : Math.min(...waiting)
  const next = looked < STEP || soonest === undefined ? soonest : Math.max(now + PACE, soonest)
  return { pushes: after, series: due, updates, next }
}
