import type { Encoded } from "../wire/index.ts"

/**
 * Why octets are not what they are read as: `too-short` they end early; `length` a length in them cannot be; `value` a field has a value
 * that this is not read with; `version` a version that is not spoken; `checksum` the check over them fails.
 */
export type OverlayParseErrorCode = "too-short" | "length" | "value" | "version" | "checksum"

/** Octets that cannot be read. */
export interface OverlayParseError {
  /** Short and stable, for programs. */
  readonly code: OverlayParseErrorCode
  /** The octet where reading stopped: the first missing one, or the first of the field. */
  readonly offset: number
  /** The rule, as `RFC 7348 5`. */
  readonly clause: string
  /** One sentence for people. */
  readonly text: string
}

/** What octets are, or why they cannot be read. */
export type OverlayParsed<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: OverlayParseError }

/** A failed read. */
export const unread = (
  code: OverlayParseErrorCode,
  offset: number,
  clause: string,
  text: string,
): { readonly ok: false; readonly error: OverlayParseError } => ({ ok: false, error: { code, offset, clause, text } })

/** Where octets end before `size` of them. */
export const endsEarly = (
  bytes: Uint8Array,
  what: string,
  size: number,
  clause: string,
): { readonly ok: false; readonly error: OverlayParseError } =>
  unread("too-short", bytes.length, clause, `${what} has ${size} octets, here are ${bytes.length}`)

/** What is read. */
export const readAs = <T>(value: T): { readonly ok: true; readonly value: T } => ({ ok: true, value })

/** A field of a value, its value and the bits that it has on the wire. */
export type Width = readonly [field: string, value: number, bits: number]

/** The first field that does not fit the wire; `undefined`: all do. */
export const tooWide = (widths: readonly Width[]): Encoded | undefined => {
  const wrong = widths.find(([, value, bits]) => !Number.isInteger(value) || value < 0 || value >= 2 ** bits)
  return wrong === undefined
    ? undefined
    : { ok: false, error: { code: "range", text: `${wrong[0]} ${wrong[1]} does not fit ${wrong[2]} bits` } }
}

/** A value without octets. */
export const unwritable = (text: string): Encoded => ({ ok: false, error: { code: "range", text } })
