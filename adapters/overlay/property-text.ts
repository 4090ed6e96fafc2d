import {
  ipOctets,
  ipOf,
  type Outcome,
  type PropertyInfo,
  PropertyLimit,
  stringOctets,
  stringOf,
  uintOctets,
  uintOf,
} from "../../core/overlay/index.ts"
import { formatAddress, parseAddress } from "../../core/wire/index.ts"

/**
 * The octets of a property that people wrote, by its type: a decimal number, an address of either family, or any text whose UTF-8 octets
 * with a NUL are 256 at most. EINVAL for anything else.
 */
export const readProperty = ({ name, type }: PropertyInfo, text: string): Outcome<Uint8Array> => {
  const wrong = (what: string): Outcome<never> => ({ ok: false, error: "EINVAL", text: `${name}: ${what}` })
  switch (type) {
    case "int":
    case "uint": {
      const value = Number(text)
      const isNumber = /^\d{1,16}$/.test(text) && Number.isSafeInteger(value)
      return isNumber ? { ok: true, value: uintOctets(value) } : wrong(`"${text}" is no whole number`)
    }
    case "ip": {
      const address = parseAddress(text)
      return address === undefined ? wrong(`"${text}" is no address`) : { ok: true, value: ipOctets(address) }
    }
    case "string": {
      const octets = stringOctets(text)
      const fits = octets.length <= PropertyLimit.VALUE && !text.includes("\0")
      return fits
        ? { ok: true, value: octets }
        : wrong(`a text has ${PropertyLimit.VALUE - 1} octets at most, and no NUL`)
    }
  }
}

/** What {@link readProperty} reads; empty: not set. */
export const formatProperty = ({ type }: PropertyInfo, octets: Uint8Array): string => {
  if (octets.length === 0) return ""
  if (type === "string") return stringOf(octets)
  const value = type === "ip" ? ipOf(octets) : uintOf(octets)
  if (!value.ok) return ""
  return typeof value.value === "number" ? String(value.value) : formatAddress(value.value)
}
