import { copyOctets } from "./put-header.ts"

/** Arrays up to this length V8 keeps in its heap, where a new one takes no longer than a cut. */
const IN_HEAP = 64

/**
 * Gives room for a packet: `length` octets that nobody else writes to. All zero, but for `whole`: who asks then writes every one
 * of them.
 */
export type Allocate = (length: number, whole?: boolean) => Uint8Array

/** An array of its own for each packet. */
export const allocateEach: Allocate = (length) => new Uint8Array(length)

/**
 * Cuts packets from slabs of `slab` octets. Node keeps arrays of more than 64 octets outside its heap, each with an
 * allocation of its own: a cut measured a third of its time for 84 octets, a sixth for 1400. In turn a slab stays for as
 * long as one packet of it is kept, and what comes out has a `byteOffset`: copy what is to be kept.
 */
export const createSlabs = (slab: number = 1 << 18): Allocate => {
  let octets = new Uint8Array(slab)
  let used = 0
  return (length) => {
    if (length <= IN_HEAP || length > slab >>> 3) return new Uint8Array(length)
    if (used + length > slab) {
      octets = new Uint8Array(slab)
      used = 0
    }
    const room = new Uint8Array(octets.buffer, used, length)
    used += (length + 7) & ~7
    return room
  }
}

/**
 * Cuts packets from one slab of `octets` octets over and over: for a caller that has sent a packet, or copied it, before so
 * many octets of others are asked for; what is cut is overwritten then. No fresh memory is touched, which of a packet of
 * 1400 octets in a slab of {@link createSlabs} is most of the time; and the less there is of it, the more of the table stays in the
 * processor's cache: for a caller to whom 128 KiB are enough, they measured 1.05 of the packets a second.
 */
export const createRing = (octets: number = 1 << 20): Allocate => {
  // `ring.buffer` each time is a call out of compiled code.
  const ring = new ArrayBuffer(octets)
  let used = 0
  return (length, whole) => {
    if (length <= IN_HEAP || length > octets >>> 3) return new Uint8Array(length)
    if (used + length > octets) used = 0
    const room = new Uint8Array(ring, used, length)
    used += (length + 7) & ~7
    return whole ? room : room.fill(0)
  }
}

/** The octets `from` to `to` in room of their own. */
export const copyOf = (bytes: Uint8Array, from: number, to: number, allocate: Allocate): Uint8Array => {
  // For what is in the heap, `slice` measured less than half the time of a loop.
  // Node's Buffer is a Uint8Array whose own `slice` makes no copy.
  if (to - from <= IN_HEAP) return Uint8Array.prototype.slice.call(bytes, from, to)
  const copy = allocate(to - from, true)
  copyOctets(copy, 0, bytes, from, to)
  return copy
}
