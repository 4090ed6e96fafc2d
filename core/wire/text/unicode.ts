import type { Fault } from "./gather.ts"

/** Marks of compressed files, which hide what they hold. */
const COMPRESSED: readonly (readonly [name: string, magic: readonly number[]])[] = [
  ["gzip", [0x1f, 0x8b]],
  ["zstd", [0x28, 0xb5, 0x2f, 0xfd]],
  ["xz", [0xfd, 0x37, 0x7a, 0x58, 0x5a]],
  ["bzip2", [0x42, 0x5a, 0x68]],
  ["zip", [0x50, 0x4b, 3, 4]],
  ["lz4", [4, 0x22, 0x4d, 0x18]],
]

/**
 * The text in a file's octets: UTF-8, or UTF-16 with its byte-order mark. Its offsets count UTF-16 units; they are the file's octets as long as
 * the text is ASCII. A byte-order mark stays in the text, so that they stay so.
 */
export const decodeText = (bytes: Uint8Array): string | Fault => {
  for (const [name, magic] of COMPRESSED)
    if (magic.every((octet, i) => bytes[i] === octet))
      return { code: "compressed", text: `this is a ${name} file: unpack it first`, offset: 0 }
  const wide = bytes[0] === 0xff && bytes[1] === 0xfe ? 1 : bytes[0] === 0xfe && bytes[1] === 0xff ? -1 : 0
  if (wide !== 0) return decodeWide(bytes, wide)
  for (let i = 0; i < bytes.length; i++) if (isControl(bytes[i])) return notText(bytes[i], i)
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    const at = bytes.findIndex((octet) => octet >= 128)
    return notText(bytes[at], at)
  }
}

/** Controls that no text has: all but white space and the escape of a terminal's colours. */
const isControl = (octet: number): boolean => (octet < 32 && (octet < 9 || octet > 13) && octet !== 27) || octet === 127

const notText = (octet: number, offset: number): Fault => {
  const hex = octet.toString(16).padStart(2, "0")
  return { code: "not-text", text: `neither a capture nor text nor a message: octet 0x${hex} is no text`, offset }
}

/** UTF-16, as PowerShell's redirection writes it. */
const decodeWide = (bytes: Uint8Array, order: number): string => {
  const parts: string[] = []
  const units = new Uint16Array(8192)
  for (let o = 0; o + 1 < bytes.length; ) {
    let n = 0
    for (; n < units.length && o + 1 < bytes.length; o += 2)
      units[n++] = order > 0 ? bytes[o] | (bytes[o + 1] << 8) : (bytes[o] << 8) | bytes[o + 1]
    parts.push(String.fromCharCode(...units.subarray(0, n)))
  }
  return parts.join("")
}
