import { type AddressFamily, familyOf, formatAddress } from "../../wire/index.ts"
import type { Prefix, Rule } from "../rule.ts"

/** What a firewall is made from. */
export interface FirewallSettings {
  /** Of the addresses on both sides: an IPv4 and an IPv6 firewall are two. */
  readonly family: AddressFamily
  /** Where internal hosts are; IPv4 prefixes have 96 to 128 bits. Default: any address of the family. */
  readonly inside?: readonly Prefix[]
  /** Mappings of one host. Default 1024: RFC 6887 section 11.3 recommends a limit; 0 is none. */
  readonly quota?: number
  /** FILTERs of one mapping, at least 1. Default 43: as many as a request has room for (RFC 6887 section 13.3). */
  readonly filterLimit?: number
  /** Permission rules in order; the first that matches decides. Default none: all is allowed. */
  readonly rules?: readonly Rule[]
  /** 32 octets of entropy: who knows them can make the tables slow. */
  readonly secret: Uint8Array
  /** The present on the caller's monotonic clock, milliseconds. */
  readonly now: number
}

/** Settings with their defaults, and without the secret, which nothing needs any more. */
export type FirewallConfig = Required<Omit<FirewallSettings, "secret">>

export interface FirewallSettingsError {
  readonly code: "bad-prefix" | "bad-quota" | "bad-filters" | "bad-secret"
  /** One sentence for people. */
  readonly text: string
}

/** The first rule that the settings break, or `undefined`. */
export const checkFirewall = (settings: FirewallSettings): FirewallSettingsError | undefined => {
  const { family, inside = [], quota = 0, filterLimit = 1, secret } = settings
  for (const { address, prefixLength } of inside) {
    const least = family === "ipv4" ? 96 : 0
    if (familyOf(address) !== family || !Number.isInteger(prefixLength) || prefixLength < least || prefixLength > 128)
      return { code: "bad-prefix", text: `${formatAddress(address)}/${prefixLength} is no prefix of ${family}` }
  }
  if (!isCount(quota))
    return { code: "bad-quota", text: "the quota must be 0 (no limit) or a whole number up to 2^31-1" }
  if (!isCount(filterLimit) || filterLimit < 1)
    return { code: "bad-filters", text: "at least one filter a mapping must be supported (RFC 6887 section 13.3)" }
  if (secret.length !== 32) return { code: "bad-secret", text: "the secret must be 32 octets" }
  return undefined
}

const isCount = (value: number): boolean => Number.isInteger(value) && value >= 0 && value <= 0x7fffffff
