import { joinOctets } from "../../../core/wire/index.ts"

/** Octets through a stream that compresses or decompresses; `undefined`: it failed, or gave more than `most`. */
const through = async (
  bytes: Uint8Array,
  stream: CompressionStream | DecompressionStream,
  most: number,
): Promise<Uint8Array | undefined> => {
  const writer = stream.writable.getWriter()
  // A copy in a buffer of its own: streams take none that is shared. Its failure shows at the reader as well.
  const written = writer
    .write(new Uint8Array(bytes))
    .then(() => writer.close())
    .catch(() => undefined)
  const reader = stream.readable.getReader()
  const parts: Uint8Array[] = []
  let size = 0
  try {
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      parts.push(part.value)
      size += part.value.length
      if (size <= most) continue
      await reader.cancel()
      return undefined
    }
    await written
    return joinOctets(parts)
  } catch {
    return undefined
  }
}

/** Octets by DEFLATE (RFC 1951) as browsers and all runtimes have it. */
export const deflate = async (bytes: Uint8Array): Promise<Uint8Array> =>
  (await through(bytes, new CompressionStream("deflate-raw"), Number.POSITIVE_INFINITY)) ?? bytes

/** What {@link deflate} was given, at most `most` octets: it stops there, however much more a few octets would swell to. */
export const inflate = async (bytes: Uint8Array, most: number): Promise<Uint8Array | undefined> =>
  through(bytes, new DecompressionStream("deflate-raw"), most)
