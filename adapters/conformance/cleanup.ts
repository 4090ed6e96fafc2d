import { type Address, encode, NATPMP_VERSION, parse } from "../../core/wire/index.ts"
import type { Asker } from "./exchange.ts"

/** A mapping of ours, and the request that deletes it. */
interface Made {
  readonly from: Address
  readonly request: Uint8Array
}

/** The mappings that a run made. PEER mappings cannot be deleted (RFC 6887 section 12.1): they are counted. */
export interface Cleanup {
  /** Notes what a request and its answer made. */
  readonly note: (request: Uint8Array, reply: Uint8Array, from: Address) => void
  /** Deletes all that is there, last first; says how many are left. */
  readonly clean: () => Promise<number>
  /** PEER mappings made, which run out by themselves. */
  readonly peers: () => number
}

/** RFC 6887 section 15.1: lifetime 0, nothing suggested, and of the options those that say whose mapping it is. */
const deletionOf = (request: Uint8Array): Uint8Array | undefined => {
  const parsed = parse(request)
  if (!parsed.ok || parsed.packet.kind !== "pcp-request" || parsed.packet.body.kind !== "map") return undefined
  const naming = ["THIRD_PARTY", "THIRD_PARTY_ID", "PORT_SET"]
  const encoded = encode({
    ...parsed.packet,
    lifetime: 0,
    body: { ...parsed.packet.body, externalPort: 0 },
    options: parsed.packet.options.filter(({ kind }) => naming.includes(kind)),
  })
  return encoded.ok ? encoded.bytes : undefined
}

/** RFC 6886 section 3.4: the same internal port, nothing suggested, lifetime 0; of a mapping response that is no deletion's. */
const natPmpDeletionOf = (reply: Uint8Array): Uint8Array | undefined => {
  const mapped = (reply[1] === 129 || reply[1] === 130) && reply[2] === 0 && reply[3] === 0
  if (!mapped || isZero(reply.subarray(12, 16))) return undefined
  return Uint8Array.of(0, reply[1] & 127, 0, 0, reply[8], reply[9], 0, 0, 0, 0, 0, 0)
}

/** Which mapping a PEER is about: all but its header, its nonce and its suggestion (RFC 6887 figure 11). */
const peerOf = (request: Uint8Array): string =>
  [request[36], ...request.subarray(40, 42), ...request.subarray(60)].join()

const isZero = (bytes: Uint8Array): boolean => bytes.every((octet) => octet === 0)

export const makeCleanup = (asker: Asker): Cleanup => {
  let made: Made[] = []
  const peers = new Set<string>()
  const note = (request: Uint8Array, reply: Uint8Array, from: Address): void => {
    if (reply.length < 16) return
    if (reply[0] === NATPMP_VERSION) {
      const deletion = natPmpDeletionOf(reply)
      if (deletion !== undefined) made.push({ from, request: deletion })
      return
    }
    // An error made nothing, nor did a request with lifetime 0.
    if (reply[3] !== 0 || isZero(request.subarray(4, 8))) return
    if (reply[1] === 0x82) peers.add(`${from} ${peerOf(request)}`)
    const deletion = reply[1] === 0x81 ? deletionOf(request) : undefined
    if (deletion !== undefined) made.push({ from, request: deletion })
  }
  const clean = async (): Promise<number> => {
    let left = 0
    const seen = new Set<string>()
    for (const { from, request } of made.reverse()) {
      const key = `${from} ${request.join()}`
      if (seen.has(key)) continue
      seen.add(key)
      const answer = await asker.ask(request, from, true)
      if (answer.kind !== "reply") left++
    }
    made = []
    return left
  }
  return { note, clean, peers: () => peers.size }
}
