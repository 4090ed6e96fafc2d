import { LITTLE_ENDIAN } from "./reader.ts"

/** Octets of a snapshot as they are put together: parts of a fixed size, so that nothing is copied when they grow. */
export interface Writer {
  /** Parts that are full. */
  readonly full: Uint8Array[]
  /** The one that is being filled. */
  part: Uint8Array
  /** The same octets. */
  view: DataView
  /** Octets used of `part`. */
  at: number
}

/** Octets a part, a multiple of 4. */
const PART = 2 ** 18

/** A writer with nothing in it. */
export const makeWriter = (): Writer => {
  const part = new Uint8Array(PART)
  return { full: [], part, view: new DataView(part.buffer), at: 0 }
}

const turn = (writer: Writer): void => {
  writer.full.push(writer.part)
  writer.part = new Uint8Array(PART)
  writer.view = new DataView(writer.part.buffer)
  writer.at = 0
}

/** Appends one word: four octets, little-endian. */
export const putWord = (writer: Writer, value: number): void => {
  if (writer.at === PART) turn(writer)
  writer.view.setInt32(writer.at, value, true)
  writer.at += 4
}

const float = new DataView(new ArrayBuffer(8))

/** Appends a 64-bit float: eight octets, little-endian. */
export const putFloat = (writer: Writer, value: number): void => {
  float.setFloat64(0, value, true)
  putWord(writer, float.getInt32(0, true))
  putWord(writer, float.getInt32(4, true))
}

/** Appends the words [from, to) of `words`. `bulk`: as they lie in memory; any machine may go word by word instead. */
export const putWords = (
  writer: Writer,
  words: Int32Array,
  from: number,
  to: number,
  bulk: boolean = LITTLE_ENDIAN,
): void => {
  for (let at = from; at < to; ) {
    if (!bulk) {
      putWord(writer, words[at++])
      continue
    }
    if (writer.at === PART) turn(writer)
    const count = Math.min(to - at, (PART - writer.at) >> 2)
    writer.part.set(new Uint8Array(words.buffer, words.byteOffset + 4 * at, 4 * count), writer.at)
    writer.at += 4 * count
    at += count
  }
}

/** All that was written, in order. */
export const partsOf = (writer: Writer): readonly Uint8Array[] => [...writer.full, writer.part.subarray(0, writer.at)]
