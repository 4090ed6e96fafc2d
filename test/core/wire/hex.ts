/**
 * Octets from a layout in hex. White space is free and a `|` starts a note to the end of its line, so that a vector can be written as its
 * RFC draws it.
 */
export const hex = (layout: string): Uint8Array => {
  const digits = layout.replace(/\|.*$/gm, "").replace(/\s+/g, "")
  if (!/^([0-9a-f]{2})*$/i.test(digits)) throw new Error(`not hex: ${digits}`)
  return Uint8Array.from(digits.match(/../g) ?? [], (octet) => Number.parseInt(octet, 16))
}

/** Plain lower-case hex, for messages and comparisons. */
export const toHex = (bytes: Uint8Array): string =>
  Array.from(bytes, (octet) => octet.toString(16).padStart(2, "0")).join("")
