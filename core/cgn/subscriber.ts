import { addRow, dropRow, find, indexRow, keyOf, setWord, type Table, unindexRow, word } from "../table/index.ts"
import { type Address, addressFromWords, addressWord, isIpv4, Protocol } from "../wire/index.ts"
import { GROUP, GroupWord, REALM, RealmWord, type Step, SUBSCRIBER, Subscriber } from "./layout.ts"
import type { Realm } from "./mapping.ts"
import type { CgnConfig } from "./settings.ts"

/** The address in four words of a row. */
export const addressAt = (table: Table, family: number, row: number, at: number): Address =>
  addressFromWords(
    word(table, family, row, at),
    word(table, family, row, at + 1),
    word(table, family, row, at + 2),
    word(table, family, row, at + 3),
  )

/** Writes an address into four words of a row. */
export const setAddress = (table: Table, family: number, row: number, at: number, address: Address): void => {
  for (const i of [0, 1, 2, 3] as const) setWord(table, family, row, at + i, addressWord(address, i))
}

/** The row of a realm: 0 for no realm, -1 for one that nobody is in. */
export const findRealm = (table: Table, realm: Realm | undefined): number => {
  if (realm === undefined) return 0
  const key = keyOf(table, REALM)
  for (const i of [0, 1, 2, 3] as const) key[i] = addressWord(realm, i)
  return find(table, REALM) || -1
}

/** The row of a realm for one more row that names it, made where it is not there yet. */
export const useRealm = (table: Table, realm: Realm | undefined): number => {
  if (realm === undefined) return 0
  let row = findRealm(table, realm)
  if (row < 0) {
    row = addRow(table, REALM)
    setAddress(table, REALM, row, RealmWord.REALM, realm)
    indexRow(table, REALM, row)
  }
  setWord(table, REALM, row, RealmWord.USES, word(table, REALM, row, RealmWord.USES) + 1)
  return row
}

/** Takes one use of a realm away, and its row with the last. */
export const leaveRealm = (table: Table, row: number): void => {
  if (row === 0) return
  const uses = word(table, REALM, row, RealmWord.USES) - 1
  setWord(table, REALM, row, RealmWord.USES, uses)
  if (uses > 0) return
  unindexRow(table, REALM, row)
  dropRow(table, REALM, row)
}

/** The realm of a realm row. */
export const realmAt = (table: Table, row: number): Realm | undefined =>
  row === 0 ? undefined : addressAt(table, REALM, row, RealmWord.REALM)

/** The subscriber's row, or 0. */
export const findSubscriber = (table: Table, internal: Address, realm: Realm | undefined): number => {
  const key = keyOf(table, SUBSCRIBER)
  key[4] = realm === undefined ? 0 : findRealm(table, realm)
  key[0] = addressWord(internal, 0)
  key[1] = addressWord(internal, 1)
  key[2] = addressWord(internal, 2)
  key[3] = addressWord(internal, 3)
  return find(table, SUBSCRIBER)
}

/** A row for an internal address that has none, its external address the one with this number. */
export const addSubscriber = (step: Step, internal: Address, realm: Realm | undefined, external: number): number => {
  const { table, config } = step
  const row = addRow(table, SUBSCRIBER)
  setAddress(table, SUBSCRIBER, row, Subscriber.ADDRESS, internal)
  setWord(table, SUBSCRIBER, row, Subscriber.REALM, useRealm(table, realm))
  setWord(table, SUBSCRIBER, row, Subscriber.EXTERNAL, external + 1)
  indexRow(table, SUBSCRIBER, row)
  if (config.grouped) joinGroup(step, row)
  return row
}

/** Takes a subscriber's row away, which has no mappings left. */
export const dropSubscriber = (step: Step, row: number): void => {
  const { table } = step
  leaveGroup(step, row)
  const realm = word(table, SUBSCRIBER, row, Subscriber.REALM)
  unindexRow(table, SUBSCRIBER, row)
  dropRow(table, SUBSCRIBER, row)
  leaveRealm(table, realm)
}

/** The group that an internal address belongs to, or 0 when it has no row yet. */
export const findGroup = (step: Step, internal: Address, realm: Realm | undefined): number => {
  const { table, config } = step
  const key = keyOf(table, GROUP)
  const ownRealm = findRealm(table, realm)
  for (const i of [0, 1, 2, 3] as const) key[i] = groupWord(config.subscriberPrefix, internal, realm, i)
  key[4] = ownRealm
  return find(table, GROUP)
}

/** Word `i` of a group's address: the prefix of the internal address, or nothing of it where the realm is the subscriber. */
const groupWord = (
  prefix: { readonly ipv4: number; readonly ipv6: number },
  internal: Address,
  realm: Realm | undefined,
  i: 0 | 1 | 2 | 3,
): number => {
  if (realm !== undefined) return 0
  const bits = (isIpv4(internal) ? 96 + prefix.ipv4 : prefix.ipv6) - 32 * i
  return bits <= 0 ? 0 : bits >= 32 ? addressWord(internal, i) : addressWord(internal, i) & ~(-1 >>> bits)
}

/** What all internal addresses of a group have in common, the rest 0: nothing where its realm is the subscriber. */
export const groupAddress = (config: CgnConfig, internal: Address, realm: Realm | undefined): Address => {
  const prefix = config.subscriberPrefix
  const at = (i: 0 | 1 | 2 | 3): number => groupWord(prefix, internal, realm, i)
  return addressFromWords(at(0), at(1), at(2), at(3))
}

/** The group that an internal address belongs to, made where it is not there yet; `realmRow` is the row of its realm, in use. */
export const openGroup = (step: Step, internal: Address, realm: Realm | undefined, realmRow: number): number => {
  const { table, config } = step
  const found = findGroup(step, internal, realm)
  if (found !== 0) return found
  const row = addRow(table, GROUP)
  for (const i of [0, 1, 2, 3] as const)
    setWord(table, GROUP, row, GroupWord.ADDRESS + i, groupWord(config.subscriberPrefix, internal, realm, i))
  setWord(table, GROUP, row, GroupWord.REALM, realmRow)
  indexRow(table, GROUP, row)
  return row
}

/** Takes a group's row away that has neither subscriber rows nor blocks. */
export const tidyGroup = (table: Table, row: number): void => {
  if (word(table, GROUP, row, GroupWord.SUBSCRIBERS) > 0 || word(table, GROUP, row, GroupWord.BLOCKS) !== 0) return
  unindexRow(table, GROUP, row)
  dropRow(table, GROUP, row)
}

/** Puts a subscriber into its group, with all the mappings that it has. */
export const joinGroup = (step: Step, subscriber: number): void => {
  const { table } = step
  const internal = addressAt(table, SUBSCRIBER, subscriber, Subscriber.ADDRESS)
  const realm = word(table, SUBSCRIBER, subscriber, Subscriber.REALM)
  const row = openGroup(step, internal, realmAt(table, realm), realm)
  setWord(table, SUBSCRIBER, subscriber, Subscriber.GROUP, row)
  addTo(table, row, 1, word(table, SUBSCRIBER, subscriber, Subscriber.COUNT))
}

/** Takes a subscriber out of its group, if it is in one. */
export const leaveGroup = (step: Step, subscriber: number): void => {
  const { table } = step
  const row = word(table, SUBSCRIBER, subscriber, Subscriber.GROUP)
  if (row === 0) return
  setWord(table, SUBSCRIBER, subscriber, Subscriber.GROUP, 0)
  addTo(table, row, -1, -word(table, SUBSCRIBER, subscriber, Subscriber.COUNT))
  tidyGroup(table, row)
}

const addTo = (table: Table, group: number, subscribers: number, mappings: number): void => {
  setWord(table, GROUP, group, GroupWord.SUBSCRIBERS, word(table, GROUP, group, GroupWord.SUBSCRIBERS) + subscribers)
  setWord(table, GROUP, group, GroupWord.COUNT, word(table, GROUP, group, GroupWord.COUNT) + mappings)
}

/** Where a group counts the implicit mappings of a protocol. */
export const implicitWord = (protocol: number): number =>
  GroupWord.IMPLICIT + (protocol === Protocol.UDP ? 0 : protocol === Protocol.ICMP ? 2 : 1)

/** Counts an implicit mapping of a subscriber's group up or down, if it is in one. */
export const countImplicit = (table: Table, subscriber: number, protocol: number, by: 1 | -1): void => {
  const group = word(table, SUBSCRIBER, subscriber, Subscriber.GROUP)
  if (group === 0) return
  const at = implicitWord(protocol)
  setWord(table, GROUP, group, at, word(table, GROUP, group, at) + by)
}

/** Counts MAP and PEER mappings of a subscriber up or down, for its own quota and its group's. */
export const countMappings = (table: Table, subscriber: number, by: number): void => {
  const count = word(table, SUBSCRIBER, subscriber, Subscriber.COUNT) + by
  setWord(table, SUBSCRIBER, subscriber, Subscriber.COUNT, count)
  const group = word(table, SUBSCRIBER, subscriber, Subscriber.GROUP)
  if (group !== 0) addTo(table, group, 0, by)
}
