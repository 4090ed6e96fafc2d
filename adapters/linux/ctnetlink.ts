import {
  type Address,
  addressFromIpv4,
  addressFromWords,
  ipv4Value,
  isIpv4,
  writeAddress,
} from "../../core/wire/index.ts"
import { familyOf } from "../address-text.ts"
import { attribute, type Found, find, message, NetlinkFlag, nest, valueEnd } from "./netlink.ts"

/** The kernel's table of connections by netlink (linux/netfilter/nfnetlink_conntrack.h). Numbers in values are big-endian. */

/** One direction of a connection. Ports are 0 where the protocol has none. */
export interface Tuple {
  readonly protocol: number
  readonly source: Address
  readonly sourcePort: number
  readonly destination: Address
  readonly destinationPort: number
}

/** A connection as the kernel has it. */
export interface Tracked {
  /** The direction that began, as its first packet arrived. */
  readonly original: Tuple
  /** Its answers, as they arrive: to the external end, of one that was translated. */
  readonly reply: Tuple
  /** Bits of {@link Status}. */
  readonly status: number
  /** Seconds, whole ones, until it ends if no packet of it comes; `undefined`: not told. */
  readonly timeout: number | undefined
  /** `undefined`: not of TCP, or not told. 3 is ESTABLISHED. */
  readonly tcpState: number | undefined
}

/** Bits of a connection's status (linux/netfilter/nf_conntrack_common.h). */
export const Status = { SEEN_REPLY: 2, ASSURED: 4 } as const

/** TCP_CONNTRACK_ESTABLISHED of linux/netfilter/nf_conntrack_tcp.h. */
export const ESTABLISHED = 3

/** Groups of events, as bits for the address that a socket is bound to. */
export const EventGroup = { NEW: 1, UPDATE: 2, DESTROY: 4 } as const

const Type = { NEW: 0x100, GET: 0x101, DELETE: 0x102 } as const
const [CTA_TUPLE_ORIG, CTA_TUPLE_REPLY, CTA_STATUS, CTA_PROTOINFO, CTA_TIMEOUT, CTA_ID, CTA_ZONE] = [
  1, 2, 3, 4, 7, 12, 18,
]
const [CTA_TUPLE_IP, CTA_TUPLE_PROTO] = [1, 2]
const [CTA_IP_V4_SRC, CTA_IP_V4_DST, CTA_IP_V6_SRC, CTA_IP_V6_DST] = [1, 2, 3, 4]
const [CTA_PROTO_NUM, CTA_PROTO_SRC_PORT, CTA_PROTO_DST_PORT] = [1, 2, 3]
const [CTA_PROTOINFO_TCP, CTA_PROTOINFO_TCP_STATE] = [1, 1]
const [AF_INET, AF_INET6] = [2, 10]

/** Octets of a struct nfgenmsg: family, version, and a number of 16 bits. */
const FAMILY_HEADER = 4

const familyHeader = (family: 4 | 6): Uint8Array => Uint8Array.of(family === 4 ? AF_INET : AF_INET6, 0, 0, 0)
const be16 = (value: number): Uint8Array => Uint8Array.of(value >>> 8, value)
const be32 = (value: number): Uint8Array => Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value)
const octetsOf = (address: Address): Uint8Array => {
  if (isIpv4(address)) return be32(ipv4Value(address))
  const bytes = new Uint8Array(16)
  writeAddress(bytes, 0, address)
  return bytes
}

const tupleAttribute = (type: number, tuple: Tuple): Uint8Array => {
  const { protocol, source, sourcePort, destination, destinationPort } = tuple
  const [from, to] = familyOf(tuple.source) === 4 ? [CTA_IP_V4_SRC, CTA_IP_V4_DST] : [CTA_IP_V6_SRC, CTA_IP_V6_DST]
  return nest(
    type,
    nest(CTA_TUPLE_IP, attribute(from, octetsOf(source)), attribute(to, octetsOf(destination))),
    nest(
      CTA_TUPLE_PROTO,
      attribute(CTA_PROTO_NUM, Uint8Array.of(protocol)),
      attribute(CTA_PROTO_SRC_PORT, be16(sourcePort)),
      attribute(CTA_PROTO_DST_PORT, be16(destinationPort)),
    ),
  )
}

/** Asks for the one connection that a packet of this direction belongs to. */
export const getMessage = (tuple: Tuple, sequence: number): Uint8Array =>
  message(Type.GET, NetlinkFlag.REQUEST, sequence, [
    familyHeader(familyOf(tuple.source)),
    tupleAttribute(CTA_TUPLE_ORIG, tuple),
  ])

/** Asks for all connections of a family. */
export const dumpMessage = (family: 4 | 6, sequence: number): Uint8Array =>
  message(Type.GET, NetlinkFlag.REQUEST | NetlinkFlag.DUMP, sequence, [familyHeader(family)])

/** Gives a connection other seconds to live without a packet. */
export const timeoutMessage = (tuple: Tuple, seconds: number, sequence: number): Uint8Array =>
  message(Type.NEW, NetlinkFlag.REQUEST | NetlinkFlag.ACK, sequence, [
    familyHeader(familyOf(tuple.source)),
    tupleAttribute(CTA_TUPLE_ORIG, tuple),
    attribute(CTA_TIMEOUT, be32(seconds)),
  ])

/** Ends a connection that a message of a dump tells of: that one, and none that came after it with the same ends. */
export const deleteMessage = (view: DataView, found: Found, sequence: number): Uint8Array => {
  const from = found.from + FAMILY_HEADER
  const copied = [CTA_TUPLE_ORIG, CTA_ID, CTA_ZONE].flatMap((type) => {
    const at = find(view, from, found.to, type, 0)
    if (at < 0) return []
    const value = new Uint8Array(view.buffer, view.byteOffset + at, valueEnd(view, at) - at)
    return [type === CTA_TUPLE_ORIG ? nest(type, value) : attribute(type, value)]
  })
  const family = view.getUint8(found.from)
  return message(Type.DELETE, NetlinkFlag.REQUEST, sequence, [Uint8Array.of(family, 0, 0, 0), ...copied])
}

/** What a message tells of a connection: `there` answers a question, the others are events. */
export type Told = "there" | "began" | "changed" | "ended"

/** What a message is about; `undefined`: not a connection. */
export const toldBy = ({ type, flags, from, to }: Found, isEvent: boolean): Told | undefined => {
  if (to - from < FAMILY_HEADER) return undefined
  if (type === Type.DELETE) return isEvent ? "ended" : undefined
  if (type !== Type.NEW) return undefined
  if (!isEvent) return "there"
  return (flags & NetlinkFlag.CREATE) !== 0 ? "began" : "changed"
}

/** The connection of a message; `undefined`: it has none that is whole. Octets of any kind give one or the other. */
export const readConnection = (view: DataView, { from, to }: Found): Tracked | undefined => {
  const first = from + FAMILY_HEADER
  const original = readTuple(view, find(view, first, to, CTA_TUPLE_ORIG, 0))
  const reply = readTuple(view, find(view, first, to, CTA_TUPLE_REPLY, 0))
  if (original === undefined || reply === undefined) return undefined
  const status = find(view, first, to, CTA_STATUS, 4)
  const timeout = find(view, first, to, CTA_TIMEOUT, 4)
  return {
    original,
    reply,
    status: status < 0 ? 0 : view.getUint32(status),
    timeout: timeout < 0 ? undefined : view.getUint32(timeout),
    tcpState: readTcpState(view, find(view, first, to, CTA_PROTOINFO, 0)),
  }
}

const readTcpState = (view: DataView, at: number): number | undefined => {
  if (at < 0) return undefined
  const tcp = find(view, at, valueEnd(view, at), CTA_PROTOINFO_TCP, 0)
  const state = tcp < 0 ? -1 : find(view, tcp, valueEnd(view, tcp), CTA_PROTOINFO_TCP_STATE, 1)
  return state < 0 ? undefined : view.getUint8(state)
}

const readTuple = (view: DataView, at: number): Tuple | undefined => {
  if (at < 0) return undefined
  const end = valueEnd(view, at)
  const ip = find(view, at, end, CTA_TUPLE_IP, 0)
  const proto = find(view, at, end, CTA_TUPLE_PROTO, 0)
  if (ip < 0 || proto < 0) return undefined
  const [ipEnd, protoEnd] = [valueEnd(view, ip), valueEnd(view, proto)]
  const source = readEnd(view, ip, ipEnd, CTA_IP_V4_SRC, CTA_IP_V6_SRC)
  const destination = readEnd(view, ip, ipEnd, CTA_IP_V4_DST, CTA_IP_V6_DST)
  const number = find(view, proto, protoEnd, CTA_PROTO_NUM, 1)
  if (source === undefined || destination === undefined || number < 0) return undefined
  return {
    protocol: view.getUint8(number),
    source,
    sourcePort: readPort(view, find(view, proto, protoEnd, CTA_PROTO_SRC_PORT, 2)),
    destination,
    destinationPort: readPort(view, find(view, proto, protoEnd, CTA_PROTO_DST_PORT, 2)),
  }
}

const readPort = (view: DataView, at: number): number => (at < 0 ? 0 : view.getUint16(at))

const readEnd = (view: DataView, from: number, to: number, ipv4: number, ipv6: number): Address | undefined => {
  const four = find(view, from, to, ipv4, 4)
  if (four >= 0) return addressFromIpv4(view.getUint32(four))
  const six = find(view, from, to, ipv6, 16)
  return six < 0
    ? undefined
    : addressFromWords(view.getUint32(six), view.getUint32(six + 4), view.getUint32(six + 8), view.getUint32(six + 12))
}
