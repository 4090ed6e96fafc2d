import type { InternalEnd } from "../../core/cgn/index.ts"
import type { Address } from "../../core/wire/index.ts"
import type { Tracked, Tuple } from "./ctnetlink.ts"

/** Connections through mappings, by the internal ends that they are of. */
export interface Live {
  /** How many internal ends have any. */
  size(): number
  has(end: InternalEnd): boolean
  /** The newest of an internal end, by the direction that began, newest first. */
  of(end: InternalEnd): readonly Tuple[]
  ends(): Iterable<string>
  began(connection: Tracked): void
  ended(connection: Tracked): void
  /** The kernel knows nothing of it. */
  forget(end: InternalEnd, tuple: Tuple): void
}

/** Connections of one internal end that are kept: as many as a deletion asks the kernel for. */
export const NEWEST = 64
/** Connections that are kept in all: some 300 octets each. */
const MOST = 1 << 17

/** Which internal ends a connection is of; none: it is not of any mapping. */
export type EndsOf = (connection: Tracked) => readonly string[]

export const endKey = (protocol: number, internal: Address, internalPort: number): string =>
  `${protocol} ${internalPort} ${internal}`
export const tupleKey = ({ protocol, source, sourcePort, destination, destinationPort }: Tuple): string =>
  `${protocol} ${sourcePort} ${destinationPort} ${source} ${destination}`

/**
 * The table of connections as the kernel's events tell of them. Bounded: of more than {@link NEWEST} of an internal end, or
 * `most` in all, the oldest are forgotten.
 */
export const createLive = (endsOf: EndsOf, most: number = MOST): Live => {
  // In the order in which the ends had their newest connection: the first is the oldest.
  const byEnd = new Map<string, Map<string, Tuple>>()
  let count = 0
  const drop = (key: string, known: Map<string, Tuple>, tuple: string): void => {
    if (!known.delete(tuple)) return
    count--
    if (known.size === 0) byEnd.delete(key)
  }
  const dropOldest = (key: string, known: Map<string, Tuple>): void => {
    for (const tuple of known.keys()) {
      drop(key, known, tuple)
      return
    }
  }
  return {
    size: () => byEnd.size,
    has: ({ protocol, internal, internalPort }) => byEnd.has(endKey(protocol, internal, internalPort)),
    of: ({ protocol, internal, internalPort }) =>
      [...(byEnd.get(endKey(protocol, internal, internalPort))?.values() ?? [])].reverse(),
    ends: () => byEnd.keys(),
    began: (connection) => {
      for (const key of endsOf(connection)) {
        const known = byEnd.get(key) ?? new Map<string, Tuple>()
        const tuple = tupleKey(connection.original)
        if (known.delete(tuple)) count--
        known.set(tuple, connection.original)
        count++
        byEnd.delete(key)
        byEnd.set(key, known)
        if (known.size > NEWEST) dropOldest(key, known)
        if (count <= most) continue
        for (const [oldest, its] of byEnd) {
          dropOldest(oldest, its)
          break
        }
      }
    },
    ended: (connection) => {
      for (const key of endsOf(connection)) {
        const known = byEnd.get(key)
        if (known !== undefined) drop(key, known, tupleKey(connection.original))
      }
    },
    forget: ({ protocol, internal, internalPort }, tuple) => {
      const key = endKey(protocol, internal, internalPort)
      const known = byEnd.get(key)
      if (known !== undefined) drop(key, known, tupleKey(tuple))
    },
  }
}
