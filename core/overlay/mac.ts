import { u16, u32 } from "../wire/index.ts"

/**
 * An Ethernet address: its 48 bits as an unsigned number, the first octet on the wire the most significant. It compares with `===`, orders
 * as the octets do, and is a Map key as it is; {@link formatMac} prints it.
 */
export type Mac = number & { readonly __mac: never }

const isMac = (value: number): value is Mac => Number.isInteger(value) && value >= 0 && value < 2 ** 48

/** The address of 48 bits in a number. It throws for any other number: a caller has it from octets or from text. */
export const macOf = (value: number): Mac => {
  if (!isMac(value)) throw new RangeError("an Ethernet address is 48 bits")
  return value
}

/** `ff:ff:ff:ff:ff:ff`: everybody. */
export const BROADCAST_MAC: Mac = macOf(2 ** 48 - 1)

/** The 6 octets at `offset`. The caller has checked that they are there. */
export const readMac = (bytes: Uint8Array, offset: number): Mac =>
  macOf(u16(bytes, offset) * 2 ** 32 + u32(bytes, offset + 2))

/** Writes the 6 octets at `offset`. */
export const writeMac = (bytes: Uint8Array, offset: number, mac: Mac): void => {
  const high = Math.floor(mac / 2 ** 32)
  bytes[offset] = high >>> 8
  bytes[offset + 1] = high
  bytes[offset + 2] = mac >>> 24
  bytes[offset + 3] = mac >>> 16
  bytes[offset + 4] = mac >>> 8
  bytes[offset + 5] = mac
}

/** The octet at a place, 0 the first on the wire. */
const octet = (mac: Mac, place: number): number => Math.floor(mac / 2 ** (8 * (5 - place))) & 0xff

const PLACES = [0, 1, 2, 3, 4, 5] as const

/** `de:ad:be:ef:00:01`: lower case, two digits each. */
export const formatMac = (mac: Mac): string =>
  PLACES.map((place) => octet(mac, place).toString(16).padStart(2, "0")).join(":")

/** The same without leading zeros, `de:ad:be:ef:0:1`: what `ether_ntoa` prints, by which the `files` plugin keys its entries. */
export const formatShortMac = (mac: Mac): string => PLACES.map((place) => octet(mac, place).toString(16)).join(":")

/** Reads what `ether_aton` reads: six groups of one or two hex digits with colons between. `undefined` for anything else. */
export const parseMac = (text: string): Mac | undefined =>
  /^[0-9a-f]{1,2}(?::[0-9a-f]{1,2}){5}$/i.test(text)
    ? macOf(text.split(":").reduce((value, group) => value * 256 + Number.parseInt(group, 16), 0))
    : undefined

/** Is it for a group, broadcast among them: the lowest bit of the first octet? */
export const isGroupMac = (mac: Mac): boolean => (octet(mac, 0) & 1) === 1

/** Is it one that IPv6 multicast is sent to, 33:33:* (RFC 2464 section 7)? */
export const isIpv6GroupMac = (mac: Mac): boolean => Math.floor(mac / 2 ** 32) === 0x3333
