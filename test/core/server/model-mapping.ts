/** What MAP, PEER, deletions and traffic do to the model's mappings, by RFC 6887 sections 11.3, 12.3, 13.3 and 15. */
import { type Choice, type Chosen, checkChoice } from "./model-choice.ts"
import { addressText, isZero, type ModelOptions, word16 } from "./model-message.ts"
import {
  endKey,
  heldBy,
  live,
  type Model,
  type ModelDetails,
  type ModelEnd,
  type ModelSettings,
  withEnd,
} from "./model-state.ts"

export interface ModelRequest {
  readonly bytes: Uint8Array
  readonly now: number
  readonly source: string
  readonly outside: boolean
  /** "" or %realm, which tells hosts with equal addresses apart. */
  readonly realm: string
  /** The code in the server's reply, looked at only where the model allows more than one. */
  readonly answered: number
  /** The MAP mappings that the server made, in its order. */
  readonly made: readonly { readonly internalPort: number; readonly external: string; readonly externalPort: number }[]
}

const NEVER = 0xffffffff

/** Seconds from now to an instant: down for a promise made earlier, so that none is said to last longer than it does. */
const left = (expires: number, now: number): number =>
  expires === Number.POSITIVE_INFINITY ? NEVER : Math.max(1, Math.floor((expires - now) / 1000))

/** Seconds for which traffic alone keeps an end: up, as no lifetime may be less (S-131). */
const idleLeft = (end: ModelEnd | undefined, now: number): number =>
  end === undefined || end.idle === 0 ? 0 : Math.ceil((end.idle - now) / 1000)

/** The end of a grant: on whole seconds from the start, rounded up, so that a client never has less than promised. */
const granted = (settings: ModelSettings, now: number, lifetime: number): number => {
  const second = Math.ceil((now - settings.start) / 1000) + lifetime
  return second >= NEVER ? Number.POSITIVE_INFINITY : settings.start + second * 1000
}

export interface Ask {
  readonly protocol: number
  readonly internal: string
  readonly internalPort: number
  /** `undefined` for NAT-PMP. */
  readonly nonce: string | undefined
  readonly suggested: string
  readonly suggestedPort: number
  /** Seconds, within the limits. */
  readonly lifetime: number
  /** The source where that is not the internal address. */
  readonly requester: string | undefined
  readonly options: ModelOptions
}

export type Done =
  | { readonly code: number; readonly lifetime?: number }
  | {
      readonly model: Model
      readonly lifetime: number
      /** `undefined`: the suggested one goes back as it came. */
      readonly end: { readonly external: string; readonly externalPort: number } | undefined
      /** DESCRIPTION as it is stored now, where the request had one. */
      readonly description?: string | undefined
      /** Ports mapped or deleted from the first on; left out for one. */
      readonly ports?: number
    }
  | { readonly wrong: string }

const emptyEnd = (ask: Ask, end: { readonly external: string; readonly externalPort: number }): ModelEnd => ({
  protocol: ask.protocol,
  internal: ask.internal,
  internalPort: ask.internalPort,
  external: end.external,
  externalPort: end.externalPort,
  map: undefined,
  idle: 0,
  peers: [],
  fixed: false,
})

/** How many more mappings a host may have, for its own quota and its subscriber's. */
export const roomFor = (settings: ModelSettings, model: Model, host: string, now: number): number => {
  const { quota, subscriberQuota, subscriberPrefix } = settings
  const none = Number.POSITIVE_INFINITY
  const own = quota === 0 ? none : quota - heldBy(model, (internal) => internal === host, now)
  if (subscriberQuota === 0) return Math.max(0, own)
  const group = subscriberOf(host, subscriberPrefix)
  const all = heldBy(model, (internal) => subscriberOf(internal, subscriberPrefix) === group, now)
  return Math.max(0, Math.min(own, subscriberQuota - all))
}

/** Whose a host is: its realm's, or the first `bits` of its address. */
const subscriberOf = (host: string, bits: number): string => {
  const [address, realm] = host.split("%")
  if (realm !== undefined) return `%${realm}`
  const binary = address.split(".").map((octet) => Number(octet).toString(2).padStart(8, "0"))
  return binary.join("").slice(0, bits)
}

const isOverQuota = (settings: ModelSettings, model: Model, ask: Ask, now: number): boolean =>
  roomFor(settings, model, ask.internal, now) === 0

/** May a request without a nonce, or with this one, touch a MAP mapping: as it likes, not but learn of it, or not at all? */
const rightTo = (
  { noncePolicy }: ModelSettings,
  own: string | undefined,
  nonce: string | undefined,
): "change" | "learn" | "none" => {
  if (noncePolicy === "off" || own === nonce) return "change"
  if (own === undefined) return noncePolicy === "strict" ? "none" : "change"
  return nonce === undefined && noncePolicy === "rfc" ? "learn" : "none"
}

/** RFC 7220 section 3: 128 octets are stored, cut between two characters; "" takes away what was there. */
const describedAs = (asked: string | undefined, before: string | undefined): string | undefined => {
  if (asked === undefined) return before
  return asked === "" ? undefined : storedText(asked)
}

export const storedText = (hex: string): string => {
  let end = Math.min(hex.length, 256)
  while (end < hex.length && "89ab".includes(hex[end])) end -= 2
  return hex.slice(0, end)
}

const detailsOf = (ask: Ask, before: ModelDetails | undefined): ModelDetails => ({
  requester: ask.requester,
  thirdPartyId: ask.options.thirdPartyId,
  description: describedAs(ask.options.description, before?.description),
})

const answered = ({ description }: ModelOptions): string | undefined =>
  description === undefined ? undefined : storedText(description)

const wrongChoice = (choice: Choice): Done =>
  choice.is === "refused" ? { code: choice.code } : { wrong: choice.is === "wrong" ? choice.why : "" }

/** RFC 6887 section 11.3, and RFC 6886 section 3.3 for requests without a nonce. */
export const serveMap = (
  settings: ModelSettings,
  model: Model,
  { now, answered: replied }: ModelRequest,
  chosen: Chosen,
  ask: Ask,
): Done => {
  const key = endKey(ask.protocol, ask.internal, ask.internalPort)
  const found = live(model.ends.get(key), now)
  const { preferFailure } = ask.options
  if (found?.fixed) {
    // S-45 S-47: the administrator's, as it is; NAT-PMP is promised no more than it asked for, and nobody sets filters.
    const other =
      !(isZero(ask.suggested) || ask.suggested === found.external) || ask.suggestedPort !== found.externalPort
    if (preferFailure && other) return { code: 11 }
    if (ask.options.deleteFilters || ask.options.filters.length > 0) return { code: 2 }
    return { model, lifetime: ask.nonce === undefined ? ask.lifetime : NEVER, end: found }
  }
  if (found?.map !== undefined) {
    const right = rightTo(settings, found.map.nonce, ask.nonce)
    const remaining = left(found.map.expires, now)
    if (right === "learn") return { model, lifetime: Math.min(ask.lifetime, remaining), end: found }
    if (right === "none") return { code: 2, lifetime: remaining }
  }
  if (found !== undefined && preferFailure)
    if (!(isZero(ask.suggested) || ask.suggested === found.external) || ask.suggestedPort !== found.externalPort)
      return { code: 11 }
  if (found?.map === undefined && isOverQuota(settings, model, ask, now)) return { code: 10 }
  const filters = [...(ask.options.deleteFilters ? [] : (found?.map?.filters ?? []))]
  for (const one of ask.options.filters) {
    const same = filters.some(
      (other) =>
        other.remote === one.remote && other.prefixLength === one.prefixLength && other.remotePort === one.remotePort,
    )
    if (!same) filters.push(one)
  }
  const tooMany = ask.options.filters.length > 0 && filters.length > settings.filterLimit
  let end = found
  if (end === undefined) {
    const want = { ...ask, natPmp: ask.nonce === undefined, exact: preferFailure }
    const choice = checkChoice(settings, model, now, want, chosen)
    // A mapping refused for its filters was chosen an end, but nobody learns which.
    const maybe = choice.is === "wrong" || (choice.is === "refused" && choice.unsure)
    if (tooMany && maybe && replied === 13) return { code: 13 }
    if (choice.is !== "chosen") return wrongChoice(choice)
    end = emptyEnd(ask, choice)
  }
  if (tooMany) return { code: 13 }
  // N-04: NAT-PMP is promised no more than it asked for.
  const lifetime = ask.nonce === undefined ? ask.lifetime : Math.max(ask.lifetime, idleLeft(end, now))
  const expires = granted(settings, now, lifetime)
  const map = { nonce: ask.nonce, expires, filters, exact: preferFailure, details: detailsOf(ask, found?.map?.details) }
  const after = withEnd(settings, model, key, { ...end, map }, now)
  return { model: after, lifetime, end, description: answered(ask.options) }
}

/** RFC 6887 section 15.1 and RFC 6886 section 3.4. */
export const serveDelete = (
  settings: ModelSettings,
  model: Model,
  { now }: ModelRequest,
  _: Chosen,
  ask: Ask,
): Done => {
  const key = endKey(ask.protocol, ask.internal, ask.internalPort)
  const found = live(model.ends.get(key), now)
  const natPmp = ask.nonce === undefined
  if (found === undefined) return { model, lifetime: 0, end: undefined }
  if (found.fixed) return { code: 2 }
  if (found.map === undefined) return natPmp ? { model, lifetime: 0, end: undefined } : { code: 2 }
  if (rightTo(settings, found.map.nonce, ask.nonce) !== "change")
    return { code: 2, lifetime: left(found.map.expires, now) }
  const lifetime = natPmp ? 0 : idleLeft(found, now)
  const map = lifetime === 0 ? undefined : { ...found.map, expires: granted(settings, now, lifetime) }
  const end = live({ ...found, map }, now)
  return { model: withEnd(settings, model, key, end, now, found.map.nonce), lifetime, end: undefined }
}

/** RFC 6887 section 12.3. */
export const servePeer = (
  settings: ModelSettings,
  model: Model,
  { bytes, now }: ModelRequest,
  chosen: Chosen,
  ask: Ask,
): Done => {
  const key = endKey(ask.protocol, ask.internal, ask.internalPort)
  const found = live(model.ends.get(key), now)
  const remote = addressText(bytes, 64)
  const remotePort = word16(bytes, 60)
  const nonce = ask.nonce ?? ""
  if (found === undefined) {
    if (ask.lifetime === 0) return { model, lifetime: 0, end: undefined }
    if (isOverQuota(settings, model, ask, now)) return { code: 10 }
    const exact = ask.suggestedPort !== 0 || !isZero(ask.suggested)
    const choice = checkChoice(settings, model, now, { ...ask, natPmp: false, exact }, chosen)
    if (choice.is !== "chosen") return wrongChoice(choice)
    const expires = granted(settings, now, ask.lifetime)
    const peers = [{ remote, remotePort, nonce, expires, details: detailsOf(ask, undefined) }]
    const end = { ...emptyEnd(ask, choice), peers }
    const after = withEnd(settings, model, key, end, now)
    return { model: after, lifetime: ask.lifetime, end, description: answered(ask.options) }
  }
  const forever = found.fixed ? Number.POSITIVE_INFINITY : 0
  const last = Math.max(forever, found.map?.expires ?? 0, found.idle, ...found.peers.map((peer) => peer.expires))
  // One nonce holds for them all; where `off` let others in before, it is the newest's.
  const newest = found.peers.at(-1)
  if (settings.noncePolicy !== "off" && newest !== undefined && newest.nonce !== nonce)
    return { code: 2, lifetime: left(last, now) }
  const before = found.peers.find((peer) => peer.remote === remote && peer.remotePort === remotePort)
  // PEER can't shorten or delete (S-69): lifetime 0 asks, and less than what is left changes nothing.
  if (ask.lifetime === 0 || (before !== undefined && granted(settings, now, ask.lifetime) <= before.expires))
    return { model, lifetime: Math.max(left(before?.expires ?? last, now), idleLeft(found, now)), end: found }
  if (before === undefined && isOverQuota(settings, model, ask, now)) return { code: 10 }
  const lifetime = Math.max(ask.lifetime, idleLeft(found, now))
  const details = detailsOf(ask, before?.details)
  const peer = { remote, remotePort, nonce, expires: granted(settings, now, lifetime), details }
  const renewed = found.peers.map((other) => (other === before ? peer : other))
  const peers = before === undefined ? [...found.peers, peer] : renewed
  const after = withEnd(settings, model, key, { ...found, peers }, now)
  return { model: after, lifetime, end: found, description: answered(ask.options) }
}

/** RFC 4787 REQ-6: an outbound packet keeps its internal end for the idle time, and makes it where there is room. */
export const noteOutboundModel = (
  settings: ModelSettings,
  model: Model,
  end: { readonly protocol: number; readonly internal: string; readonly internalPort: number },
  now: number,
  chosen: Chosen,
): Model | { readonly wrong: string } => {
  const { protocol } = end
  if (protocol !== 6 && protocol !== 17) return model
  const key = endKey(protocol, end.internal, end.internalPort)
  const idle = granted(settings, now, protocol === 6 ? settings.idleTimeout.tcp : settings.idleTimeout.udp)
  const found = live(model.ends.get(key), now)
  if (found !== undefined) return withEnd(settings, model, key, { ...found, idle: Math.max(found.idle, idle) }, now)
  const want = { ...end, nonce: undefined, suggested: "0.0.0.0", suggestedPort: 0, natPmp: false, exact: false }
  const choice = checkChoice(settings, model, now, want, chosen)
  if (choice.is === "wrong") return { wrong: choice.why }
  if (choice.is === "refused") return model
  const { external, externalPort } = choice
  const { internal, internalPort } = end
  const made = {
    protocol,
    internal,
    internalPort,
    external,
    externalPort,
    map: undefined,
    idle,
    peers: [],
    fixed: false,
  }
  return withEnd(settings, model, key, made, now)
}
