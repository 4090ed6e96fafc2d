import {
  addRow,
  createTable,
  dropRow,
  find,
  indexRow,
  keyOf,
  open,
  rowCount,
  rowLimit,
  seal,
  setWord,
  type Table,
  unindexRow,
  type Version,
  word,
} from "../../table/index.ts"
import { type Address, addressFromWords, addressWord, isIpv4 } from "../../wire/index.ts"
import { type Mac, macOf } from "../mac.ts"
import type { TargetPoint } from "../point.ts"

/** One host of an overlay, as an SVP server knows it. */
export interface SvpHost {
  /** Of which overlay, 24 bits. */
  readonly vnetid: number
  /** Its Ethernet address there. */
  readonly mac: Mac
  /** Where it lives in the underlay. */
  readonly target: TargetPoint
  /** Its IPv4 address in the overlay; `undefined`: none is known. */
  readonly arp: Address | undefined
  /** Its IPv6 address in the overlay; `undefined`: none is known. */
  readonly ndp: Address | undefined
  /** The VLAN in which moves of its addresses are told; 0 for none. */
  readonly vlan: number
}

/** Hosts by overlay and MAC, and by overlay and address: a handle that stays valid, opaque. */
export interface SvpHosts {
  /** The packed table. */
  readonly version: Version
}

const HOST = 0
const Host = { VNETID: 0, HIGH: 1, LOW: 2, PORT: 3, TARGET: 4, VLAN: 8, FLAGS: 9, ARP: 10, NDP: 11 } as const
const Flag = { TAKEN: 1, ARP: 2, NDP: 4 } as const
const ADDRESS = 1
/** `HOST`: the row of who has it. */
const Held = { VNETID: 0, ADDRESS: 1, HOST: 5 } as const
const WORDS = [0, 1, 2, 3] as const

/** No hosts. `hashKey`: two secret words, without which nobody can choose addresses that collide. */
export const createSvpHosts = (hashKey: readonly [number, number]): SvpHosts => ({
  version: createTable({
    families: [
      { width: 16, key: { from: Host.VNETID, to: Host.LOW + 1 } },
      { width: 8, key: { from: Held.VNETID, to: Held.ADDRESS + 4 } },
    ],
    sparse: 0,
    sets: 0,
    wheel: undefined,
    hashKey,
  }),
})

const rowOf = (table: Table, vnetid: number, mac: Mac): number => {
  const key = keyOf(table, HOST)
  key[0] = vnetid
  key[1] = Math.floor(mac / 2 ** 32)
  key[2] = mac | 0
  return find(table, HOST)
}

const heldRow = (table: Table, vnetid: number, address: Address): number => {
  const key = keyOf(table, ADDRESS)
  key[0] = vnetid
  for (const index of WORDS) key[1 + index] = addressWord(address, index) | 0
  return find(table, ADDRESS)
}

const putAddress = (table: Table, family: number, row: number, at: number, address: Address): void => {
  for (const index of WORDS) setWord(table, family, row, at + index, addressWord(address, index))
}

const addressAt = (table: Table, row: number, at: number): Address => {
  const one = (index: number): number => word(table, HOST, row, at + index)
  return addressFromWords(one(0), one(1), one(2), one(3))
}

const V4_MAPPED = 0xffff

const hostAt = (table: Table, row: number): SvpHost => {
  const flags = word(table, HOST, row, Host.FLAGS)
  return {
    vnetid: word(table, HOST, row, Host.VNETID),
    mac: macOf(word(table, HOST, row, Host.HIGH) * 2 ** 32 + (word(table, HOST, row, Host.LOW) >>> 0)),
    target: { address: addressAt(table, row, Host.TARGET), port: word(table, HOST, row, Host.PORT) },
    arp: (flags & Flag.ARP) === 0 ? undefined : addressFromWords(0, 0, V4_MAPPED, word(table, HOST, row, Host.ARP)),
    ndp: (flags & Flag.NDP) === 0 ? undefined : addressAt(table, row, Host.NDP),
    vlan: word(table, HOST, row, Host.VLAN),
  }
}

/** A host by its MAC; `undefined`: there is none. */
export const svpHostOf = ({ version }: SvpHosts, vnetid: number, mac: Mac): SvpHost | undefined => {
  const table = open(version)
  const row = rowOf(table, vnetid, mac)
  return row === 0 ? undefined : hostAt(table, row)
}

/** Who has an overlay address; `undefined`: nobody. */
export const svpHostAt = ({ version }: SvpHosts, vnetid: number, address: Address): SvpHost | undefined => {
  const table = open(version)
  const row = heldRow(table, vnetid, address)
  return row === 0 ? undefined : hostAt(table, word(table, ADDRESS, row, Held.HOST))
}

/** How many hosts there are. */
export const svpHostCount = ({ version }: SvpHosts): number => rowCount(open(version), HOST)

/** All of them, in no order that means anything. */
export const svpHostList = ({ version }: SvpHosts): readonly SvpHost[] => {
  const table = open(version)
  const hosts: SvpHost[] = []
  for (let row = 1; row < rowLimit(table, HOST); row++)
    if (word(table, HOST, row, Host.FLAGS) !== 0) hosts.push(hostAt(table, row))
  return hosts
}

/** A host no longer has an address of its own. */
const yieldAddress = (table: Table, vnetid: number, address: Address): void => {
  const held = heldRow(table, vnetid, address)
  if (held === 0) return
  const row = word(table, ADDRESS, held, Held.HOST)
  const flag = isIpv4(address) ? Flag.ARP : Flag.NDP
  setWord(table, HOST, row, Host.FLAGS, word(table, HOST, row, Host.FLAGS) & ~flag)
  unindexRow(table, ADDRESS, held)
  dropRow(table, ADDRESS, held)
}

const yieldAll = (table: Table, row: number): void => {
  const { vnetid, arp, ndp } = hostAt(table, row)
  for (const address of [arp, ndp]) if (address !== undefined) yieldAddress(table, vnetid, address)
}

const holdAddress = (table: Table, row: number, vnetid: number, address: Address): void => {
  const held = addRow(table, ADDRESS)
  setWord(table, ADDRESS, held, Held.VNETID, vnetid)
  putAddress(table, ADDRESS, held, Held.ADDRESS, address)
  setWord(table, ADDRESS, held, Held.HOST, row)
  indexRow(table, ADDRESS, held)
}

/**
 * With a host, in place of the one of that MAC. An address that another host had is this one's from now on. The caller has seen that the
 * vnetid is one, `arp` an IPv4 address and `ndp` an IPv6 one.
 */
export const withSvpHost = ({ version }: SvpHosts, host: SvpHost): SvpHosts => {
  const { vnetid, mac, target, arp, ndp, vlan } = host
  const table = open(version)
  let row = rowOf(table, vnetid, mac)
  if (row === 0) {
    row = addRow(table, HOST)
    setWord(table, HOST, row, Host.VNETID, vnetid)
    setWord(table, HOST, row, Host.HIGH, Math.floor(mac / 2 ** 32))
    setWord(table, HOST, row, Host.LOW, mac | 0)
    indexRow(table, HOST, row)
  } else yieldAll(table, row)
  for (const address of [arp, ndp]) if (address !== undefined) yieldAddress(table, vnetid, address)
  setWord(table, HOST, row, Host.PORT, target.port)
  putAddress(table, HOST, row, Host.TARGET, target.address)
  setWord(table, HOST, row, Host.VLAN, vlan)
  setWord(
    table,
    HOST,
    row,
    Host.FLAGS,
    Flag.TAKEN | (arp === undefined ? 0 : Flag.ARP) | (ndp === undefined ? 0 : Flag.NDP),
  )
  if (arp !== undefined) setWord(table, HOST, row, Host.ARP, addressWord(arp, 3))
  if (ndp !== undefined) putAddress(table, HOST, row, Host.NDP, ndp)
  for (const address of [arp, ndp]) if (address !== undefined) holdAddress(table, row, vnetid, address)
  return { version: seal(table) }
}

/** Without a host. */
export const withoutSvpHost = (hosts: SvpHosts, vnetid: number, mac: Mac): SvpHosts => {
  const table = open(hosts.version)
  const row = rowOf(table, vnetid, mac)
  if (row === 0) return hosts
  yieldAll(table, row)
  unindexRow(table, HOST, row)
  dropRow(table, HOST, row)
  return { version: seal(table) }
}
