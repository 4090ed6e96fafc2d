import {
  COUNTER_VECTORS,
  type Counters,
  type CounterVector,
  type Filter,
  type Mapping,
  REASON_CLAUSES,
} from "../../../core/cgn/index.ts"
import { DROP_REASONS } from "../../../core/server/index.ts"
import {
  type Address,
  formatAddress,
  isIpv4,
  natPmpOpcodeName,
  natPmpResultName,
  opcodeName,
  optionName,
  readAddress,
  resultName,
  writeAddress,
} from "../../../core/wire/index.ts"
import type { CgnConfiguration } from "../session/index.ts"
import { type ChangeLine, changeLines, mappingKey, mappingText } from "./change-words.ts"
import { grantedAt, type HeldEnd, heldAt } from "./ledger.ts"
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

/** A subscriber of several hosts: a realm, or the addresses of one prefix (RFC 6887 section 17.2). */
export interface SubscriberGroup {
  /** `2001:db8:1::/64`, or the realm's address. */
  readonly name: string
  readonly hosts: number
  /** MAP and PEER mappings of all its hosts, which the quota counts. */
  readonly explicit: number
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
  /** Subscribers with a quota of their own; left out or none: hosts alone are limited. */
  readonly groups?: readonly SubscriberGroup[]
  /** External ends that wait for their former owners; left out: not known. */
  readonly held?: readonly HeldEnd[]
}

/** Mappings that a view lists. */
export const MOST_ROWS = 10_000

/** What is to be seen at an instant, milliseconds, whichever was looked at before: of several moments then, after the last. */
export const viewAt = (replay: Replay, at: number): View => viewOf(replay, seek(replay, at), at)

/** What is to be seen right after a moment, by its place; or until the next one, at an instant `at`. */
export const viewOf = (replay: Replay, place: number, at = replay.moments[place].at): View => {
  const { machine, changes } = replay.moments[place]
  const { mappings, more } = mappingsOf(machine, at, MOST_ROWS)
  // Of ten thousand rows a page draws some: what takes long is found for those.
  const rows = mappings.map((mapping): MappingRow => {
    const left = Math.max(0, (mapping.expires - at) / 1000)
    return {
      mapping,
      left,
      get key() {
        return mappingKey(mapping)
      },
      get text() {
        return mappingText(mapping)
      },
      get fraction() {
        const whole = (mapping.expires - (grantedAt(replay, mapping, place) ?? at)) / 1000
        return left === Number.POSITIVE_INFINITY ? 1 : whole > 0 ? Math.min(1, left / whole) : 0
      },
      get filters() {
        return mapping.kind === "map" ? filtersOf(machine, mapping) : []
      },
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
    groups: groupsOf(mappings, replay.session.configuration),
    held: heldAt(replay, place, at),
  }
}

/** Hosts with what they have, in the order of their mappings. */
export const subscribersOf = (mappings: readonly Mapping[], quota: number): readonly SubscriberRow[] => {
  const rows = new Map<string, SubscriberRow>()
  for (const { internal, realm, kind } of mappings) {
    const key = realm === undefined ? internal : internal + realm
    const { mappings: count, explicit } = rows.get(key) ?? { mappings: 0, explicit: 0 }
    const more = kind === "map" || kind === "peer" ? 1 : 0
    rows.set(key, { internal, realm, mappings: count + 1, explicit: explicit + more, quota })
  }
  return [...rows.values()]
}

const groupsOf = (
  mappings: readonly Mapping[],
  { subscriberQuota: quota, subscriberPrefix }: CgnConfiguration,
): readonly SubscriberGroup[] => {
  if (quota === 0) return []
  const groups = new Map<string, { readonly hosts: Set<Address>; explicit: number }>()
  for (const { internal, realm, kind } of mappings) {
    const bits = isIpv4(internal) ? subscriberPrefix.ipv4 : subscriberPrefix.ipv6
    const name = realm === undefined ? `${formatAddress(prefixOf(internal, bits))}/${bits}` : formatAddress(realm)
    const group = groups.get(name) ?? { hosts: new Set(), explicit: 0 }
    group.hosts.add(internal)
    if (kind === "map" || kind === "peer") group.explicit++
    groups.set(name, group)
  }
  return [...groups].map(([name, { hosts, explicit }]) => ({ name, hosts: hosts.size, explicit, quota }))
}

/** The address with its first bits alone: of 32 for IPv4. */
const prefixOf = (address: Address, bits: number): Address => {
  const octets = new Uint8Array(16)
  writeAddress(octets, 0, address)
  const kept = isIpv4(address) ? bits + 96 : bits
  for (let i = 0; i < 16; i++) octets[i] &= 0xff00 >>> Math.min(8, Math.max(0, kept - 8 * i))
  return readAddress(octets, 0)
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
  const before = place === 0 ? undefined : countsOf(moments[place - 1].machine)
  return countersFrom(countsOf(moments[place].machine), before)
}

/** Counters with their names, and what they went up by. */
export const countersFrom = (now: Counters, before: Counters | undefined): readonly CounterRow[] =>
  COUNTER_VECTORS.flatMap((vector) =>
    now[vector].map(({ index, count }) => {
      const earlier = before?.[vector].find((one) => one.index === index)?.count ?? 0
      return { vector, name: NAMES[vector](index), count, more: before === undefined ? 0 : count - earlier }
    }),
  )
