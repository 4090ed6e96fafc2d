import { parseAddress } from "../../core/wire/index.ts"
import { familyOf } from "../address-text.ts"
import type { Tracked } from "./ctnetlink.ts"
import type { Connections } from "./plane.ts"

/** Finds out of many connections those that are named; as fast for ten thousand names as for one. */
export interface Named {
  /** The families that any of them is of. */
  readonly families: readonly (4 | 6)[]
  has(connection: Tracked): boolean
}

/** What of a connection is known by some names: one way to look it up. */
interface Shape {
  readonly parts: readonly Part[]
  readonly keys: Set<string>
}

type Part = (typeof PARTS)[number]
const PARTS = [
  "protocol",
  "source",
  "sourcePort",
  "destination",
  "destinationPort",
  "answers",
  "answersPort",
] as const satisfies readonly (keyof Connections)[]

/** The connections that any of these names; a name with something that is no address names none. */
export const namedBy = (all: readonly Connections[]): Named => {
  const shapes = new Map<string, Shape>()
  const families = new Set<4 | 6>()
  for (const one of all) {
    families.add(one.family)
    const parts = PARTS.filter((part) => one[part] !== undefined)
    const name = parts.join()
    const shape = shapes.get(name) ?? { parts, keys: new Set() }
    shapes.set(name, shape)
    shape.keys.add(keyOf(one.family, parts, (part) => asTracked(one[part])))
  }
  return {
    families: [...families],
    has: (connection) => {
      const family = familyOf(connection.original.source)
      for (const { parts, keys } of shapes.values())
        if (keys.has(keyOf(family, parts, (part) => partOf(connection, part)))) return true
      return false
    },
  }
}

/** A value as connections have it: an address not as text. */
const asTracked = (value: string | number | undefined): string | number | undefined =>
  typeof value === "string" ? parseAddress(value) : value

const partOf = ({ original, reply }: Tracked, part: Part): string | number => {
  switch (part) {
    case "protocol":
      return original.protocol
    case "source":
      return original.source
    case "sourcePort":
      return original.sourcePort
    case "destination":
      return original.destination
    case "destinationPort":
      return original.destinationPort
    case "answers":
      return reply.destination
    case "answersPort":
      return reply.destinationPort
  }
}

const keyOf = (family: 4 | 6, parts: readonly Part[], value: (part: Part) => string | number | undefined): string => {
  let key = `${family}`
  for (const part of parts) key += ` ${value(part)}`
  return key
}
