import { setWord, type Table, word } from "../table/index.ts"
import { type Nonce, nonceFromWords, nonceWord } from "../wire/index.ts"

/** The nonce in three words of a row. */
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
