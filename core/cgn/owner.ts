import { type Table, word } from "../table/index.ts"
import { type Address, addressFromWords, addressWord, type Nonce } from "../wire/index.ts"
import type { MappedEnd } from "./dependent.ts"
import { protocolOfEnd } from "./end.ts"
import { Flag, HELD_ADDRESS, HELD_REALM, MAPPING, MappingWord, type Step } from "./layout.ts"
import type { Realm } from "./mapping.ts"
import { hasNonce } from "./nonce.ts"
import { findRealm, realmAt } from "./subscriber.ts"

/** Who asks for an external end. */
export interface Owner extends MappedEnd {
  /** To reclaim a held end with; `undefined`: none. */
  readonly nonce?: Nonce | undefined
  /** Its subscriber's row, or 0. */
  readonly subscriber: number
  readonly natPmp: boolean
}

/** Does the row only hold an external end? */
export const isHeld = (table: Table, row: number): boolean => word(table, MAPPING, row, MappingWord.SUBSCRIBER) === 0

/** Is this held end over and not yet taken away? */
export const isOver = (step: Step, row: number): boolean =>
  word(step.table, MAPPING, row, MappingWord.EXPIRES) >>> 0 <= step.second

/** For whom a row holds an external end. */
export const heldFor = (
  table: Table,
  row: number,
): { readonly internal: Address; readonly realm: Realm | undefined } => {
  const [a, b, c, d] = HELD_ADDRESS
  const at = (index: number): number => word(table, MAPPING, row, index)
  return { internal: addressFromWords(at(a), at(b), at(c), at(d)), realm: realmAt(table, at(HELD_REALM)) }
}

const isHeldBy = (table: Table, row: number, internal: Address, realm: Realm | undefined): boolean => {
  for (const i of [0, 1, 2, 3] as const)
    if (word(table, MAPPING, row, HELD_ADDRESS[i]) !== addressWord(internal, i)) return false
  return word(table, MAPPING, row, HELD_REALM) === findRealm(table, realm)
}

/** Is the holder of an external end of the same host? */
export const isOwn = (step: Step, row: number, owner: Owner): boolean =>
  isHeld(step.table, row)
    ? isHeldBy(step.table, row, owner.internal, owner.realm)
    : word(step.table, MAPPING, row, MappingWord.SUBSCRIBER) === owner.subscriber

/** Is the row a held end that its owner may have again: the same internal end, with the same nonce if there was one? */
export const mayReclaim = (step: Step, row: number, owner: Owner): boolean => {
  const { table, config } = step
  // One whose time is over waits to be swept, and is anybody's then.
  if (!isHeld(table, row) || isOver(step, row)) return false
  const flags = word(table, MAPPING, row, MappingWord.FLAGS)
  if (flags >>> 16 !== owner.internalPort) return false
  if (protocolOfEnd(word(table, MAPPING, row, MappingWord.EXTERNAL)) !== owner.protocol) return false
  if (!isHeldBy(table, row, owner.internal, owner.realm)) return false
  if ((flags & Flag.NONCE) === 0 || config.noncePolicy === "off") return true
  return owner.nonce !== undefined && hasNonce(table, MAPPING, row, MappingWord.NONCE, owner.nonce)
}
