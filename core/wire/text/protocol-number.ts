import { protocolKeyword } from "../protocol-names.ts"

/** What systems and people call some of them besides. */
const ALIASES: ReadonlyMap<string, number> = new Map([
  ["ipencap", 4],
  ["icmpv6", 58],
  ["ospf", 89],
  ["udp-lite", 136],
])

const DECIMAL = /^(?:0|[1-9]\d{0,2})$/

/**
 * The number of a protocol by its keyword in IANA's registry, in either case, or by the number itself in decimal, 0 to 255; `undefined`
 * for anything else. In PCP 0 is all protocols (RFC 6887 section 11.1), not the registry's HOPOPT.
 */
export const protocolNumber = (text: string): number | undefined => {
  if (DECIMAL.test(text)) return Number(text) <= 255 ? Number(text) : undefined
  const name = text.toLowerCase()
  for (let number = 0; number < 256; number++) if (protocolKeyword(number)?.toLowerCase() === name) return number
  return ALIASES.get(name)
}
