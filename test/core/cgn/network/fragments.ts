/** Fragments as the hosts of the network in memory make and join them: IPv4 without options, IPv6 with a Fragment header alone. */
import { inet, octets, toHex, w16, w32 } from "../packet/build.ts"

const isFour = (bytes: Uint8Array): boolean => bytes[0] >> 4 === 4
const word = (bytes: Uint8Array, at: number): number => (bytes[at] << 8) | bytes[at + 1]

/** The header of an IPv4 packet for so many octets of data, with what its fragment word is to say. */
const header4 = (header: Uint8Array, data: number, id: number, fragment: number): Uint8Array => {
  const copy = octets(
    header.subarray(0, 2),
    w16(20 + data),
    w16(id),
    w16(fragment),
    header.subarray(8, 10),
    [0, 0],
    header.subarray(12, 20),
  )
  copy.set(w16(inet(copy)), 10)
  return copy
}

/** A whole packet in as many as a link of this MTU wants, in order. */
export const cutFor = (bytes: Uint8Array, mtu: number, id: number): readonly Uint8Array[] => {
  if (bytes.length <= mtu) return [bytes]
  const four = isFour(bytes)
  const data = bytes.subarray(four ? 20 : 40)
  const most = (mtu - (four ? 20 : 48)) & ~7
  return Array.from({ length: Math.ceil(data.length / most) }, (_, n) => {
    const part = data.subarray(n * most, (n + 1) * most)
    const more = (n + 1) * most < data.length
    if (four) return octets(header4(bytes, part.length, id, (more ? 0x2000 : 0) | ((n * most) / 8)), part)
    const extension = octets(bytes[6], 0, w16(n * most + (more ? 1 : 0)), w32(id))
    return octets(bytes.subarray(0, 4), w16(8 + part.length), 44, bytes[7], bytes.subarray(8, 40), extension, part)
  })
}

interface Pile {
  readonly parts: Map<number, Uint8Array>
  /** Octets of the whole; unknown until the last has come. */
  length: number | undefined
}

/** Joins fragments, in whatever order and however often they come. */
export class Joiner {
  private readonly piles = new Map<string, Pile>()

  /** The whole packet, once it is; a packet that is no fragment at once. */
  join(bytes: Uint8Array): Uint8Array | undefined {
    const four = isFour(bytes)
    const fragment = four ? word(bytes, 6) & 0x3fff : bytes[6] === 44 ? word(bytes, 42) : 0
    if (four ? fragment === 0 : bytes[6] !== 44) return bytes
    const key = four
      ? toHex(octets(bytes.subarray(4, 6), bytes[9], bytes.subarray(12, 20)))
      : toHex(octets(bytes.subarray(8, 40), bytes.subarray(44, 48)))
    const pile = this.piles.get(key) ?? { parts: new Map<number, Uint8Array>(), length: undefined }
    this.piles.set(key, pile)
    const offset = four ? (fragment & 0x1fff) * 8 : fragment & 0xfff8
    const data = bytes.subarray(four ? 20 : 48)
    pile.parts.set(offset, data)
    if (four ? (fragment & 0x2000) === 0 : (fragment & 1) === 0) pile.length = offset + data.length
    const parts = [...pile.parts].sort(([a], [b]) => a - b)
    let end = 0
    for (const [at, part] of parts) {
      if (at !== end) return undefined
      end += part.length
    }
    if (end !== pile.length) return undefined
    this.piles.delete(key)
    const whole = parts.map(([, part]) => part)
    if (four) return octets(header4(bytes, end, 0, 0), ...whole)
    return octets(bytes.subarray(0, 4), w16(end), bytes[40], bytes[7], bytes.subarray(8, 40), ...whole)
  }
}
