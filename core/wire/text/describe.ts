import { formatAddress, formatMapped, isIpv4, readAddress, readIpv4 } from "../address.ts"
import type { Kind } from "../dissect/field.ts"
import { isVersionError } from "../dissect/natpmp.ts"
import type { Dissection, FieldNode } from "../dissect/node.ts"
import { rawValue } from "../dissect/node.ts"
import {
  natPmpOpcodeName,
  natPmpResultMeaning,
  natPmpResultName,
  opcodeName,
  optionName,
  protocolName,
  resultMeaning,
  resultName,
} from "../names.ts"

/**
 * One line of text for people: names of codes and what they mean, addresses in both forms where they are IPv4-mapped,
 * times in human units as well. It holds no control characters, whatever the packet holds. For a field that the end of
 * the packet or of its option cuts, the text says so.
 *
 * @example
 * ```ts
 * import { describe, dissect } from "sallyport"
 *
 * const dissection = dissect(Uint8Array.of(0, 2, 0, 0, 0x1f, 0x90, 0x1f, 0x90, 0, 0, 14, 16))
 * console.log(describe(dissection, dissection.root)) // NAT-PMP map TCP request, 12 octets
 * ```
 */
export const describe = (dissection: Dissection, node: FieldNode): string => {
  if (node.missing > 0 && node.children.length === 0) return describeCut(dissection.bytes, node)
  const text = TEXTS[node.field.kind](dissection.bytes, node)
  return node.value === 0 && node.field.zero !== undefined && isZero(dissection.bytes, node)
    ? `${text} (${node.field.zero})`
    : text
}

/** A node with everything that is known of it, as plain data: what `decode --json` prints. */
export type ExpandedField = {
  /** The RFC's own name of the field. */
  readonly name: string
  /** Octets from the start of the packet. */
  readonly offset: number
  /** Octets that are there; 1 for some bits of one. */
  readonly length: number
  /** Only where octets are missing: how many. */
  readonly missing?: number
  /** Only for fields smaller than an octet: the first bit (0 the most significant) and how many. */
  readonly bits?: { readonly first: number; readonly count: number }
  /** An unsigned number for a whole field of up to four octets, lower-case hex digits for all others. */
  readonly value: number | string
  /** The value for people, without control characters: see {@link describe}. */
  readonly text: string
  /** Where the field is specified, for example `RFC 6887 section 7.1`. */
  readonly rfc: string
  /** Wireshark's name of it, such as `nat-pmp.opcode`; left out where Wireshark has none. */
  readonly wireshark?: string
  /** The fields that it is made of, in the order of the packet; left out where it is a leaf. */
  readonly children?: readonly ExpandedField[]
}

/**
 * The whole tree of a dissection, or of the part below `node`, as plain data with every text made; by `text`, where the tree is of another
 * protocol than {@link describe} knows.
 */
export const expand = (
  dissection: Dissection,
  node: FieldNode = dissection.root,
  text: (node: FieldNode) => string = (one) => describe(dissection, one),
): ExpandedField => {
  const { field, offset, length, missing, children } = node
  const value = rawValue(dissection, node)
  return {
    name: field.name,
    offset,
    length,
    ...(missing > 0 ? { missing } : {}),
    ...(field.bits > 0 ? { bits: { first: field.bit, count: field.bits } } : {}),
    value: typeof value === "number" ? value : hex(dissection.bytes, offset, length),
    text: text(node),
    rfc: field.rfc,
    ...(field.wireshark === undefined ? {} : { wireshark: field.wireshark }),
    ...(children.length === 0 ? {} : { children: children.map((child) => expand(dissection, child, text)) }),
  }
}

type Describe = (bytes: Uint8Array, node: FieldNode) => string

const TEXTS: Readonly<Record<Kind, Describe>> = {
  message: (bytes, { length }) => `${messageName(bytes)}, ${count(length, "octet")}`,
  group: (_, { length }) => count(length, "octet"),
  option: (_, { value, length }) => `${named(optionName(value), value)}, ${count(length, "octet")}`,
  version: (_, { value }) => `${value} (${versionName(value)})`,
  direction: (_, { value }) => (value === 0 ? "0 (request)" : "1 (response)"),
  opcode: (_, { value }) => named(opcodeName(value), value),
  natPmpOpcode: (_, { value }) => `${value} (${natPmpMessage(value)})`,
  result: (_, { value }) => `${named(resultName(value), value)}: ${resultMeaning(value)}`,
  natPmpResult: (_, { value }) => `${named(natPmpResultName(value), value)}: ${natPmpResultMeaning(value)}`,
  seconds: (_, { value }) => (value < 60 ? `${value} s` : `${value} s (${duration(value)})`),
  uint: (_, { value }) => `${value}`,
  protocol: (_, { value }) => named(protocolName(value), value),
  optionCode: (_, { value }) => named(optionName(value), value),
  prefixLength: (bytes, { value, offset }) => filterPrefix(bytes, value, offset),
  prefix64Length: (_, { value }) =>
    PREFIX64_LENGTHS.includes(value)
      ? `${count(value, "octet")} (/${value * 8})`
      : `${count(value, "octet")} (not one of ${PREFIX64_LENGTHS.join(", ")})`,
  prefix64: (bytes, { offset, length }) => prefix64(bytes, offset, length),
  ipv4Prefix: (bytes, node) => ipv4Prefix(bytes, node),
  flag: (_, { value }) => (value === 0 ? "0 (clear)" : "1 (set)"),
  prf: (_, { value }) => (value === PRF_HMAC_SHA2_256 ? named("PRF_HMAC_SHA2_256", value) : `${value}`),
  mac: (_, { value }) => (value === AUTH_HMAC_SHA2_256_128 ? named("AUTH_HMAC_SHA2_256_128", value) : `${value}`),
  address: (bytes, { offset }) => bothForms(bytes, offset),
  ipv4: (bytes, { offset }) => formatAddress(readIpv4(bytes, offset)),
  text: (bytes, node) => quoted(bytes, node),
  zeros: (bytes, node) =>
    isZero(bytes, node) ? "zero" : `not zero: ${node.field.bits > 0 ? node.value : hexOf(bytes, node)}`,
  bytes: (bytes, node) => (node.length === 0 ? "none" : hexOf(bytes, node)),
}

/** RFC 6052 section 2.2. */
const PREFIX64_LENGTHS: readonly number[] = [4, 5, 6, 7, 8, 12]
/** IKEv2 transform ids that RFC 7652 sections 5.7 and 5.8 name. */
const PRF_HMAC_SHA2_256 = 5
const AUTH_HMAC_SHA2_256_128 = 12

const DIGITS = "0123456789abcdef"

/** The octets as lower-case hex digits. */
export const hex = (bytes: Uint8Array, offset: number, length: number): string => {
  let text = ""
  for (let i = offset; i < offset + length; i++) text += DIGITS[bytes[i] >>> 4] + DIGITS[bytes[i] & 15]
  return text
}

const hexOf = (bytes: Uint8Array, { offset, length }: FieldNode): string => hex(bytes, offset, length)

const count = (n: number, noun: string): string => `${n} ${noun}${n === 1 ? "" : "s"}`

/** `MAP (1)`; a code without a name of its own has its number in the name already. */
const named = (name: string, code: number): string => (name.endsWith(` ${code}`) ? name : `${name} (${code})`)

const describeCut = (bytes: Uint8Array, node: FieldNode): string => {
  const { length, missing } = node
  if (length === 0) return `missing: ${count(missing, "octet")}`
  return `cut short, ${length} of ${count(length + missing, "octet")}: ${hexOf(bytes, node)}`
}

const isZero = (bytes: Uint8Array, { field, value, offset, length }: FieldNode): boolean => {
  if (field.bits > 0) return value === 0
  // Of an IPv4-mapped address the last 32 bits decide: both all-zeros addresses mean no address (RFC 6887 section 5).
  const from = field.kind === "address" && isIpv4(readAddress(bytes, offset)) ? offset + 12 : offset
  for (let i = from; i < offset + length; i++) if (bytes[i] !== 0) return false
  return true
}

const messageName = (bytes: Uint8Array): string => {
  if (bytes.length === 0) return "nothing"
  if (bytes[0] !== 0 && bytes[0] !== 2) return `PCP version ${bytes[0]}`
  const protocol = bytes[0] === 0 ? "NAT-PMP" : "PCP"
  if (bytes.length === 1) return protocol
  if (isVersionError(bytes)) return "NAT-PMP unsupported version response"
  if (bytes[0] === 0) return `NAT-PMP ${natPmpMessage(bytes[1])}`
  return `PCP ${opcodeName(bytes[1] & 127)} ${bytes[1] > 127 ? "response" : "request"}`
}

const natPmpMessage = (opcode: number): string =>
  `${natPmpOpcodeName(opcode & 127)} ${opcode > 127 ? "response" : "request"}`

const versionName = (version: number): string => {
  if (version === 0) return "NAT-PMP"
  if (version === 2) return "PCP"
  return version === 1 ? "a draft of PCP, ruled out by RFC 6886 section 1.1" : "unknown"
}

const UNITS: readonly (readonly [number, string])[] = [
  [86400, "d"],
  [3600, "h"],
  [60, "min"],
  [1, "s"],
]

const duration = (seconds: number): string => {
  const parts: string[] = []
  let left = seconds
  for (const [size, unit] of UNITS) {
    const n = Math.floor(left / size)
    if (n > 0) parts.push(`${n} ${unit}`)
    left -= n * size
  }
  return parts.join(" ")
}

const bothForms = (bytes: Uint8Array, offset: number): string => {
  const address = readAddress(bytes, offset)
  return isIpv4(address) ? `${formatAddress(address)} (${formatMapped(address)})` : formatAddress(address)
}

/** The octets from a FILTER's Prefix Length to its address (RFC 6887 section 13.3). */
const FILTER_ADDRESS = 3

const filterPrefix = (bytes: Uint8Array, prefix: number, offset: number): string => {
  const at = offset + FILTER_ADDRESS
  if (prefix === 0 || at + 16 > bytes.length || !isIpv4(readAddress(bytes, at))) return `${prefix}`
  return prefix >= 96 && prefix <= 128 ? `${prefix} (IPv4 /${prefix - 96})` : `${prefix} (not valid for IPv4)`
}

const prefix64 = (bytes: Uint8Array, offset: number, length: number): string => {
  const whole = new Uint8Array(16)
  whole.set(bytes.subarray(offset, offset + length))
  return `${formatAddress(readAddress(whole, 0))}/${length * 8}`
}

const ipv4Prefix = (bytes: Uint8Array, node: FieldNode): string => {
  if (node.missing > 0) return `cut short, ${node.length} of ${count(node.length + node.missing, "octet")}`
  return `${formatAddress(readIpv4(bytes, node.offset + 2))}/${node.children[0].value}`
}

const utf8 = new TextDecoder("utf-8", { ignoreBOM: true })

/** The octets as UTF-8 as far as it goes: U+FFFD stands for what is none. */
export const decodeText = (bytes: Uint8Array, offset: number, length: number): string =>
  utf8.decode(bytes.subarray(offset, offset + length))

// Control, format, private and unassigned characters could move a terminal's cursor or turn text around.
const UNPRINTABLE = /[\p{C}\p{Zl}\p{Zp}]/gu

const quoted = (bytes: Uint8Array, { offset, length }: FieldNode): string => {
  const text = decodeText(bytes, offset, length)
    .replace(/["\\]/g, "\\$&")
    .replace(UNPRINTABLE, (c) => `\\u{${c.codePointAt(0)?.toString(16)}}`)
  return `"${text}"`
}
