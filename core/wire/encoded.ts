/**
 * Why a packet has no bytes: `range` a number, or an array's length, outside of its field; `too-long` more than 1100 octets of PCP;
 * `text` a string with a lone surrogate; `contradiction` parts that exclude each other; `residue` residue of another packet.
 */
export interface EncodeError {
  readonly code: "range" | "too-long" | "text" | "contradiction" | "residue"
  /** One sentence for people. */
  readonly text: string
}

/** The result of `encode`. */
export type Encoded =
  | { readonly ok: true; readonly bytes: Uint8Array }
  | { readonly ok: false; readonly error: EncodeError }

/** A failed encode. */
export const impossible = (code: EncodeError["code"], text: string): Encoded => ({ ok: false, error: { code, text } })

/** Is it a whole number of so many bits, up to 32, unsigned? */
export const fits = (value: number, bits: number): boolean =>
  value >>> 0 === value && (bits > 31 || value >>> bits === 0)

/** Why a number has no place in its field. */
export const misfit = (field: string, value: number, bits: number): EncodeError | undefined =>
  fits(value, bits) ? undefined : { code: "range", text: `${field} ${value} does not fit ${bits} bits` }
