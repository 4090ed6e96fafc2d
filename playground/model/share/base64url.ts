const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
const VALUES = new Map([...ALPHABET].map((character, value) => [character, value]))

/** Octets as base64url without padding (RFC 4648 section 5). */
export const toBase64url = (bytes: Uint8Array): string => {
  const parts: string[] = []
  for (let i = 0; i < bytes.length; i += 3) {
    const left = bytes.length - i
    const word = (bytes[i] << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0)
    parts.push(ALPHABET[word >>> 18], ALPHABET[(word >>> 12) & 63])
    if (left > 1) parts.push(ALPHABET[(word >>> 6) & 63])
    if (left > 2) parts.push(ALPHABET[word & 63])
  }
  return parts.join("")
}

/** The octets of base64url without padding; `undefined` for anything else, bits behind the last octet among it. */
export const fromBase64url = (text: string): Uint8Array | undefined => {
  if (text.length % 4 === 1) return undefined
  const bytes = new Uint8Array(Math.floor((text.length * 3) / 4))
  let word = 0
  let bits = 0
  let at = 0
  for (const character of text) {
    const value = VALUES.get(character)
    if (value === undefined) return undefined
    word = ((word << 6) | value) & 0xffff
    bits += 6
    if (bits < 8) continue
    bits -= 8
    bytes[at++] = word >>> bits
  }
  return (word & ((1 << bits) - 1)) === 0 ? bytes : undefined
}
