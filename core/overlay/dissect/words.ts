import { type FieldNode, formatAddress, formatMapped, isIpv4, readAddress, readIpv4, u32 } from "../../wire/index.ts"
import { formatMac, readMac } from "../mac.ts"
import type { Words } from "./tree.ts"

/** A number's name behind it, from a list; else the number alone. */
export const named =
  (names: Readonly<Record<number, string>>): Words =>
  (_, { value }) =>
    names[value] === undefined ? `${value}` : `${names[value]} (${value})`

/** `0x0806 (ARP)`: four hex digits and a name. */
export const hexNamed =
  (names: Readonly<Record<number, string>>): Words =>
  (_, { value }) => {
    const digits = `0x${value.toString(16).padStart(4, "0")}`
    return names[value] === undefined ? digits : `${digits} (${names[value]})`
  }

export const macText: Words = (bytes, { offset }) => formatMac(readMac(bytes, offset))
export const ipv4Text: Words = (bytes, { offset }) => formatAddress(readIpv4(bytes, offset))

/** Both forms of an IPv4-mapped address. */
export const addressText: Words = (bytes, { offset }) => {
  const address = readAddress(bytes, offset)
  return isIpv4(address) ? `${formatAddress(address)} (${formatMapped(address)})` : formatAddress(address)
}

/** Flags by name: each bit that is set, in the order of the list. */
export const flagText =
  (flags: readonly (readonly [mask: number, name: string])[]): Words =>
  (_, { value }) => {
    const names = flags.flatMap(([mask, name]) => ((value & mask) === 0 ? [] : [name]))
    return names.length === 0 ? "none" : names.join(", ")
  }

/** A checksum, and whether it is the right one. */
export const checked =
  (right: (bytes: Uint8Array, node: FieldNode) => number | undefined, digits = 4): Words =>
  (bytes, node) => {
    const hex = (value: number): string => `0x${value.toString(16).padStart(digits, "0")}`
    const wanted = right(bytes, node)
    if (wanted === undefined) return hex(node.value)
    return wanted === node.value ? `${hex(node.value)} (right)` : `${hex(node.value)} (wrong: ${hex(wanted)})`
  }

export const vnetidText: Words = (bytes, { offset, length }) =>
  `${length === 4 ? u32(bytes, offset) : u32(bytes, offset - 1) & 0xffffff}`

const DIGITS = "0123456789abcdef"

/** Lower-case hex digits. */
export const hexText: Words = (bytes, { offset, length }) => {
  let text = ""
  for (let i = offset; i < offset + length; i++) text += DIGITS[bytes[i] >>> 4] + DIGITS[bytes[i] & 15]
  return text === "" ? "none" : text
}

/** A UUID as people write it (RFC 4122 section 3). */
export const uuidText: Words = (bytes, node) =>
  hexText(bytes, node).replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-")
