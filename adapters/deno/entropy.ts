/** `length` octets that nobody outside can guess, for secrets and seeds (RFC 4086). */
export const entropy = (length: number): Uint8Array => crypto.getRandomValues(new Uint8Array(length))
