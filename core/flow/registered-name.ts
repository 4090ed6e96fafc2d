import {
  addRow,
  dropRow,
  find,
  indexRow,
  keyOf,
  rowCount,
  setWord,
  type Table,
  unindexRow,
  word,
} from "../table/index.ts"
import { i32 } from "../wire/index.ts"
import { endPending, refuseArrival } from "./end.ts"
import { NAME, Name, NameFlag } from "./layout.ts"
import { hashOf, labelOf, nameOctets, nameText } from "./name.ts"
import { dropOctets, keepOctets, keptOctets, sameOctets } from "./octets.ts"
import { firstOf } from "./queue.ts"
import { fail, succeed, type Turn } from "./turn.ts"

/** The row of the name with that hash, or 0. */
export const findHash = (table: Table, hash: Uint8Array): number => {
  const key = keyOf(table, NAME)
  for (let i = 0; i < 4; i++) key[i] = i32(hash, 4 * i)
  return find(table, NAME)
}

/** The row of a name, or 0: another name with the same hash is not it. */
export const findName = (table: Table, name: string): number => {
  const octets = nameOctets(name)
  if (octets === undefined) return 0
  const row = findHash(table, hashOf(octets))
  return row !== 0 && sameOctets(keptOctets(table, word(table, NAME, row, Name.TEXT)), octets) ? row : 0
}

/** A name's text. */
export const textOf = (table: Table, row: number): string =>
  nameText(keptOctets(table, word(table, NAME, row, Name.TEXT)))

export const isRegistered = (table: Table, row: number): boolean => hasFlag(table, row, NameFlag.REGISTERED)

const hasFlag = (table: Table, row: number, flag: number): boolean => (word(table, NAME, row, Name.FLAGS) & flag) !== 0

const setFlag = (table: Table, row: number, flag: number, on: boolean): void => {
  const flags = word(table, NAME, row, Name.FLAGS)
  setWord(table, NAME, row, Name.FLAGS, on ? flags | flag : flags & ~flag)
}

/** The program that is to be started where nobody accepts on the name; `undefined`: none is. */
export const programOf = (table: Table, row: number): string | undefined =>
  hasFlag(table, row, NameFlag.AUTO) ? nameText(keptOctets(table, word(table, NAME, row, Name.PROGRAM))) : undefined

export const createName = (turn: Turn, name: string): void => {
  const { table, settings } = turn
  const octets = nameOctets(name)
  if (octets === undefined) {
    fail(turn, "EINVAL", "a name has 1 to 255 octets of UTF-8, and no NUL")
    return
  }
  const hash = hashOf(octets)
  if (findHash(table, hash) !== 0) {
    fail(turn, "EEXIST", `the name ${name} is there already`)
    return
  }
  if (rowCount(table, NAME) >= settings.maxNames) {
    fail(turn, "ENOMEM", `there are ${settings.maxNames} names`)
    return
  }
  const row = addRow(table, NAME)
  for (let i = 0; i < 4; i++) setWord(table, NAME, row, Name.HASH + i, i32(hash, 4 * i))
  setWord(table, NAME, row, Name.TEXT, keepOctets(table, octets))
  indexRow(table, NAME, row)
  succeed(turn, 0)
}

/** Does something with the row of a name that is there. */
export const withName = (turn: Turn, name: string, act: (row: number) => void): void => {
  const row = findName(turn.table, name)
  if (row === 0) fail(turn, "ENAME", `there is no name ${name}`)
  else act(row)
}

export const destroyName = (turn: Turn, name: string): void =>
  withName(turn, name, (row) => {
    const { table } = turn
    if (isRegistered(table, row)) withdraw(turn, row)
    for (let one = firstOf(table, row, "accept"); one !== 0; one = firstOf(table, row, "accept"))
      endPending(turn, one, "EPIPE")
    dropOctets(table, word(table, NAME, row, Name.TEXT))
    dropOctets(table, word(table, NAME, row, Name.PROGRAM))
    unindexRow(table, NAME, row)
    dropRow(table, NAME, row)
    succeed(turn, 0)
  })

export const bindProgram = (turn: Turn, name: string, program: string, auto: boolean): void =>
  withName(turn, name, (row) => {
    const octets = nameOctets(program)
    if (octets === undefined) return fail(turn, "EINVAL", "a program has 1 to 255 octets of UTF-8, and no NUL")
    dropOctets(turn.table, word(turn.table, NAME, row, Name.PROGRAM))
    setWord(turn.table, NAME, row, Name.PROGRAM, keepOctets(turn.table, octets))
    setFlag(turn.table, row, NameFlag.AUTO, auto)
    succeed(turn, 0)
  })

export const unbindProgram = (turn: Turn, name: string): void =>
  withName(turn, name, (row) => {
    dropOctets(turn.table, word(turn.table, NAME, row, Name.PROGRAM))
    setWord(turn.table, NAME, row, Name.PROGRAM, 0)
    setFlag(turn.table, row, NameFlag.AUTO, false)
    succeed(turn, 0)
  })

export const registerName = (turn: Turn, name: string): void =>
  withName(turn, name, (row) => {
    if (isRegistered(turn.table, row)) return fail(turn, "EEXIST", `the name ${name} is registered already`)
    setFlag(turn.table, row, NameFlag.REGISTERED, true)
    turn.effects.push({ type: "publish", name, label: labelOfRow(turn.table, row) })
    succeed(turn, 0)
  })

export const unregisterName = (turn: Turn, name: string): void =>
  withName(turn, name, (row) => {
    if (!isRegistered(turn.table, row)) return fail(turn, "ENAME", `the name ${name} is not registered`)
    withdraw(turn, row)
    succeed(turn, 0)
  })

const labelOfRow = (table: Table, row: number): string =>
  labelOf(hashOf(keptOctets(table, word(table, NAME, row, Name.TEXT))))

/** Not registered any more: requests that wait are refused. */
const withdraw = (turn: Turn, row: number): void => {
  const { table } = turn
  setFlag(table, row, NameFlag.REGISTERED, false)
  for (let one = firstOf(table, row, "arrive"); one !== 0; one = firstOf(table, row, "arrive"))
    refuseArrival(turn, one, "ENAME")
  turn.effects.push({ type: "withdraw", name: textOf(table, row), label: labelOfRow(table, row) })
}
