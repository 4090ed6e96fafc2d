import { joinOctets, sliceOctets, u16, u32 } from "../../wire/index.ts"
import { type OverlayParseError, unread } from "../parsed.ts"
import type { SvpMessage } from "./message.ts"
import { parseSvp } from "./parse.ts"
import { SVP_CLAUSE, SVP_HEADER } from "./registry.ts"

/** What came of a piece of a TCP stream. */
export interface SvpReceived {
  /** The beginning of the next message: to be given with the next piece. */
  readonly held: Uint8Array
  /** Whole messages, in order. */
  readonly messages: readonly SvpMessage[]
  /** Why nothing after them can be read: the connection is of no more use. */
  readonly error: OverlayParseError | undefined
}

/** Nothing held: where a stream begins. */
export const NO_OCTETS: Uint8Array = /* @__PURE__ */ new Uint8Array(0)

/**
 * Finds the messages in the next piece of a stream. A message whose header says more than `largest` octets of payload is an error at
 * once: no more than that and a header is ever held.
 */
export const receiveSvp = (held: Uint8Array, piece: Uint8Array, largest: number): SvpReceived => {
  const bytes = held.length === 0 ? piece : joinOctets([held, piece])
  const messages: SvpMessage[] = []
  let at = 0
  while (bytes.length - at >= SVP_HEADER) {
    const size = u32(bytes, at + 4)
    const version = u16(bytes, at)
    // A size is of no use where the version is another.
    if (version !== 1 && version !== 2)
      return { held: NO_OCTETS, messages, error: unread("version", at, SVP_CLAUSE, `SVP version ${version}`).error }
    if (size > largest) {
      const text = `a payload of ${size} octets, where ${largest} are the most`
      return { held: NO_OCTETS, messages, error: unread("length", at + 4, SVP_CLAUSE, text).error }
    }
    const end = at + SVP_HEADER + size
    if (end > bytes.length) break
    const parsed = parseSvp(bytes.subarray(at, end))
    if (!parsed.ok) return { held: NO_OCTETS, messages, error: { ...parsed.error, offset: at + parsed.error.offset } }
    messages.push(parsed.value)
    at = end
  }
  return { held: sliceOctets(bytes, at), messages, error: undefined }
}
