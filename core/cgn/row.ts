import {
  addRow,
  dropRow,
  find,
  indexRow,
  keyOf,
  schedule,
  setWord,
  type Table,
  unindexRow,
  unschedule,
  word,
} from "../table/index.ts"
import { type Address, addressFromWords, addressWord, type Nonce, nonceFromWords, nonceWord } from "../wire/index.ts"
import {
  FILTER,
  FilterWord,
  Flag,
  instantOf,
  MAPPING,
  MappingWord,
  NEVER,
  PEER,
  PeerWord,
  type Step,
  SUBSCRIBER,
  Subscriber,
} from "./layout.ts"
import type { Filter, Mapping } from "./mapping.ts"
import { addressOf, endWord, portOf, refreshEnd, slotOf, takeEnd } from "./ports.ts"

/** The subscriber's row, or 0. */
export const findSubscriber = (table: Table, internal: Address): number => {
  const key = keyOf(table, SUBSCRIBER)
  key[0] = addressWord(internal, 0)
  key[1] = addressWord(internal, 1)
  key[2] = addressWord(internal, 2)
  key[3] = addressWord(internal, 3)
  key[4] = 0
  return find(table, SUBSCRIBER)
}

/** The mapping row of a subscriber's internal end, or 0. */
export const findMapping = (table: Table, subscriber: number, protocol: number, internalPort: number): number => {
  if (subscriber === 0) return 0
  const key = keyOf(table, MAPPING)
  key[0] = subscriber
  key[1] = (protocol << 16) | internalPort
  return find(table, MAPPING)
}

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

export const addSubscriber = (step: Step, internal: Address, external: number): number => {
  const { table } = step
  const row = addRow(table, SUBSCRIBER)
  for (const i of [0, 1, 2, 3] as const)
    setWord(table, SUBSCRIBER, row, Subscriber.ADDRESS + i, addressWord(internal, i))
  setWord(table, SUBSCRIBER, row, Subscriber.EXTERNAL, external + 1)
  indexRow(table, SUBSCRIBER, row)
  return row
}

/** A row for an internal end and its external end, which nothing wants yet: the caller adds what does, at once. */
export const addMappingRow = (
  step: Step,
  subscriber: number,
  protocol: number,
  internalPort: number,
  external: number,
  externalPort: number,
): number => {
  const { table } = step
  const row = addRow(table, MAPPING)
  setWord(table, MAPPING, row, MappingWord.SUBSCRIBER, subscriber)
  setWord(table, MAPPING, row, MappingWord.INTERNAL, (protocol << 16) | internalPort)
  setWord(table, MAPPING, row, MappingWord.EXTERNAL, endWord(external, slotOf(protocol), externalPort))
  const next = word(table, SUBSCRIBER, subscriber, Subscriber.MAPPINGS)
  setWord(table, MAPPING, row, MappingWord.NEXT, next)
  if (next !== 0) setWord(table, MAPPING, next, MappingWord.PREV, row)
  setWord(table, SUBSCRIBER, subscriber, Subscriber.MAPPINGS, row)
  indexRow(table, MAPPING, row)
  takeEnd(step, external, slotOf(protocol), externalPort)
  return row
}

/** Takes a mapping row away that nothing wants any more, and its subscriber's when it was the last. */
export const dropMappingRow = (step: Step, row: number): void => {
  const { table } = step
  const external = word(table, MAPPING, row, MappingWord.EXTERNAL)
  const subscriber = word(table, MAPPING, row, MappingWord.SUBSCRIBER)
  unschedule(table, row)
  unindexRow(table, MAPPING, row)
  refreshEnd(step, external)
  const next = word(table, MAPPING, row, MappingWord.NEXT)
  const prev = word(table, MAPPING, row, MappingWord.PREV)
  if (next !== 0) setWord(table, MAPPING, next, MappingWord.PREV, prev)
  if (prev !== 0) setWord(table, MAPPING, prev, MappingWord.NEXT, next)
  else setWord(table, SUBSCRIBER, subscriber, Subscriber.MAPPINGS, next)
  dropRow(table, MAPPING, row)
  if (next === 0 && prev === 0) {
    unindexRow(table, SUBSCRIBER, subscriber)
    dropRow(table, SUBSCRIBER, subscriber)
  }
}

export const addPeerRow = (step: Step, row: number, remote: Address, remotePort: number): number => {
  const { table } = step
  const peer = addRow(table, PEER)
  setWord(table, PEER, peer, PeerWord.MAPPING, row)
  for (const i of [0, 1, 2, 3] as const) setWord(table, PEER, peer, PeerWord.REMOTE + i, addressWord(remote, i))
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
  unindexRow(table, PEER, peer)
  const next = word(table, PEER, peer, PeerWord.NEXT)
  const prev = word(table, PEER, peer, PeerWord.PREV)
  if (next !== 0) setWord(table, PEER, next, PeerWord.PREV, prev)
  if (prev !== 0) setWord(table, PEER, prev, PeerWord.NEXT, next)
  else setWord(table, MAPPING, word(table, PEER, peer, PeerWord.MAPPING), MappingWord.PEERS, next)
  dropRow(table, PEER, peer)
}

/** The filters of a mapping, in their order. */
export const filtersOf = (table: Table, row: number): readonly Filter[] => {
  const filters: Filter[] = []
  for (let at = word(table, MAPPING, row, MappingWord.FILTERS); at !== 0; at = word(table, FILTER, at, FilterWord.NEXT))
    filters.push({
      remote: addressAt(table, FILTER, at, FilterWord.REMOTE),
      prefixLength: word(table, FILTER, at, FilterWord.PREFIX),
      remotePort: word(table, FILTER, at, FilterWord.PORT),
    })
  return filters
}

/** Makes these the filters of a mapping. */
export const setFilters = (table: Table, row: number, filters: readonly Filter[]): void => {
  for (let at = word(table, MAPPING, row, MappingWord.FILTERS); at !== 0; ) {
    const next = word(table, FILTER, at, FilterWord.NEXT)
    dropRow(table, FILTER, at)
    at = next
  }
  let next = 0
  for (let i = filters.length - 1; i >= 0; i--) {
    const at = addRow(table, FILTER)
    const filter = filters[i]
    for (const k of [0, 1, 2, 3] as const)
      setWord(table, FILTER, at, FilterWord.REMOTE + k, addressWord(filter.remote, k))
    setWord(table, FILTER, at, FilterWord.PREFIX, filter.prefixLength)
    setWord(table, FILTER, at, FilterWord.PORT, filter.remotePort)
    setWord(table, FILTER, at, FilterWord.NEXT, next)
    next = at
  }
  setWord(table, MAPPING, row, MappingWord.FILTERS, next)
}

export const protocolOf = (table: Table, row: number): number => word(table, MAPPING, row, MappingWord.INTERNAL) >>> 16

const addressAt = (table: Table, family: number, row: number, at: number): Address =>
  addressFromWords(
    word(table, family, row, at),
    word(table, family, row, at + 1),
    word(table, family, row, at + 2),
    word(table, family, row, at + 3),
  )

export const nonceAt = (table: Table, family: number, row: number, at: number): Nonce =>
  nonceFromWords(word(table, family, row, at), word(table, family, row, at + 1), word(table, family, row, at + 2))

export const setNonce = (table: Table, family: number, row: number, at: number, nonce: Nonce): void => {
  setWord(table, family, row, at, nonceWord(nonce, 0))
  setWord(table, family, row, at + 1, nonceWord(nonce, 1))
  setWord(table, family, row, at + 2, nonceWord(nonce, 2))
}

/** Does the stored nonce equal this one? */
export const hasNonce = (table: Table, family: number, row: number, at: number, nonce: Nonce): boolean =>
  word(table, family, row, at) === nonceWord(nonce, 0) &&
  word(table, family, row, at + 1) === nonceWord(nonce, 1) &&
  word(table, family, row, at + 2) === nonceWord(nonce, 2)

/** When the MAP mapping of a row ends, seconds from the CGN's start; 0 when there is none or it has run out. */
export const mapDeadline = (step: Step, row: number): number =>
  live(step, word(step.table, MAPPING, row, MappingWord.EXPIRES))

/** Gives a row's MAP mapping its deadline. */
export const setMapDeadline = (step: Step, row: number, deadline: number): void => {
  setWord(step.table, MAPPING, row, MappingWord.EXPIRES, deadline)
  wake(step, row, deadline)
}

/**
 * Has the row come up at a deadline that something in it has now. Only one earlier than the wheel knows of costs
 * anything: a later one is found when the row comes up. The latest must not take the row off the wheel, where others
 * that want it may have put it.
 */
export const wake = (step: Step, row: number, deadline: number): void => {
  if (deadline !== NEVER) schedule(step.table, row, deadline)
}

/** When the implicit mapping of a row ends; 0 when there is none or it has run out. */
export const idleDeadline = (step: Step, row: number): number =>
  live(step, word(step.table, MAPPING, row, MappingWord.IDLE))

/** When a peer row ends; 0 when it has run out. */
export const peerDeadline = (step: Step, peer: number): number =>
  live(step, word(step.table, PEER, peer, PeerWord.EXPIRES))

const live = (step: Step, deadline: number): number => (deadline >>> 0 > step.second ? deadline >>> 0 : 0)

/** A peer row of a mapping that has not run out, or 0. The newest come first, so the first look nearly always finds one. */
export const livePeer = (step: Step, row: number): number => {
  const { table } = step
  let peer = word(table, MAPPING, row, MappingWord.PEERS)
  while (peer !== 0 && peerDeadline(step, peer) === 0) peer = word(table, PEER, peer, PeerWord.NEXT)
  return peer
}

/** Does anything still want this row? */
export const isWanted = (step: Step, row: number): boolean =>
  mapDeadline(step, row) !== 0 || idleDeadline(step, row) !== 0 || livePeer(step, row) !== 0

/** Peers that {@link wantedUntil} looks at: a host without a quota could make the list long, and each of its requests slow. */
const LOOK = 256

/** When the last of all that wants a row ends, as far as its newest 256 peers tell; 0 when none of it is left. */
export const wantedUntil = (step: Step, row: number): number => {
  const { table } = step
  let last = Math.max(mapDeadline(step, row), idleDeadline(step, row))
  let peer = word(table, MAPPING, row, MappingWord.PEERS)
  for (let n = 0; n < LOOK && peer !== 0; n++) {
    last = Math.max(last, peerDeadline(step, peer))
    peer = word(table, PEER, peer, PeerWord.NEXT)
  }
  return last
}

/** Asks the wheel to bring a row back when the first of all that wants it ends. */
export const scheduleRow = (step: Step, row: number): void => {
  const { table } = step
  let first = NEVER
  if ((word(table, MAPPING, row, MappingWord.FLAGS) & Flag.MAP) !== 0)
    first = word(table, MAPPING, row, MappingWord.EXPIRES) >>> 0
  const idle = word(table, MAPPING, row, MappingWord.IDLE) >>> 0
  if (idle !== 0 && idle < first) first = idle
  for (
    let peer = word(table, MAPPING, row, MappingWord.PEERS);
    peer !== 0;
    peer = word(table, PEER, peer, PeerWord.NEXT)
  )
    first = Math.min(first, word(table, PEER, peer, PeerWord.EXPIRES) >>> 0)
  schedule(table, row, first)
}

const endOf = (step: Step, row: number) => {
  const { table, config } = step
  const subscriber = word(table, MAPPING, row, MappingWord.SUBSCRIBER)
  const internalEnd = word(table, MAPPING, row, MappingWord.INTERNAL)
  const externalEnd = word(table, MAPPING, row, MappingWord.EXTERNAL)
  return {
    protocol: internalEnd >>> 16,
    internal: addressAt(table, SUBSCRIBER, subscriber, Subscriber.ADDRESS),
    internalPort: internalEnd & 0xffff,
    external: config.addresses[addressOf(externalEnd)],
    externalPort: portOf(externalEnd),
    realm: undefined,
    clientPort: 0,
    details: undefined,
  }
}

/** The MAP mapping of a row as data. */
export const mapAsData = (step: Step, row: number): Mapping => {
  const { table, config } = step
  const flags = word(table, MAPPING, row, MappingWord.FLAGS)
  return {
    kind: "map",
    origin: (flags & Flag.NATPMP) !== 0 ? "nat-pmp" : "pcp",
    ...endOf(step, row),
    remote: undefined,
    remotePort: 0,
    nonce: (flags & Flag.NONCE) !== 0 ? nonceAt(table, MAPPING, row, MappingWord.NONCE) : undefined,
    expires: instantOf(config, word(table, MAPPING, row, MappingWord.EXPIRES) >>> 0),
  }
}

/** The implicit mapping of a row as data. */
export const implicitAsData = (step: Step, row: number): Mapping => ({
  kind: "implicit",
  origin: "traffic",
  ...endOf(step, row),
  remote: undefined,
  remotePort: 0,
  nonce: undefined,
  expires: instantOf(step.config, word(step.table, MAPPING, row, MappingWord.IDLE) >>> 0),
})

/** A peer row as data. */
export const peerAsData = (step: Step, peer: number): Mapping => {
  const { table, config } = step
  return {
    kind: "peer",
    origin: "pcp",
    ...endOf(step, word(table, PEER, peer, PeerWord.MAPPING)),
    remote: addressAt(table, PEER, peer, PeerWord.REMOTE),
    remotePort: word(table, PEER, peer, PeerWord.PORT),
    nonce: nonceAt(table, PEER, peer, PeerWord.NONCE),
    expires: instantOf(config, word(table, PEER, peer, PeerWord.EXPIRES) >>> 0),
  }
}
