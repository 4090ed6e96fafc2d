import type { Address } from "./address.ts"
import { addressWord, formatMapped, isAny, isIpv4 } from "./address.ts"
import type { Report } from "./finding.ts"
import type { AddressFamily } from "./profile.ts"

/** IPv4 is what is IPv4-mapped (RFC 6887 section 5). */
export const familyOf = (address: Address): AddressFamily => (isIpv4(address) ? "ipv4" : "ipv6")

/** For people: `IPv4`. */
export const familyName = (family: AddressFamily): string => (family === "ipv4" ? "IPv4" : "IPv6")

/** Multicast of either family (RFC 5771, RFC 4291 section 2.7). */
export const isMulticast = (address: Address): boolean =>
  isIpv4(address) ? addressWord(address, 3) >>> 28 === 0xe : addressWord(address, 0) >>> 24 === 0xff

/** 127.0.0.0/8 or ::1. */
export const isLoopback = (address: Address): boolean =>
  isIpv4(address) ? addressWord(address, 3) >>> 24 === 127 : isLowOnly(address) && addressWord(address, 3) === 1

/** No one host that can be reached from elsewhere has it. */
export const isNoHost = (address: Address): boolean => isAny(address) || isMulticast(address) || isLoopback(address)

const isLowOnly = (address: Address): boolean =>
  addressWord(address, 0) === 0 && addressWord(address, 1) === 0 && addressWord(address, 2) === 0

/**
 * An address with the first 96 bits zero is one of the old IPv4-compatible ones, which nobody uses: an implementation that forgot the `ffff`, or
 * that looks at too few bits (RFC 6887 section 5, B-01).
 */
export const validateMappedForm = (address: Address, offset: number, field: string, report: Report): void => {
  const low = addressWord(address, 3)
  if (!isLowOnly(address) || low === 0 || low === 1) return
  const text = `${field} ${formatMapped(address)} is IPv6: an IPv4 address would be ::ffff:a.b.c.d`
  report("warning", "ipv4-compatible", offset, "RFC 6887 5", text)
}
