import { type Address, putU32, readAddress, u32, writeAddress } from "../../wire/index.ts"
import { done, failed, type Outcome } from "../failure.ts"

/** Types of properties: INT and UINT have 8 octets, big-endian; IP 16, IPv4 mapped; STRING its UTF-8 octets and a NUL. */
export type PropertyType = "int" | "uint" | "ip" | "string"

/** Octets of names, with their NUL, of values, and of a list of possible ones. */
export const PropertyLimit = { NAME: 64, VALUE: 256, POSSIBLE: 256 } as const

/** What values a property may have, for people: nobody but the plugin itself enforces it. */
export type PossibleValues =
  | { readonly kind: "any" }
  /** From and to, 32 bits. */
  | { readonly kind: "ranges"; readonly ranges: readonly (readonly [from: number, to: number])[] }
  | { readonly kind: "strings"; readonly strings: readonly string[] }

/** What is to be known of a property. */
export interface PropertyInfo {
  /** As `direct/dest_ip`. */
  readonly name: string
  /** How its octets are read. */
  readonly type: PropertyType
  /** Nothing starts without it, unless it has a default. */
  readonly required: boolean
  /** May it be read? */
  readonly readable: boolean
  /** May it be written? */
  readonly writable: boolean
  /** The octets that it has when it was not set. */
  readonly default: Uint8Array | undefined
  /** For people. */
  readonly possible: PossibleValues
}

/** A property that anybody may read and write and that has to be set, without default and list of values: `RRW`. */
export const requiredProperty = (name: string, type: PropertyType): PropertyInfo => ({
  name,
  type,
  required: true,
  readable: true,
  writable: true,
  default: undefined,
  possible: { kind: "any" },
})

/** A property that may be left alone: `RW`. */
export const optionalProperty = (name: string, type: PropertyType): PropertyInfo => ({
  ...requiredProperty(name, type),
  required: false,
})

/** With a default. E2BIG: more than 256 octets. */
export const withDefault = (info: PropertyInfo, octets: Uint8Array): Outcome<PropertyInfo> =>
  octets.length > PropertyLimit.VALUE
    ? failed("E2BIG", `a default of ${octets.length} octets`)
    : done({ ...info, default: octets })

/** Octets before the values in the reference's list. */
const LIST_HEAD = 8

/**
 * With a range more among its values. What does not fit the reference's 256 octets (31 ranges) is left out without a word, and so is a
 * range among strings.
 */
export const withRange = (info: PropertyInfo, from: number, to: number): PropertyInfo => {
  const { possible } = info
  if (possible.kind === "strings") return info
  const ranges = possible.kind === "ranges" ? possible.ranges : []
  if (LIST_HEAD + 8 * (ranges.length + 1) > PropertyLimit.POSSIBLE) return info
  return { ...info, possible: { kind: "ranges", ranges: [...ranges, [from, to]] } }
}

/** With a string more among its values, by the same rules. */
export const withString = (info: PropertyInfo, text: string): PropertyInfo => {
  const { possible } = info
  if (possible.kind === "ranges") return info
  const strings = [...(possible.kind === "strings" ? possible.strings : []), text]
  const size = strings.reduce((sum, one) => sum + stringOctets(one).length, LIST_HEAD)
  return size > PropertyLimit.POSSIBLE ? info : { ...info, possible: { kind: "strings", strings } }
}

/** A UINT's 8 octets; numbers up to 2^53. */
export const uintOctets = (value: number): Uint8Array => {
  const bytes = new Uint8Array(8)
  putU32(bytes, 0, Math.floor(value / 2 ** 32))
  putU32(bytes, 4, value % 2 ** 32)
  return bytes
}

/** An IP's 16 octets. */
export const ipOctets = (address: Address): Uint8Array => {
  const bytes = new Uint8Array(16)
  writeAddress(bytes, 0, address)
  return bytes
}

/** A STRING's octets. */
export const stringOctets = (text: string): Uint8Array => Uint8Array.of(...new TextEncoder().encode(text), 0)

/** The number in a UINT's octets: EOVERFLOW under 8. More than 2^53 reads as a number that is about it. */
export const uintOf = (octets: Uint8Array): Outcome<number> =>
  octets.length < 8 ? failed("EOVERFLOW", "a number has 8 octets") : done(u32(octets, 0) * 2 ** 32 + u32(octets, 4))

/** The address in an IP's octets: EOVERFLOW under 16. */
export const ipOf = (octets: Uint8Array): Outcome<Address> =>
  octets.length < 16 ? failed("EOVERFLOW", "an address has 16 octets") : done(readAddress(octets, 0))

/** The text in a STRING's octets, up to its NUL. */
export const stringOf = (octets: Uint8Array): string => {
  const end = octets.indexOf(0)
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(end < 0 ? octets : octets.subarray(0, end))
}

/** A port: 1 to 65535, else EINVAL. */
export const portOf = (octets: Uint8Array): Outcome<number> => {
  const value = uintOf(octets)
  if (!value.ok) return value
  return value.value >= 1 && value.value <= 65535 ? value : failed("EINVAL", "a port is 1 to 65535")
}
