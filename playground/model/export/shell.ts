// Letters that no shell gives a meaning to.
const PLAIN = /^[\w@%+=:,./-]+$/
// A terminal acts on these when they are pasted.
const CONTROL = /[\p{Cc}\p{Zl}\p{Zp}]/u

/** One word of a POSIX shell's command line. A text with control characters is written so that none of them is in the line. */
export const shellWord = (text: string): string => {
  if (PLAIN.test(text)) return text
  if (!CONTROL.test(text)) return `'${text.replaceAll("'", `'\\''`)}'`
  const octets = Array.from(new TextEncoder().encode(text), (octet) =>
    octet >= 0x20 && octet < 0x7f && octet !== 0x27 && octet !== 0x5c && octet !== 0x25
      ? String.fromCharCode(octet)
      : `\\${octet.toString(8).padStart(3, "0")}`,
  )
  return `"$(printf '${octets.map((one) => (one === "%" ? "%%" : one)).join("")}')"`
}
