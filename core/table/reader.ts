/** A cursor over a snapshot's octets. Reading past their end gives zeros and fails it for good, so nothing here throws. */
export interface Reader {
  readonly bytes: Uint8Array
  readonly view: DataView
  /** Octets read. */
  at: number
  failed: boolean
}

/** Typed arrays lie in memory in the machine's own order; snapshots are little-endian everywhere. */
export const LITTLE_ENDIAN: boolean = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1

export const makeReader = (bytes: Uint8Array): Reader => ({
  bytes,
  view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength),
  at: 0,
  failed: false,
})

/** Are so many words left? If not, the reader has failed. */
export const hasWords = (reader: Reader, count: number): boolean => {
  if (reader.bytes.length - reader.at < 4 * count) reader.failed = true
  return !reader.failed
}

/** The next word, signed. */
export const takeWord = (reader: Reader): number => {
  if (!hasWords(reader, 1)) return 0
  const word = reader.view.getInt32(reader.at, true)
  reader.at += 4
  return word
}

/** The next 64-bit float. */
export const takeFloat = (reader: Reader): number => {
  if (!hasWords(reader, 2)) return 0
  const value = reader.view.getFloat64(reader.at, true)
  reader.at += 8
  return value
}

/** Reads the next words into [from, to) of `words`; leaves these alone when so many are not left. */
export const takeWords = (
  reader: Reader,
  words: Int32Array,
  from: number,
  to: number,
  bulk: boolean = LITTLE_ENDIAN,
): void => {
  if (!hasWords(reader, to - from)) return
  if (bulk) {
    const octets = reader.bytes.subarray(reader.at, reader.at + 4 * (to - from))
    new Uint8Array(words.buffer, words.byteOffset + 4 * from, octets.length).set(octets)
  } else for (let at = from; at < to; at++) words[at] = reader.view.getInt32(reader.at + 4 * (at - from), true)
  reader.at += 4 * (to - from)
}
