import { type Table, word } from "../table/index.ts"
import { isSoundBlock } from "./block.ts"
import { dependentOf } from "./dependent.ts"
import { addressOf } from "./end.ts"
import { type Exam, each, examOf, isBelow, isList, isRow, isUsed, type List } from "./exam.ts"
import { NEXT_FILTER } from "./filter-list.ts"
import {
  BLOCK,
  BlockWord,
  DEPENDENT,
  DETAILS,
  DependentWord,
  DetailWord,
  EPOCH,
  EpochWord,
  FILTER,
  GROUP,
  GroupWord,
  HELD_REALM,
  MAPPING,
  MappingWord,
  PEER,
  PeerWord,
  REALM,
  RealmWord,
  SESSION,
  SESSIONS,
  SessionsWord,
  SessionWord,
  SUBSCRIBER,
  Subscriber,
  TEXT,
  TextWord,
} from "./layout.ts"
import { isHeld } from "./owner.ts"
import { listOf } from "./row.ts"
import type { CgnConfig } from "./settings.ts"

const MAPPINGS: List = {
  family: MAPPING,
  next: MappingWord.NEXT,
  prev: MappingWord.PREV,
  owner: MappingWord.SUBSCRIBER,
}
const PEERS: List = { family: PEER, next: PeerWord.NEXT, prev: PeerWord.PREV, owner: PeerWord.MAPPING }
const FILTERS: List = { family: FILTER, next: NEXT_FILTER }
const SESSION_LIST: List = {
  family: SESSION,
  next: SessionWord.NEXT,
  prev: SessionWord.PREV,
  owner: SessionWord.MAPPING,
}
const BLOCK_LIST: List = { family: BLOCK, next: BlockWord.NEXT, prev: BlockWord.PREV, owner: BlockWord.GROUP }
const TEXTS: List = { family: TEXT, next: TextWord.NEXT }

/** Octets that one piece of text holds. */
const PIECE = 56

/**
 * Do the rows of a restored table refer to each other as a CGN's do: every reference to a row in use, every list whole and
 * of its owner, what is counted there as often as it says? Otherwise a step could meet words that are no row, or never
 * end. It does not ask whether what the rows say makes sense, such as which of the ports is taken.
 */
export const isSound = (table: Table, config: CgnConfig): boolean => {
  const exam = examOf(table, BLOCK + 1)
  const { met } = exam
  const addresses = config.addresses.length
  return (
    each(exam, SUBSCRIBER, (row) => hasSoundLists(exam, row, addresses)) &&
    each(exam, MAPPING, (row) => isSoundMapping(exam, row, addresses)) &&
    each(exam, PEER, (row) => met[PEER][row] === 1) &&
    each(exam, DETAILS, (row) => areSoundDetails(exam, row)) &&
    each(exam, TEXT, (row) => met[TEXT][row] === 1 && isBelow(word(table, TEXT, row, TextWord.LENGTH), PIECE + 1)) &&
    each(exam, FILTER, (row) => met[FILTER][row] === 1) &&
    each(exam, SESSIONS, (row) => areSoundSessions(exam, row)) &&
    each(exam, SESSION, (row) => met[SESSION][row] === 1) &&
    each(exam, DEPENDENT, (row) => met[DEPENDENT][row] === 1) &&
    each(exam, GROUP, (row) => isSoundGroup(exam, row)) &&
    each(exam, BLOCK, (row) => isSoundBlockRow(exam, row, config)) &&
    each(exam, EPOCH, (row) => isRow(exam, REALM, word(table, EPOCH, row, EpochWord.REALM))) &&
    isCounted(exam)
  )
}

const hasSoundLists = (exam: Exam, row: number, addresses: number): boolean => {
  const at = (index: number): number => word(exam.table, SUBSCRIBER, row, index)
  return (
    isBelow(at(Subscriber.EXTERNAL) - 1, addresses) &&
    isRow(exam, REALM, at(Subscriber.REALM)) &&
    isRow(exam, GROUP, at(Subscriber.GROUP)) &&
    [Subscriber.MAPPINGS, Subscriber.NATPMP, Subscriber.NATPMP + 1].every((list) =>
      isList(exam, MAPPINGS, at(list), row, (mapping) => listOf(exam.table, mapping) === list),
    )
  )
}

const isSoundMapping = (exam: Exam, row: number, addresses: number): boolean => {
  const { table, met } = exam
  const at = (index: number): number => word(table, MAPPING, row, index)
  if (!isBelow(addressOf(at(MappingWord.EXTERNAL)), addresses)) return false
  if (isHeld(table, row)) return isRow(exam, REALM, at(HELD_REALM))
  // In a list of its subscriber's, which is therefore one in use.
  if (met[MAPPING][row] === 0 || !isSoundDependent(exam, row)) return false
  return isList(exam, PEERS, at(MappingWord.PEERS), row) && isList(exam, FILTERS, at(MappingWord.FILTERS), row)
}

/** A mapping row of one remote peer, which only traffic and PEERs want, and its dependent row name each other. */
const isSoundDependent = (exam: Exam, row: number): boolean => {
  const { table, met } = exam
  const own = dependentOf(table, row)
  if (own === 0) return true
  if (!isUsed(exam, DEPENDENT, own) || (word(table, MAPPING, row, MappingWord.FLAGS) & 0xffff) !== 0) return false
  met[DEPENDENT][own] = 1
  const at = (index: number): number => word(table, DEPENDENT, own, index)
  return (
    at(DependentWord.MAPPING) === row &&
    at(DependentWord.INTERNAL) >= 0 &&
    at(DependentWord.SUBSCRIBER) === word(table, MAPPING, row, MappingWord.SUBSCRIBER)
  )
}

const areSoundDetails = (exam: Exam, row: number): boolean => {
  const at = (index: number): number => word(exam.table, DETAILS, row, index)
  const owner = at(DetailWord.OWNER)
  return (
    isUsed(exam, (owner & 1) === 0 ? MAPPING : PEER, owner >>> 1) &&
    isList(exam, TEXTS, at(DetailWord.THIRD_PARTY_ID), row) &&
    isList(exam, TEXTS, at(DetailWord.DESCRIPTION), row)
  )
}

const isSoundGroup = (exam: Exam, row: number): boolean => {
  const at = (index: number): number => word(exam.table, GROUP, row, index)
  return isRow(exam, REALM, at(GroupWord.REALM)) && isList(exam, BLOCK_LIST, at(GroupWord.BLOCKS), row)
}

const isSoundBlockRow = (exam: Exam, row: number, config: CgnConfig): boolean => {
  const at = (index: number): number => word(exam.table, BLOCK, row, index)
  return (
    exam.met[BLOCK][row] === 1 &&
    isRow(exam, REALM, at(BlockWord.REALM)) &&
    isBelow(at(BlockWord.END) >>> 16, config.addresses.length) &&
    isSoundBlock({ table: exam.table, config }, row)
  )
}

/** The sessions of one mapping: their list, its last row, and how many they are. */
const areSoundSessions = (exam: Exam, row: number): boolean => {
  const at = (index: number): number => word(exam.table, SESSIONS, row, index)
  const mapping = at(SessionsWord.MAPPING)
  let last = 0
  let count = 0
  const isWhole = isList(exam, SESSION_LIST, at(SessionsWord.FIRST), mapping, (session) => {
    last = session
    return ++count > 0
  })
  return (
    isWhole &&
    isUsed(exam, MAPPING, mapping) &&
    !isHeld(exam.table, mapping) &&
    at(SessionsWord.LAST) === last &&
    at(SessionsWord.COUNT) === count
  )
}

/** Are realms and groups named as often as they say? One that says less would go while it is named. */
const isCounted = (exam: Exam): boolean => {
  const { table, free } = exam
  const uses = new Uint32Array(free[REALM].length)
  const subscribers = new Uint32Array(free[GROUP].length)
  each(exam, SUBSCRIBER, (row) => {
    uses[word(table, SUBSCRIBER, row, Subscriber.REALM)]++
    subscribers[word(table, SUBSCRIBER, row, Subscriber.GROUP)]++
    return true
  })
  each(exam, EPOCH, (row) => uses[word(table, EPOCH, row, EpochWord.REALM)]++ >= 0)
  each(exam, BLOCK, (row) => uses[word(table, BLOCK, row, BlockWord.REALM)]++ >= 0)
  each(exam, MAPPING, (row) => !isHeld(table, row) || uses[word(table, MAPPING, row, HELD_REALM)]++ >= 0)
  return (
    each(exam, REALM, (row) => word(table, REALM, row, RealmWord.USES) === uses[row]) &&
    each(exam, GROUP, (row) => word(table, GROUP, row, GroupWord.SUBSCRIBERS) === subscribers[row])
  )
}
