import { z } from "zod"
import {
  type Address,
  addressFromWords,
  addressWord,
  isIpv4,
  Protocol,
  parseAddress,
} from "../../../core/wire/index.ts"
import { readEndpoint } from "../endpoint.ts"
import { readPool, readPorts } from "../pool.ts"
import type { Read } from "../read.ts"

/** A setting that stands in the file as text and has a value of its own: what its reader refuses is a fault of the file. */
export const textual = <T>(read: (text: string) => Read<T>, description: string, examples: readonly string[]) =>
  z
    .string()
    .meta({ description, examples: [...examples] })
    .transform((text, context): T => {
      const value = read(text)
      if (value.ok) return value.value
      context.addIssue({ code: "custom", message: value.text })
      return z.NEVER
    })

const readAddressText = (text: string): Read<Address> => {
  const address = parseAddress(text)
  return address === undefined ? { ok: false, text: `"${text}" is no address.` } : { ok: true, value: address }
}

/** Leading bits that are the same, of the 128 on the wire: IPv4's /24 is 120. */
export interface Prefix {
  readonly address: Address
  readonly prefixLength: number
}

const masked = (address: Address, bits: number): Address => {
  const word = (i: 0 | 1 | 2 | 3): number => {
    const left = bits - 32 * i
    return addressWord(address, i) & (left >= 32 ? -1 : left <= 0 ? 0 : ~(-1 >>> left))
  }
  return addressFromWords(word(0), word(1), word(2), word(3))
}

/** Reads `192.0.2.0/24`, `2001:db8::/32`, or one address. */
export const readPrefix = (text: string): Read<Prefix> => {
  const [addressText, lengthText, more] = text.split("/")
  const address = parseAddress(addressText)
  if (address === undefined || more !== undefined) return { ok: false, text: `"${text}" is no prefix of addresses.` }
  const [least, most] = isIpv4(address) ? [96, 128] : [0, 128]
  if (lengthText !== undefined && (!/^\d{1,3}$/.test(lengthText) || Number(lengthText) > most - least))
    return { ok: false, text: `"${text}": a prefix has 0 to ${most - least} bits.` }
  const prefixLength = lengthText === undefined ? most : least + Number(lengthText)
  if (masked(address, prefixLength) !== address) return { ok: false, text: `"${text}" has bits set after its prefix.` }
  return { ok: true, value: { address, prefixLength } }
}

export const address = textual(readAddressText, "An address.", ["192.0.2.1", "2001:db8::1"])
export const endpoint = textual(readEndpoint, "An address, with a port or without.", ["192.0.2.1", "[::1]:5351"])
export const mappingEnd = textual(
  (text) => readEndpoint(text, 0),
  "An address and a port; without a port, all ports of the protocol.",
  ["192.0.2.10:80", "[2001:db8::1]:80"],
)
export const pool = textual(readPool, "Addresses, prefixes and ranges, with commas between.", [
  "203.0.113.0/29",
  "198.51.100.7,198.51.100.9-198.51.100.20",
])
export const ports = textual((text) => readPorts(text), "One port, or a range.", ["1024-65535", "80"])
export const anyPorts = textual((text) => readPorts(text, 0), "One port, or a range; 0 is no port.", [
  "1024-65535",
  "80",
])
export const prefix = textual(readPrefix, "A prefix, or one address.", ["192.0.2.0/24", "2001:db8::/32"])

const PROTOCOLS: ReadonlyMap<string, number> = new Map([
  ["all", Protocol.ALL],
  ["icmp", Protocol.ICMP],
  ["tcp", Protocol.TCP],
  ["udp", Protocol.UDP],
  ["dccp", Protocol.DCCP],
  ["icmpv6", Protocol.ICMPV6],
  ["sctp", Protocol.SCTP],
  ["udp-lite", Protocol.UDP_LITE],
])

/** A protocol by its name, or its IANA number. */
export const protocol = z
  .union([z.enum([...PROTOCOLS.keys()]), z.int().min(0).max(255)], {
    error: `expected a protocol: ${[...PROTOCOLS.keys()].join(", ")}, or its number from 0 to 255`,
  })
  .meta({ description: "A protocol by its name, or its IANA number." })
  .transform((named) => (typeof named === "number" ? named : (PROTOCOLS.get(named) ?? Protocol.ALL)))
