import type { Change, InternalEnd, Mapping } from "../../core/cgn/index.ts"
import type { Address } from "../../core/wire/index.ts"
import type { Tuple } from "./ctnetlink.ts"
import { endKey, tupleKey } from "./live.ts"

/**
 * PEER mappings of connections that the kernel had before, with the external end that it gave them: one for each connection, and
 * known here alone. The CGN has no place for them: the kernel gives the same external port to several hosts for different remote peers.
 */
export interface Adopted {
  size(): number
  /** The mapping of the connection that began so. */
  of(original: Tuple): Mapping | undefined
  all(): Iterable<Mapping>
  /** How many a host has. */
  countOf(internal: Address): number
  /** Has an internal end any? */
  has(end: InternalEnd): boolean
  /** Changes are in force. */
  fold(changes: readonly Change[]): void
  /** Changes are answered for, though not in force: until {@link settle} they count for what is asked meanwhile. */
  promise(changes: readonly Change[]): void
  /** What was promised is in force now, and told by {@link fold}, or is not. */
  settle(): void
}

/** The direction that began of a PEER mapping's connection; `undefined`: it is none. */
export const tupleOf = ({ kind, protocol, internal, internalPort, remote, remotePort }: Mapping): Tuple | undefined =>
  kind !== "peer" || remote === undefined
    ? undefined
    : { protocol, source: internal, sourcePort: internalPort, destination: remote, destinationPort: remotePort }

/** @param isKernels Did the kernel choose this mapping's external end? */
export const createAdopted = (isKernels: (mapping: Mapping) => boolean): Adopted => {
  const all = new Map<string, Mapping>()
  const byHost = new Map<Address, number>()
  const byEnd = new Map<string, number>()
  const count = <K>(counts: Map<K, number>, key: K, by: 1 | -1): void => {
    const sum = (counts.get(key) ?? 0) + by
    if (sum === 0) counts.delete(key)
    else counts.set(key, sum)
  }
  const counted = ({ protocol, internal, internalPort }: Mapping, by: 1 | -1): void => {
    count(byHost, internal, by)
    count(byEnd, endKey(protocol, internal, internalPort), by)
  }
  /** What there was before promises. */
  const before = new Map<string, Mapping | undefined>()
  const put = (key: string, mapping: Mapping | undefined): void => {
    const had = all.get(key)
    if (had !== undefined) counted(had, -1)
    if (mapping === undefined) all.delete(key)
    else {
      counted(mapping, 1)
      all.set(key, mapping)
    }
  }
  const fold = (changes: readonly Change[], keep: (key: string) => void): void => {
    for (const change of changes) {
      if (!("mapping" in change)) continue
      const { mapping } = change
      const tuple = tupleOf(mapping)
      if (tuple === undefined) continue
      const key = tupleKey(tuple)
      const isThere = change.type === "created" || change.type === "renewed"
      // One that ends does so also where the kernel chooses other ends by now.
      if (isThere ? !isKernels(mapping) : !isSameEnd(all.get(key), mapping)) continue
      keep(key)
      put(key, isThere ? mapping : undefined)
    }
  }
  return {
    size: () => all.size,
    of: (original) => all.get(tupleKey(original)),
    all: () => all.values(),
    countOf: (internal) => byHost.get(internal) ?? 0,
    has: ({ protocol, internal, internalPort }) => byEnd.has(endKey(protocol, internal, internalPort)),
    fold: (changes) => fold(changes, () => {}),
    promise: (changes) =>
      fold(changes, (key) => {
        if (!before.has(key)) before.set(key, all.get(key))
      }),
    settle: () => {
      for (const [key, mapping] of before) put(key, mapping)
      before.clear()
    },
  }
}

const isSameEnd = (one: Mapping | undefined, { external, externalPort }: Mapping): boolean =>
  one?.external === external && one.externalPort === externalPort
