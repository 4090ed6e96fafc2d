import { type Address, parseAddress } from "../../../core/wire/index.ts"

/** Something in a file that is not as it must be. `path` is where, such as `steps[3].source.address`. */
export interface Fault {
  readonly path: string
  readonly text: string
}

/** Faults that are told; a file has a thousand as easily as one. */
export const MOST_FAULTS = 20

/** Where a value stands, and what has been found wrong so far. */
export interface Spot {
  readonly path: string
  readonly faults: Fault[]
}

/** Reads a value that came from nobody knows where; `undefined`: it is not what it should be, and that was told. */
export type Reader<T> = (value: unknown, spot: Spot) => T | undefined

/** Tells a fault, and gives nothing. */
export const fault = (spot: Spot, text: string): undefined => {
  if (spot.faults.length < MOST_FAULTS) spot.faults.push({ path: spot.path, text })
  return undefined
}

/** A value as an error message can show it. */
const shown = (value: unknown): string => {
  const text =
    typeof value === "string"
      ? JSON.stringify(value)
      : Array.isArray(value)
        ? "a list"
        : `${typeof value === "object" && value !== null ? "an object" : String(value)}`
  return text.length > 60 ? `${text.slice(0, 60)}…` : text
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** Reads members of an object one by one. */
export interface Members {
  /** `fallback` for a member that is not there, or faulty: the fault was told. */
  readonly optional: <T>(name: string, reader: Reader<T>, fallback: T) => T
  /** The same; a member that is not there is a fault. */
  readonly required: <T>(name: string, reader: Reader<T>, fallback: T) => T
  readonly has: (name: string) => boolean
}

/** The members of an object, which may have none but `names`. Own ones alone count: `__proto__` is a name like any other. */
export const members = (value: unknown, spot: Spot, names: readonly string[]): Members | undefined => {
  if (!isRecord(value)) return fault(spot, `an object is expected, not ${shown(value)}`)
  for (const name of Object.keys(value)) if (!names.includes(name)) fault(spot, `there is no member ${shown(name)}`)
  const has = (name: string): boolean => Object.hasOwn(value, name) && value[name] !== undefined
  const read = <T>(name: string, reader: Reader<T>, fallback: T): T =>
    reader(value[name], { path: spot.path === "" ? name : `${spot.path}.${name}`, faults: spot.faults }) ?? fallback
  return {
    has,
    optional: (name, reader, fallback) => (has(name) ? read(name, reader, fallback) : fallback),
    required: (name, reader, fallback) => {
      if (has(name)) return read(name, reader, fallback)
      fault(spot, `the member ${name} is missing`)
      return fallback
    },
  }
}

/** Items that are read between two reports of progress. */
const EVERY = 1024

/** Reads a list of at most so many item by item; yields how many it has read. */
export function* listInSteps<T>(
  reader: Reader<T>,
  most: number,
  value: unknown,
  spot: Spot,
): Generator<number, readonly T[] | undefined> {
  if (!Array.isArray(value)) return fault(spot, `a list is expected, not ${shown(value)}`)
  if (value.length > most) return fault(spot, `at most ${most} are taken, these are ${value.length}`)
  const read: T[] = []
  for (const [i, item] of value.entries()) {
    const one = reader(item, { path: `${spot.path}[${i}]`, faults: spot.faults })
    if (one !== undefined) read.push(one)
    if ((i + 1) % EVERY === 0) yield i + 1
  }
  return read
}

/** A list of at most so many. */
export const listOf =
  <T>(reader: Reader<T>, most: number): Reader<readonly T[]> =>
  (value, spot) => {
    const steps = listInSteps(reader, most, value, spot)
    let step = steps.next()
    while (step.done !== true) step = steps.next()
    return step.value
  }

/** A whole number between two bounds. */
export const whole =
  (least: number, most: number): Reader<number> =>
  (value, spot) =>
    typeof value === "number" && Number.isInteger(value) && value >= least && value <= most
      ? value
      : fault(spot, `a whole number from ${least} to ${most} is expected, not ${shown(value)}`)

/** A number between two bounds, perhaps with a fraction. */
export const between =
  (least: number, most: number): Reader<number> =>
  (value, spot) =>
    typeof value === "number" && value >= least && value <= most
      ? value
      : fault(spot, `a number from ${least} to ${most} is expected, not ${shown(value)}`)

export const truth: Reader<boolean> = (value, spot) =>
  typeof value === "boolean" ? value : fault(spot, `true or false is expected, not ${shown(value)}`)

/** A text of at most so many UTF-16 units. */
export const text =
  (most: number): Reader<string> =>
  (value, spot) => {
    if (typeof value !== "string") return fault(spot, `a text is expected, not ${shown(value)}`)
    return value.length <= most ? value : fault(spot, `a text of at most ${most} characters is expected`)
  }

/** One of some words. */
export const oneOf =
  <const T extends string>(words: readonly T[]): Reader<T> =>
  (value, spot) =>
    words.find((word) => word === value) ?? fault(spot, `one of ${words.join(", ")} is expected, not ${shown(value)}`)

export const addressText: Reader<Address> = (value, spot) =>
  (typeof value === "string" && value.length < 64 ? parseAddress(value) : undefined) ??
  fault(spot, `an address is expected, not ${shown(value)}`)

/** Octets in hex, at most so many. */
export const hexOctets =
  (most: number): Reader<Uint8Array> =>
  (value, spot) => {
    if (typeof value !== "string" || value.length > 2 * most || value.length % 2 !== 0 || !/^[\da-f]*$/i.test(value))
      return fault(spot, `hex digits of at most ${most} octets are expected, not ${shown(value)}`)
    const octets = new Uint8Array(value.length / 2)
    for (let i = 0; i < octets.length; i++) octets[i] = Number.parseInt(value.slice(2 * i, 2 * i + 2), 16)
    return octets
  }
