import { schedule, setWord, type Table, word } from "../table/index.ts"
import { Flag, MAPPING, MappingWord, NEVER, PEER, PeerWord, type Step } from "./layout.ts"

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

/** Is the administrator's mapping in this row? */
export const isStatic = (table: Table, row: number): boolean =>
  (word(table, MAPPING, row, MappingWord.FLAGS) & Flag.STATIC) !== 0

/** Does anything still want this row? */
export const isWanted = (step: Step, row: number): boolean =>
  isStatic(step.table, row) ||
  mapDeadline(step, row) !== 0 ||
  idleDeadline(step, row) !== 0 ||
  livePeer(step, row) !== 0

/** Rows of a list that one request looks at: a host without a quota could make it long, and each of its requests slow. */
export const LOOK = 256

/** When the last of all that wants a row ends, as far as its newest 256 peers tell; 0 when none of it is left. */
export const wantedUntil = (step: Step, row: number): number => {
  const { table } = step
  if (isStatic(table, row)) return NEVER
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
