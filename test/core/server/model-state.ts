import type { ModelFilter } from "./model-message.ts"

/**
 * What the model remembers, as copied Maps of plain objects. One entry is one internal end of an endpoint-independent
 * NAT44 (RFC 4787 REQ-1): whatever wants it shares its external end. What has run out stays in `ends` until the server
 * surely dropped it too; every reader asks for what is {@link live}.
 */
export interface ModelEnd {
  readonly protocol: number
  /** The internal address, and %realm after it where there is one: whatever differs in either is another host. */
  readonly internal: string
  readonly internalPort: number
  readonly external: string
  readonly externalPort: number
  readonly map:
    | {
        readonly nonce: string | undefined
        readonly expires: number
        readonly filters: readonly ModelFilter[]
        /** Made or last renewed with PREFER_FAILURE. */
        readonly exact: boolean
        readonly details: ModelDetails
      }
    | undefined
  /** When the implicit mapping ends; 0 for none. */
  readonly idle: number
  readonly peers: readonly ModelPeer[]
  /** The administrator's: it does not end. */
  readonly fixed: boolean
}

/** Who asked with THIRD_PARTY and its identifier, and DESCRIPTION in hexadecimal; `undefined`: none. */
export interface ModelDetails {
  readonly requester: string | undefined
  readonly thirdPartyId: string | undefined
  readonly description: string | undefined
}

/** An external end that only its former owner gets, for a while (RFC 6887 section 15, S-136). */
export interface ModelHeld {
  readonly protocol: number
  readonly internal: string
  readonly internalPort: number
  readonly external: string
  readonly externalPort: number
  readonly nonce: string | undefined
  readonly until: number
}

export interface ModelStatic {
  readonly protocol: number
  readonly internal: string
  readonly internalPort: number
  readonly external: string
  readonly externalPort: number
}

export interface ModelPeer {
  readonly remote: string
  readonly remotePort: number
  readonly nonce: string
  readonly expires: number
  readonly details: ModelDetails
}

/** The first bits of an address, of 128: an IPv4 /24 is 120. */
export interface ModelPrefix {
  readonly address: string
  readonly prefixLength: number
}

interface ModelRange {
  readonly first: number
  readonly last: number
}

/** A permission rule; what it does not have fits every request. */
export interface ModelRule {
  readonly allow: boolean
  readonly clients?: ModelPrefix
  readonly except?: readonly ModelPrefix[]
  readonly internal?: ModelPrefix
  readonly internalPorts?: ModelRange
  readonly externalPorts?: ModelRange
  readonly protocol?: number
  readonly opcode?: number
  readonly option?: number
}

export interface ModelSettings {
  readonly pool: readonly string[]
  readonly ports: { readonly first: number; readonly last: number }
  readonly quota: number
  /** For a realm, or for all hosts whose IPv4 addresses have `subscriberPrefix` bits in common. */
  readonly subscriberQuota: number
  readonly subscriberPrefix: number
  readonly noncePolicy: "rfc" | "strict" | "off"
  readonly rules: readonly ModelRule[]
  readonly filterLimit: number
  readonly idleTimeout: { readonly udp: number; readonly tcp: number }
  readonly recycleDelay: { readonly udp: number; readonly tcp: number }
  readonly statics: readonly ModelStatic[]
  readonly start: number
  readonly minLifetime: number
  readonly maxLifetime: number
  readonly pcp: boolean
  readonly natPmp: boolean
  readonly map: boolean
  readonly peer: boolean
  readonly announce: boolean
  readonly thirdParty: boolean
  /** THIRD_PARTY_ID is served: which identifier is which number of a realm, see `THIRD_PARTY_IDS`. */
  readonly thirdPartyId: boolean
  readonly description: boolean
  readonly portSet: boolean
  /** The external address that each subscriber without mappings is paired with: asked of the server at its start. */
  readonly paired: ReadonlyMap<string, string>
  /** The secret that those pairs come from. */
  readonly secret: readonly number[]
}

export interface Model {
  readonly ends: ReadonlyMap<string, ModelEnd>
  readonly counters: ReadonlyMap<string, number>
  /** The address that a subscriber with mappings is paired with: where its first one went. */
  readonly homes: ReadonlyMap<string, string>
  readonly held: readonly ModelHeld[]
  /** When the Epoch Time of a host began that has one of its own, and everybody's since the pool changed. */
  readonly epochs: ReadonlyMap<string, number>
  readonly epoch: number
  /** The settings since the last change of them; `undefined`: the first. */
  readonly settings: ModelSettings | undefined
}

/** What there is at first: the administrator's mappings. */
export const emptyModel = (settings: ModelSettings): Model => {
  const ends = new Map<string, ModelEnd>()
  const homes = new Map<string, string>()
  for (const fixed of settings.statics) {
    ends.set(endKey(fixed.protocol, fixed.internal, fixed.internalPort), fixedEnd(fixed))
    homes.set(fixed.internal, fixed.external)
  }
  return { ends, counters: new Map(), homes, held: [], epochs: new Map(), epoch: settings.start, settings: undefined }
}

export const fixedEnd = (fixed: ModelStatic): ModelEnd => ({
  ...fixed,
  map: undefined,
  idle: 0,
  peers: [],
  fixed: true,
})

export const endKey = (protocol: number, internal: string, internalPort: number): string =>
  `${protocol} ${internal} ${internalPort}`

/** What of an end is there at `now`; `undefined` when nothing is. A mapping counts as absent from its `expires` on. */
export const live = (end: ModelEnd | undefined, now: number): ModelEnd | undefined => {
  if (end === undefined) return undefined
  const map = end.map !== undefined && end.map.expires > now ? end.map : undefined
  const idle = end.idle > now ? end.idle : 0
  const peers = end.peers.every((peer) => peer.expires > now)
    ? end.peers
    : end.peers.filter((peer) => peer.expires > now)
  if (map === undefined && idle === 0 && peers.length === 0 && !end.fixed) return undefined
  return map === end.map && idle === end.idle && peers === end.peers ? end : { ...end, map, idle, peers }
}

/** Until when the external end of a mapping is held that went at `at`, an instant on whole seconds from the start. */
const heldUntil = (settings: ModelSettings, end: ModelEnd, at: number): number => {
  const delay = end.protocol === 17 ? settings.recycleDelay.udp : settings.recycleDelay.tcp
  return delay === 0 ? 0 : at + 1000 * delay
}

const heldOf = (end: ModelEnd, nonce: string | undefined, until: number): ModelHeld => {
  const { protocol, internal, internalPort, external, externalPort } = end
  return { protocol, internal, internalPort, external, externalPort, nonce, until }
}

/** What an end that has run out leaves held: where MAP or PEER was the last to go, for its nonce. */
const remains = (settings: ModelSettings, end: ModelEnd): readonly ModelHeld[] => {
  const last = [
    { expires: end.idle, nonce: undefined, explicit: false },
    ...end.peers.map((peer) => ({ ...peer, explicit: true })),
    ...(end.map === undefined ? [] : [{ ...end.map, explicit: true }]),
  ].reduce((a, b) => (b.expires >= a.expires ? b : a))
  return last.explicit ? [heldOf(end, last.nonce, heldUntil(settings, end, last.expires))] : []
}

/** All that is held at `now`, whether anybody has noticed yet that what had it ran out or not. */
export const heldAt = (settings: ModelSettings, model: Model, now: number): readonly ModelHeld[] => {
  const held = [...model.held]
  for (const end of model.ends.values()) if (live(end, now) === undefined) held.push(...remains(settings, end))
  return held.filter(({ until }) => until > now)
}

/** Takes out everything that has run out: what `advance` does. */
export const advanceModel = (settings: ModelSettings, model: Model, now: number): Model => {
  const ends = new Map<string, ModelEnd>()
  const homes = new Map<string, string>()
  for (const [key, end] of model.ends) {
    const left = live(end, now)
    if (left === undefined) continue
    ends.set(key, left)
    const home = model.homes.get(left.internal)
    if (home !== undefined) homes.set(left.internal, home)
  }
  return { ...model, ends, homes, held: heldAt(settings, model, now) }
}

/**
 * The model with `end` in place of what its internal end had; `undefined` takes it away, its external end held from now on
 * for the nonce of the explicit mapping that went.
 */
export const withEnd = (
  settings: ModelSettings,
  model: Model,
  key: string,
  end: ModelEnd | undefined,
  now: number,
  nonce?: string,
): Model => {
  const ends = new Map(model.ends)
  const homes = new Map(model.homes)
  const internal = key.split(" ")[1]
  const others = [...model.ends.values()].filter((other) => other.internal === internal)
  if (end !== undefined && others.every((other) => live(other, now) === undefined)) homes.set(internal, end.external)
  const before = ends.get(key)
  let { held } = model
  if (before !== undefined && live(before, now) === undefined) held = [...held, ...remains(settings, before)]
  else if (before !== undefined && end === undefined) {
    const at = settings.start + 1000 * Math.ceil((now - settings.start) / 1000)
    held = [...held, heldOf(before, nonce, heldUntil(settings, before, at))]
  }
  if (end === undefined || live(before, now) === undefined) ends.delete(key)
  // Newer ones come later in the Map.
  if (end !== undefined) ends.set(key, end)
  if (![...ends.values()].some((other) => other.internal === internal)) homes.delete(internal)
  const has = (one: ModelHeld): boolean =>
    end?.protocol === one.protocol && end.external === one.external && end.externalPort === one.externalPort
  return { ...model, ends, homes, held: held.filter((one) => !has(one)) }
}

/** MAP and PEER mappings of the hosts that `isOf` says, for a quota. */
export const heldBy = (model: Model, isOf: (internal: string) => boolean, now: number): number => {
  let held = 0
  for (const stored of model.ends.values()) {
    if (!isOf(stored.internal)) continue
    const end = live(stored, now)
    if (end !== undefined) held += end.peers.length + (end.map === undefined ? 0 : 1)
  }
  return held
}

/** Lines that say all there is at `now`: mappings, and filters in their order. */
export const listModel = (model: Model, now: number): readonly string[] => {
  const lines: string[] = []
  for (const stored of model.ends.values()) {
    const end = live(stored, now)
    if (end === undefined) continue
    const { protocol, internal, internalPort, external, externalPort } = end
    const ends = `${protocol} ${internal}:${internalPort} ${external}:${externalPort}`
    if (end.fixed) lines.push(`static administrator ${ends} - - Infinity ${detailText(false, undefined)}`)
    if (end.map !== undefined) {
      const { nonce, expires, filters, exact, details } = end.map
      lines.push(
        `map ${nonce === undefined ? "nat-pmp" : "pcp"} ${ends} - ${nonce ?? "-"} ${expires} ${detailText(exact, details)}`,
      )
      if (filters.length > 0) lines.push(`filters ${ends} ${filterText(filters)}`)
    }
    if (end.idle !== 0) lines.push(`implicit traffic ${ends} - - ${end.idle} ${detailText(false, undefined)}`)
    for (const { remote, remotePort, nonce, expires, details } of end.peers)
      lines.push(`peer pcp ${ends} ${remote}:${remotePort} ${nonce} ${expires} ${detailText(false, details)}`)
  }
  return lines.sort()
}

export const detailText = (exact: boolean, details: ModelDetails | undefined): string =>
  `${exact} ${details?.requester ?? "-"} ${details?.thirdPartyId ?? "-"} ${details?.description ?? "-"}`

export const filterText = (filters: readonly ModelFilter[]): string =>
  filters.map(({ remote, prefixLength, remotePort }) => `${remote}/${prefixLength}:${remotePort}`).join(" ")

export const counterLines = (model: Model): readonly string[] =>
  [...model.counters].map(([name, value]) => `${name} ${value}`).sort()
