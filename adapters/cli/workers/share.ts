import type { Address } from "../../../core/wire/index.ts"
import type { SettingPath } from "../config/fault.ts"
import type { ServeSettings } from "../config/settings.ts"
import { ownerOf, ownerRule } from "./owner.ts"

/**
 * How the external ends are divided: whole `addresses` where each worker can have one, else each worker has a part of the
 * `ports` of all of them. `nothing` is divided where a subscriber's ports are its own by arithmetic (RFC 7422), or the device
 * has no pool.
 */
export type ShareKind = "addresses" | "ports" | "nothing"

export interface ShareFault {
  readonly path: SettingPath
  readonly text: string
}

export type Shared =
  | { readonly ok: true; readonly kind: ShareKind; readonly shares: readonly ServeSettings[] }
  | { readonly ok: false; readonly fault: ShareFault }

export const shareKind = ({ cgn, server }: ServeSettings, workers: number): ShareKind => {
  const { firewall, kind } = server.profile
  if (firewall || kind === "nptv6" || kind === "nat46" || cgn.assignment?.kind === "deterministic") return "nothing"
  return cgn.external.length >= workers ? "addresses" : "ports"
}

/** What workers cannot do together as one server would; `undefined`: all of these settings. */
export const unsharable = ({ cgn, server }: ServeSettings, workers: number): ShareFault | undefined => {
  if (workers === 1) return undefined
  const { assignment } = cgn
  const { profile, rateLimits, threatModel } = server
  const fault = (name: string, text: string): ShareFault => ({ path: [name], text: `with --workers ${text}` })
  if (rateLimits?.global !== undefined) return fault("rateLimits", "there is no limit of all sources together")
  if (rateLimits?.perSource !== undefined && profile.thirdParty && threatModel === "advanced")
    return fault("rateLimits", "there is no limit of one source where THIRD_PARTY is allowed")
  if (assignment?.kind !== "deterministic") return undefined
  if (assignment.dynamic !== undefined) return fault("assignment", "a deterministic one has no dynamic pool")
  return cgn.otherProtocols === true
    ? fault("assignment", "a deterministic one has UDP and TCP alone: switch otherProtocols of the profile off")
    : undefined
}

/** What a worker had before these settings came. */
export type Had = ReadonlySet<Address> | undefined

/**
 * Each worker's settings, so that no two can assign the same external end. Of addresses a worker keeps what it had; one with
 * static mappings goes to the owner of the first of their hosts where it can be had, so that the host's other mappings have the same
 * address (RFC 4787 REQ-2); and each other one to the worker that has fewest. Static mappings are in every share: to all but
 * their host's owner they say what is taken. `keep`: rather none of these settings than take from a worker what it had.
 */
export const shareOut = (settings: ServeSettings, had: readonly Had[], keep = false): Shared => {
  const workers = had.length
  const kind = shareKind(settings, workers)
  const { cgn } = settings
  if (workers === 1) return { ok: true, kind, shares: [settings] }
  switch (kind) {
    case "nothing":
      return { ok: true, kind, shares: had.map(() => settings) }
    case "ports": {
      const { first, last } = cgn.ports
      // SCTP keeps its port, and a whole protocol or host has them all.
      if (cgn.otherProtocols === true)
        return {
          ok: false,
          fault: { path: ["external"], text: `otherProtocols needs as many addresses as workers: ${workers}` },
        }
      const count = last - first + 1
      if (count < 2 * workers)
        return { ok: false, fault: { path: ["ports"], text: `${count} ports are too few for ${workers} workers` } }
      // At even ports: a set of ports may begin at one (RFC 7753), and a pair lies in one share.
      const edge = (worker: number): number =>
        worker === 0 ? first : worker === workers ? last + 1 : (first + Math.floor((worker * count) / workers)) & ~1
      const shares = had.map((_, worker) => withPool(settings, cgn.external, edge(worker), edge(worker + 1) - 1))
      return { ok: true, kind, shares }
    }
    case "addresses": {
      const owners = addressOwners(settings, had, keep)
      if (owners === undefined)
        return {
          ok: false,
          fault: { path: ["external"], text: "a worker would have no address left: start it anew" },
        }
      const shares = had.map((_, worker) => {
        const own = cgn.external.filter((address) => owners.get(address) === worker)
        return withPool(settings, own, cgn.ports.first, cgn.ports.last)
      })
      return { ok: true, kind, shares }
    }
  }
}

const withPool = (
  settings: ServeSettings,
  external: readonly Address[],
  first: number,
  last: number,
): ServeSettings => ({ ...settings, cgn: { ...settings.cgn, external, ports: { first, last } } })

/** Whose each address is; `undefined`: with `keep` somebody would have none. */
const addressOwners = (
  settings: ServeSettings,
  had: readonly Had[],
  keep: boolean,
): ReadonlyMap<Address, number> | undefined => {
  const { external, staticMappings = [] } = settings.cgn
  const rule = ownerRule(settings, had.length)
  const owners = new Map<Address, number>()
  const counts = had.map(() => 0)
  const give = (address: Address, worker: number): void => {
    const before = owners.get(address)
    if (before !== undefined) counts[before]--
    owners.set(address, worker)
    counts[worker]++
  }
  const pool = new Set(external)
  for (const address of external) {
    const worker = had.findIndex((own) => own?.has(address))
    if (worker >= 0) give(address, worker)
  }
  const kept = owners.size
  for (const mapping of staticMappings)
    if (pool.has(mapping.external) && !owners.has(mapping.external)) give(mapping.external, ownerOf(rule, mapping))
  const preferred = new Set(owners.keys())
  const least = (): number => counts.indexOf(Math.min(...counts))
  for (const address of external) if (!owners.has(address)) give(address, least())
  for (let poor = counts.indexOf(0); poor >= 0; poor = counts.indexOf(0)) {
    const rich = counts.indexOf(Math.max(...counts))
    const own = external.filter((address) => owners.get(address) === rich)
    const spare = own.findLast((address) => !preferred.has(address)) ?? own[own.length - 1]
    if (keep && kept > 0 && had.some((before) => before?.has(spare))) return undefined
    give(spare, poor)
  }
  return owners
}
