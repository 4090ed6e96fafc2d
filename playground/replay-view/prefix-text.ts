import type { Prefix } from "../../core/cgn/index.ts"
import { type Address, formatAddress, isIpv4, parseAddress } from "../../core/wire/index.ts"

/** `192.0.2.0/24`, `2001:db8::/32`: as people write prefixes, whose lengths of IPv4 count from 96 in the core. */
export const prefixText = ({ address, prefixLength }: Prefix): string =>
  `${formatAddress(address)}/${isIpv4(address) ? prefixLength - 96 : prefixLength}`

/** The prefix of a text; `undefined`: it is none. */
export const prefixOf = (text: string): Prefix | undefined => {
  const match = /^([\da-fA-F:.]{2,45})\/(\d{1,3})$/.exec(text)
  const address = match === null ? undefined : parseAddress(match[1])
  if (match === null || address === undefined) return undefined
  const bits = Number(match[2])
  const [most, extra] = isIpv4(address) ? [32, 96] : [128, 0]
  return bits <= most ? { address, prefixLength: bits + extra } : undefined
}

/** A list by commas or blanks; `undefined`: one of its parts is not what it should be. */
export const listOf = <T>(text: string, read: (part: string) => T | undefined): readonly T[] | undefined => {
  const parts = text.split(/[\s,]+/).filter((part) => part !== "")
  const found = parts.map(read).filter((one): one is T & {} => one !== undefined)
  return found.length === parts.length ? found : undefined
}

/** Two things with an equals sign between them. */
export const pairOf = <T>(text: string, read: (part: string) => T | undefined): readonly [T, T] | undefined => {
  const [one, other, ...more] = text.split("=").map(read)
  return one === undefined || other === undefined || more.length > 0 ? undefined : [one, other]
}

export const addressesText = (addresses: readonly Address[]): string => addresses.map(formatAddress).join(", ")
