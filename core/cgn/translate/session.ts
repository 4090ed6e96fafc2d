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
} from "../../table/index.ts"
import { type Address, addressWord } from "../../wire/index.ts"
import type { Change } from "../change.ts"
import { type Connection, connectionNumber, connectionOf } from "../connection.ts"
import { mappedEndOf } from "../dependent.ts"
import { deadlineAt, instantOf, SESSION, SESSIONS, SessionsWord, SessionWord, type Step } from "../layout.ts"
import { rowOf } from "../row.ts"
import { addressAt, setAddress } from "../subscriber.ts"

/**
 * Sessions: what a mapping remembers of single remote peers, where that decides something: TCP connections, whose states
 * have timeouts of their own, and whom the internal host has sent to, where that decides who may answer. One that has run
 * out counts as absent; it goes when another of its mapping comes.
 */

/** The ends of a session at a mapping row. */
export interface SessionKey {
  readonly row: number
  readonly protocol: number
  /** The host's own port, also where the mapping is of all ports. */
  readonly internalPort: number
  readonly remote: Address
  readonly remotePort: number
}

/** The row of a session, or 0. */
export const findSession = (table: Table, { row, protocol, internalPort, remote, remotePort }: SessionKey): number =>
  sessionOf(
    table,
    row,
    protocol,
    (internalPort << 16) | remotePort,
    addressWord(remote, 0),
    addressWord(remote, 1),
    addressWord(remote, 2),
    addressWord(remote, 3),
  )

/** The same of ends in words: the internal port << 16 | the remote one, and the four of the remote address. */
export const sessionOf = (
  table: Table,
  row: number,
  protocol: number,
  ports: number,
  r0: number,
  r1: number,
  r2: number,
  r3: number,
): number => {
  const key = keyOf(table, SESSION)
  key[0] = row
  key[1] = r0
  key[2] = r1
  key[3] = r2
  key[4] = r3
  key[5] = ports
  key[6] = protocol
  return find(table, SESSION)
}

/** When a session ends, seconds from the CGN's start; 0: it is not there, or has run out. */
export const sessionDeadline = (step: Step, session: number): number => {
  const deadline = session === 0 ? 0 : word(step.table, SESSION, session, SessionWord.EXPIRES) >>> 0
  return deadline > step.second ? deadline : 0
}

/** How far a session is, in TCP; `undefined`: it is not there, or none of TCP. */
export const sessionConnection = (table: Table, session: number): Connection | undefined =>
  session === 0 ? undefined : connectionOf(word(table, SESSION, session, SessionWord.STATE))

const headOf = (table: Table, row: number): number => {
  keyOf(table, SESSIONS)[0] = row
  return find(table, SESSIONS)
}

const link = (table: Table, head: number, session: number): void => {
  const next = word(table, SESSIONS, head, SessionsWord.FIRST)
  setWord(table, SESSION, session, SessionWord.NEXT, next)
  setWord(table, SESSION, session, SessionWord.PREV, 0)
  if (next !== 0) setWord(table, SESSION, next, SessionWord.PREV, session)
  else setWord(table, SESSIONS, head, SessionsWord.LAST, session)
  setWord(table, SESSIONS, head, SessionsWord.FIRST, session)
}

const unlink = (table: Table, head: number, session: number): void => {
  const next = word(table, SESSION, session, SessionWord.NEXT)
  const prev = word(table, SESSION, session, SessionWord.PREV)
  if (next !== 0) setWord(table, SESSION, next, SessionWord.PREV, prev)
  else setWord(table, SESSIONS, head, SessionsWord.LAST, prev)
  if (prev !== 0) setWord(table, SESSION, prev, SessionWord.NEXT, next)
  else setWord(table, SESSIONS, head, SessionsWord.FIRST, next)
}

/**
 * The oldest session of a row goes to the front, so that another is looked at when the next comes: one that lives for long
 * hides none that have run out. It is part of writing a new session, so that a replica does the same.
 */
const turn = (table: Table, head: number): void => {
  const session = word(table, SESSIONS, head, SessionsWord.LAST)
  if (session === 0 || session === word(table, SESSIONS, head, SessionsWord.FIRST)) return
  unlink(table, head, session)
  link(table, head, session)
}

/** Writes a session, made where it is not there yet. */
const putSession = (table: Table, key: SessionKey, connection: Connection | undefined, deadline: number): void => {
  let session = findSession(table, key)
  if (session === 0) {
    session = addRow(table, SESSION)
    setWord(table, SESSION, session, SessionWord.MAPPING, key.row)
    setAddress(table, SESSION, session, SessionWord.REMOTE, key.remote)
    setWord(table, SESSION, session, SessionWord.PORTS, (key.internalPort << 16) | key.remotePort)
    setWord(table, SESSION, session, SessionWord.PROTOCOL, key.protocol)
    let head = headOf(table, key.row)
    if (head === 0) {
      head = addRow(table, SESSIONS)
      setWord(table, SESSIONS, head, SessionsWord.MAPPING, key.row)
      indexRow(table, SESSIONS, head)
    }
    turn(table, head)
    link(table, head, session)
    setWord(table, SESSIONS, head, SessionsWord.COUNT, word(table, SESSIONS, head, SessionsWord.COUNT) + 1)
    indexRow(table, SESSION, session)
  }
  setWord(table, SESSION, session, SessionWord.STATE, connectionNumber(connection))
  setWord(table, SESSION, session, SessionWord.EXPIRES, deadline)
}

const dropSession = (table: Table, session: number): void => {
  const head = headOf(table, word(table, SESSION, session, SessionWord.MAPPING))
  unindexRow(table, SESSION, session)
  unlink(table, head, session)
  dropRow(table, SESSION, session)
  const count = word(table, SESSIONS, head, SessionsWord.COUNT) - 1
  setWord(table, SESSIONS, head, SessionsWord.COUNT, count)
  if (count === 0) dropHead(table, head)
}

const dropHead = (table: Table, head: number): void => {
  unindexRow(table, SESSIONS, head)
  dropRow(table, SESSIONS, head)
}

/** Takes all sessions of a mapping row away, which goes itself. */
export const dropSessions = (table: Table, row: number): void => {
  if (rowCount(table, SESSIONS) === 0) return
  const head = headOf(table, row)
  if (head === 0) return
  for (let session = word(table, SESSIONS, head, SessionsWord.FIRST); session !== 0; ) {
    const next = word(table, SESSION, session, SessionWord.NEXT)
    unindexRow(table, SESSION, session)
    dropRow(table, SESSION, session)
    session = next
  }
  dropHead(table, head)
}

/** The last deadline of a mapping row's sessions; `undefined` where they are more than `most`, or none. */
export const lastSession = (step: Step, row: number, most: number): number | undefined => {
  const { table } = step
  const head = headOf(table, row)
  if (head === 0 || word(table, SESSIONS, head, SessionsWord.COUNT) > most) return undefined
  let last = 0
  for (
    let session = word(table, SESSIONS, head, SessionsWord.FIRST);
    session !== 0;
    session = word(table, SESSION, session, SessionWord.NEXT)
  )
    last = Math.max(last, sessionDeadline(step, session))
  return last
}

/**
 * Has the internal host a live session with a remote address, whatever the port? Looks at the newest `most`: for every packet of
 * a stranger at all of them, so that what tells most of them apart is compared first, and as words.
 */
export const hasSessionWith = (step: Step, key: SessionKey, most: number): boolean => {
  const { table } = step
  const head = headOf(table, key.row)
  const last = addressWord(key.remote, 3)
  let session = head === 0 ? 0 : word(table, SESSIONS, head, SessionsWord.FIRST)
  for (let n = 0; n < most && session !== 0; n++, session = word(table, SESSION, session, SessionWord.NEXT))
    if (
      word(table, SESSION, session, SessionWord.REMOTE + 3) === last &&
      sessionDeadline(step, session) !== 0 &&
      word(table, SESSION, session, SessionWord.PROTOCOL) === key.protocol &&
      word(table, SESSION, session, SessionWord.PORTS) >>> 16 === key.internalPort &&
      addressAt(table, SESSION, session, SessionWord.REMOTE) === key.remote
    )
      return true
  return false
}

type Said = Extract<Change, { readonly type: "session" | "session-over" }>

/** Replays what became of a session; nothing where its mapping is not there. */
export const replaySession = (step: Step, said: Said): void => {
  const { table, config } = step
  const row = rowOf(table, said.mapped)
  if (row === 0) return
  const { protocol, internalPort, remote, remotePort } = said
  const key: SessionKey = { row, protocol, internalPort, remote, remotePort }
  if (said.type === "session") {
    putSession(table, key, said.connection, deadlineAt(config, said.expires))
    return
  }
  const session = findSession(table, key)
  if (session !== 0) dropSession(table, session)
}

/** Writes a session and puts that on the list; one that is new has the oldest two of its mapping looked at. */
export const noteSession = (
  step: Step,
  key: SessionKey,
  known: number,
  connection: Connection | undefined,
  deadline: number,
  most: number,
  changes: Change[],
): void => {
  const { table, config } = step
  if (known === 0) clearOldest(step, key.row, most, changes)
  const { protocol, internalPort, remote, remotePort } = key
  const mapped = mappedEndOf(table, key.row)
  const expires = instantOf(config, deadline)
  changes.push({ type: "session", mapped, protocol, internalPort, remote, remotePort, connection, expires })
  putSession(table, key, connection, deadline)
}

/** Takes away what has run out of the oldest two sessions of a row, and the oldest where there would be over `most`. */
const clearOldest = (step: Step, row: number, most: number, changes: Change[]): void => {
  const { table } = step
  const head = headOf(table, row)
  let session = head === 0 ? 0 : word(table, SESSIONS, head, SessionsWord.LAST)
  for (let n = 0; n < 2 && session !== 0; n++) {
    const count = word(table, SESSIONS, head, SessionsWord.COUNT)
    if (count < 2) return
    const newer = word(table, SESSION, session, SessionWord.PREV)
    if (sessionDeadline(step, session) === 0 || count >= most) {
      const ports = word(table, SESSION, session, SessionWord.PORTS)
      changes.push({
        type: "session-over",
        mapped: mappedEndOf(table, row),
        protocol: word(table, SESSION, session, SessionWord.PROTOCOL),
        internalPort: ports >>> 16,
        remote: addressAt(table, SESSION, session, SessionWord.REMOTE),
        remotePort: ports & 0xffff,
      })
      dropSession(table, session)
    }
    session = newer
  }
}
