import { toHex } from "./hex.ts"

/**
 * The octets as `hexdump -Cv` prints them: rows of 16 with an 8-digit hex offset, a gap after the eighth, the printable
 * characters between bars, and the length as a last offset. Nothing for no octets.
 */
export const toHexdump = (bytes: Uint8Array): string => {
  const rows: string[] = []
  for (let o = 0; o < bytes.length; o += 16) {
    const row = bytes.subarray(o, o + 16)
    const left = toHex(row.subarray(0, 8), { spaced: true }).padEnd(23)
    const right = toHex(row.subarray(8), { spaced: true }).padEnd(23)
    rows.push(`${offsetOf(o)}  ${left}  ${right}  |${characters(row)}|\n`)
  }
  return rows.length === 0 ? "" : `${rows.join("")}${offsetOf(bytes.length)}\n`
}

const offsetOf = (offset: number): string => offset.toString(16).padStart(8, "0")

const characters = (row: Uint8Array): string => {
  let text = ""
  for (const octet of row) text += octet >= 32 && octet < 127 ? String.fromCharCode(octet) : "."
  return text
}
