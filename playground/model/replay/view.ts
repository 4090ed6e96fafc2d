import {
  COUNTER_VECTORS,
  type CounterVector,
  type Filter,
  type Mapping,
  REASON_CLAUSES,
} from "../../../core/cgn/index.ts"
import { DROP_REASONS } from "../../../core/server/index.ts"
import {
  type Address,
  natPmpOpcodeName,
  natPmpResultName,
  opcodeName,
  optionName,
  resultName,
} from "../../../core/wire/index.ts"
import { type ChangeLine, changeLines, mappingKey, mappingText } from "./change-words.ts"
import { countsOf, epochAt, filtersOf, mappingsOf, poolOf } from "./machine.ts"
import { type Replay, seek } from "./replay.ts"

/** A mapping at one instant. */
export interface MappingRow {
  /** The same for as long as it lives. */
  readonly key: string
  readonly mapping: Mapping
  readonly text: string
  /** Seconds; `Infinity` for one that does not run out. */
  readonly left: number
  /** Of the lifetime that it was given last: 1 right then, 0 at its end. */
  readonly fraction: number
  readonly filters: readonly Filter[]
}

/** A host, or one host of a realm, and what it has of what it may have. */
export interface SubscriberRow {
  readonly internal: Address
  readonly realm: Address | undefined
  readonly mappings: number
  /** MAP and PEER mappings, which the quota counts. */
  readonly explicit: number
  /** 0: no limit. */
  readonly quota: number
}

export interface CounterRow {
  readonly vector: CounterVector
  readonly name: string
  readonly count: number
  /** What it went up by since the moment before. */
  readonly more: number
}

/** Everything that is to be seen at one instant. */
export interface View {
  /** Milliseconds. */
  readonly at: number
  /** Place of the last moment at or before it. */
  readonly moment: number
  /** Seconds (RFC 6887 section 8.5). */
  readonly epoch: number
  readonly mappings: readonly MappingRow[]
  /** There are more than {@link MOST_ROWS}. */
  readonly more: boolean
  readonly subscribers: readonly SubscriberRow[]
  readonly counters: readonly CounterRow[]
  /** What that moment changed. */
  readonly changes: readonly ChangeLine[]
  readonly pool: ReturnType<typeof poolOf>
}

/** Mappings that a view lists. */
export const MOST_ROWS = 10_000

/** What is to be seen at an instant, milliseconds, whichever was looked at before: of several moments then, after the last. */
export const viewAt = (replay: Replay, at: number): View => viewOf(replay, seek(replay, at), at)

/** What is to be seen right after a moment, by its place; or until the next one, at an instant `at`. */
export const viewOf = (replay: Replay, place: number, at = replay.moments[place].at): View => {
  const { machine, changes } = replay.moments[place]
  const { mappings, more } = mappingsOf(machine, at, MOST_ROWS)
  const granted = grantsBefore(replay, place)
  const rows = mappings.map((mapping): MappingRow => {
    const key = mappingKey(mapping)
    const left = Math.max(0, (mapping.expires - at) / 1000)
    const whole = (mapping.expires - (granted.get(key) ?? at)) / 1000
    return {
      key,
      mapping,
      text: mappingText(mapping),
      left,
      fraction: left === Number.POSITIVE_INFINITY ? 1 : whole > 0 ? Math.min(1, left / whole) : 0,
      filters: mapping.kind === "map" ? filtersOf(machine, mapping) : [],
    }
  })
  return {
    at,
    moment: place,
    epoch: epochAt(machine, at),
    mappings: rows,
    more,
    subscribers: subscribersOf(mappings, replay.session.configuration.quota),
    counters: countersAt(replay, place),
    changes: changeLines(changes),
    pool: poolOf(machine),
  }
}

/** When each mapping was granted or renewed last, one table for every thousandth moment, so that no seek goes far. */
const grantTables = new WeakMap<Replay, Map<number, ReadonlyMap<string, number>>>()
const STRIDE = 1024

const grantsBefore = (replay: Replay, place: number): ReadonlyMap<string, number> => {
  const tables = grantTables.get(replay) ?? new Map<number, ReadonlyMap<string, number>>()
  grantTables.set(replay, tables)
  let from = place - (place % STRIDE)
  while (from > 0 && !tables.has(from)) from -= STRIDE
  let table = new Map(tables.get(from) ?? [])
  for (let i = from; i <= place; i++) {
    if (i > from && i % STRIDE === 0) {
      tables.set(i, table)
      table = new Map(table)
    }
    const { changes, at } = replay.moments[i]
    for (const change of changes) {
      if (change.type === "created" || change.type === "renewed") table.set(mappingKey(change.mapping), at)
      else if (change.type === "deleted" || change.type === "expired") table.delete(mappingKey(change.mapping))
    }
  }
  return table
}

const subscribersOf = (mappings: readonly Mapping[], quota: number): readonly SubscriberRow[] => {
  const rows = new Map<string, SubscriberRow>()
  for (const { internal, realm, kind } of mappings) {
    const key = `${internal}${realm ?? ""}`
    const { mappings: count, explicit } = rows.get(key) ?? { mappings: 0, explicit: 0 }
    const more = kind === "map" || kind === "peer" ? 1 : 0
    rows.set(key, { internal, realm, mappings: count + 1, explicit: explicit + more, quota })
  }
  return [...rows.values()]
}

const NAMES: Readonly<Record<CounterVector, (index: number) => string>> = {
  operation: (index) => `PCP ${opcodeName(index)}`,
  result: (index) => `PCP ${resultName(index)}`,
  option: (index) => `option ${optionName(index)}`,
  "natpmp-operation": (index) => `NAT-PMP ${natPmpOpcodeName(index)}`,
  "natpmp-result": (index) => `NAT-PMP ${natPmpResultName(index)}`,
  drop: (index) => `no answer: ${(DROP_REASONS[index] ?? `reason ${index}`).replaceAll("-", " ")}`,
  cache: (index) => (index === 0 ? "cache hit" : "cache miss"),
  packet: (index) => `packet: ${(Object.keys(REASON_CLAUSES)[index] ?? `reason ${index}`).replaceAll("-", " ")}`,
}

const countersAt = ({ moments }: Replay, place: number): readonly CounterRow[] => {
  const now = countsOf(moments[place].machine)
  const before = place === 0 ? undefined : countsOf(moments[place - 1].machine)
  return COUNTER_VECTORS.flatMap((vector) =>
    now[vector].map(({ index, count }) => {
      const earlier = before?.[vector].find((one) => one.index === index)?.count ?? 0
      return { vector, name: NAMES[vector](index), count, more: place === 0 ? 0 : count - earlier }
    }),
  )
}
