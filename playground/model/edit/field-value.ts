import {
  type FieldNode,
  formatAddress,
  type Kind,
  readAddress,
  readIpv4,
  writeAddress,
} from "../../../core/wire/index.ts"
import { toHex } from "../../../core/wire/text/index.ts"
import { choicesOf, typedChoice } from "./choice.ts"
import { mistyped, type Typed, typed } from "./edited.ts"
import { typedAddress, typedIpv4, typedNumber, typedOctets, typedProtocol, typedSeconds, typedText } from "./typed.ts"

/** Can it be typed over? Groups cannot, but by their parts; nor can what is cut. */
export const isEditable = ({ children, missing, field }: FieldNode): boolean =>
  children.length === 0 &&
  missing === 0 &&
  field.kind !== "message" &&
  field.kind !== "group" &&
  field.kind !== "option"

/** A field's value as the text that {@link typedValue} reads back to the same octets. */
export const valueText = (bytes: Uint8Array, node: FieldNode): string => {
  const { field, offset, length, value } = node
  const octets = bytes.subarray(offset, offset + length)
  switch (field.kind) {
    case "address":
      return formatAddress(readAddress(bytes, offset))
    case "ipv4":
      return formatAddress(readIpv4(bytes, offset))
    case "text":
      return textOf(octets) ?? `0x${toHex(octets)}`
    case "bytes":
    case "prefix64":
      return toHex(octets)
    case "zeros":
      return field.bits > 0 ? `${value}` : toHex(octets)
    default: {
      const choice = choicesOf(field.kind).find((one) => one.value === value)
      return field.kind === "protocol" || choice === undefined ? `${value}` : choice.name
    }
  }
}

const utf8 = new TextDecoder("utf-8", { fatal: false, ignoreBOM: true })

/** The text of octets that are UTF-8, and that would not be read as the hex of others. */
const textOf = (octets: Uint8Array): string | undefined => {
  const text = utf8.decode(octets)
  const back = new TextEncoder().encode(text)
  const same = back.length === octets.length && back.every((octet, i) => octet === octets[i])
  return same && !text.startsWith("0x") ? text : undefined
}

/** What somebody typed for a field, as a number for fields of bits and as octets for all others. */
export const typedValue = ({ field, length }: FieldNode, text: string): Typed<number | Uint8Array> => {
  const { kind, size, bits } = field
  if (bits > 0) return kind === "zeros" ? typedNumber(text, 2 ** bits - 1) : typedChoice(kind, text, 2 ** bits - 1)
  switch (kind) {
    case "address":
      return octetsOf(typedAddress(text), (address) => sixteen(address))
    case "ipv4":
      return octetsOf(typedIpv4(text), (address) => sixteen(address).slice(12))
    case "text":
      return text.startsWith("0x") ? typedOctets(text) : typedText(text)
    case "bytes":
    case "prefix64":
    case "zeros":
      return typedOctets(text, size > 0 || kind === "zeros" ? length : undefined)
    case "seconds":
      return octetsOf(typedSeconds(text), (value) => numberOctets(value, size))
    case "protocol":
      return octetsOf(typedProtocol(text), (value) => numberOctets(value, size))
    case "prefixLength":
      return octetsOf(typedLength(text), (value) => numberOctets(value, size))
    default:
      if (size === 0) return mistyped("its parts can be edited, not the whole")
      return octetsOf(numberFor(kind, text, 256 ** size - 1), (value) => numberOctets(value, size))
  }
}

const numberFor = (kind: Kind, text: string, most: number): Typed<number> =>
  choicesOf(kind).length > 0 ? typedChoice(kind, text, most) : typedNumber(text, most)

/** Of 128 bits, as the wire has it; `/24` is IPv4's (RFC 6887 section 13.3). */
const typedLength = (text: string): Typed<number> => {
  const trimmed = text.trim()
  if (!trimmed.startsWith("/")) return typedNumber(trimmed, 255)
  const own = typedNumber(trimmed.slice(1), 32)
  return own.ok ? typed(own.value + 96) : mistyped("/0 to /32 of IPv4 is expected, or 0 to 128")
}

const octetsOf = <T>(value: Typed<T>, write: (value: T) => Uint8Array): Typed<Uint8Array> =>
  value.ok ? typed(write(value.value)) : value

const sixteen = (address: Parameters<typeof writeAddress>[2]): Uint8Array => {
  const octets = new Uint8Array(16)
  writeAddress(octets, 0, address)
  return octets
}

/** A number as so many octets, big-endian. */
const numberOctets = (value: number, size: number): Uint8Array =>
  Uint8Array.from({ length: size }, (_, i) => Math.floor(value / 256 ** (size - 1 - i)) % 256)
