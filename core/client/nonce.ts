import { type Address, type Nonce, readNonce, writeAddress } from "../wire/index.ts"
import { octetsFor, type Randomness } from "./random.ts"
import type { MappingRequest } from "./request.ts"

/** `random`: new at each start. `deterministic`: from the seed and the mapping, so that the same seed can renew and delete. */
export type NonceMode = "random" | "deterministic"

/**
 * The nonce of a mapping with one server: never that of another server (RFC 6887 section 11.2, C-03), the same for all
 * addresses of one (RFC 7488 section 3).
 */
export const nonceFor = (
  random: Randomness,
  mode: NonceMode,
  server: string,
  client: Address,
  request: MappingRequest,
): readonly [Nonce, Randomness] => {
  if (mode === "random")
    return [
      readNonce(octetsFor(random.seed, "nonce", new TextEncoder().encode(`${random.drawn}`)), 0),
      { ...random, drawn: random.drawn + 1 },
    ]
  const { protocol, internalPort, thirdParty = client, thirdPartyId = new Uint8Array() } = request
  const name = new TextEncoder().encode(server)
  const what = new Uint8Array(40 + thirdPartyId.length + name.length)
  writeAddress(what, 0, thirdParty)
  what.set(
    [
      request.kind === "inbound" ? 1 : 2,
      protocol,
      internalPort >>> 8,
      internalPort,
      thirdPartyId.length >>> 8,
      thirdPartyId.length,
    ],
    16,
  )
  if (request.kind === "outbound") {
    writeAddress(what, 22, request.remote)
    what.set([request.remotePort >>> 8, request.remotePort], 38)
  }
  what.set(thirdPartyId, 40)
  what.set(name, 40 + thirdPartyId.length)
  return [readNonce(octetsFor(random.seed, "mapping nonce", what), 0), random]
}
