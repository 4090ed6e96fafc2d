import { sliceOctets } from "./octets.ts"

/**
 * What a packet carries beyond its canonical form. Receivers must ignore most of it (RFC 6887 sections 7.1 to 7.3), so it is no
 * part of the packet; kept beside it, it gives every octet back.
 */
export interface Residue {
  /**
   * - `reserved`: reserved octets or bits that are not zero; the bits are in `bytes`, the fields that share their octet are not.
   * - `padding`: padding of an option that is not zero.
   * - `trailing`: octets after the end that belong to nothing.
   * - `short`: the packet ends at `offset`, before its last field or padding does; the missing octets count as zeros, `bytes` is empty.
   */
  readonly kind: "reserved" | "padding" | "trailing" | "short"
  /** Where it is, octets from the start of the packet. */
  readonly offset: number
  /** What is there, copied. */
  readonly bytes: Uint8Array
}

/** The residue of every canonical packet: one shared array. */
export const NO_RESIDUE: readonly Residue[] = Object.freeze([])

const NO_BYTES = new Uint8Array(0)

/** The octets from `start` to `end`, copied. */
export const residueOf = (
  kind: "reserved" | "padding" | "trailing",
  bytes: Uint8Array,
  start: number,
  end: number,
): Residue => ({ kind, offset: start, bytes: sliceOctets(bytes, start, end) })

/** The reserved bits of an octet that has a field in its other bits. */
export const reservedBits = (offset: number, bits: number): Residue => ({
  kind: "reserved",
  offset,
  bytes: Uint8Array.of(bits),
})

/** The packet has only `length` octets. */
export const shortOf = (length: number): Residue => ({ kind: "short", offset: length, bytes: NO_BYTES })
