import { type Address, formatAddress, isIpv4, parseAddress } from "../../../core/wire/index.ts"
import { protocolNumber } from "../../../core/wire/text/index.ts"
import { mistyped, type Typed, typed } from "./edited.ts"

/** A whole number from 0 to `most`: decimal, or hex with `0x`. */
export const typedNumber = (text: string, most: number): Typed<number> => {
  const trimmed = text.trim()
  if (!/^(?:\d{1,10}|0x[\da-f]{1,8})$/i.test(trimmed)) return mistyped(`a number from 0 to ${most} is expected`)
  const value = Number(trimmed)
  return value <= most ? typed(value) : mistyped(`${value} is more than ${most}`)
}

const UNITS: ReadonlyMap<string, number> = new Map([
  ["d", 86400],
  ["h", 3600],
  ["min", 60],
  ["m", 60],
  ["s", 1],
])

/** Seconds: `7200`, `2 h`, `1 d 12 h 30 min`. */
export const typedSeconds = (text: string): Typed<number> => {
  const trimmed = text.trim().toLowerCase()
  if (/^(?:\d+|0x[\da-f]+)$/.test(trimmed)) return typedNumber(trimmed, 0xffffffff)
  if (!/^(?:\d{1,10}\s*(?:d|h|min|m|s)\s*)+$/.test(trimmed)) return mistyped("seconds are expected, or such as 2 h")
  let sum = 0
  for (const [, number, unit] of trimmed.matchAll(/(\d+)\s*(d|h|min|m|s)/g))
    sum += Number(number) * (UNITS.get(unit) ?? 1)
  return sum <= 0xffffffff ? typed(sum) : mistyped("that is more than 2^32-1 seconds")
}

/** IPv4 or IPv6, in any of their forms. */
export const typedAddress = (text: string): Typed<Address> => {
  const address = parseAddress(text.trim())
  return address === undefined ? mistyped("an address is expected, such as 192.0.2.1 or 2001:db8::1") : typed(address)
}

export const typedIpv4 = (text: string): Typed<Address> => {
  const address = parseAddress(text.trim())
  return address !== undefined && isIpv4(address)
    ? typed(address)
    : mistyped("an IPv4 address is expected, such as 192.0.2.1")
}

/** `192.0.2.0/24`; the length is of the address's own family. */
export const typedPrefix = (text: string): Typed<{ readonly address: Address; readonly length: number }> => {
  const [host, length, ...more] = text.trim().split("/")
  const address = parseAddress(host)
  const expected = mistyped("a prefix is expected, such as 192.0.2.0/24 or 2001:db8::/32")
  if (address === undefined || more.length > 0) return expected
  const most = isIpv4(address) ? 32 : 128
  const bits = length === undefined ? typed(most) : typedNumber(length, most)
  return bits.ok ? typed({ address, length: bits.value }) : expected
}

/** `all`, IANA's keyword in either case, or the number. */
export const typedProtocol = (text: string): Typed<number> => {
  const trimmed = text.trim().toLowerCase()
  const number = /^all(?: protocols)?$/.test(trimmed) ? 0 : (protocolNumber(trimmed) ?? hexNumber(trimmed))
  return number !== undefined && number <= 255
    ? typed(number)
    : mistyped("a protocol is expected: tcp, udp, all, or 0 to 255")
}

const hexNumber = (text: string): number | undefined => (/^0x[\da-f]{1,2}$/.test(text) ? Number(text) : undefined)

/** Hex digits, with or without blanks and colons between; of `length` octets where it is given. */
export const typedOctets = (text: string, length?: number): Typed<Uint8Array> => {
  const digits = text.replace(/[\s:]|0x/gi, "")
  if (!/^[\da-f]*$/i.test(digits) || digits.length % 2 !== 0) return mistyped("hex digits are expected, two an octet")
  if (digits.length > 2 * 65535) return mistyped("that is more than a datagram has room for")
  const octets = Uint8Array.from(digits.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16))
  if (length !== undefined && octets.length !== length)
    return mistyped(`${length} octets of hex are expected, these are ${octets.length}`)
  return typed(octets)
}

/** UTF-8 of a text; a lone surrogate has none. */
export const typedText = (text: string): Typed<Uint8Array> =>
  /\p{Surrogate}/u.test(text) ? mistyped("that is no Unicode text") : typed(new TextEncoder().encode(text))

/** A prefix as people write it, the length of the address's own family. */
export const prefixText = (address: Address, length: number): string =>
  `${formatAddress(address)}/${isIpv4(address) && length >= 96 ? length - 96 : length}`
