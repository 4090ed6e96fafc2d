import { addRow, dropRow, find, indexRow, keyOf, setWord, type Table, unindexRow, word } from "../table/index.ts"
import { type Address, addressFromWords, addressWord } from "../wire/index.ts"
import type { FlowEnd } from "./effect.ts"
import { FLOW, Flow, OUTGOING } from "./layout.ts"
import { dropOctets } from "./octets.ts"
import type { Turn } from "./turn.ts"

const WORDS = [0, 1, 2, 3] as const

/** A flow's own row with its endpoint id, in the state, asked for by nobody else. */
export const addFlow = ({ table, tick }: Turn, eid: number, state: number, peer: FlowEnd | undefined): number => {
  const row = addRow(table, FLOW)
  setWord(table, FLOW, row, Flow.EID, eid)
  setWord(table, FLOW, row, Flow.STATE, state)
  setWord(table, FLOW, row, Flow.BORN, tick)
  putOwn(table, row, eid, peer)
  indexRow(table, FLOW, row)
  return row
}

const putOwn = (table: Table, row: number, eid: number, peer: FlowEnd | undefined): void => {
  setWord(table, FLOW, row, Flow.REQUESTER, eid)
  if (peer !== undefined)
    for (const i of WORDS) setWord(table, FLOW, row, Flow.ADDRESS + i, addressWord(peer.address, i))
  setWord(table, FLOW, row, Flow.PORT, (peer?.port ?? 0) | OUTGOING)
}

/** From now on the row is found by who asked for it. */
export const setRequester = ({ table }: Turn, row: number, requester: number, peer: FlowEnd): void => {
  unindexRow(table, FLOW, row)
  setWord(table, FLOW, row, Flow.REQUESTER, requester)
  for (const i of WORDS) setWord(table, FLOW, row, Flow.ADDRESS + i, addressWord(peer.address, i))
  setWord(table, FLOW, row, Flow.PORT, peer.port)
  indexRow(table, FLOW, row)
}

/** Its requester begins anew: the row is found by its own endpoint id alone. */
export const forgetRequester = (turn: Turn, row: number): void => {
  setOwnPeer(turn, row, peerOf(turn.table, row))
}

/** The peer of a flow that was asked for here. */
export const setOwnPeer = ({ table }: Turn, row: number, peer: FlowEnd): void => {
  unindexRow(table, FLOW, row)
  putOwn(table, row, word(table, FLOW, row, Flow.EID), peer)
  indexRow(table, FLOW, row)
}

/** The row of what that requester asked for, or 0. */
export const findRequester = ({ table }: Turn, requester: number, address: Address, port: number): number => {
  const key = keyOf(table, FLOW, 1)
  key[0] = requester
  for (const i of WORDS) key[1 + i] = addressWord(address, i)
  key[5] = port
  return find(table, FLOW, 1)
}

/** The other end of a flow. */
export const peerOf = (table: Table, row: number): FlowEnd => {
  const at = (i: number): number => word(table, FLOW, row, Flow.ADDRESS + i)
  return { address: addressFromWords(at(0), at(1), at(2), at(3)), port: word(table, FLOW, row, Flow.PORT) & 0xffff }
}

/** Is it from there? */
export const isFrom = (table: Table, row: number, address: Address, port: number): boolean =>
  (word(table, FLOW, row, Flow.PORT) & 0xffff) === port && isAt(table, row, address)

/** Is it from that address, whatever the port? */
export const isAt = (table: Table, row: number, address: Address): boolean =>
  word(table, FLOW, row, Flow.ADDRESS + 3) === addressWord(address, 3) &&
  word(table, FLOW, row, Flow.ADDRESS + 2) === addressWord(address, 2) &&
  word(table, FLOW, row, Flow.ADDRESS + 1) === addressWord(address, 1) &&
  word(table, FLOW, row, Flow.ADDRESS) === addressWord(address, 0)

/** Lets go of the octets kept for a flow. */
export const dropKept = (table: Table, row: number): void => {
  dropOctets(table, word(table, FLOW, row, Flow.KEPT))
  setWord(table, FLOW, row, Flow.KEPT, 0)
}

/** Its endpoint id is free. */
export const removeFlow = ({ table }: Turn, row: number): void => {
  dropKept(table, row)
  unindexRow(table, FLOW, row)
  dropRow(table, FLOW, row)
}
