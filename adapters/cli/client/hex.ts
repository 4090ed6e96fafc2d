import { NONCE_LENGTH, type Nonce, readNonce } from "../../../core/wire/index.ts"
import type { Read } from "../read.ts"

/** Octets from hex digits, with colons, dashes or blanks between them or without. */
const octetsOf = (text: string): Uint8Array | undefined => {
  const digits = text.replace(/[:\- ]/g, "")
  return /^([0-9a-f]{2})+$/i.test(digits)
    ? Uint8Array.from(digits.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16))
    : undefined
}

/** Reads a mapping nonce (RFC 6887 section 11.1): 24 hex digits. */
export const readNonceText = (text: string): Read<Nonce> => {
  const octets = octetsOf(text)
  return octets?.length === NONCE_LENGTH
    ? { ok: true, value: readNonce(octets, 0) }
    : { ok: false, text: "Expected 24 hex digits." }
}

/** Reads an identifier of a THIRD_PARTY_ID (RFC 7843 section 4): 1 to 1000 octets as hex digits. */
export const readIdentifier = (text: string): Read<Uint8Array> => {
  const octets = octetsOf(text)
  return octets === undefined || octets.length > 1000
    ? { ok: false, text: "Expected an even number of hex digits, 2 to 2000." }
    : { ok: true, value: octets }
}

/** Two lower-case hex digits an octet. */
export const toHexDigits = (bytes: Uint8Array): string =>
  Array.from(bytes, (octet) => octet.toString(16).padStart(2, "0")).join("")
