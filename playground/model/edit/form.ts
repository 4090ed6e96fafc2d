import type { PcpOption } from "../../../core/wire/index.ts"
import { mistyped, type Typed, typed } from "./edited.ts"
import { typedAddress, typedNumber, typedOctets, typedPrefix, typedProtocol, typedSeconds, typedText } from "./typed.ts"

/** How an entry of a form is typed. */
export type EntryType = "address" | "prefix" | "port" | "protocol" | "seconds" | "number" | "octets" | "text" | "flag"

/** One entry of a form. */
export interface FormEntry {
  readonly name: string
  readonly label: string
  readonly type: EntryType
  readonly value: string
}

/** What was typed, by the names of entries; what is left out has the entry's own value. */
export type FormValues = Readonly<Record<string, string>>

/** What is wrong with an entry. */
export interface FormFault {
  readonly entry: string
  readonly text: string
}

export const entry = (name: string, label: string, type: EntryType, value: string): FormEntry => ({
  name,
  label,
  type,
  value,
})

/** Reads entries one by one and gathers what is wrong; a faulty entry reads as `fallback` so that all faults show at once. */
export interface FormReader {
  readonly faults: FormFault[]
  readonly read: <T>(name: string, parse: (text: string) => Typed<T>, fallback: T) => T
}

/** A reader of what was typed for these entries; `prefix` is put before their names in faults. */
export const formReader = (entries: readonly FormEntry[], values: FormValues, prefix = ""): FormReader => {
  const faults: FormFault[] = []
  const textOf = (name: string): string => {
    const given = Object.hasOwn(values, name) ? values[name] : undefined
    return given ?? entries.find((one) => one.name === name)?.value ?? ""
  }
  const read = <T>(name: string, parse: (text: string) => Typed<T>, fallback: T): T => {
    const value = parse(textOf(name))
    if (value.ok) return value.value
    faults.push({ entry: `${prefix}${name}`, text: value.text })
    return fallback
  }
  return { faults, read }
}

export const port = (text: string): Typed<number> => typedNumber(text, 0xffff)
export const octet = (text: string): Typed<number> => typedNumber(text, 0xff)
export const word = (text: string): Typed<number> => typedNumber(text, 0xffffffff)
export const flag = (text: string): Typed<boolean> => typed(/^(?:1|true|yes|on|set)$/i.test(text.trim()))
export const anyOctets = (text: string): Typed<Uint8Array> => typedOctets(text)
const ofOctets =
  (length: number) =>
  (text: string): Typed<Uint8Array> =>
    typedOctets(text, length)
export const unicode = (text: string): Typed<string> => {
  const octets = typedText(text)
  return octets.ok ? typed(text) : octets
}
export { ofOctets, typedAddress, typedProtocol, typedSeconds }

/** A FILTER's prefix in the 128 bits of the wire; `none` removes all filters. */
export const filterPrefix = (text: string): Typed<{ readonly address: string; readonly bits: number }> => {
  if (text.trim() === "none") return typed({ address: "::", bits: 0 })
  const prefix = typedPrefix(text)
  if (!prefix.ok) return mistyped(`${prefix.text}; none removes all filters`)
  const ipv4 = !text.includes(":")
  return typed({ address: text.trim().split("/")[0], bits: prefix.value.length + (ipv4 ? 96 : 0) })
}

/** An option as a form: its entries, and how they make it. */
export interface OptionForm {
  readonly kind: PcpOption["kind"]
  readonly entries: readonly FormEntry[]
  readonly make: (reader: FormReader) => PcpOption
}
