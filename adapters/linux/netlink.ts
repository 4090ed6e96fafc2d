/**
 * Netlink messages as octets (netlink(7), linux/netlink.h). The header of 16 octets: length with the header 0 to 3, type 4,
 * flags 6, sequence number 8, port 12; then the payload. An attribute: length with its own header 0 to 1, type 2, then the
 * value; both are padded to four octets. Headers have the machine's own order of octets, values mostly the network's.
 */
import { joinOctets } from "../../core/wire/index.ts"

/** Are the machine's own numbers little-endian? */
export const LITTLE: boolean = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1

/** Octets of a message's header. */
export const MESSAGE_HEADER = 16
/** Octets of an attribute's header. */
export const ATTRIBUTE_HEADER = 4

/** Types of messages that are netlink's own. */
export const NetlinkType = { ERROR: 2, DONE: 3 } as const

/** Flags of requests; DUMP is of all that there is. */
export const NetlinkFlag = { REQUEST: 1, ACK: 4, DUMP: 0x300, CREATE: 0x400 } as const

/** An attribute's value is attributes. */
const NESTED = 0x8000
/** What is left of an attribute's type without its flags. */
const TYPE_MASK = 0x3fff

const padded = (length: number): number => (length + 3) & ~3

/** One attribute, padded. Values of more than 65531 octets have no length there, and are none. */
export const attribute = (type: number, value: Uint8Array): Uint8Array => {
  const length = ATTRIBUTE_HEADER + value.length
  if (length > 0xffff) throw new RangeError("an attribute is too long")
  const bytes = new Uint8Array(padded(length))
  const view = new DataView(bytes.buffer)
  view.setUint16(0, length, LITTLE)
  view.setUint16(2, type, LITTLE)
  bytes.set(value, ATTRIBUTE_HEADER)
  return bytes
}

/** An attribute that others are in. */
export const nest = (type: number, ...attributes: readonly Uint8Array[]): Uint8Array =>
  attribute(type | NESTED, joinOctets(attributes))

/** A whole message; the kernel fills in the port. */
export const message = (type: number, flags: number, sequence: number, payload: readonly Uint8Array[]): Uint8Array => {
  const bytes = joinOctets([new Uint8Array(MESSAGE_HEADER), ...payload])
  const view = new DataView(bytes.buffer)
  view.setUint32(0, bytes.length, LITTLE)
  view.setUint16(4, type, LITTLE)
  view.setUint16(6, flags, LITTLE)
  view.setUint32(8, sequence, LITTLE)
  return bytes
}

/** A message among others: its payload lies from `from` up to `to` in the octets that it was found in. */
export interface Found {
  readonly type: number
  readonly flags: number
  readonly sequence: number
  readonly from: number
  readonly to: number
}

/** The message that begins at `at`; `undefined`: there is none that is whole. */
export const messageAt = (view: DataView, at: number): Found | undefined => {
  if (at + MESSAGE_HEADER > view.byteLength) return undefined
  const length = view.getUint32(at, LITTLE)
  if (length < MESSAGE_HEADER || length > view.byteLength - at) return undefined
  return {
    type: view.getUint16(at + 4, LITTLE),
    flags: view.getUint16(at + 6, LITTLE),
    sequence: view.getUint32(at + 8, LITTLE),
    from: at + MESSAGE_HEADER,
    to: at + length,
  }
}

/** Where the next message begins. */
export const behind = ({ to }: Found): number => padded(to)

/**
 * The value of the first attribute of a type among those from `from` up to `to`: where it begins, or -1. It has at least `least`
 * octets, all of them before `to`; {@link valueEnd} is where it ends. What is not whole is not there, nor what comes after it.
 */
export const find = (view: DataView, from: number, to: number, type: number, least: number): number => {
  for (let at = from; at + ATTRIBUTE_HEADER <= to; ) {
    const length = view.getUint16(at, LITTLE)
    if (length < ATTRIBUTE_HEADER || length > to - at) return -1
    if ((view.getUint16(at + 2, LITTLE) & TYPE_MASK) === type)
      return length - ATTRIBUTE_HEADER >= least ? at + ATTRIBUTE_HEADER : -1
    at += padded(length)
  }
  return -1
}

/** Where a value ends that {@link find} has found at `at`. */
export const valueEnd = (view: DataView, at: number): number =>
  at - ATTRIBUTE_HEADER + view.getUint16(at - ATTRIBUTE_HEADER, LITTLE)

/** The number of the error that a message of type ERROR has, positive; 0: it acknowledges. `undefined`: it is not whole. */
export const errorOf = (view: DataView, { from, to }: Found): number | undefined =>
  to - from < 4 ? undefined : 0 - view.getInt32(from, LITTLE)
