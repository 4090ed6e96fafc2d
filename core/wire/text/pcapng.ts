import { u16, u32 } from "../octets.ts"
import type { Timestamp } from "./reading.ts"
import type { CaptureEnd, CaptureItem } from "./record.ts"
import { readFrame } from "./record.ts"

/** Block types of draft-ietf-opsawg-pcapng section 4. */
const Block = { SECTION: 0x0a0d0d0a, INTERFACE: 1, OBSOLETE_PACKET: 2, SIMPLE_PACKET: 3, ENHANCED_PACKET: 6 } as const

type Interface = {
  readonly linkType: number
  readonly snaplen: number
  /** Units of a time stamp in a second, and seconds to add (if_tsresol, if_tsoffset). */
  readonly perSecond: bigint
  readonly offset: bigint
}

/** The numbers of a section in its byte order. */
type Order = { readonly little: boolean; readonly half: (o: number) => number; readonly word: (o: number) => number }

/** Does a pcapng file start here? The section header's type reads the same in both byte orders. */
export const isPcapng = (bytes: Uint8Array): boolean => bytes.length >= 4 && u32(bytes, 0) === Block.SECTION

/**
 * Steps through a pcapng file: blocks of type, total length, body, total length again, in sections that each have their own
 * byte order and interfaces. Packet blocks of all three kinds are read, blocks of other types passed over.
 */
export function* readPcapng(bytes: Uint8Array, ports?: ReadonlySet<number>): Generator<CaptureItem, CaptureEnd> {
  const first = bytes.length < 28 ? undefined : orderAt(bytes, 8)
  if (first === undefined)
    return {
      ok: false,
      code: "capture-header",
      text: "the pcapng section header is cut or has no byte-order magic",
      offset: 0,
    }
  let order = first
  let interfaces: Interface[] = []
  const size = bytes.length
  const problem = (offset: number, code: "file-corrupt" | "file-truncated", text: string): CaptureItem => ({
    kind: "problem",
    severity: "warning",
    code,
    text,
    offset,
    end: size,
  })
  let o = 0
  while (o < size) {
    if (o + 12 > size) {
      yield problem(o, "file-truncated", "the file ends inside a block")
      break
    }
    const section = u32(bytes, o) === Block.SECTION
    if (section) {
      const next = orderAt(bytes, o + 8)
      if (next === undefined) {
        yield problem(o, "file-corrupt", "a section header has no byte-order magic")
        break
      }
      order = next
      interfaces = []
    }
    const { word, half } = order
    const length = word(o + 4)
    const end = o + length
    if (length < (section ? 28 : 12) || length % 4 !== 0) {
      yield problem(o, "file-corrupt", `a block cannot have ${length} octets`)
      break
    }
    if (end > size) {
      yield problem(o, "file-truncated", `the file ends ${end - size} octets before its last block does`)
      break
    }
    if (word(end - 4) !== length) {
      yield problem(o, "file-corrupt", "a block's two lengths differ")
      break
    }
    if (section && half(o + 12) !== 1) {
      const text = `a section of pcapng version ${half(o + 12)} is not 1`
      if (o === 0) return { ok: false, code: "capture-header", text, offset: 12 }
      yield problem(o, "file-corrupt", text)
      break
    }
    const type = word(o)
    if (type === Block.INTERFACE && length >= 20) interfaces.push(readInterface(bytes, order, o + 8, end - 4))
    else if (type === Block.SIMPLE_PACKET || type === Block.ENHANCED_PACKET || type === Block.OBSOLETE_PACKET)
      yield readPacket(bytes, order, interfaces, o, end, type, ports)
    o = end
  }
  return { ok: true, form: { kind: "pcapng", order: first.little ? "little" : "big" } }
}

const orderAt = (bytes: Uint8Array, o: number): Order | undefined => {
  if (o + 4 > bytes.length) return undefined
  const magic = u32(bytes, o)
  if (magic === 0x1a2b3c4d) return { little: false, half: (at) => u16(bytes, at), word: (at) => u32(bytes, at) }
  if (magic !== 0x4d3c2b1a) return undefined
  return {
    little: true,
    half: (at) => bytes[at] | (bytes[at + 1] << 8),
    word: (at) => (bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24)) >>> 0,
  }
}

/** Link type (16 bits), reserved (16), snaplen (32), then options: code, length, value padded to 32 bits. */
const readInterface = (bytes: Uint8Array, { half, word, little }: Order, body: number, end: number): Interface => {
  let perSecond = 1000000n
  let offset = 0n
  let o = body + 8
  while (o + 4 <= end) {
    const code = half(o)
    const length = half(o + 2)
    if (code === 0 || o + 4 + length > end) break
    if (code === 9 && length === 1) {
      const value = bytes[o + 4]
      perSecond = value < 128 ? 10n ** BigInt(value) : 2n ** BigInt(value & 127)
    }
    if (code === 14 && length === 8) {
      const high = word(o + (little ? 8 : 4)) | 0
      offset = (BigInt(high) << 32n) | BigInt(word(o + (little ? 4 : 8)))
    }
    o += 4 + length + (-length & 3)
  }
  return { linkType: half(body), snaplen: word(body + 4), perSecond, offset }
}

const readPacket = (
  bytes: Uint8Array,
  { half, word }: Order,
  interfaces: readonly Interface[],
  o: number,
  end: number,
  type: number,
  ports: ReadonlySet<number> | undefined,
): CaptureItem => {
  const simple = type === Block.SIMPLE_PACKET
  const from = o + (simple ? 12 : 28)
  const malformed: CaptureItem = { kind: "skipped", reason: "malformed", linkType: undefined, offset: o, end }
  if (from + 4 > end) return malformed
  // A simple packet block has no interface number, it is the first; the obsolete block's number has 16 bits.
  const known = interfaces[simple ? 0 : type === Block.OBSOLETE_PACKET ? half(o + 8) : word(o + 8)]
  if (known === undefined) return malformed
  // A simple packet block has only the original length: a snaplen other than 0 has cut it (section 4.4).
  const length = simple ? Math.min(word(o + 8), known.snaplen === 0 ? word(o + 8) : known.snaplen) : word(o + 20)
  if (from + length > end - 4) return malformed
  const time = simple ? undefined : () => timeOf(word(o + 12), word(o + 16), known)
  return readFrame(bytes, { linkType: known.linkType, offset: o, from, to: from + length, end, time }, ports)
}

const timeOf = (high: number, low: number, { perSecond, offset }: Interface): Timestamp => {
  const units = (BigInt(high) << 32n) | BigInt(low)
  return {
    seconds: Number(units / perSecond + offset),
    nanoseconds: Number(((units % perSecond) * 1000000000n) / perSecond),
  }
}
