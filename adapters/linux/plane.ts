import type { Filter, InternalEnd, Mapping } from "../../core/cgn/index.ts"

/** The one table that Sallyport has in the ruleset, in each family; it touches no other. */
export const TABLE = "sallyport"

/** One element of a set or map of the table, in nft's own notation, as `list` has it. */
export interface Element {
  readonly set: string
  readonly key: string
  /** What a map gives for the key; `undefined`: it is a set. */
  readonly data: string | undefined
}

/** What a kind of device is in the kernel: its table, and what of it a mapping is. Pure: settings in, nft's language out. */
export interface Plane {
  /** `ip` or `ip6`. */
  readonly family: "ip" | "ip6"
  /** Its sets and chains, for between the table's braces; the elements of mappings are not in it. */
  readonly body: string
  /** The sets that mappings are elements of, and those of `fixed`. */
  readonly sets: readonly string[]
  /** Those of them whose elements have a time-out. */
  readonly timed: ReadonlySet<string>
  /** Elements that are there whatever is mapped. */
  readonly fixed?: readonly Element[]
  /** What a mapping is; none for what the kernel keeps by itself. */
  elements(mapping: Mapping): readonly Element[]
  /** What the FILTERs of a MAP mapping are; none: everybody is let in. */
  filters(end: InternalEnd, filters: readonly Filter[]): readonly Element[]
  /** The connections of a mapping, which end with it; none: there can be none. */
  connections(mapping: Mapping): readonly Connections[]
}

/** Connections by what of them is known (conntrack(8)); the fields are of the direction that began. */
export interface Connections {
  readonly family: 4 | 6
  /** `undefined`: any. */
  readonly protocol: number | undefined
  readonly source?: string
  readonly sourcePort?: number
  readonly destination?: string
  readonly destinationPort?: number
  /** Where answers go: the external address of what was translated. */
  readonly answers?: string
  readonly answersPort?: number
}

/** Parts of a key with dots between, as nft has them. */
export const joined = (...parts: readonly (string | number)[]): string => parts.join(" . ")

/** Interfaces by their names, in nft's quotation marks. */
export const interfaceList = (names: readonly string[]): string => names.map((name) => `"${name}"`).join(", ")

/** What Linux allows in the name of an interface, but for what would end nft's quotation marks or be a pattern there. */
export const isInterfaceName = (name: string): boolean => /^[A-Za-z0-9_.:@-]{1,15}$/.test(name)
