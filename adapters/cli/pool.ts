import { type Address, addressFromIpv4, formatAddress, ipv4Value, isIpv4, parseAddress } from "../../core/wire/index.ts"
import type { Read } from "./read.ts"

/** A run of IPv4 addresses: the first as a number, and how many. */
export interface Span {
  readonly first: number
  readonly count: number
}

/** 203.0.113.0/29: the first eight addresses of TEST-NET-3, for trying out (RFC 5737). */
export const DEFAULT_POOL: readonly Span[] = [{ first: 0xcb007100, count: 8 }]

/** How many addresses a pool has, some perhaps twice. */
export const poolSize = (spans: readonly Span[]): number => spans.reduce((size, { count }) => size + count, 0)

/** All addresses of a pool: look at its size first. */
export const poolAddresses = (spans: readonly Span[]): readonly Address[] =>
  spans.flatMap(({ first, count }) => Array.from({ length: count }, (_, i) => addressFromIpv4(first + i)))

/** Reads addresses, prefixes and ranges of them, with commas between: `203.0.113.0/29,198.51.100.7,198.51.100.9-198.51.100.20`. */
export const readPool = (text: string): Read<readonly Span[]> => {
  const spans: Span[] = []
  for (const part of text.split(",")) {
    const span = readSpan(part.trim())
    if (!span.ok) return span
    spans.push(span.value)
  }
  return { ok: true, value: spans }
}

const readSpan = (part: string): Read<Span> => {
  const [firstText, lastText] = part.split("-").map((piece) => piece.trim())
  const [addressText, lengthText] = firstText.split("/")
  const first = parseAddress(addressText)
  if (first === undefined) return { ok: false, text: part === "" ? "The pool is empty." : `"${part}" is no address.` }
  if (!isIpv4(first)) return { ok: false, text: `"${part}" is IPv6: a NAT44 has IPv4 addresses outside.` }
  const value = ipv4Value(first)
  if (lastText !== undefined) {
    const last = parseAddress(lastText)
    if (lengthText !== undefined || last === undefined || !isIpv4(last) || ipv4Value(last) < value)
      return { ok: false, text: `"${part}" is no range of addresses.` }
    return { ok: true, value: { first: value, count: ipv4Value(last) - value + 1 } }
  }
  if (lengthText === undefined) return { ok: true, value: { first: value, count: 1 } }
  const length = Number(lengthText)
  if (!/^\d{1,2}$/.test(lengthText) || length > 32) return { ok: false, text: `"${part}" is no prefix.` }
  const count = 2 ** (32 - length)
  if (value % count !== 0)
    return {
      ok: false,
      text: `"${part}" has bits set after its prefix: ${formatAddress(addressFromIpv4(value - (value % count)))}/${length}?`,
    }
  return { ok: true, value: { first: value, count } }
}

/** Reads `1024-65535`, or one port. */
export const readPorts = (text: string, least = 1): Read<{ readonly first: number; readonly last: number }> => {
  const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text)
  const first = Number(match?.[1])
  const last = Number(match?.[2] ?? match?.[1])
  if (match === null || first < least || last > 65535)
    return { ok: false, text: "Expected a range such as 1024-65535." }
  if (first > last) return { ok: false, text: `The range ends, at ${last}, before it starts.` }
  return { ok: true, value: { first, last } }
}
