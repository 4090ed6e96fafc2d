import {
  addRow,
  dropRow,
  find,
  indexRow,
  keyOf,
  setWord,
  setWords,
  type Table,
  unindexRow,
  unschedule,
  word,
} from "../table/index.ts"
import { type Address, addressWord, nonceWord } from "../wire/index.ts"
import type { InternalEnd } from "./contract.ts"
import { addDependent, dropDependent, findDependent, type MappedEnd, remoteWord } from "./dependent.ts"
import { dropDetails, peerOwner } from "./details.ts"
import { endWord, slotOfEnd } from "./end.ts"
import { readFilters, writeFilters } from "./filter-list.ts"
import { internalWordOf } from "./internal.ts"
import {
  FILTER,
  Flag,
  MAPPING,
  MAPPING_WORDS,
  MappingWord,
  PEER,
  PeerWord,
  type Step,
  SUBSCRIBER,
  Subscriber,
} from "./layout.ts"
import type { Filter, Mapping, Realm } from "./mapping.ts"
import { refreshEnd, takeEnd } from "./ports.ts"
import { countMappings, dropSubscriber, findRealm, findSubscriber, setAddress } from "./subscriber.ts"
import { dropSessions } from "./translate/session.ts"

/** The mapping row of an internal end, or 0. */
export const findRow = (table: Table, { internal, realm, protocol, internalPort }: InternalEnd): number =>
  findMapping(table, internal, realm, (protocol << 16) | internalPort)

/** The mapping row of an internal end, or of that and the remote peer that it is of alone; or 0. */
export const rowOf = (table: Table, end: MappedEnd): number => {
  if (end.dependence === undefined) return findMapping(table, end.internal, end.realm, internalWordOf(end))
  return end.remote === undefined ? 0 : findDependent(table, end, end.remote, remoteWord(end))
}

/** {@link findRow} of an end in parts: protocol and port as `internalWordOf` has them. */
export const findMapping = (
  table: Table,
  internal: Address,
  realm: Realm | undefined,
  internalWord: number,
): number => {
  const inRealm = realm === undefined ? 0 : findRealm(table, realm)
  if (inRealm < 0) return 0
  const key = keyOf(table, MAPPING)
  key[0] = addressWord(internal, 0)
  key[1] = addressWord(internal, 1)
  key[2] = addressWord(internal, 2)
  key[3] = addressWord(internal, 3)
  key[4] = inRealm
  key[5] = internalWord
  return find(table, MAPPING)
}

/** The subscriber's row of a mapping row, or where that is 0, of the host. */
export const subscriberOf = (
  table: Table,
  row: number,
  { internal, realm }: { readonly internal: Address; readonly realm?: Realm | undefined },
): number => (row === 0 ? findSubscriber(table, internal, realm) : word(table, MAPPING, row, MappingWord.SUBSCRIBER))

/** The peer row of a mapping and remote peer, or 0. */
export const findPeer = (table: Table, row: number, remote: Address, remotePort: number): number => {
  const key = keyOf(table, PEER)
  key[0] = row
  key[1] = addressWord(remote, 0)
  key[2] = addressWord(remote, 1)
  key[3] = addressWord(remote, 2)
  key[4] = addressWord(remote, 3)
  key[5] = remotePort
  return find(table, PEER)
}

/** Which word of a subscriber's row has the list that a mapping row is in: NAT-PMP's are apart, to be deleted together. */
export const listOf = (table: Table, row: number): number =>
  (word(table, MAPPING, row, MappingWord.FLAGS) & Flag.NATPMP) === 0
    ? Subscriber.MAPPINGS
    : Subscriber.NATPMP + slotOfEnd(word(table, MAPPING, row, MappingWord.EXTERNAL))

const link = (table: Table, row: number): void => {
  const subscriber = word(table, MAPPING, row, MappingWord.SUBSCRIBER)
  const list = listOf(table, row)
  const next = word(table, SUBSCRIBER, subscriber, list)
  setWord(table, MAPPING, row, MappingWord.NEXT, next)
  setWord(table, MAPPING, row, MappingWord.PREV, 0)
  if (next !== 0) setWord(table, MAPPING, next, MappingWord.PREV, row)
  setWord(table, SUBSCRIBER, subscriber, list, row)
}

const unlink = (table: Table, row: number): void => {
  const next = word(table, MAPPING, row, MappingWord.NEXT)
  const prev = word(table, MAPPING, row, MappingWord.PREV)
  if (next !== 0) setWord(table, MAPPING, next, MappingWord.PREV, prev)
  if (prev !== 0) setWord(table, MAPPING, prev, MappingWord.NEXT, next)
  else setWord(table, SUBSCRIBER, word(table, MAPPING, row, MappingWord.SUBSCRIBER), listOf(table, row), next)
}

/** The first row of any of a subscriber's lists; 0: it has no mappings. */
export const firstRow = (table: Table, subscriber: number): number =>
  word(table, SUBSCRIBER, subscriber, Subscriber.MAPPINGS) ||
  word(table, SUBSCRIBER, subscriber, Subscriber.NATPMP) ||
  word(table, SUBSCRIBER, subscriber, Subscriber.NATPMP + 1)

/** Of a row's flags: is it one that NAT-PMP may not delete? */
const isFirm = (flags: number): boolean =>
  (flags & Flag.STATIC) !== 0 || (flags & (Flag.MAP | Flag.NATPMP)) === Flag.MAP

/** Writes a row's flags and client port, and what follows from them: its list, its companion, its subscriber's counts. */
export const setFlags = (step: Step, row: number, flags: number): void => {
  const { table } = step
  const before = word(table, MAPPING, row, MappingWord.FLAGS)
  if (before === flags) return
  const changed = before ^ flags
  if ((changed & Flag.NATPMP) !== 0) unlink(table, row)
  setWord(table, MAPPING, row, MappingWord.FLAGS, flags)
  const end = word(table, MAPPING, row, MappingWord.EXTERNAL)
  if ((changed & Flag.NATPMP) !== 0) {
    link(table, row)
    refreshEnd(step, end)
  }
  const by = Number(isFirm(flags)) - Number(isFirm(before))
  const slot = slotOfEnd(end)
  if (by === 0 || slot > 1) return
  const subscriber = word(table, MAPPING, row, MappingWord.SUBSCRIBER)
  const at = Subscriber.FIRM + slot
  setWord(table, SUBSCRIBER, subscriber, at, word(table, SUBSCRIBER, subscriber, at) + by)
}

/**
 * A row for an internal end, or that and one remote peer, and its external end (the number of its address, its slot, and its port or what stands there),
 * which nothing wants yet: the caller adds what does, at once.
 */
export const addMappingRow = (
  step: Step,
  subscriber: number,
  end: MappedEnd,
  external: number,
  slot: number,
  field: number,
): number => {
  const { table } = step
  const { dependence, remote } = end
  const row = addRow(table, MAPPING)
  const isShared = dependence === undefined || remote === undefined
  const internal = isShared ? internalWordOf(end) : addDependent(table, subscriber, row, end, remote)
  setWord(table, MAPPING, row, MappingWord.SUBSCRIBER, subscriber)
  setWord(table, MAPPING, row, MappingWord.INTERNAL, internal)
  setWord(table, MAPPING, row, MappingWord.EXTERNAL, endWord(external, slot, field))
  link(table, row)
  indexRow(table, MAPPING, row)
  takeEnd(step, external, slot, field)
  return row
}

/** A mapping row to be, before it is written. */
const made = new Int32Array(MAPPING_WORDS)

/**
 * {@link addMappingRow} of what nearly every new row is: a PCP MAP mapping without details, with all that it has, in one go.
 * It ends at `deadline`, and is not on the wheel yet.
 */
export const addMapRow = (
  step: Step,
  subscriber: number,
  mapping: Mapping,
  external: number,
  slot: number,
  field: number,
  deadline: number,
): number => {
  const { table, config } = step
  const { protocol, internalPort, nonce, clientPort } = mapping
  const row = addRow(table, MAPPING)
  const next = word(table, SUBSCRIBER, subscriber, Subscriber.MAPPINGS)
  made[MappingWord.SUBSCRIBER] = subscriber
  made[MappingWord.INTERNAL] = (protocol << 16) | internalPort
  made[MappingWord.EXTERNAL] = endWord(external, slot, field)
  for (const i of [0, 1, 2] as const) made[MappingWord.NONCE + i] = nonce === undefined ? 0 : nonceWord(nonce, i)
  made[MappingWord.FLAGS] = Flag.MAP | (nonce === undefined ? 0 : Flag.NONCE) | (clientPort << 16)
  made[MappingWord.EXPIRES] = deadline
  made[MappingWord.NEXT] = next
  setWords(table, MAPPING, row, made)
  if (next !== 0) setWord(table, MAPPING, next, MappingWord.PREV, row)
  setWord(table, SUBSCRIBER, subscriber, Subscriber.MAPPINGS, row)
  // A subscriber's group lies in another line of the cache, which most servers have no use for.
  if (config.grouped) countMappings(table, subscriber, 1)
  else
    setWord(table, SUBSCRIBER, subscriber, Subscriber.COUNT, word(table, SUBSCRIBER, subscriber, Subscriber.COUNT) + 1)
  if (slot <= 1) {
    const firm = Subscriber.FIRM + slot
    setWord(table, SUBSCRIBER, subscriber, firm, word(table, SUBSCRIBER, subscriber, firm) + 1)
  }
  indexRow(table, MAPPING, row)
  takeEnd(step, external, slot, field)
  return row
}

/**
 * Takes a mapping row, which nothing wants any more, out of its indexes, its subscriber's list and off the wheel. Its
 * subscriber's row goes when that was the last; true then.
 */
export const detachRow = (step: Step, row: number): void => {
  const { table } = step
  dropSessions(table, row)
  unschedule(table, row)
  unindexRow(table, MAPPING, row)
  dropDependent(table, row)
  unlink(table, row)
}

/** Takes a subscriber's row away if it has no mappings any more. */
export const tidySubscriber = (step: Step, subscriber: number): void => {
  if (firstRow(step.table, subscriber) === 0) dropSubscriber(step, subscriber)
}

/** Takes a mapping row away that nothing wants any more, and its subscriber's when it was the last. */
export const dropMappingRow = (step: Step, row: number): void => {
  const { table } = step
  const external = word(table, MAPPING, row, MappingWord.EXTERNAL)
  const subscriber = word(table, MAPPING, row, MappingWord.SUBSCRIBER)
  detachRow(step, row)
  refreshEnd(step, external)
  dropRow(table, MAPPING, row)
  tidySubscriber(step, subscriber)
}

/** Gives a mapping row another external end, which is free. */
export const moveRow = (step: Step, row: number, external: number, slot: number, field: number): void => {
  const { table } = step
  const before = word(table, MAPPING, row, MappingWord.EXTERNAL)
  unindexRow(table, MAPPING, row)
  setWord(table, MAPPING, row, MappingWord.EXTERNAL, endWord(external, slot, field))
  indexRow(table, MAPPING, row)
  takeEnd(step, external, slot, field)
  refreshEnd(step, before)
  refreshEnd(step, endWord(external, slot, field))
}

export const addPeerRow = (step: Step, row: number, remote: Address, remotePort: number): number => {
  const { table } = step
  const peer = addRow(table, PEER)
  setWord(table, PEER, peer, PeerWord.MAPPING, row)
  setAddress(table, PEER, peer, PeerWord.REMOTE, remote)
  setWord(table, PEER, peer, PeerWord.PORT, remotePort)
  const next = word(table, MAPPING, row, MappingWord.PEERS)
  setWord(table, PEER, peer, PeerWord.NEXT, next)
  if (next !== 0) setWord(table, PEER, next, PeerWord.PREV, peer)
  setWord(table, MAPPING, row, MappingWord.PEERS, peer)
  indexRow(table, PEER, peer)
  return peer
}

export const dropPeerRow = (step: Step, peer: number): void => {
  const { table } = step
  if ((word(table, PEER, peer, PeerWord.FLAGS) & Flag.DETAILS) !== 0) dropDetails(table, peerOwner(peer))
  unindexRow(table, PEER, peer)
  const next = word(table, PEER, peer, PeerWord.NEXT)
  const prev = word(table, PEER, peer, PeerWord.PREV)
  if (next !== 0) setWord(table, PEER, next, PeerWord.PREV, prev)
  if (prev !== 0) setWord(table, PEER, prev, PeerWord.NEXT, next)
  else setWord(table, MAPPING, word(table, PEER, peer, PeerWord.MAPPING), MappingWord.PEERS, next)
  dropRow(table, PEER, peer)
}

/** The filters of a mapping, in their order. */
export const filtersOf = (table: Table, row: number): readonly Filter[] =>
  readFilters(table, FILTER, word(table, MAPPING, row, MappingWord.FILTERS))

/** Makes these the filters of a mapping. */
export const setFilters = (table: Table, row: number, filters: readonly Filter[]): void => {
  const first = writeFilters(table, FILTER, word(table, MAPPING, row, MappingWord.FILTERS), filters)
  setWord(table, MAPPING, row, MappingWord.FILTERS, first)
}
