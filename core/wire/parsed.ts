import type { Packet } from "./packet.ts"
import type { Residue } from "./residue.ts"

/** What can be said of a packet by its first octets alone. */
export interface Header {
  /** Octet 0: 2 is PCP, 0 is NAT-PMP. */
  readonly version: number
  /** The R bit; in NAT-PMP the top bit of the opcode. */
  readonly response: boolean
  /** 0 to 127. */
  readonly opcode: number
  /** Result code of a response, where it is there. */
  readonly result: number | undefined
}

/**
 * Why bytes are no packet. What a PCP server answers (RFC 6887 section 8.2): `too-short` nothing, `too-long` and `body-too-short`
 * MALFORMED_REQUEST, `option-overrun` MALFORMED_OPTION. A client drops them all (section 8.3).
 */
export type ParseErrorCode = "too-short" | "too-long" | "body-too-short" | "option-overrun"

/** A packet that cannot be read. */
export interface ParseError {
  /** Short and stable, for programs. */
  readonly code: ParseErrorCode
  /** The octet where reading stopped: the first missing one, or the option that does not fit. */
  readonly offset: number
  /** The rule, as `RFC 6887 8.2`. */
  readonly clause: string
  /** One sentence for people. */
  readonly text: string
  /** `undefined` when there are not even 2 octets. */
  readonly header: Header | undefined
}

/** The result of {@link parse}. */
export type Parsed =
  | { readonly ok: true; readonly packet: Packet; readonly residue: readonly Residue[] }
  | { readonly ok: false; readonly error: ParseError }

/** Reads what the first octets say; `undefined` under 2 octets. */
export const headerOf = (bytes: Uint8Array): Header | undefined => {
  if (bytes.length < 2) return undefined
  const response = bytes[1] >= 128
  // NAT-PMP has 16 bits of result; the low half sits where PCP's result code does.
  return {
    version: bytes[0],
    response,
    opcode: bytes[1] & 127,
    result: response && bytes.length >= 4 ? bytes[3] : undefined,
  }
}

/** A failed parse of `bytes`. */
export const errorOf = (
  bytes: Uint8Array,
  code: ParseErrorCode,
  offset: number,
  clause: string,
  text: string,
): { readonly ok: false; readonly error: ParseError } => ({
  ok: false,
  error: { code, offset, clause, text, header: headerOf(bytes) },
})
