/** The server and the model side by side: one move on both, and everything that can be seen of them compared. */
import {
  type CgnState,
  type Change,
  createCgn,
  type Mapping,
  mappingCounts,
  memoryCgn,
  noteOutbound,
  PROFILES,
} from "../../../core/cgn/index.ts"
import {
  advance,
  counters,
  createServerOver,
  epochTime,
  filters,
  mappingCount,
  mappings,
  process,
  reconfigure,
  restore,
  revoke,
  type ServerState,
  snapshot,
} from "../../../core/server/index.ts"
import { formatAddress } from "../../../core/wire/index.ts"
import type { Random } from "../../fuzz/random.ts"
import { serveModel } from "./model.ts"
import type { Chosen } from "./model-choice.ts"
import { hostText, SUBSCRIBERS } from "./model-hosts.ts"
import { noteOutboundModel } from "./model-mapping.ts"
import { hexAt, THIRD_PARTY_IDS } from "./model-message.ts"
import { type Move, randomSettings, type Turn, type TurnSettings } from "./model-moves.ts"
import {
  advanceModel,
  counterLines,
  detailText,
  emptyModel,
  filterText,
  listModel,
  type Model,
  type ModelPrefix,
  type ModelSettings,
} from "./model-state.ts"
import { address, formatted, hostOf, realmOf } from "./model-text.ts"
import { revokeModel, turnModel } from "./model-turn.ts"

export { address }

/** A server and what the model makes of it, at an instant; `moves` are all that led there, the last first. */
export interface Place {
  readonly server: ServerState
  readonly model: Model
  readonly now: number
  readonly moves: Trail | undefined
}

interface Trail {
  readonly move: Move | Turn
  readonly before: Trail | undefined
}

/** The settings of a CGN that are the model's. */
export const cgnSettingsOf = (settings: TurnSettings) => {
  const { pool, ports, quota, subscriberQuota, noncePolicy, filterLimit, idleTimeout, recycleDelay, statics } = settings
  const subscriberPrefix = { ipv4: settings.subscriberPrefix, ipv6: 64 }
  const rules = settings.rules.map(({ clients, except, internal, ...rest }) => ({
    ...rest,
    clients: prefixOf(clients),
    except: except?.map((one) => ({ ...one, address: address(one.address) })),
    internal: prefixOf(internal),
  }))
  const staticMappings = statics.map((one) => ({ ...one, ...hostOf(one.internal), external: address(one.external) }))
  return {
    external: pool.map(address),
    ports,
    quota,
    subscriberQuota,
    subscriberPrefix,
    noncePolicy,
    rules,
    filterLimit,
    idleTimeout,
    recycleDelay,
    staticMappings,
  }
}

const prefixOf = (prefix: ModelPrefix | undefined) =>
  prefix === undefined ? undefined : { ...prefix, address: address(prefix.address) }

/** The settings of a server that are the model's. Nobody is told of anything: updates have tests of their own. */
const serverSettingsOf = (settings: ServerPart) => {
  const { minLifetime, maxLifetime, pcp, natPmp, map, peer, announce, thirdParty, description, portSet } = settings
  const realms = THIRD_PARTY_IDS.flatMap((id, number) => {
    const realm = realmOf(number)
    return realm === undefined ? [] : [[id, realm] as const]
  })
  return {
    minLifetime,
    maxLifetime,
    pcp,
    natPmp,
    description,
    portSet,
    thirdPartyIds: new Map(settings.thirdPartyId ? realms : []),
    threatModel: "advanced",
    profile: {
      ...PROFILES.nat444,
      map,
      peer,
      announce,
      thirdParty,
      announceCallback: false,
      updateCallback: false,
    },
  } as const
}

type ServerPart = Omit<ModelSettings, keyof TurnSettings | "paired" | "secret" | "start">

/** The external address that each host without mappings is paired with: asked of a CGN that has none. */
const pairsOf = (settings: TurnSettings, secret: Uint8Array): ReadonlyMap<string, string> => {
  const empty = createCgn({ ...cgnSettingsOf(settings), staticMappings: [], secret, now: 0 })
  if (!empty.ok) throw new Error(empty.error.text)
  const hosts = SUBSCRIBERS.flatMap((one) => [undefined, 0, 1].map((realm) => hostText(one, realm)))
  return new Map(
    hosts.map((host) => {
      const { internal, realm } = hostOf(host)
      const external = memoryCgn.externalAddress(empty.state, internal, realm, 0)
      return [host, external === undefined ? "none" : formatAddress(external)]
    }),
  )
}

/** A server small in every way, its part sizes too, so that every boundary is met. */
export const randomPlace = (random: Random): { readonly settings: ModelSettings; readonly place: Place } => {
  const own = randomSettings(random)
  const settings = {
    ...own,
    start: random.pick([0, 0, 12345.25, 1e12]),
    minLifetime: random.pick([0, 1, 120, 120]),
    maxLifetime: random.pick([600, 3600, 86400, 86400, 0xffffffff]),
    pcp: true,
    natPmp: !random.once(10),
    map: !random.once(20),
    peer: !random.once(20),
    announce: !random.once(20),
    thirdParty: random.once(2),
    thirdPartyId: random.once(2),
    description: !random.once(8),
    portSet: !random.once(4),
  }
  if (settings.natPmp && random.once(20)) settings.pcp = false
  const secret = Uint8Array.from({ length: 32 }, () => random.below(256))
  const sizes = {
    segmentBits: 4 + random.below(3),
    chunkRecords: 3 + random.below(5),
    hashSegmentSlots: random.pick([4, 8]),
    pageBits: 3,
    wheelSlots: 32,
  }
  const { start } = settings
  const cgn = createCgn({ ...cgnSettingsOf(own), secret, now: start }, sizes)
  if (!cgn.ok) throw new Error(cgn.error.text)
  const made = createServerOver(memoryCgn, cgn.state, start, serverSettingsOf(settings))
  if (!made.ok) throw new Error(made.error.text)
  const whole = { ...settings, paired: pairsOf(own, secret), secret: [...secret] }
  return { settings: whole, place: { server: made.state, model: emptyModel(whole), now: start, moves: undefined } }
}

/** The end that was assigned to a mapping made by these changes. */
const chosenBy = (changes: readonly Change[]): Chosen => {
  for (const change of changes)
    if (change.type === "created")
      return { external: formatAddress(change.mapping.external), externalPort: change.mapping.externalPort }
  return undefined
}

/** The MAP mappings made by these changes. */
const madeBy = (changes: readonly Change[]) =>
  changes.flatMap((change) => {
    if (change.type !== "created" || change.mapping.kind !== "map") return []
    const { internalPort, external, externalPort } = change.mapping
    return [{ internalPort, external: formatAddress(external), externalPort }]
  })

/** What `move` leads to on both sides; a text says what differs. `first` are the settings that the history began with. */
export const play = (
  first: ModelSettings,
  place: Place,
  move: Move | Turn,
): { place: Place; changes: readonly Change[] } | string => {
  const { now } = move
  const settings = place.model.settings ?? first
  const after = (server: ServerState, model: Model, changes: readonly Change[]) => ({
    place: { server, model, now, moves: { move, before: place.moves } },
    changes,
  })
  if (move.type === "advance") {
    const [server, { changes, send, next }] = advance(place.server, now)
    const model = advanceModel(settings, place.model, now)
    if (send.length > 0) return "sends something"
    if (changes.some((change) => change.type === "expired" && change.mapping.expires > now))
      return "takes away what has not run out"
    if (changes.some((change) => !["expired", "held", "freed"].includes(change.type))) return "does more than take away"
    const counts = mappingCounts(server.cgnState)
    if (mappingCount(server) !== model.ends.size) return `${mappingCount(server)} rows left, not ${model.ends.size}`
    if (counts.held !== model.held.length) return `${counts.held} ends held, not ${model.held.length}`
    const soonest = soonestOf(model)
    if (soonest !== undefined && (next === undefined || next > Math.max(now, soonest)))
      return `next call at ${next}, the first mapping ends at ${soonest}`
    if (soonest === undefined && next !== undefined) return `next call at ${next} with nothing there`
    return after(server, model, changes)
  }
  if (move.type === "outbound") {
    const { protocol, internalPort } = move
    const end = { protocol, internal: address(move.internal), internalPort, realm: realmOf(move.realm) }
    const { state, changes } = noteOutbound(place.server.cgnState, end, now)
    const named = { protocol, internal: hostText(move.internal, move.realm), internalPort }
    const model = noteOutboundModel(settings, place.model, named, now, chosenBy(changes))
    return "wrong" in model ? model.wrong : after({ ...place.server, cgnState: state }, model, changes)
  }
  if (move.type === "turn") {
    const options = { ...cgnSettingsOf(move.settings), ...serverSettingsOf(settings) }
    const turned = reconfigure(place.server, options, now)
    if (!turned.ok) return turned.error.text
    const { changes } = turned.pushed
    const next = { ...settings, ...move.settings, paired: pairsOf(move.settings, Uint8Array.from(settings.secret)) }
    const model = turnModel(settings, next, place.model, now, changes)
    return "wrong" in model ? model.wrong : after(turned.state, model, changes)
  }
  if (move.type === "revoke") {
    const [server, { changes }] = revoke(place.server, address(move.internal), realmOf(move.realm), now)
    const model = revokeModel(settings, place.model, hostText(move.internal, move.realm), now)
    return after(server, model, changes)
  }
  if (move.type === "restore") {
    const wallClock = 1e12 + now
    const { config } = place.server.cgnState
    const restored = restore(snapshot(place.server, { now, wallClock, final: true }), {
      cgn: config,
      server: place.server.settings,
      now,
      wallClock,
    })
    return restored.ok ? after(restored.state, place.model, []) : restored.error.text
  }
  const { bytes, source, outside } = move
  const kept = bytes.slice()
  const [server, response] = process(place.server, {
    bytes,
    now,
    source: address(source),
    sourcePort: 5350,
    side: outside ? "outside" : "inside",
    realm: realmOf(move.realm),
  })
  const { reply, dropped, changes, next } = response
  if (hexAt(kept, 0, kept.length) !== hexAt(bytes, 0, bytes.length)) return "writes to the request"
  const chosen =
    bytes[0] === 0 && bytes[1] === 0 && reply?.length === 12
      ? { external: Array.from(reply.subarray(8)).join("."), externalPort: 0 }
      : chosenBy(changes)
  const realm = move.realm === undefined ? "" : `%${move.realm}`
  const verdict = serveModel(
    settings,
    place.model,
    { ...move, realm, answered: reply?.[3] ?? 0, made: madeBy(changes) },
    chosen,
  )
  if ("wrong" in verdict) return verdict.wrong
  if (verdict.dropped !== dropped) return `dropped: ${dropped}, not ${verdict.dropped}`
  const got = reply === undefined ? "nothing" : hexAt(reply, 0, reply.length)
  const wanted = verdict.reply === undefined ? "nothing" : hexAt(verdict.reply, 0, verdict.reply.length)
  if (got !== wanted) return `replies\n  ${got}, not\n  ${wanted}`
  if (reply !== undefined && reply.length > 1100) return `replies ${reply.length} octets`
  const isError = reply === undefined || (reply[0] === 0 ? reply[3] !== 0 && !isDeleteAll(bytes) : reply[3] !== 0)
  if (isError && changes.some((change) => change.type !== "counted")) return "an error changes more than counters"
  for (const change of changes)
    if (
      (change.type === "created" || change.type === "renewed") &&
      (next === undefined || next > change.mapping.expires)
    )
      return `next call at ${next}, after the end of what was granted`
  return after(server, verdict.model, changes)
}

/** RFC 6886 section 3.4: deleting all does as much as it can, also when it then has to report a failure. */
const isDeleteAll = (bytes: Uint8Array): boolean =>
  bytes.length >= 12 && hexAt(bytes, 4, 6) + hexAt(bytes, 8, 12) === "0".repeat(12)

const soonestOf = (model: Model): number | undefined => {
  let first = Number.POSITIVE_INFINITY
  for (const { until } of model.held) first = Math.min(first, until)
  for (const { map, idle, peers } of model.ends.values()) {
    first = Math.min(first, map?.expires ?? first, idle === 0 ? first : idle, ...peers.map((peer) => peer.expires))
  }
  return first === Number.POSITIVE_INFINITY ? undefined : first
}

const endsOf = (mapping: Mapping): string => {
  const { internal, external, externalPort } = formatted(mapping)
  return `${mapping.protocol} ${internal}:${mapping.internalPort} ${external}:${externalPort}`
}

const lineOf = (mapping: Mapping): string => {
  const { remote, nonce } = formatted(mapping)
  const { preferFailure = false, requester, thirdPartyId, description } = mapping.details ?? {}
  const octets = description === undefined ? undefined : new TextEncoder().encode(description)
  const details = detailText(preferFailure, {
    requester: requester === undefined ? undefined : formatAddress(requester),
    thirdPartyId,
    description: octets === undefined ? undefined : hexAt(octets, 0, octets.length),
  })
  return `${mapping.kind} ${mapping.origin} ${endsOf(mapping)} ${remote} ${nonce} ${mapping.expires} ${details}`
}

/** Lines that say all mappings and filters of a server, read `limit` at a time. */
export const listServer = (server: ServerState<CgnState>, now: number, limit: number): readonly string[] => {
  const lines: string[] = []
  for (let after: number | undefined = 0; after !== undefined; ) {
    const page = mappings(server, now, after, limit)
    for (const mapping of page.mappings) {
      lines.push(lineOf(mapping))
      if (mapping.kind !== "map") continue
      const list = filters(server, mapping)
      const texts = list.map((one) => ({ ...one, remote: formatAddress(one.remote) }))
      if (list.length > 0) lines.push(`filters ${endsOf(mapping)} ${filterText(texts)}`)
    }
    after = page.after
  }
  return lines.sort()
}

export const countersOf = (server: ServerState<CgnState>): readonly string[] =>
  Object.entries(counters(server))
    .flatMap(([vector, counts]) => counts.map(({ index, count }) => `${vector} ${index} ${count}`))
    .sort()

/** What a server and its model list differently, or `undefined`. */
export const difference = ({ server, model, now }: Place, all: boolean): string | undefined => {
  const got = listServer(server, now, all ? 1 : 1000)
  const wanted = listModel(model, now)
  if (got.join("\n") !== wanted.join("\n")) return `lists\n  ${got.join("\n  ")}\nnot\n  ${wanted.join("\n  ")}`
  if (!all) return undefined
  if (epochTime(server, now) !== Math.floor((now - model.epoch) / 1000)) return `epoch ${epochTime(server, now)}`
  const counted = countersOf(server).join("\n")
  const counts = counterLines(model).join("\n")
  return counted === counts ? undefined : `counts\n${counted}\nnot\n${counts}`
}

export const movesOf = (place: Place): readonly (Move | Turn)[] => {
  const moves: (Move | Turn)[] = []
  for (let at = place.moves; at !== undefined; at = at.before) moves.push(at.move)
  return moves.reverse()
}

export const moveText = (move: Move | Turn): string => {
  const { now } = move
  if (move.type === "advance" || move.type === "restore") return `${now} ${move.type}`
  if (move.type === "turn") return `${now} turn ${JSON.stringify(move.settings)}`
  if (move.type === "revoke") return `${now} revoke ${hostText(move.internal, move.realm)}`
  if (move.type === "outbound")
    return `${now} outbound ${move.protocol} ${hostText(move.internal, move.realm)}:${move.internalPort}`
  const side = move.outside ? " outside" : ""
  return `${now} from ${hostText(move.source, move.realm)}${side} ${hexAt(move.bytes, 0, move.bytes.length)}`
}

/** The moves left when every one is taken out that the failure does not need. */
export const shrunk = (
  moves: readonly (Move | Turn)[],
  fails: (moves: readonly (Move | Turn)[]) => boolean,
): readonly (Move | Turn)[] => {
  let left = moves
  for (let size = moves.length >> 1; size >= 1; size >>= 1)
    for (let at = 0; at < left.length; ) {
      const without = [...left.slice(0, at), ...left.slice(at + size)]
      if (fails(without)) left = without
      else at += size
    }
  return left
}

/** What goes wrong when these moves are made from `start`, or `undefined`. */
export const failureOf = (
  settings: ModelSettings,
  start: Place,
  moves: readonly (Move | Turn)[],
): string | undefined => {
  let place = start
  for (const move of moves) {
    const played = play(settings, place, move)
    if (typeof played === "string") return played
    place = played.place
    const differs = difference(place, true)
    if (differs !== undefined) return differs
  }
  return undefined
}

/** The text of a failure: the fewest moves that lead to it, and the server that they are for. */
export const report = (
  seed: number,
  settings: ModelSettings,
  start: Place,
  moves: readonly (Move | Turn)[],
  why: string,
): string => {
  const fewest = shrunk(moves, (some) => failureOf(settings, start, some) !== undefined)
  const what = failureOf(settings, start, fewest) ?? why
  const { paired, ...rest } = settings
  return [
    `seed ${seed}: ${what}`,
    `after ${fewest.length} moves of ${moves.length}:`,
    ...fewest.map(moveText),
    JSON.stringify({ ...rest, paired: [...paired] }),
  ].join("\n")
}
