import { sliceOctets, u32 } from "../../wire/index.ts"
import { endsEarly, type OverlayParsed, readAs, unread } from "../parsed.ts"

/** A value of a name-value list. Numbers are unsigned; one of 64 bits is up to 2^53 - 1 here. */
export type NvValue =
  | { readonly type: "uint16" | "uint32" | "uint64"; readonly value: number }
  | { readonly type: "string"; readonly text: string }
  | { readonly type: "nvlist"; readonly pairs: NvList }

/** Pairs in their order, each name once. */
export type NvList = ReadonlyMap<string, NvValue>

/** `data_type_t` of those that are used here. */
const TYPES = { uint16: 4, uint32: 6, uint64: 8, string: 9, nvlist: 19 } as const
/** Octets of a value in memory, by which the list says how large it becomes: `nvlist_t` has 24. */
const NATIVE = { uint16: 2, uint32: 4, uint64: 8, nvlist: 24 } as const

/** What a packed list begins with: the encoding XDR (1), the order of octets of who wrote it (1: little), two reserved. */
const HEAD: readonly number[] = [1, 1, 0, 0]
/** `NV_UNIQUE_NAME`. */
const UNIQUE = 1
/** Lists within lists that are read; what is kept here has one. */
const DEEPEST = 8
const CLAUSE = "libnvpair XDR"

const roundUp = (octets: number, unit: number): number => Math.ceil(octets / unit) * unit
const word = (value: number): readonly number[] => [
  value >>> 24,
  (value >>> 16) & 255,
  (value >>> 8) & 255,
  value & 255,
]
/** XDR's string (RFC 4506 section 4.11): its length, its octets, and zeros up to a multiple of 4. */
const text = (octets: Uint8Array): readonly number[] => [
  ...word(octets.length),
  ...octets,
  ...new Uint8Array(roundUp(octets.length, 4) - octets.length),
]
const utf8 = (given: string): Uint8Array => new TextEncoder().encode(given)

const pair = (name: string, value: NvValue): readonly number[] => {
  const named = utf8(name)
  const body = [...text(named), ...word(TYPES[value.type]), ...word(1), ...dataOf(value)]
  const size = value.type === "string" ? utf8(value.text).length + 1 : NATIVE[value.type]
  // `nvpair_t` has 16 octets before its name, which has a NUL.
  return [...word(8 + body.length), ...word(roundUp(16 + named.length + 1, 8) + roundUp(size, 8)), ...body]
}

const dataOf = (value: NvValue): readonly number[] => {
  switch (value.type) {
    case "string":
      return text(utf8(value.text))
    case "nvlist":
      return listOf(value.pairs)
    case "uint64":
      return [...word(Math.floor(value.value / 2 ** 32)), ...word(value.value % 2 ** 32)]
    default:
      return word(value.value)
  }
}

const listOf = (pairs: NvList): readonly number[] => [
  ...word(0),
  ...word(UNIQUE),
  ...[...pairs].flatMap(([name, value]) => pair(name, value)),
  ...word(0),
  ...word(0),
]

/**
 * A list as `nvlist_pack` with `NV_ENCODE_XDR` writes it: encoding 1, order of octets 1, reserved 2, and the list: version 4 | flags 4 |
 * pairs | 8 zeros. A pair: its octets here 4 | in memory 4 | name | type 4 | elements 4 | value. The caller gives numbers that fit.
 */
export const packNvlist = (pairs: NvList): Uint8Array => Uint8Array.from([...HEAD, ...listOf(pairs)])

interface Reading {
  readonly bytes: Uint8Array
  readonly end: number
  at: number
}

/** Reads one packed list, which is all there is. Only XDR, and only types that are used here. */
export const unpackNvlist = (bytes: Uint8Array): OverlayParsed<NvList> => {
  if (bytes.length < HEAD.length) return endsEarly(bytes, "the head of a list", HEAD.length, CLAUSE)
  if (bytes[0] !== 1) return unread("value", 0, CLAUSE, `a list of encoding ${bytes[0]}, not XDR (1)`)
  const reading: Reading = { bytes, end: bytes.length, at: HEAD.length }
  const list = readList(reading, DEEPEST)
  if (!list.ok || reading.at === bytes.length) return list
  return unread("length", reading.at, CLAUSE, `${bytes.length - reading.at} octets behind the list`)
}

const cut = ({ at }: Reading) => unread("too-short", at, CLAUSE, "the list ends early")

const readList = (reading: Reading, depth: number): OverlayParsed<NvList> => {
  if (reading.at + 8 > reading.end) return cut(reading)
  const version = u32(reading.bytes, reading.at)
  if (version !== 0) return unread("version", reading.at, CLAUSE, `a list of version ${version}`)
  reading.at += 8
  const pairs = new Map<string, NvValue>()
  for (;;) {
    if (reading.at + 8 > reading.end) return cut(reading)
    const from = reading.at
    const size = u32(reading.bytes, from)
    reading.at += 8
    if (size === 0 && u32(reading.bytes, from + 4) === 0) return readAs(pairs)
    if (size < 8 || from + size > reading.end) return unread("length", from, CLAUSE, `a pair of ${size} octets`)
    const inner: Reading = { bytes: reading.bytes, end: from + size, at: reading.at }
    const name = readText(inner)
    if (!name.ok) return name
    if (pairs.has(name.value)) return unread("value", from, CLAUSE, `${JSON.stringify(name.value)} is there twice`)
    const value = readValue(inner, depth)
    if (!value.ok) return value
    if (inner.at !== inner.end) return unread("length", from, CLAUSE, `a pair of ${size} octets`)
    pairs.set(name.value, value.value)
    reading.at = inner.end
  }
}

const readText = (reading: Reading): OverlayParsed<string> => {
  const { bytes, at, end } = reading
  if (at + 4 > end) return cut(reading)
  const length = u32(bytes, at)
  if (at + 4 + roundUp(length, 4) > end) return cut(reading)
  reading.at = at + 4 + roundUp(length, 4)
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(
      sliceOctets(bytes, at + 4, at + 4 + length),
    )
    return readAs(text)
  } catch {
    return unread("value", at + 4, CLAUSE, "a text that is no UTF-8")
  }
}

const readValue = (reading: Reading, depth: number): OverlayParsed<NvValue> => {
  const { bytes, at, end } = reading
  if (at + 8 > end) return cut(reading)
  const [type, count] = [u32(bytes, at), u32(bytes, at + 4)]
  if (count !== 1) return unread("value", at + 4, CLAUSE, `a pair of ${count} elements`)
  reading.at = at + 8
  switch (type) {
    case TYPES.string: {
      const text = readText(reading)
      return text.ok ? readAs({ type: "string", text: text.value }) : text
    }
    case TYPES.nvlist: {
      if (depth === 0) return unread("value", at, CLAUSE, "lists within lists within lists")
      const pairs = readList(reading, depth - 1)
      return pairs.ok ? readAs({ type: "nvlist", pairs: pairs.value }) : pairs
    }
    case TYPES.uint64: {
      if (at + 16 > end) return cut(reading)
      reading.at = at + 16
      const value = u32(bytes, at + 8) * 2 ** 32 + u32(bytes, at + 12)
      return Number.isSafeInteger(value)
        ? readAs({ type: "uint64", value })
        : unread("value", at + 8, CLAUSE, "a number of 2^53 or more")
    }
    case TYPES.uint16:
    case TYPES.uint32: {
      if (at + 12 > end) return cut(reading)
      reading.at = at + 12
      const value = u32(bytes, at + 8)
      if (type === TYPES.uint32) return readAs({ type: "uint32", value })
      return value <= 0xffff
        ? readAs({ type: "uint16", value })
        : unread("value", at + 8, CLAUSE, `${value} does not fit 16 bits`)
    }
    default:
      return unread("value", at, CLAUSE, `a pair of type ${type}`)
  }
}
