import { isZero } from "./model-message.ts"
import { heldAt, live, type Model, type ModelEnd, type ModelHeld, type ModelSettings } from "./model-state.ts"

/** What a request wants of the external side. */
export interface Wanted {
  readonly protocol: number
  readonly internal: string
  readonly internalPort: number
  readonly nonce: string | undefined
  readonly suggested: string
  readonly suggestedPort: number
  readonly natPmp: boolean
  readonly exact: boolean
}

/** What the server chose; `undefined`: it refused. The model cannot know which free port it takes, only which it may. */
export type Chosen = { readonly external: string; readonly externalPort: number } | undefined

/** The choice allowed, the code of the refusal due, or what is wrong with what the server did. */
export type Choice =
  | { readonly is: "chosen"; readonly external: string; readonly externalPort: number }
  /** `unsure`: an end that is held for this very client may have been found, though it was not suggested. */
  | { readonly is: "refused"; readonly code: number; readonly unsure: boolean }
  | { readonly is: "wrong"; readonly why: string }

/** Which external ends may be had at `now`: by this client, and by anybody. */
export const openEnds = (settings: ModelSettings, model: Model, now: number, want: Wanted) => {
  const alive = portsOf(model, now)
  const held = new Map(
    heldAt(settings, model, now).map((one) => [portKey(one.protocol, one.external, one.externalPort), one]),
  )
  const heldAs = (protocol: number, external: string, port: number) => held.get(portKey(protocol, external, port))
  const isMine = (one: ModelHeld): boolean =>
    one.internal === want.internal &&
    one.internalPort === want.internalPort &&
    (settings.noncePolicy === "off" || one.nonce === undefined || one.nonce === want.nonce)
  const otherOf = (protocol: number): number => (protocol === 6 ? 17 : 6)
  const mayHave = (external: string, port: number): boolean => {
    if (!inRange(settings, want.protocol, port)) return false
    const { own, other } = holders(alive, external, port, want.protocol)
    const waiting = heldAs(want.protocol, external, port)
    if (own !== undefined || (waiting !== undefined && !isMine(waiting))) return false
    const beside = heldAs(otherOf(want.protocol), external, port)
    if (want.natPmp && beside !== undefined && beside.internal !== want.internal) return false
    if (other === undefined || other.internal === want.internal) return true
    return !want.natPmp && !reservesCompanion(other)
  }
  // A port offered unasked has no companion to mind, not even one of the subscriber's own; as NAT-PMP gets both
  // protocols' ports, it is never offered 5350 and 5351.
  const isFree = (external: string, port: number): boolean => {
    if (!inRange(settings, want.natPmp ? 17 : want.protocol, port)) return false
    if (heldAs(want.protocol, external, port) !== undefined) return false
    if (want.natPmp && heldAs(otherOf(want.protocol), external, port) !== undefined) return false
    const { own, other } = holders(alive, external, port, want.protocol)
    return own === undefined && (other === undefined || (!want.natPmp && !reservesCompanion(other)))
  }
  return { mayHave, isFree, held, heldAs, isMine, otherOf }
}

/** RFC 6887 section 11.3: what an external end may be, for this subscriber, with what holds its port in either protocol. */
export const checkChoice = (settings: ModelSettings, model: Model, now: number, want: Wanted, got: Chosen): Choice => {
  const { pool } = settings
  const { mayHave, isFree, held, heldAs, isMine, otherOf } = openEnds(settings, model, now, want)
  const hasRoom = (external: string): boolean => {
    for (let port = settings.ports.first; port <= settings.ports.last; port++) if (isFree(external, port)) return true
    return false
  }
  const home = homeOf(settings, model, now, want.internal)
  // Of a subscriber that the test knows nothing of, any address may be its own.
  const homes = home === undefined ? pool : [home]
  const suggested = isZero(want.suggested) ? homes : pool.filter((external) => external === want.suggested)
  const chosen = (): Choice => (got === undefined ? { is: "wrong", why: "refused" } : { is: "chosen", ...got })
  const refused = (code: number): Choice =>
    got === undefined
      ? { is: "refused", code, unsure: false }
      : { is: "wrong", why: `got ${got.external}:${got.externalPort}, not error ${code}` }
  if (want.suggestedPort !== 0 && suggested.length > 0) {
    const usable = suggested.filter((external) => mayHave(external, want.suggestedPort))
    if (usable.some((external) => external === got?.external) && got?.externalPort === want.suggestedPort)
      return chosen()
    if (usable.length === suggested.length)
      return { is: "wrong", why: `${usable.join(" or ")}:${want.suggestedPort} can be had and was not assigned` }
  }
  if (want.exact && (want.suggestedPort !== 0 || suggested.length === 0)) return refused(11)
  const anywhere = want.exact && !isZero(want.suggested) ? suggested : pool
  // What the host has in the other transport leaves room beside it, for it alone.
  const beside = (external: string): boolean => {
    // But not what is held for the host: nobody keeps a list of that.
    const waits = (port: number): boolean =>
      heldAs(want.protocol, external, port) !== undefined ||
      (want.natPmp && heldAs(otherOf(want.protocol), external, port) !== undefined)
    for (let port = settings.ports.first; port <= settings.ports.last; port++)
      if (!waits(port) && mayHave(external, port)) return true
    return false
  }
  // What is held for it comes back to a client also unasked; which of several, it cannot say.
  const waiting = [...held.values()].filter(
    (one) =>
      one.protocol === want.protocol &&
      isMine(one) &&
      anywhere.includes(one.external) &&
      mayHave(one.external, one.externalPort),
  )
  if (waiting.some((one) => one.external === got?.external && one.externalPort === got.externalPort)) return chosen()
  if (waiting.length === 1) return { is: "wrong", why: "what is held for the client is not given back" }
  if (!anywhere.some((external) => hasRoom(external))) {
    if (got !== undefined)
      return anywhere.includes(got.external) && mayHave(got.external, got.externalPort)
        ? chosen()
        : { is: "wrong", why: `${got.external}:${got.externalPort} can't be had` }
    // A request must not fail that could be met (S-50).
    if (anywhere.some((external) => beside(external)))
      return { is: "wrong", why: "refused, though there is room beside the host's own" }
    return refused(want.exact && !isZero(want.suggested) ? 11 : 8)
  }
  if (got === undefined) return { is: "wrong", why: "refused, though there is room" }
  if (!pool.includes(got.external)) return { is: "wrong", why: `${got.external} is not in the pool` }
  if (!isFree(got.external, got.externalPort))
    return { is: "wrong", why: `${got.external}:${got.externalPort} can't be had` }
  if (!anywhere.includes(got.external)) return { is: "wrong", why: `${got.external} was not suggested` }
  // The suggested address while it has room, then the subscriber's own while that has room, then any (RFC 4787 REQ-2).
  if (!isZero(want.suggested) && suggested.some((external) => hasRoom(external)))
    return suggested.includes(got.external) ? chosen() : { is: "wrong", why: "the suggested address has room" }
  if (homes.every((external) => hasRoom(external)) && ![...homes, ...suggested].includes(got.external))
    return { is: "wrong", why: `${homes.join(" or ")}, its own, has room` }
  return chosen()
}

/** The address that a subscriber is paired with now: its mappings', as long as one of them is there, else its first. */
export const homeOf = (settings: ModelSettings, model: Model, now: number, internal: string): string | undefined => {
  for (const end of model.ends.values())
    if (end.internal === internal && live(end, now) !== undefined) {
      const home = model.homes.get(internal)
      return home === undefined || settings.pool.includes(home) ? home : settings.paired.get(internal)
    }
  return settings.paired.get(internal)
}

const portKey = (protocol: number, external: string, port: number): string => `${protocol} ${external} ${port}`

const portsOf = (model: Model, now: number): ReadonlyMap<string, ModelEnd> => {
  const ports = new Map<string, ModelEnd>()
  for (const stored of model.ends.values()) {
    const end = live(stored, now)
    if (end !== undefined) ports.set(portKey(end.protocol, end.external, end.externalPort), end)
  }
  return ports
}

const holders = (ports: ReadonlyMap<string, ModelEnd>, external: string, port: number, protocol: number) => ({
  own: ports.get(portKey(protocol, external, port)),
  other: ports.get(portKey(protocol === 6 ? 17 : 6, external, port)),
})

/** RFC 6886 section 3.3: a NAT-PMP mapping reserves the same port of the other protocol. */
const reservesCompanion = (end: ModelEnd): boolean => end.map !== undefined && end.map.nonce === undefined

/** RFC 6887 section 11.3 forbids UDP 5350 and 5351. */
const inRange = ({ ports }: ModelSettings, protocol: number, port: number): boolean =>
  port >= ports.first && port <= ports.last && (protocol !== 17 || (port !== 5350 && port !== 5351))
