import { addRow, dropRow, find, indexRow, keyOf, setWord, type Table, unindexRow, word } from "../../table/index.ts"
import { type Address, ANY6, addressWord, type Nonce, nonceFromWords, nonceWord } from "../../wire/index.ts"
import type { InternalEnd } from "../contract.ts"
import { readFilters, writeFilters } from "../filter-list.ts"
import { instantOf } from "../layout.ts"
import type { Filter, Mapping, Realm } from "../mapping.ts"
import { addressAt } from "../subscriber.ts"
import { FILTER, type FirewallStep, HOST, Host, PINHOLE, Pinhole, PinholeFlag } from "./layout.ts"

const WORDS = [0, 1, 2, 3] as const

/** The row of an internal address in its realm, or 0. */
export const findHost = (table: Table, internal: Address, realm: Realm | undefined): number => {
  const key = keyOf(table, HOST)
  for (const i of WORDS) {
    key[Host.ADDRESS + i] = addressWord(internal, i)
    key[Host.REALM + i] = addressWord(realm ?? ANY6, i)
  }
  return find(table, HOST)
}

/** The row of an explicit pinhole of a host (0: no host), or 0. */
export const findPinhole = (table: Table, host: number, protocol: number, port: number): number => {
  if (host === 0) return 0
  const key = keyOf(table, PINHOLE)
  key[Pinhole.HOST] = host
  key[Pinhole.END] = (protocol << 16) | port
  key[Pinhole.REMOTE] = 0
  key[Pinhole.REMOTE_PORT] = 0
  return find(table, PINHOLE)
}

export const findEnd = (table: Table, end: InternalEnd): number =>
  findPinhole(table, findHost(table, end.internal, end.realm), end.protocol, end.internalPort)

/** A row for an internal end, whose host gets one where it has none yet; the caller writes what it grants. */
export const addPinhole = (table: Table, end: InternalEnd): number => {
  const host = findHost(table, end.internal, end.realm) || addHost(table, end.internal, end.realm)
  const row = addRow(table, PINHOLE)
  setWord(table, PINHOLE, row, Pinhole.HOST, host)
  setWord(table, PINHOLE, row, Pinhole.END, (end.protocol << 16) | end.internalPort)
  const next = word(table, HOST, host, Host.PINHOLES)
  setWord(table, PINHOLE, row, Pinhole.NEXT, next)
  if (next !== 0) setWord(table, PINHOLE, next, Pinhole.PREV, row)
  setWord(table, HOST, host, Host.PINHOLES, row)
  setWord(table, HOST, host, Host.COUNT, word(table, HOST, host, Host.COUNT) + 1)
  indexRow(table, PINHOLE, row)
  return row
}

export const addHost = (table: Table, internal: Address, realm: Realm | undefined): number => {
  const row = addRow(table, HOST)
  for (const i of WORDS) {
    setWord(table, HOST, row, Host.ADDRESS + i, addressWord(internal, i))
    setWord(table, HOST, row, Host.REALM + i, addressWord(realm ?? ANY6, i))
  }
  indexRow(table, HOST, row)
  return row
}

/** Drops an explicit pinhole with its filters, and its host with all that it has. */
export const dropPinhole = (table: Table, row: number): void => {
  setFilters(table, row, [])
  const host = word(table, PINHOLE, row, Pinhole.HOST)
  const next = word(table, PINHOLE, row, Pinhole.NEXT)
  const prev = word(table, PINHOLE, row, Pinhole.PREV)
  if (next !== 0) setWord(table, PINHOLE, next, Pinhole.PREV, prev)
  if (prev !== 0) setWord(table, PINHOLE, prev, Pinhole.NEXT, next)
  else setWord(table, HOST, host, Host.PINHOLES, next)
  unindexRow(table, PINHOLE, row)
  dropRow(table, PINHOLE, row)
  setWord(table, HOST, host, Host.COUNT, word(table, HOST, host, Host.COUNT) - 1)
  dropIdleHost(table, host)
}

/** Drops a host that has neither pinholes nor flows. */
export const dropIdleHost = (table: Table, host: number): void => {
  if (word(table, HOST, host, Host.COUNT) !== 0 || word(table, HOST, host, Host.FLOWS) !== 0) return
  unindexRow(table, HOST, host)
  dropRow(table, HOST, host)
}

/** Seconds from the start when a pinhole ends; 0 when it has, or for row 0. */
export const deadlineOfRow = ({ table, second }: FirewallStep, row: number): number => {
  const deadline = row === 0 ? 0 : word(table, PINHOLE, row, Pinhole.EXPIRES) >>> 0
  return deadline > second ? deadline : 0
}

export const nonceOf = (table: Table, row: number): Nonce | undefined => {
  if ((word(table, PINHOLE, row, Pinhole.FLAGS) & PinholeFlag.NONCE) === 0) return undefined
  const at = (i: 0 | 1 | 2): number => word(table, PINHOLE, row, Pinhole.NONCE + i)
  return nonceFromWords(at(0), at(1), at(2))
}

export const setNonce = (table: Table, row: number, nonce: Nonce): void => {
  for (const i of [0, 1, 2] as const) setWord(table, PINHOLE, row, Pinhole.NONCE + i, nonceWord(nonce, i))
}

/** A pinhole as data: the external end is the internal one. */
export const pinholeAsData = ({ table, config }: FirewallStep, row: number): Mapping => {
  const host = word(table, PINHOLE, row, Pinhole.HOST)
  const end = word(table, PINHOLE, row, Pinhole.END)
  const flags = word(table, PINHOLE, row, Pinhole.FLAGS)
  const internal = addressAt(table, HOST, host, Host.ADDRESS)
  const realm = addressAt(table, HOST, host, Host.REALM)
  return {
    kind: "map",
    origin: (flags & PinholeFlag.NATPMP) === 0 ? "pcp" : "nat-pmp",
    protocol: end >>> 16,
    internal,
    internalPort: end & 0xffff,
    realm: realm === ANY6 ? undefined : realm,
    external: internal,
    externalPort: end & 0xffff,
    remote: undefined,
    remotePort: 0,
    nonce: nonceOf(table, row),
    expires: instantOf(config, word(table, PINHOLE, row, Pinhole.EXPIRES) >>> 0),
    clientPort: flags >>> 16,
    details: undefined,
  }
}

/** The filters of a pinhole, in order. */
export const filtersOf = (table: Table, row: number): readonly Filter[] =>
  readFilters(table, FILTER, word(table, PINHOLE, row, Pinhole.FILTERS))

/** Makes these the filters of a pinhole. */
export const setFilters = (table: Table, row: number, filters: readonly Filter[]): void => {
  const first = writeFilters(table, FILTER, word(table, PINHOLE, row, Pinhole.FILTERS), filters)
  setWord(table, PINHOLE, row, Pinhole.FILTERS, first)
}
