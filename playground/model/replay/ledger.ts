import type { Change, Mapping } from "../../../core/cgn/index.ts"
import type { Address } from "../../../core/wire/index.ts"
import { mappingKey } from "./change-words.ts"
import type { Story } from "./moment.ts"

/** An external end that was freed and waits for its former owner alone (RFC 6887 section 15). */
export interface HeldEnd {
  readonly protocol: number
  readonly internal: Address
  readonly external: Address
  readonly externalPort: number
  /** Milliseconds. */
  readonly until: number
}

/** From one moment to another, the second excluded; `end` is `Infinity` while it is held to the end. */
interface Hold {
  readonly held: HeldEnd
  readonly begin: number
  end: number
}

/** What the changes of a replay tell and the CGN's table does not: by places of moments, so that any instant is found by search. */
interface Ledger {
  /** Of each mapping the places of the moments that granted or renewed it, in order. */
  readonly grants: ReadonlyMap<string, readonly number[]>
  readonly holds: readonly Hold[]
  /** Hosts in the order in which they were first given a mapping. */
  readonly hosts: ReadonlyMap<Address, number>
}

const ledgers = new WeakMap<Story, Ledger>()

const ledgerOf = (story: Story): Ledger => {
  const known = ledgers.get(story)
  if (known !== undefined) return known
  const made = readLedger(story)
  ledgers.set(story, made)
  return made
}

const readLedger = ({ moments }: Story): Ledger => {
  const grants = new Map<string, number[]>()
  const holds: Hold[] = []
  const hosts = new Map<Address, number>()
  const open = new Map<string, Hold>()
  const note = (change: Change, place: number): void => {
    if (change.type === "created" || change.type === "renewed") {
      const key = mappingKey(change.mapping)
      const places = grants.get(key)
      if (places === undefined) grants.set(key, [place])
      else places.push(place)
      const { internal } = change.mapping
      if (!hosts.has(internal)) hosts.set(internal, hosts.size)
    } else if (change.type === "held" || change.type === "freed") {
      const { protocol, external, externalPort } = change
      const key = `${protocol}|${external}|${externalPort}`
      const before = open.get(key)
      if (before !== undefined) before.end = place
      open.delete(key)
      if (change.type === "freed") return
      const { internal, until } = change
      const hold: Hold = { held: { protocol, internal, external, externalPort, until }, begin: place, end: Infinity }
      open.set(key, hold)
      holds.push(hold)
    }
  }
  for (const [place, { changes }] of moments.entries()) for (const change of changes) note(change, place)
  return { grants, holds, hosts }
}

/** When a mapping was granted or renewed last, up to a moment by its place, milliseconds; `undefined`: no change tells. */
export const grantedAt = (story: Story, mapping: Mapping, place: number): number | undefined => {
  const places = ledgerOf(story).grants.get(mappingKey(mapping))
  if (places === undefined || places[0] > place) return undefined
  let low = 0
  let high = places.length
  while (high - low > 1) {
    const middle = (low + high) >>> 1
    if (places[middle] <= place) low = middle
    else high = middle
  }
  return story.moments[places[low]].at
}

/** External ends that are held at an instant, milliseconds, whose last moment has this place. */
export const heldAt = (story: Story, place: number, at: number): readonly HeldEnd[] =>
  ledgerOf(story).holds.flatMap(({ held, begin, end }) =>
    begin <= place && place < end && held.until > at ? [held] : [],
  )

/** Hosts in the order in which a replay first gives them a mapping: one keeps its number at every instant. */
export const hostOrder = (story: Story): ReadonlyMap<Address, number> => story.order ?? ledgerOf(story).hosts
