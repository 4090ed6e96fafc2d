import type { Libc } from "./libc.ts"
import {
  CONTROL_LENGTH,
  createHeaders,
  createSlots,
  type Headers,
  LENGTH,
  NAME_LENGTH,
  SLOTS,
  wordOf,
} from "./message-ring.ts"
import { CONTROL_WORDS } from "./pktinfo.ts"
import { NAME4, NAME6 } from "./sockaddr.ts"

/** Octets for one datagram: more than UDP carries. */
const ROOM = 65_536
/** From one datagram to the next: a whole number of pages would have all of them contend for the same lines of the cache. */
const STRIDE = ROOM + 64
const MSG_DONTWAIT = 0x40

/** What a socket's datagrams come with. */
export interface Shape {
  readonly family: 4 | 6
  /** Where each was sent to is told. */
  readonly isTold: boolean
}

/**
 * Memory for one batch of datagrams of any socket of this thread: what is in it is valid until the next batch. Each datagram has a slot.
 */
export interface Inbox {
  /** How many datagrams of a socket were there; -1: `errno` says why not. */
  receive(fd: number, shape: Shape): number
  /** The payload of one. */
  bytes(slot: number): Uint8Array
  /** Names of the senders: that of a slot begins at `slot * NAME_WORDS`. */
  readonly names: Uint32Array
  /** Control messages: that of a slot begins at `slot * CONTROL_WORDS`. */
  readonly controls: Uint32Array
  /** Octets of a slot's control message; 0: there is none. */
  controlLength(slot: number): number
}

export const createInbox = (libc: Libc): Inbox => {
  const payload = libc.memory((SLOTS - 1) * STRIDE + ROOM)
  const slots = createSlots(libc)
  const kinds = new Map<number, Headers>()
  const views = Array.from({ length: SLOTS }, (_, i) => payload.octets.subarray(i * STRIDE, i * STRIDE))
  let headers = createHeaders(libc, slots, payload, STRIDE, ROOM)

  /** What the kernel reads and writes again: how much room there is for name and control message, and how much it took. */
  const grant = ({ words }: Headers, count: number, { family, isTold }: Shape): void => {
    for (let i = 0; i < count; i++) {
      words[wordOf(i, NAME_LENGTH)] = family === 4 ? NAME4 : NAME6
      words[wordOf(i, CONTROL_LENGTH)] = isTold ? CONTROL_WORDS * 4 : 0
    }
  }
  // A set of headers a shape: what one socket's names are is not what another's may be.
  const headersOf = (shape: Shape): Headers => {
    const kind = (shape.family === 4 ? 0 : 1) + (shape.isTold ? 2 : 0)
    const known = kinds.get(kind)
    if (known !== undefined) return known
    const made = createHeaders(libc, slots, payload, STRIDE, ROOM)
    grant(made, SLOTS, shape)
    kinds.set(kind, made)
    return made
  }
  let used = 0
  let usedBy: Shape | undefined

  return {
    names: slots.names,
    controls: slots.controls,
    receive: (fd, shape) => {
      if (usedBy?.isTold) grant(headers, used, usedBy)
      headers = headersOf(shape)
      const count = libc.recvmmsg(fd, headers.memory, SLOTS, MSG_DONTWAIT)
      used = Math.max(count, 0)
      usedBy = shape
      return Math.min(count, SLOTS)
    },
    bytes: (slot) => {
      const length = Math.min(headers.words[wordOf(slot, LENGTH)], ROOM)
      const view = views[slot]
      if (view.length === length) return view
      views[slot] = payload.octets.subarray(slot * STRIDE, slot * STRIDE + length)
      return views[slot]
    },
    controlLength: (slot) =>
      usedBy?.isTold ? Math.min(headers.words[wordOf(slot, CONTROL_LENGTH)], CONTROL_WORDS * 4) : 0,
  }
}
