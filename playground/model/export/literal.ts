import { toHex } from "../../../core/wire/text/index.ts"

/** Languages that a packet is written for. */
export type Language = "c" | "typescript" | "python" | "go"

const rowsOf = (bytes: Uint8Array, size: number): readonly Uint8Array[] =>
  Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) => bytes.subarray(size * i, size * (i + 1)))

const numbers = (bytes: Uint8Array, indent: string): string =>
  rowsOf(bytes, 12)
    .map((row) => `${indent}${toHex(row, { prefix: "0x", separator: ", " })},\n`)
    .join("")

/** The octets as a constant called `packet` of a program. */
export const literal = (bytes: Uint8Array, language: Language): string => {
  switch (language) {
    case "c":
      return `static const unsigned char packet[${bytes.length}] = {\n${numbers(bytes, "    ")}};\n`
    case "typescript":
      return `export const packet = new Uint8Array([\n${numbers(bytes, "  ")}])\n`
    case "go":
      return `var packet = []byte{\n${numbers(bytes, "\t")}}\n`
    case "python": {
      const lines = rowsOf(bytes, 16).map((row) => `    "${toHex(row, { spaced: true })} "\n`)
      return `packet = bytes.fromhex(\n${lines.join("")})\n`
    }
  }
}
