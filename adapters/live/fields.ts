/** An object of JSON, whatever its fields are. */
export type Fields = Readonly<Record<string, unknown>>

const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value)

export const fieldsOf = (value: unknown): Fields | undefined => (isFields(value) ? value : undefined)

/** A whole number from 0 to `most`. */
export const numberIn = (value: unknown, most = Number.MAX_SAFE_INTEGER): number | undefined =>
  typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= most ? value : undefined

/** An instant, milliseconds: no whole number, as clocks are finer. */
export const instantIn = (value: unknown): number | undefined =>
  typeof value === "number" && value >= 0 && value < Number.MAX_VALUE ? value : undefined

export const oneOf = <T extends string>(value: unknown, all: readonly T[]): T | undefined =>
  all.find((one) => one === value)

/** A list all of whose items can be read. */
export const listOf = <T>(value: unknown, read: (item: unknown) => T | undefined): readonly T[] | undefined => {
  if (!Array.isArray(value)) return undefined
  const items: T[] = []
  for (const item of value) {
    const known = read(item)
    if (known === undefined) return undefined
    items.push(known)
  }
  return items
}
