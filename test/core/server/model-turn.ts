/** What the administrator's doings come to in the model: other settings, and a host whose mappings are revoked. */

import {
  advanceModel,
  endKey,
  fixedEnd,
  live,
  type Model,
  type ModelEnd,
  type ModelSettings,
  withEnd,
} from "./model-state.ts"
import { type Change, formatted, type Mapping } from "./model-text.ts"

/** S-137: all of a host's mappings go but the administrator's, and its Epoch Time begins again. */
export const revokeModel = (settings: ModelSettings, model: Model, internal: string, now: number): Model => {
  let after = model
  for (const [key, stored] of model.ends) {
    const end = live(stored, now)
    if (end === undefined || end.internal !== internal) continue
    const explicit = end.map !== undefined || end.peers.length > 0
    const nonce = end.map === undefined ? end.peers[0]?.nonce : end.map.nonce
    const bare = end.fixed ? { ...end, map: undefined, idle: 0, peers: [] } : undefined
    if (bare !== undefined || explicit) after = withEnd(settings, after, key, bare, now, nonce)
    else after = dropped(after, key)
  }
  return { ...after, epochs: new Map(model.epochs).set(internal, now) }
}

/** The model without an end, which nothing holds. */
const dropped = (model: Model, key: string): Model => {
  const ends = new Map(model.ends)
  const homes = new Map(model.homes)
  const internal = ends.get(key)?.internal
  ends.delete(key)
  if (internal !== undefined && ![...ends.values()].some((end) => end.internal === internal)) homes.delete(internal)
  return { ...model, ends, homes }
}

const keyOf = (mapping: Mapping): string => endKey(mapping.protocol, formatted(mapping).internal, mapping.internalPort)

/** One change of a reconfiguration, as it says; what does not fit is wrong. */
const follow = (model: Model, change: Change): Model | { readonly wrong: string } => {
  const { ends, homes } = model
  switch (change.type) {
    case "created": {
      const { mapping } = change
      const { internal, external, externalPort } = formatted(mapping)
      const key = keyOf(mapping)
      const there = ends.get(key)
      if (mapping.kind !== "static" || there?.fixed === true || there?.map !== undefined)
        return { wrong: `${mapping.kind} ${key} is made` }
      const { protocol, internalPort } = mapping
      const fixed = fixedEnd({ protocol, internal, internalPort, external, externalPort })
      if (there !== undefined && (there.external !== external || there.externalPort !== externalPort))
        return { wrong: `${key} is elsewhere` }
      return {
        ...model,
        ends: new Map(ends).set(key, there === undefined ? fixed : { ...there, fixed: true }),
        // S-53: the host's dynamic mappings follow the administrator's.
        homes: new Map(homes).set(internal, external),
      }
    }
    case "deleted": {
      const { mapping } = change
      const key = keyOf(mapping)
      const end = ends.get(key)
      if (end === undefined) return { wrong: `${key} is deleted and not there` }
      const left = without(end, mapping)
      if (left === end) return { wrong: `${mapping.kind} ${key} is deleted and not there` }
      const gone = left.map === undefined && left.idle === 0 && left.peers.length === 0 && !left.fixed
      return gone ? dropped(model, key) : { ...model, ends: new Map(ends).set(key, left) }
    }
    case "moved": {
      const { mapping } = change
      const key = keyOf(mapping)
      const end = ends.get(key)
      const to = formatted(mapping)
      if (end === undefined || end.fixed) return { wrong: `${key} moves and is not there, or the administrator's` }
      const next = { ...end, external: to.external, externalPort: to.externalPort }
      return { ...model, ends: new Map(ends).set(key, next) }
    }
    default:
      return model
  }
}

const without = (end: ModelEnd, mapping: Mapping): ModelEnd => {
  switch (mapping.kind) {
    case "map":
      return end.map === undefined ? end : { ...end, map: undefined }
    case "implicit":
      return end.idle === 0 ? end : { ...end, idle: 0 }
    case "static":
      return end.fixed ? { ...end, fixed: false } : end
    case "peer": {
      const { remote, nonce } = formatted(mapping)
      const peers = end.peers.filter((peer) => `${peer.remote}:${peer.remotePort}` !== remote || peer.nonce !== nonce)
      return peers.length === end.peers.length ? end : { ...end, peers }
    }
  }
}

/**
 * Goes on with other settings: what the changes say, judged by what the settings are. Every end must then be one that may
 * be had, what could stay has stayed, what the administrator wants is there, and nothing went that had room.
 */
export const turnModel = (
  before: ModelSettings,
  next: ModelSettings,
  model: Model,
  now: number,
  changes: readonly Change[],
): Model | { readonly wrong: string } => {
  const start = advanceModel(before, model, now)
  let after: Model = { ...start, homes: pairedAgain(before, next, start) }
  for (const change of changes) {
    const done = follow(after, change)
    if ("wrong" in done) return done
    after = done
  }
  const wrong = judge(next, start, after)
  if (wrong !== undefined) return { wrong }
  const taken = new Set([...after.ends.values()].map(portOf))
  const held = start.held.filter((one) => isAllowed(next, one) && !taken.has(portOf(one)))
  return { ...after, held, settings: next, epoch: epochAfter(before, next, model, now) }
}

/** S-140: where addresses came or went, Epoch Time begins again for everybody. */
const epochAfter = (before: ModelSettings, next: ModelSettings, model: Model, now: number): number => {
  const same = before.pool.length === next.pool.length && before.pool.every((external) => next.pool.includes(external))
  return same ? model.epoch : now
}

/** Where hosts go whose address left the pool: to the one that they are paired with now, whatever it was before. */
const pairedAgain = (before: ModelSettings, next: ModelSettings, model: Model): ReadonlyMap<string, string> => {
  if (before.pool.every((external) => next.pool.includes(external))) return model.homes
  const homes = new Map<string, string>()
  for (const [internal, home] of model.homes) {
    const paired = next.pool.includes(home) ? home : next.paired.get(internal)
    if (paired !== undefined) homes.set(internal, paired)
  }
  return homes
}

interface End {
  readonly protocol: number
  readonly external: string
  readonly externalPort: number
}

const portOf = ({ protocol, external, externalPort }: End): string => `${protocol} ${external} ${externalPort}`

const isAllowed = ({ pool, ports }: ModelSettings, { external, externalPort }: End): boolean =>
  pool.includes(external) && externalPort >= ports.first && externalPort <= ports.last

const judge = (next: ModelSettings, start: Model, after: Model): string | undefined => {
  const wanted = new Map(next.statics.map((one) => [endKey(one.protocol, one.internal, one.internalPort), one]))
  const claimed = new Map(next.statics.map((one) => [portOf(one), one]))
  const taken = new Map<string, ModelEnd>()
  for (const [key, end] of after.ends) {
    const one = wanted.get(key)
    if (end.fixed !== (one !== undefined)) return `${key} is the administrator's, or not, against the settings`
    if (one !== undefined && portOf(one) !== portOf(end)) return `${key} is not where the administrator wants it`
    if (one === undefined && !isAllowed(next, end)) return `${key} has ${portOf(end)}, which may not be had`
    if (taken.has(portOf(end))) return `two mappings have ${portOf(end)}`
    taken.set(portOf(end), end)
  }
  for (const key of wanted.keys()) if (!after.ends.has(key)) return `${key}, the administrator's, is missing`
  for (const [key, end] of start.ends) {
    const other = claimed.get(portOf(end))
    const stays = isAllowed(next, end) && !wanted.has(key) && other === undefined
    const now = after.ends.get(key)
    if (stays && !end.fixed && now !== end) return `${key} could have stayed as it was`
    const lost = (end.map !== undefined && now?.map === undefined) || (end.idle !== 0 && now?.idle !== end.idle)
    const excused = wanted.has(key) || (end.map?.exact === true && end.idle === 0) || stays
    if (
      (lost || end.peers.length !== (now?.peers.length ?? 0)) &&
      !excused &&
      !isExact(end, now) &&
      hasRoom(next, after, end)
    )
      return `${key} is gone, though there is room`
  }
  return undefined
}

/** Is all that an end lost the mapping that PREFER_FAILURE made? */
const isExact = (end: ModelEnd, now: ModelEnd | undefined): boolean =>
  end.map?.exact === true &&
  (now === undefined ? end.idle === 0 && end.peers.length === 0 : now.idle === end.idle && now.peers === end.peers)

/** Is there a port that anybody could have? */
const hasRoom = (settings: ModelSettings, model: Model, { protocol }: ModelEnd): boolean => {
  const other = protocol === 6 ? 17 : 6
  const taken = new Set([...model.ends.values(), ...model.held].flatMap((one) => [portOf(one)]))
  for (const external of settings.pool)
    for (let externalPort = settings.ports.first; externalPort <= settings.ports.last; externalPort++) {
      const reserved = externalPort === 5350 || externalPort === 5351
      const free = [protocol, other].every((one) => !taken.has(portOf({ protocol: one, external, externalPort })))
      if (free && !reserved) return true
    }
  return false
}
