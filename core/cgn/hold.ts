import {
  addRow,
  countKey,
  dropRow,
  find,
  indexRow,
  keyOf,
  peek,
  poke,
  rowLimit,
  schedule,
  setWord,
  type Table,
  unindexRow,
  word,
} from "../table/index.ts"
import { type Address, addressFromWords, addressWord, type Nonce, nonceWord, Protocol } from "../wire/index.ts"
import { leaveBlock } from "./block.ts"
import type { Change } from "./change.ts"
import { addressOf, endWord, fieldOf, holderOf, portOf, protocolOfEnd, slotOf } from "./end.ts"
import { internalWordOf } from "./internal.ts"
import {
  deadlineAt,
  Flag,
  HELD_ADDRESS,
  HELD_REALM,
  instantOf,
  MAPPING,
  MappingWord,
  type Step,
  SUBSCRIBER,
  Subscriber,
  TOTALS,
  Total,
} from "./layout.ts"
import type { Mapping } from "./mapping.ts"
import { nonceAt, setNonce } from "./nonce.ts"
import { isHeld, isOver, mayReclaim, type Owner } from "./owner.ts"
import { hashInternalEnd, refreshEnd, takeEnd } from "./ports.ts"
import { numberOf } from "./settings.ts"
import { leaveRealm, realmAt, useRealm } from "./subscriber.ts"

/**
 * External ends that were freed and wait before others get them (RFC 6887 section 15, S-136): mapping rows of no
 * subscriber, found by their external end, and with a clock of their own. They count to no quota and are in no listing.
 */
type Held = Extract<Change, { type: "held" }>
type Freed = Extract<Change, { type: "freed" }>

/** Until which second an end is held that was freed at second `from`; 0: not at all. */
export const heldUntil = (step: Step, protocol: number, from: number): number => {
  const { recycleDelay } = step.config
  const delay = protocol === Protocol.UDP ? recycleDelay.udp : recycleDelay.tcp
  const until = from + delay
  return delay !== 0 && until > step.second && until <= 0xfffffffe ? until : 0
}

const fill = (
  step: Step,
  row: number,
  internal: Address,
  internalPort: number,
  realm: number,
  nonce: Nonce | undefined,
  until: number,
): void => {
  const { table } = step
  for (const i of [0, 1, 2, 3] as const) setWord(table, MAPPING, row, HELD_ADDRESS[i], addressWord(internal, i))
  setWord(table, MAPPING, row, HELD_REALM, realm)
  setWord(table, MAPPING, row, MappingWord.FLAGS, (internalPort << 16) | (nonce === undefined ? 0 : Flag.NONCE))
  if (nonce !== undefined) setNonce(table, MAPPING, row, MappingWord.NONCE, nonce)
  setWord(table, MAPPING, row, MappingWord.EXPIRES, until)
  const end = word(table, MAPPING, row, MappingWord.EXTERNAL)
  const hash = hashInternalEnd(step.config, internal, realmAt(table, realm), (protocolOfEnd(end) << 16) | internalPort)
  setWord(table, MAPPING, row, MappingWord.SUBSCRIBER, 0)
  setWord(table, MAPPING, row, MappingWord.INTERNAL, keyFor(step, hash ^ nonceMark(step, nonce), end))
  poke(table, TOTALS, Total.HELD, peek(table, TOTALS, Total.HELD) + 1)
}

/** Finds all held ends by what the nonce policy of now makes of their nonces: after it changed. */
export const rekeyHeld = (step: Step): void => {
  const { table, config } = step
  if (peek(table, TOTALS, Total.HELD) === 0) return
  for (let row = 1; row < rowLimit(table, MAPPING); row++) {
    const end = word(table, MAPPING, row, MappingWord.EXTERNAL)
    if (end === 0 || !isHeld(table, row)) continue
    const [a, b, c, d] = HELD_ADDRESS.map((at) => word(table, MAPPING, row, at))
    const flags = word(table, MAPPING, row, MappingWord.FLAGS)
    const nonce = (flags & Flag.NONCE) === 0 ? undefined : nonceAt(table, MAPPING, row, MappingWord.NONCE)
    const realm = realmAt(table, word(table, MAPPING, row, HELD_REALM))
    const hash = hashInternalEnd(
      config,
      addressFromWords(a, b, c, d),
      realm,
      (protocolOfEnd(end) << 16) | (flags >>> 16),
    )
    unindexRow(table, MAPPING, row)
    setWord(table, MAPPING, row, MappingWord.INTERNAL, keyFor(step, hash ^ nonceMark(step, nonce), end))
    indexRow(table, MAPPING, row)
  }
}

/** Ends held for one internal end and nonce that are found without being suggested. */
const FOUND = 64

/**
 * What a held row is found by besides its external end: who may reclaim it. One of very many that a client has held is found
 * by a suggestion alone, as rows with one key are walked over.
 */
const keyFor = ({ table }: Step, internal: number, end: number): number => {
  wantHeld(table, internal)
  return countKey(table, MAPPING, FOUND) < FOUND ? internal : end
}

/** Asks for rows that are held, of no subscriber, under this hash. */
const wantHeld = (table: Table, internal: number): void => {
  keyOf(table, MAPPING).fill(-1)[5] = internal
}

/** Has a mapping's row, which has left its indexes and its subscriber's list, hold its external end from now on. */
export const holdRow = (step: Step, row: number, mapping: Mapping, until: number): void => {
  const { table } = step
  const subscriber = word(table, MAPPING, row, MappingWord.SUBSCRIBER)
  const realm = mapping.realm === undefined ? 0 : word(table, SUBSCRIBER, subscriber, Subscriber.REALM)
  if (realm !== 0) useRealm(table, mapping.realm)
  fill(step, row, mapping.internal, mapping.internalPort, realm, mapping.nonce, until)
  indexRow(table, MAPPING, row)
  schedule(table, row, until)
}

/** Replays that an end is held; nothing if somebody has it. */
export const addHeld = (step: Step, held: Held): void => {
  const { table, config } = step
  const address = config.addressIndex.get(held.external)
  const slot = slotOf(held.protocol, held.internalPort)
  if (address === undefined || slot < 0) return
  const field = fieldOf(slot, held.protocol, held.externalPort)
  if (holderOf(table, address, slot, field) !== 0) return
  const row = addRow(table, MAPPING)
  setWord(table, MAPPING, row, MappingWord.EXTERNAL, endWord(address, slot, field))
  const until = deadlineAt(config, held.until)
  fill(step, row, held.internal, held.internalPort, useRealm(table, held.realm), held.nonce, until)
  indexRow(table, MAPPING, row)
  takeEnd(step, address, slot, field)
  schedule(table, row, until)
}

/** Takes a held end's row away. */
export const freeHeld = (step: Step, row: number): void => {
  const { table } = step
  const end = word(table, MAPPING, row, MappingWord.EXTERNAL)
  const realm = word(table, MAPPING, row, HELD_REALM)
  unindexRow(table, MAPPING, row)
  // The words that say who may reclaim it are a mapping's links: dropping the row clears them.
  dropRow(table, MAPPING, row)
  leaveRealm(table, realm)
  poke(table, TOTALS, Total.HELD, peek(table, TOTALS, Total.HELD) - 1)
  refreshEnd(step, end)
}

/** Replays that a held end is free; nothing if it is not held. */
export const replayFreed = (step: Step, freed: Freed): void => {
  const { table, config } = step
  const address = numberOf(config, freed.external)
  const slot = slotOf(freed.protocol, freed.externalPort)
  if (address === undefined || slot < 0) return
  const row = holderOf(table, address, slot, fieldOf(slot, freed.protocol, freed.externalPort))
  if (row !== 0 && isHeld(table, row)) freeHeld(step, row)
}

/** What a nonce does to the key of a held row, so that those of other nonces are not in the way. */
const nonceMark = (step: Step, nonce: Nonce | undefined): number =>
  nonce === undefined || step.config.noncePolicy === "off"
    ? 0
    : nonceWord(nonce, 0) ^ Math.imul(nonceWord(nonce, 1), 0x9e3779b1) ^ Math.imul(nonceWord(nonce, 2), 0x85ebca6b) ^ 1

/**
 * A row that holds an external end for this owner, or 0: one of them, where there are several. Those whose time is over are
 * taken away first.
 */
export const findHeld = (step: Step, owner: Owner, changes: Change[]): number => {
  const { table, config } = step
  if (peek(table, TOTALS, Total.HELD) === 0) return 0
  const hash = hashInternalEnd(config, owner.internal, owner.realm, internalWordOf(owner))
  const marked = findKey(step, hash ^ nonceMark(step, owner.nonce), owner, changes)
  return marked !== 0 || owner.nonce === undefined ? marked : findKey(step, hash, owner, changes)
}

const findKey = (step: Step, internal: number, owner: Owner, changes: Change[]): number => {
  const { table } = step
  for (;;) {
    wantHeld(table, internal)
    const row = find(table, MAPPING)
    if (row === 0 || !isOver(step, row)) return row !== 0 && mayReclaim(step, row, owner) ? row : 0
    endHeld(step, row, changes)
  }
}

/** Takes a held end's row away whose time is over, and puts that on the list. */
export const endHeld = (step: Step, row: number, changes: Change[]): void => {
  const freed = freedAsData(step, row)
  changes.push(freed)
  freeHeld(step, row)
  if (step.config.blocks !== undefined) leaveBlock(step, freed.external, freed.externalPort, changes)
}

/** What becomes of a held row when it is reclaimed or its time is over. */
export const freedAsData = (step: Step, row: number): Freed => {
  const end = word(step.table, MAPPING, row, MappingWord.EXTERNAL)
  return {
    type: "freed",
    protocol: protocolOfEnd(end),
    external: step.config.addresses[addressOf(end)],
    externalPort: portOf(end),
  }
}

/** The change that a mapping's end is held, which it left. */
export const heldAsData = (step: Step, mapping: Mapping, until: number): Held => ({
  type: "held",
  protocol: mapping.protocol,
  internal: mapping.internal,
  internalPort: mapping.internalPort,
  realm: mapping.realm,
  external: mapping.external,
  externalPort: mapping.externalPort,
  nonce: mapping.nonce,
  until: instantOf(step.config, until),
})
