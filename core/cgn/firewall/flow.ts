import {
  addRow,
  dropRow,
  find,
  indexRow,
  keyOf,
  peek,
  poke,
  setWord,
  type Table,
  unindexRow,
  word,
} from "../../table/index.ts"
import { type Address, ANY6, addressWord } from "../../wire/index.ts"
import { type Connection, connectionOf } from "../connection.ts"
import type { InternalEnd } from "../contract.ts"
import { instantOf } from "../layout.ts"
import type { Mapping } from "../mapping.ts"
import { addressAt } from "../subscriber.ts"
import { type FirewallStep, FLOWS, HOST, Host, PINHOLE, Pinhole, REMOTE, Remote } from "./layout.ts"
import { addHost, dropIdleHost, findHost } from "./row.ts"

/** A flow by its two ends; ports are 0 for protocols that have none, and of ICMP queries the identifier at both. */
export interface FlowEnds extends InternalEnd {
  readonly remote: Address | undefined
  readonly remotePort: number
}

/** Is the row of a flow, not of an explicit pinhole? */
export const isFlow = (table: Table, row: number): boolean => word(table, PINHOLE, row, Pinhole.REMOTE) !== 0

const findRemote = (table: Table, remote: Address): number => {
  const key = keyOf(table, REMOTE)
  for (const i of [0, 1, 2, 3] as const) key[Remote.ADDRESS + i] = addressWord(remote, i)
  return find(table, REMOTE)
}

/** The row of a flow, or 0. */
export const findFlow = (
  table: Table,
  { protocol, internal, internalPort, realm, remote, remotePort }: FlowEnds,
): number => {
  const host = remote === undefined ? 0 : findHost(table, internal, realm)
  const peer = remote === undefined || host === 0 ? 0 : findRemote(table, remote)
  if (peer === 0) return 0
  const key = keyOf(table, PINHOLE)
  key[Pinhole.HOST] = host
  key[Pinhole.END] = (protocol << 16) | internalPort
  key[Pinhole.REMOTE] = peer
  key[Pinhole.REMOTE_PORT] = remotePort
  return find(table, PINHOLE)
}

/** A row for a flow, whose host and remote peer get theirs where they have none yet; the caller writes how long. */
export const addFlow = (table: Table, ends: FlowEnds, remote: Address): number => {
  const host = findHost(table, ends.internal, ends.realm) || addHost(table, ends.internal, ends.realm)
  const peer = findRemote(table, remote) || addRemote(table, remote)
  const row = addRow(table, PINHOLE)
  setWord(table, PINHOLE, row, Pinhole.HOST, host)
  setWord(table, PINHOLE, row, Pinhole.END, (ends.protocol << 16) | ends.internalPort)
  setWord(table, PINHOLE, row, Pinhole.REMOTE, peer)
  setWord(table, PINHOLE, row, Pinhole.REMOTE_PORT, ends.remotePort)
  indexRow(table, PINHOLE, row)
  count(table, host, peer, 1)
  return row
}

const addRemote = (table: Table, remote: Address): number => {
  const row = addRow(table, REMOTE)
  for (const i of [0, 1, 2, 3] as const) setWord(table, REMOTE, row, Remote.ADDRESS + i, addressWord(remote, i))
  indexRow(table, REMOTE, row)
  return row
}

const count = (table: Table, host: number, peer: number, by: 1 | -1): void => {
  setWord(table, HOST, host, Host.FLOWS, word(table, HOST, host, Host.FLOWS) + by)
  setWord(table, REMOTE, peer, Remote.COUNT, word(table, REMOTE, peer, Remote.COUNT) + by)
  poke(table, FLOWS, 0, peek(table, FLOWS, 0) + by)
}

/** Drops a flow, and its host and remote peer with the last that they have. */
export const dropFlow = (table: Table, row: number): void => {
  const host = word(table, PINHOLE, row, Pinhole.HOST)
  const peer = word(table, PINHOLE, row, Pinhole.REMOTE)
  unindexRow(table, PINHOLE, row)
  dropRow(table, PINHOLE, row)
  count(table, host, peer, -1)
  dropIdleHost(table, host)
  if (word(table, REMOTE, peer, Remote.COUNT) !== 0) return
  unindexRow(table, REMOTE, peer)
  dropRow(table, REMOTE, peer)
}

export const connectionOfRow = (table: Table, row: number): Connection | undefined =>
  connectionOf(word(table, PINHOLE, row, Pinhole.FLAGS))

/** A flow as data: an implicit mapping with one remote peer. */
export const flowAsData = ({ table, config }: FirewallStep, row: number): Mapping => {
  const host = word(table, PINHOLE, row, Pinhole.HOST)
  const end = word(table, PINHOLE, row, Pinhole.END)
  const internal = addressAt(table, HOST, host, Host.ADDRESS)
  const realm = addressAt(table, HOST, host, Host.REALM)
  const ends = {
    protocol: end >>> 16,
    internal,
    internalPort: end & 0xffff,
    realm: realm === ANY6 ? undefined : realm,
    remote: addressAt(table, REMOTE, word(table, PINHOLE, row, Pinhole.REMOTE), Remote.ADDRESS),
    remotePort: word(table, PINHOLE, row, Pinhole.REMOTE_PORT),
  }
  const expires = instantOf(config, word(table, PINHOLE, row, Pinhole.EXPIRES) >>> 0)
  return flowMapping(ends, expires, connectionOfRow(table, row))
}

/** The same of a flow that is yet to be. */
export const flowMapping = (ends: FlowEnds, expires: number, connection: Connection | undefined): Mapping => ({
  kind: "implicit",
  origin: "traffic",
  protocol: ends.protocol,
  internal: ends.internal,
  internalPort: ends.internalPort,
  realm: ends.realm,
  external: ends.internal,
  externalPort: ends.internalPort,
  remote: ends.remote,
  remotePort: ends.remotePort,
  nonce: undefined,
  expires,
  clientPort: 0,
  details: undefined,
  ...(connection === undefined ? {} : { connection }),
})
