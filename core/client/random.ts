import { sha256 } from "@noble/hashes/sha2.js"
import { u32 } from "../wire/index.ts"

/** Where all random choices of a client come from: the same seed gives the same client (C-03, RFC 6887 section 8.1.1). */
export interface Randomness {
  /** 32 octets that nobody outside can guess (RFC 4086): the nonces come from them. */
  readonly seed: Uint8Array
  /** Choices made so far. */
  readonly drawn: number
}

/** 32 octets for a purpose: SHA-256 of the seed, the purpose and the octets of what it is for. */
export const octetsFor = (seed: Uint8Array, purpose: string, what: Uint8Array): Uint8Array =>
  sha256
    .create()
    .update(seed)
    .update(new TextEncoder().encode(`${purpose}\0`))
    .update(what)
    .digest()

/** The next choice, uniform in [0, 1). */
export const draw = ({ seed, drawn }: Randomness): readonly [number, Randomness] => {
  const octets = octetsFor(seed, "draw", Uint8Array.of(drawn >>> 24, drawn >>> 16, drawn >>> 8, drawn))
  return [u32(octets, 0) / 2 ** 32, { seed, drawn: drawn + 1 }]
}
