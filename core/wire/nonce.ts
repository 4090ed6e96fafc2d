/**
 * The mapping nonce, 96 bits (RFC 6887 sections 11.1 and 12.1), as a string of six UTF-16 code units, most significant
 * first: like an address it compares with `===` and is a Map key as it is. Print it with {@link formatNonce}.
 */
export type Nonce = string & { readonly __nonce: never }

const isNonce = (units: string): units is Nonce => units.length === 6
const brand = (units: string): Nonce => {
  if (!isNonce(units)) throw new RangeError("a nonce is six 16-bit units")
  return units
}

/** Octets of a nonce on the wire. */
export const NONCE_LENGTH = 12

/** Twelve zero octets: legal on the wire, but not random, which RFC 6887 section 11.2 wants (C-03). */
export const ZERO_NONCE: Nonce = brand("\0\0\0\0\0\0")

/** The 12 octets at `offset`. The caller has checked that they are there. */
export const readNonce = (bytes: Uint8Array, o: number): Nonce =>
  brand(
    String.fromCharCode(
      (bytes[o] << 8) | bytes[o + 1],
      (bytes[o + 2] << 8) | bytes[o + 3],
      (bytes[o + 4] << 8) | bytes[o + 5],
      (bytes[o + 6] << 8) | bytes[o + 7],
      (bytes[o + 8] << 8) | bytes[o + 9],
      (bytes[o + 10] << 8) | bytes[o + 11],
    ),
  )

/** Writes the 12 octets at `offset`. */
export const writeNonce = (bytes: Uint8Array, offset: number, nonce: Nonce): void => {
  for (let i = 0; i < 6; i++) {
    const unit = nonce.charCodeAt(i)
    bytes[offset + 2 * i] = unit >>> 8
    bytes[offset + 2 * i + 1] = unit
  }
}

/** 24 lower-case hex digits. */
export const formatNonce = (nonce: Nonce): string => {
  let text = ""
  for (let i = 0; i < 6; i++) text += nonce.charCodeAt(i).toString(16).padStart(4, "0")
  return text
}

/** Reads 24 hex digits of either case; `undefined` for anything else. */
export const parseNonce = (text: string): Nonce | undefined => {
  if (!/^[0-9a-fA-F]{24}$/.test(text)) return undefined
  const units: number[] = []
  for (let i = 0; i < 24; i += 4) units.push(Number.parseInt(text.slice(i, i + 4), 16))
  return brand(String.fromCharCode(...units))
}

/** One of the three 32-bit words of a nonce, signed; word 0 is the most significant. */
export const nonceWord = (nonce: Nonce, word: 0 | 1 | 2): number =>
  (nonce.charCodeAt(2 * word) << 16) | nonce.charCodeAt(2 * word + 1)

/** The nonce of three 32-bit words, signed or unsigned. */
export const nonceFromWords = (w0: number, w1: number, w2: number): Nonce =>
  brand(String.fromCharCode(w0 >>> 16, w0 & 0xffff, w1 >>> 16, w1 & 0xffff, w2 >>> 16, w2 & 0xffff))
