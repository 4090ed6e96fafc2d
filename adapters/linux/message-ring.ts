import { HEADER, type Libc, type Memory } from "./libc.ts"
import { CONTROL_WORDS } from "./pktinfo.ts"
import { NAME_WORDS } from "./sockaddr.ts"

/** Messages that one call moves at most. */
export const SLOTS = 64

/** What a struct mmsghdr has where, in 32-bit words: the name's octets, the control message's, flags, and the message's own. */
const WORDS = HEADER / 4
export const NAME_LENGTH = 2
export const CONTROL_LENGTH = 10
export const LENGTH = 14
/** Octets of a struct iovec. */
const PART = 16
/** Pointers in 64-bit words of a struct msghdr: to the name, to the parts and how many, to the control message. */
const [NAME, PARTS, PART_COUNT, CONTROL] = [0, 2, 3, 4]

/** Headers of as many messages as a call moves, and what they point to but for the payload. */
export interface Headers {
  readonly memory: Memory
  /** The headers; one is {@link HEADER} octets. */
  readonly words: Uint32Array
  /** struct iovec of each: where its payload is, and how long, as 64 bits. */
  readonly parts: BigUint64Array
  readonly partsMemory: Memory
}

/** Names and control messages, a slot each. */
export interface Slots {
  readonly names: Uint32Array
  readonly controls: Uint32Array
  readonly namesMemory: Memory
  readonly controlsMemory: Memory
}

export const createSlots = (libc: Libc): Slots => {
  const namesMemory = libc.memory(SLOTS * NAME_WORDS * 4)
  const controlsMemory = libc.memory(SLOTS * CONTROL_WORDS * 4)
  const words = ({ octets }: Memory): Uint32Array => new Uint32Array(octets.buffer, 0, octets.length / 4)
  return { namesMemory, controlsMemory, names: words(namesMemory), controls: words(controlsMemory) }
}

/** Headers that point to the slots, and to payload that is `stride` octets apart; lengths are zero, but for the payload's room. */
export const createHeaders = (libc: Libc, slots: Slots, payload: Memory, stride: number, room: number): Headers => {
  if ((SLOTS - 1) * stride + room > payload.octets.length) throw new RangeError("the payload has no room")
  const memory = libc.memory(SLOTS * HEADER)
  const partsMemory = libc.memory(SLOTS * PART)
  const wide = new BigUint64Array(memory.octets.buffer, 0, memory.octets.length / 8)
  const parts = new BigUint64Array(partsMemory.octets.buffer, 0, partsMemory.octets.length / 8)
  for (let i = 0; i < SLOTS; i++) {
    const header = i * (HEADER / 8)
    wide[header + NAME] = slots.namesMemory.address + BigInt(i * NAME_WORDS * 4)
    wide[header + PARTS] = partsMemory.address + BigInt(i * PART)
    wide[header + PART_COUNT] = 1n
    wide[header + CONTROL] = slots.controlsMemory.address + BigInt(i * CONTROL_WORDS * 4)
    parts[2 * i] = payload.address + BigInt(i * stride)
    parts[2 * i + 1] = BigInt(room)
  }
  return { memory, partsMemory, words: new Uint32Array(memory.octets.buffer, 0, memory.octets.length / 4), parts }
}

/** The place of a word of a message's header. */
export const wordOf = (slot: number, word: number): number => slot * WORDS + word
