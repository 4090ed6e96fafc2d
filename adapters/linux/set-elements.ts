/**
 * Changes of sets' elements as one transaction of nf_tables (linux/netfilter/nf_tables.h, nfnetlink.h): what libnftables makes of its
 * own language as well, without the reading of any.
 */
import { isIpv4, joinOctets, parseAddress, writeAddress } from "../../core/wire/index.ts"
import type { Wanted } from "./batch.ts"
import { attribute, message, NetlinkFlag, nest } from "./netlink.ts"
import { type Element, type Plane, TABLE } from "./plane.ts"

/** Elements taken away and put in, in this order: see `createBatch`. */
export interface ElementChanges {
  readonly gone: readonly Element[]
  readonly put: readonly Wanted[]
}

/** Octets of the messages, and how many of these want an answer: the last alone. */
export interface Transaction {
  readonly bytes: Uint8Array
  /** The sequence number of the message that is acknowledged when all is done. */
  readonly last: number
}

const [BATCH_BEGIN, BATCH_END] = [0x10, 0x11]
/** nf_tables' number among the kernel's packet filters, and its messages about elements. */
const SUBSYSTEM = 10
const [NEW, DELETE] = [12, 14].map((type) => (SUBSYSTEM << 8) | type)
const FAMILY = { ip: 2, ip6: 10 } as const

const ListAttribute = { TABLE: 1, SET: 2, ELEMENTS: 3 } as const
const ElementAttribute = { KEY: 1, DATA: 2, TIMEOUT: 4 } as const
/** Of a list of elements; of a key or data. */
const [ITEM, VALUE] = [1, 1]

/** Elements of one message, whose list has a length of 16 bits; and of a transaction, which a socket takes as a whole. */
const [A_MESSAGE, MOST] = [400, 1000]

/**
 * One transaction of elements of sets without intervals; `undefined`: there are others, or too many, and nft's language is the
 * way.
 */
export const transactionOf = (
  { family, timed }: Pick<Plane, "family" | "timed">,
  { gone, put }: ElementChanges,
): Transaction | undefined => {
  if (2 * gone.length + put.length > MOST) return undefined
  const lists: [type: number, set: string, items: Uint8Array[]][] = []
  const encode = (type: number, element: Element, left: number | undefined): boolean => {
    const item = timed.has(element.set) ? itemOf(element, type === DELETE, left) : undefined
    if (item === undefined) return false
    const open = lists.findLast(([kind, set]) => kind === type && set === element.set)
    if (open === undefined || open[2].length >= A_MESSAGE) lists.push([type, element.set, [item]])
    else open[2].push(item)
    return true
  }
  // Put in and taken out: of an element that ran out a moment before taking out alone would fail.
  const step = (type: number, wanted: readonly Wanted[]): readonly (typeof lists)[number][] | undefined => {
    if (!wanted.every(({ element, left }) => encode(type, element, left))) return undefined
    return lists.splice(0)
  }
  const away = gone.map((element) => ({ element, left: undefined }))
  const [before, out, into] = [step(NEW, away), step(DELETE, away), step(NEW, put)]
  if (before === undefined || out === undefined || into === undefined) return undefined
  const all = [...before, ...out, ...into]
  const last = all.length
  const messages = all.map(([type, set, items], i) =>
    message(
      type,
      NetlinkFlag.REQUEST | (type === NEW ? NetlinkFlag.CREATE : 0) | (i + 1 === last ? NetlinkFlag.ACK : 0),
      i + 1,
      [
        header(FAMILY[family], 0),
        attribute(ListAttribute.TABLE, zeroEnded(TABLE)),
        attribute(ListAttribute.SET, zeroEnded(set)),
        nest(ListAttribute.ELEMENTS, ...items),
      ],
    ),
  )
  const edge = (type: number, sequence: number) => message(type, NetlinkFlag.REQUEST, sequence, [header(0, SUBSYSTEM)])
  return { bytes: joinOctets([edge(BATCH_BEGIN, 0), ...messages, edge(BATCH_END, last + 1)]), last }
}

/** struct nfgenmsg: family, version 0, and a number in the network's order. */
const header = (family: number, resource: number): Uint8Array => Uint8Array.of(family, 0, resource >> 8, resource & 255)

const encoder = new TextEncoder()
const zeroEnded = (text: string): Uint8Array => encoder.encode(`${text}\0`)

const itemOf = ({ key, data }: Element, isKeyAlone: boolean, left: number | undefined): Uint8Array | undefined => {
  const keyOctets = valueOctets(key)
  const dataOctets = data === undefined || isKeyAlone ? undefined : valueOctets(data)
  if (keyOctets === undefined || (data !== undefined && !isKeyAlone && dataOctets === undefined)) return undefined
  const parts = [nest(ElementAttribute.KEY, attribute(VALUE, keyOctets))]
  if (dataOctets !== undefined) parts.push(nest(ElementAttribute.DATA, attribute(VALUE, dataOctets)))
  if (left !== undefined) {
    const value = new DataView(new ArrayBuffer(8))
    value.setBigUint64(0, BigInt(Math.max(1, Math.ceil(left))))
    parts.push(attribute(ElementAttribute.TIMEOUT, new Uint8Array(value.buffer)))
  }
  return nest(ITEM, ...parts)
}

const NUMBER = /^\d{1,5}$/
const IPV4 = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/

/**
 * A key or data as the kernel has it: its parts one after the other, each filled up to four octets. A number is a protocol at
 * the front of a key, and a port behind an address. `undefined`: there is something else in it.
 */
const valueOctets = (text: string): Uint8Array | undefined => {
  const parts = text.split(" . ")
  const octets: number[] = []
  for (const [i, part] of parts.entries()) {
    if (NUMBER.test(part)) {
      const number = Number(part)
      if (number > (i === 0 ? 255 : 65535)) return undefined
      if (i === 0) octets.push(number, 0, 0, 0)
      else octets.push(number >> 8, number & 255, 0, 0)
      continue
    }
    const ipv4 = IPV4.exec(part)
    if (ipv4 !== null) {
      const four = ipv4.slice(1).map(Number)
      if (four.some((octet) => octet > 255)) return undefined
      octets.push(...four)
      continue
    }
    const address = part.includes(":") ? parseAddress(part) : undefined
    if (address === undefined || isIpv4(address)) return undefined
    const sixteen = new Uint8Array(16)
    writeAddress(sixteen, 0, address)
    octets.push(...sixteen)
  }
  return Uint8Array.from(octets)
}
