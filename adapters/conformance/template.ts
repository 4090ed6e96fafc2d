/**
 * The hex templates of the conformance vectors (test/vectors/README.md): octets in hex digits, white space between them
 * without meaning, `?N` for N octets of any value, `...` at the end for whatever follows, `{name}` for the octets of a
 * variable, and `{name:N}` for N octets that are kept under this name, or equal to what is kept there already.
 */

import { joinOctets } from "../../core/wire/index.ts"

/** Octets by variable name. */
export type Bindings = ReadonlyMap<string, Uint8Array>

export type Token =
  | { readonly kind: "octets"; readonly octets: Uint8Array }
  | { readonly kind: "any"; readonly count: number }
  | { readonly kind: "rest" }
  | { readonly kind: "variable"; readonly name: string; readonly count: number | undefined }

export type Template =
  | { readonly ok: true; readonly tokens: readonly Token[] }
  | { readonly ok: false; readonly text: string }

/** One difference: the octet's offset in what was got, and what was wanted there. */
export interface Mismatch {
  readonly offset: number
  readonly text: string
}

export type Match =
  | { readonly ok: true; readonly bindings: Bindings }
  | { readonly ok: false; readonly mismatches: readonly Mismatch[]; readonly bindings: Bindings }

export const fromHex = (digits: string): Uint8Array =>
  Uint8Array.from({ length: digits.length / 2 }, (_, i) => Number.parseInt(digits.slice(2 * i, 2 * i + 2), 16))

/** Lower-case hex digits without spaces, as the vectors have them. */
export const toHex = (bytes: Uint8Array): string =>
  Array.from(bytes, (octet) => octet.toString(16).padStart(2, "0")).join("")

const TOKEN = /\s+|((?:[0-9a-fA-F]{2})+)|\?(\d{1,4})|(\.\.\.)|\{([a-zA-Z][a-zA-Z0-9]*)(?::(\d{1,2}))?\}/y

/** Reads a template; what it cannot read is named. */
export const readTemplate = (text: string): Template => {
  const tokens: Token[] = []
  TOKEN.lastIndex = 0
  while (TOKEN.lastIndex < text.length) {
    const at = TOKEN.lastIndex
    const match = TOKEN.exec(text)
    if (match === null) return { ok: false, text: `"${text.slice(at, at + 12)}" at ${at} is no part of a template` }
    const [, hex, any, rest, name, count] = match
    if (tokens.at(-1)?.kind === "rest" && match[0].trim() !== "") return { ok: false, text: "nothing can follow ..." }
    if (hex !== undefined) tokens.push({ kind: "octets", octets: fromHex(hex) })
    else if (any !== undefined) tokens.push({ kind: "any", count: Number(any) })
    else if (rest !== undefined) tokens.push({ kind: "rest" })
    else if (name !== undefined)
      tokens.push({ kind: "variable", name, count: count === undefined ? undefined : Number(count) })
  }
  return { ok: true, tokens }
}

/** The octets that a template stands for; one with octets of any value, or a variable without any, stands for none. */
export const fill = (
  text: string,
  bindings: Bindings,
): Template | { readonly ok: true; readonly bytes: Uint8Array } => {
  const template = readTemplate(text)
  if (!template.ok) return template
  const parts: Uint8Array[] = []
  for (const token of template.tokens) {
    const part =
      token.kind === "octets" ? token.octets : token.kind === "variable" ? bindings.get(token.name) : undefined
    if (part === undefined) return { ok: false, text: `nothing says which octets ${tokenText(token)} is` }
    parts.push(part)
  }
  return { ok: true, bytes: joinOctets(parts) }
}

/** Does `got` have the octets that the template wants? New names are kept in the bindings that come back. */
export const match = (text: string, got: Uint8Array, bindings: Bindings): Match => {
  const template = readTemplate(text)
  if (!template.ok) return { ok: false, mismatches: [{ offset: 0, text: template.text }], bindings }
  const kept = new Map(bindings)
  const mismatches: Mismatch[] = []
  let at = 0
  for (const token of template.tokens) {
    if (token.kind === "rest") return finish(mismatches, kept)
    const known = token.kind === "octets" ? token.octets : token.kind === "variable" ? kept.get(token.name) : undefined
    const count = known?.length ?? (token.kind === "octets" ? 0 : (token.count ?? 0))
    const part = got.subarray(at, at + count)
    if (part.length < count) {
      mismatches.push({ offset: at, text: `${count} octets wanted here, ${part.length} are left` })
      return finish(mismatches, kept)
    }
    if (known !== undefined) {
      const wrong = known.findIndex((octet, i) => octet !== part[i])
      if (wrong >= 0)
        mismatches.push({ offset: at + wrong, text: `${toHex(known)} wanted at ${at}, ${toHex(part)} is there` })
    } else if (token.kind === "variable") kept.set(token.name, part.slice())
    at += count
  }
  if (at < got.length) mismatches.push({ offset: at, text: `${got.length - at} octets more than the ${at} wanted` })
  return finish(mismatches, kept)
}

const finish = (mismatches: readonly Mismatch[], bindings: Bindings): Match =>
  mismatches.length === 0 ? { ok: true, bindings } : { ok: false, mismatches, bindings }

/** What a template wants, for people: variables as their octets, `..` for octets of any value. */
export const wantedText = (text: string, bindings: Bindings): string => {
  const template = readTemplate(text)
  if (!template.ok) return text
  return template.tokens
    .map((token) => {
      if (token.kind === "octets") return toHex(token.octets)
      if (token.kind === "any") return "..".repeat(token.count)
      if (token.kind === "rest") return "..."
      const known = bindings.get(token.name)
      return known === undefined ? "..".repeat(token.count ?? 0) : toHex(known)
    })
    .join("")
}

const tokenText = (token: Token): string => {
  switch (token.kind) {
    case "octets":
      return toHex(token.octets)
    case "any":
      return `?${token.count}`
    case "rest":
      return "..."
    case "variable":
      return `{${token.name}}`
  }
}
