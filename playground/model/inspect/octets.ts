import type { InspectedField } from "./field-list.ts"

/** Bits of an octet that a leaf has: `bit` 0 is the most significant, as RFCs count. */
export interface OctetPart {
  readonly field: number
  readonly bit: number
  readonly bits: number
}

/** One octet of the packet, and whose it is. */
export interface Octet {
  readonly value: number
  readonly hex: string
  /** The character, or `.` where it has none to print. */
  readonly character: string
  /** In the order of its bits; together all eight. */
  readonly parts: readonly OctetPart[]
}

/** Every octet with the leaves that share it. */
export const listOctets = (bytes: Uint8Array, fields: readonly InspectedField[]): readonly Octet[] => {
  const parts: OctetPart[][] = Array.from(bytes, () => [])
  for (const { id, children, firstBit, endBit } of fields) {
    if (children.length > 0) continue
    for (let at = firstBit; at < endBit; ) {
      const bit = at % 8
      const bits = Math.min(8 - bit, endBit - at)
      parts[Math.floor(at / 8)].push({ field: id, bit, bits })
      at += bits
    }
  }
  return parts.map((own, offset) => {
    const value = bytes[offset]
    const character = value >= 32 && value < 127 ? String.fromCharCode(value) : "."
    return { value, hex: value.toString(16).padStart(2, "0"), character, parts: own }
  })
}
