import { freeRows, rowLimit, type Table, word } from "../table/index.ts"
import { addressOf } from "./end.ts"
import {
  DETAILS,
  DetailWord,
  EPOCH,
  EpochWord,
  FILTER,
  FilterWord,
  GROUP,
  GroupWord,
  HELD_REALM,
  MAPPING,
  MappingWord,
  PEER,
  PeerWord,
  REALM,
  RealmWord,
  SUBSCRIBER,
  Subscriber,
  TEXT,
  TextWord,
} from "./layout.ts"
import { isHeld } from "./owner.ts"
import { listOf } from "./row.ts"
import type { CgnConfig } from "./settings.ts"

/** A table under examination. */
interface Exam {
  readonly table: Table
  /** For each family, 1 at each free row. */
  readonly free: readonly Uint8Array[]
  /** For each family, rows that were met in a list; a row is in one list at most. */
  readonly met: readonly Uint8Array[]
  readonly addresses: number
}

/** A list of rows of `family` through the words `next` and, where there is one, `prev`; `owner` is the word that names whose. */
interface List {
  readonly family: number
  readonly next: number
  readonly prev?: number
  readonly owner?: number
}

const MAPPINGS: List = {
  family: MAPPING,
  next: MappingWord.NEXT,
  prev: MappingWord.PREV,
  owner: MappingWord.SUBSCRIBER,
}
const PEERS: List = { family: PEER, next: PeerWord.NEXT, prev: PeerWord.PREV, owner: PeerWord.MAPPING }
const FILTERS: List = { family: FILTER, next: FilterWord.NEXT }
const TEXTS: List = { family: TEXT, next: TextWord.NEXT }

/** Octets that one piece of text holds. */
const PIECE = 56

/**
 * Do the rows of a restored table refer to each other as a CGN's do: every reference to a row in use, every list whole and
 * of its owner, what is counted there as often as it says? Otherwise a step could meet words that are no row, or never
 * end. It does not ask whether what the rows say makes sense, such as which of the ports is taken.
 */
export const isSound = (table: Table, config: CgnConfig): boolean => {
  const families = Array.from({ length: TEXT + 1 }, (_, family) => family)
  const free = families.map((family) => freeRows(table, family))
  const met = families.map((family) => new Uint8Array(rowLimit(table, family)))
  const exam: Exam = { table, free, met, addresses: config.addresses.length }
  return (
    each(exam, SUBSCRIBER, hasSoundLists) &&
    each(exam, MAPPING, isSoundMapping) &&
    each(exam, PEER, (_, row) => met[PEER][row] === 1) &&
    each(exam, DETAILS, areSoundDetails) &&
    each(exam, TEXT, (_, row) => met[TEXT][row] === 1 && isBelow(word(table, TEXT, row, TextWord.LENGTH), PIECE + 1)) &&
    each(exam, FILTER, (_, row) => met[FILTER][row] === 1) &&
    each(exam, GROUP, (_, row) => isRow(exam, REALM, word(table, GROUP, row, GroupWord.REALM))) &&
    each(exam, EPOCH, (_, row) => isRow(exam, REALM, word(table, EPOCH, row, EpochWord.REALM))) &&
    isCounted(exam)
  )
}

const each = (exam: Exam, family: number, isGood: (exam: Exam, row: number) => boolean): boolean => {
  const { table, free } = exam
  const end = rowLimit(table, family)
  for (let row = 1; row < end; row++) if (free[family][row] === 0 && !isGood(exam, row)) return false
  return true
}

const isBelow = (value: number, end: number): boolean => value >= 0 && value < end

const isUsed = ({ free }: Exam, family: number, row: number): boolean =>
  row > 0 && row < free[family].length && free[family][row] === 0

/** Is this 0 or a row in use? */
const isRow = (exam: Exam, family: number, row: number): boolean => row === 0 || isUsed(exam, family, row)

const isList = (
  exam: Exam,
  list: List,
  head: number,
  owner: number,
  belongs: (row: number) => boolean = () => true,
): boolean => {
  const { table, met } = exam
  const { family } = list
  for (let row = head, before = 0; row !== 0; before = row, row = word(table, family, row, list.next)) {
    if (!isUsed(exam, family, row) || met[family][row] === 1) return false
    met[family][row] = 1
    if (list.prev !== undefined && word(table, family, row, list.prev) !== before) return false
    if (list.owner !== undefined && word(table, family, row, list.owner) !== owner) return false
    if (!belongs(row)) return false
  }
  return true
}

const hasSoundLists = (exam: Exam, row: number): boolean => {
  const at = (index: number): number => word(exam.table, SUBSCRIBER, row, index)
  return (
    isBelow(at(Subscriber.EXTERNAL) - 1, exam.addresses) &&
    isRow(exam, REALM, at(Subscriber.REALM)) &&
    isRow(exam, GROUP, at(Subscriber.GROUP)) &&
    [Subscriber.MAPPINGS, Subscriber.NATPMP, Subscriber.NATPMP + 1].every((list) =>
      isList(exam, MAPPINGS, at(list), row, (mapping) => listOf(exam.table, mapping) === list),
    )
  )
}

const isSoundMapping = (exam: Exam, row: number): boolean => {
  const { table, met, addresses } = exam
  const at = (index: number): number => word(table, MAPPING, row, index)
  if (!isBelow(addressOf(at(MappingWord.EXTERNAL)), addresses)) return false
  if (isHeld(table, row)) return isRow(exam, REALM, at(HELD_REALM))
  // In a list of its subscriber's, which is therefore one in use.
  if (met[MAPPING][row] === 0) return false
  return isList(exam, PEERS, at(MappingWord.PEERS), row) && isList(exam, FILTERS, at(MappingWord.FILTERS), row)
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

/** Are realms and groups named as often as they say? One that says less would go while it is named. */
const isCounted = (exam: Exam): boolean => {
  const { table, free } = exam
  const uses = new Uint32Array(free[REALM].length)
  const subscribers = new Uint32Array(free[GROUP].length)
  each(exam, SUBSCRIBER, (_, row) => {
    uses[word(table, SUBSCRIBER, row, Subscriber.REALM)]++
    subscribers[word(table, SUBSCRIBER, row, Subscriber.GROUP)]++
    return true
  })
  each(exam, EPOCH, (_, row) => uses[word(table, EPOCH, row, EpochWord.REALM)]++ >= 0)
  each(exam, MAPPING, (_, row) => !isHeld(table, row) || uses[word(table, MAPPING, row, HELD_REALM)]++ >= 0)
  return (
    each(exam, REALM, (_, row) => word(table, REALM, row, RealmWord.USES) === uses[row]) &&
    each(exam, GROUP, (_, row) => word(table, GROUP, row, GroupWord.SUBSCRIBERS) === subscribers[row])
  )
}
