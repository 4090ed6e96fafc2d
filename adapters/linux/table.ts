import type { Change, Filter, InternalEnd, Mapping } from "../../core/cgn/index.ts"
import { type Address, formatAddress } from "../../core/wire/index.ts"
import { type Batch, createBatch, elementText, type Wanted } from "./batch.ts"
import type { Nft, NftResult } from "./nft.ts"
import { type Connections, type Element, type Plane, TABLE } from "./plane.ts"

/** What the table is to hold at an instant: a server's state. */
export interface Contents {
  readonly mappings: Iterable<Mapping>
  /** The FILTERs of a MAP mapping. */
  filters(end: InternalEnd): readonly Filter[]
}

/** Changes that the kernel took, or refused all of. */
export type Applied =
  | {
      readonly ok: true
      /** Connections of mappings that are there no longer. */
      readonly ended: readonly Connections[]
    }
  | { readonly ok: false; readonly text: string }

/** Sallyport's table in the kernel. Nothing else in the ruleset is touched, or looked at. */
export interface KernelTable {
  /** Puts the whole table in place of the one that is there, in one transaction: no packet sees less than one of them. */
  build(contents: Contents, now: number): NftResult
  /** Puts changes in force, all or none. */
  apply(changes: readonly Change[], now: number): Applied
  /** Takes the table away; it is no error that it is gone. */
  remove(): NftResult
  /** Is the table there with all its sets and rules, and nothing more? Says nothing of the sets' elements. */
  isWhole(): boolean
  /** Goes up with each transaction. */
  version(): number
  /** What the table holds as the server knows it, by set and key, joined by a blank. */
  wanted(contents: Contents, now: number): ReadonlyMap<string, Wanted>
  /** Puts elements in and takes elements out, whatever the kernel has of them. */
  mend(put: readonly Wanted[], gone: readonly Element[]): NftResult
}

/** Octets of one command: libnftables reads a line as a whole. */
const ELEMENTS_A_LINE = 10_000

/** @param plane What the kind of device is in the kernel. */
export const createTable = (nft: Nft, plane: Plane): KernelTable => {
  const { family } = plane
  // A change of filters says the new ones alone: these are what the kernel has, by the internal end.
  let filtered = new Map<string, readonly Element[]>()
  let version = 0
  // As nft lists it, which is not as it was written.
  let frame: string | undefined

  const run = (commands: string): NftResult => {
    version++
    return nft.run(commands)
  }

  /** One transaction; nothing to do is done. */
  const put = (batch: Batch): NftResult => {
    const changes = batch.changes()
    if (changes.gone.length + changes.put.length === 0) return { ok: true, output: "" }
    const done = nft.elements?.(plane, changes)
    if (done === undefined) return run(batch.commands())
    version++
    return done
  }

  const listed = (): string | undefined => {
    const done = nft.terse(`list table ${family} ${TABLE}`)
    return done.ok ? done.output : undefined
  }

  const filterElements = (contents: Contents, mapping: Mapping): readonly Element[] =>
    mapping.kind === "map" ? plane.filters(mapping, contents.filters(mapping)) : []

  return {
    build: (contents, now) => {
      const fresh = new Map<string, readonly Element[]>()
      const bySet = new Map<string, string[]>(plane.sets.map((set) => [set, []]))
      for (const element of plane.fixed ?? []) bySet.get(element.set)?.push(elementText(element, undefined))
      for (const mapping of contents.mappings) {
        const left = leftOf(mapping, now)
        for (const element of plane.elements(mapping))
          bySet.get(element.set)?.push(elementText(element, plane.timed.has(element.set) ? left : undefined))
        const elements = filterElements(contents, mapping)
        if (elements.length === 0) continue
        fresh.set(endKey(mapping), elements)
        for (const element of elements) bySet.get(element.set)?.push(elementText(element, undefined))
      }
      const lines: string[] = []
      for (const [set, texts] of bySet)
        for (let at = 0; at < texts.length; at += ELEMENTS_A_LINE)
          lines.push(`add element ${family} ${TABLE} ${set} { ${texts.slice(at, at + ELEMENTS_A_LINE).join(", ")} }\n`)
      // Added first, so that there is one to delete.
      const anew = `add table ${family} ${TABLE}\ndelete table ${family} ${TABLE}\n`
      const done = run(`${anew}table ${family} ${TABLE} {${plane.body}}\n${lines.join("")}`)
      if (!done.ok) return done
      filtered = fresh
      frame = listed()
      return done
    },
    apply: (changes, now) => {
      const batch = createBatch(plane)
      const ended: Connections[] = []
      const filters = new Map<string, readonly Element[]>()
      for (const change of changes) fold(plane, change, now, batch, filtered, filters, ended)
      // Of many thousand at once, which are too many for one call's arguments.
      for (const one of freedConnections(plane, changes)) ended.push(one)
      const done = put(batch)
      if (!done.ok) return done
      for (const [key, elements] of filters)
        if (elements.length === 0) filtered.delete(key)
        else filtered.set(key, elements)
      return { ok: true, ended }
    },
    remove: () => run(`add table ${family} ${TABLE}\ndelete table ${family} ${TABLE}\n`),
    isWhole: () => frame !== undefined && frame === listed(),
    version: () => version,
    wanted: (contents, now) => {
      const all = new Map<string, Wanted>()
      for (const element of plane.fixed ?? []) all.set(`${element.set} ${element.key}`, { element, left: undefined })
      for (const mapping of contents.mappings) {
        for (const element of plane.elements(mapping))
          all.set(`${element.set} ${element.key}`, { element, left: leftOf(mapping, now) })
        for (const element of filterElements(contents, mapping))
          all.set(`${element.set} ${element.key}`, { element, left: undefined })
      }
      return all
    },
    mend: (missing, gone) => {
      const batch = createBatch(plane)
      for (const element of gone) batch.remove(element)
      for (const wanted of missing) batch.add(wanted)
      return put(batch)
    },
  }
}

const leftOf = ({ expires }: Mapping, now: number): number | undefined =>
  expires === Number.POSITIVE_INFINITY ? undefined : expires - now

const endKey = ({ protocol, internal, internalPort }: InternalEnd): string => `${protocol} ${internalPort} ${internal}`

/**
 * An external end that anybody may have from now on: connections of the one that had it end, if they live still. Not where it
 * is free because its last owner has it again.
 */
const freedConnections = (plane: Plane, changes: readonly Change[]): readonly Connections[] => {
  const freed = changes.filter((change) => change.type === "freed")
  if (freed.length === 0 || plane.family !== "ip") return []
  const endOf = (end: { protocol: number; external: Address; externalPort: number }): string =>
    `${end.protocol} ${end.externalPort} ${end.external}`
  const taken = new Set(changes.flatMap((change) => (change.type === "created" ? endOf(change.mapping) : [])))
  return freed
    .filter((change) => !taken.has(endOf(change)))
    .flatMap(({ protocol, external, externalPort }) => {
      const address = formatAddress(external)
      return [
        { family: 4, protocol, destination: address, destinationPort: externalPort },
        { family: 4, protocol, answers: address, answersPort: externalPort },
      ] as const
    })
}

/** Adds one change to a batch; `known` are the filters before it, `filters` those that the batch changes. */
const fold = (
  plane: Plane,
  change: Change,
  now: number,
  batch: Batch,
  known: ReadonlyMap<string, readonly Element[]>,
  filters: Map<string, readonly Element[]>,
  ended: Connections[],
): void => {
  const put = (mapping: Mapping): void => {
    for (const element of plane.elements(mapping)) batch.add({ element, left: leftOf(mapping, now) })
  }
  const take = (mapping: Mapping): void => {
    for (const element of plane.elements(mapping)) batch.remove(element)
  }
  const filter = (end: InternalEnd, elements: readonly Element[]): void => {
    const key = endKey(end)
    const before = filters.get(key) ?? known.get(key) ?? []
    if (before.length === 0 && elements.length === 0) return
    for (const element of before) batch.remove(element)
    for (const element of elements) batch.add({ element, left: undefined })
    filters.set(key, elements)
  }
  switch (change.type) {
    case "created":
      put(change.mapping)
      break
    case "renewed":
      take(change.mapping)
      put(change.mapping)
      break
    case "deleted":
    case "expired":
      take(change.mapping)
      if (change.mapping.kind === "map") filter(change.mapping, [])
      // One that ran out leaves its connections to the kernel's own time-outs (RFC 6887 section 15); see `freed`.
      if (change.type === "deleted") ended.push(...plane.connections(change.mapping))
      break
    case "moved": {
      const { external, externalPort } = change
      const before = { ...change.mapping, external, externalPort }
      take(before)
      put(change.mapping)
      ended.push(...plane.connections(before))
      break
    }
    case "filtered":
      filter(change, plane.filters(change, change.filters))
      break
    default:
  }
}
