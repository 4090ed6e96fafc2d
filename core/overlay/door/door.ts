import {
  associate,
  type CacheListing,
  flushEntries,
  getEntry,
  listEntries,
  removeEntry,
  setEntry,
  type TargetCache,
} from "../cache/index.ts"
import { done, failed, type Outcome } from "../failure.ts"
import type { Mac } from "../mac.ts"
import type { TargetPoint } from "../point.ts"
import type { VarpdEffect } from "../provider/effect.ts"
import { activate, destroyInstance } from "../provider/lifecycle.ts"
import type { PluginStart } from "../provider/plugin.ts"
import { getProperty, listProperties, propertyInfo, setProperty } from "../provider/properties.ts"
import type { PropertyInfo } from "../provider/property.ts"
import {
  type Activation,
  createInstance,
  type InstanceOptions,
  instanceOf,
  type SavedInstance,
  saveInstance,
  type Varpd,
} from "../provider/varpd.ts"

/** The commands of varpd's door, in the order of their numbers, 1 to 14. */
export const DOOR_COMMANDS = [
  "create",
  "activate",
  "destroy",
  "nprops",
  "propinfo",
  "getprop",
  "setprop",
  "lookup",
  "target-mode",
  "cache-flush",
  "cache-delete",
  "cache-get",
  "cache-set",
  "cache-walk",
] as const

/** One of them. */
export type DoorCommand = (typeof DOOR_COMMANDS)[number]

/** The command of a number. EINVAL: there is none. */
export const doorCommandOf = (number: number): Outcome<DoorCommand> => {
  const command = DOOR_COMMANDS[number - 1]
  return command === undefined ? failed("EINVAL", `no command has the number ${number}`) : done(command)
}

/** Most entries that one walk of a cache gives: varpd's own limit, below the kernel's. */
export const WALK_LIMIT = 200

/** What a client of varpd asks for, by the name of its command. `id` is an instance's number. */
export type DoorCall =
  | ({ readonly command: "create" } & InstanceOptions)
  | { readonly command: "activate"; readonly id: number; readonly start: PluginStart }
  | { readonly command: "destroy"; readonly id: number }
  | { readonly command: "nprops"; readonly id: number }
  | { readonly command: "target-mode"; readonly id: number }
  | { readonly command: "cache-flush"; readonly id: number }
  /** `property`: its name, or its number from 0, which is `search`. */
  | { readonly command: "propinfo"; readonly id: number; readonly property: string | number }
  | { readonly command: "getprop"; readonly id: number; readonly property: string; readonly room?: number }
  | { readonly command: "setprop"; readonly id: number; readonly property: string; readonly octets: Uint8Array }
  /** Which instance has a link? */
  | { readonly command: "lookup"; readonly link: number }
  | { readonly command: "cache-delete"; readonly id: number; readonly mac: Mac }
  | { readonly command: "cache-get"; readonly id: number; readonly mac: Mac }
  | { readonly command: "cache-set"; readonly id: number; readonly mac: Mac; readonly target: TargetPoint | "drop" }
  | { readonly command: "cache-walk"; readonly id: number; readonly from: Mac; readonly count: number }

/** What is answered. */
export type DoorReply =
  | { readonly type: "done" }
  | { readonly type: "instance"; readonly id: number }
  | { readonly type: "activated"; readonly activation: Activation }
  | { readonly type: "count"; readonly count: number }
  | { readonly type: "property"; readonly info: PropertyInfo }
  | { readonly type: "octets"; readonly octets: Uint8Array }
  /** `keep`: what is to be written in place of what was kept, as the instance is activated; the reference keeps it at activation alone. */
  | { readonly type: "set"; readonly keep: SavedInstance | undefined }
  | { readonly type: "mode"; readonly mode: "point" | "dynamic"; readonly destination: number }
  | { readonly type: "target"; readonly target: TargetPoint | "drop" }
  | { readonly type: "listing"; readonly listing: CacheListing }

/** All that the door is in front of. */
export interface DoorState {
  /** The instances. */
  readonly varpd: Varpd
  /** Each instance's cache; of one that has none, entries are ENXIO. */
  readonly caches: ReadonlyMap<number, TargetCache>
}

/** The next state, the answer, and what is to be done. */
export type DoorStep = readonly [DoorState, Outcome<DoorReply>, readonly VarpdEffect[]]

/**
 * Answers one call. `privileged`: may who calls configure the network? Without that a change of the cache is EPERM. ENOENT: no such
 * instance; and what the operation itself says. An error changes nothing.
 */
export const answerCall = (state: DoorState, call: DoorCall, privileged: boolean): DoorStep => {
  const { varpd } = state
  switch (call.command) {
    case "create": {
      const made = createInstance(varpd, call)
      if (!made.ok) return [state, made, []]
      const [next, id] = made.value
      return [{ ...state, varpd: next }, done({ type: "instance", id }), []]
    }
    case "activate":
      return activated(state, call.id, call.start)
    case "destroy": {
      const ended = destroyInstance(varpd, call.id)
      if (!ended.ok) return [state, ended, []]
      const caches = new Map(state.caches)
      caches.delete(call.id)
      return [{ varpd: ended.value[0], caches }, DONE, ended.value[1]]
    }
    case "setprop": {
      const set = setProperty(varpd, call.id, call.property, call.octets)
      if (!set.ok) return [state, set, []]
      const instance = set.value.instances.get(call.id)
      const keep = instance?.phase === "activated" ? saveInstance(instance) : undefined
      return [{ ...state, varpd: set.value }, done({ type: "set", keep }), []]
    }
    case "cache-flush":
    case "cache-delete":
    case "cache-set": {
      if (!privileged) return [state, failed("EPERM", "caches are changed by who may configure the network"), []]
      const found = cacheOf(state, call.id)
      const next = found.ok ? changed(found.value, call) : found
      if (!next.ok) return [state, next, []]
      return [{ ...state, caches: new Map(state.caches).set(call.id, next.value) }, DONE, []]
    }
    default:
      return [state, looked(state, call), []]
  }
}

const DONE: Outcome<DoorReply> = /* @__PURE__ */ done({ type: "done" } as const)

const activated = (state: DoorState, id: number, start: PluginStart): DoorStep => {
  const [varpd, result, effects] = activate(state.varpd, id, start)
  if (!result.ok) return [varpd === state.varpd ? state : { ...state, varpd }, result, effects]
  const cache = state.caches.get(id)
  const ready = cache === undefined ? undefined : associate(cache, result.value.point)
  if (ready !== undefined && !ready.ok) return [{ ...state, varpd }, ready, effects]
  const caches = ready === undefined ? state.caches : new Map(state.caches).set(id, ready.value)
  return [{ varpd, caches }, done({ type: "activated", activation: result.value }), effects]
}

const cacheOf = ({ varpd, caches }: DoorState, id: number): Outcome<TargetCache> => {
  const instance = instanceOf(varpd, id)
  if (!instance.ok) return instance
  const cache = caches.get(id)
  return cache === undefined ? failed("ENXIO", `instance ${id} has no cache`) : done(cache)
}

const changed = (
  cache: TargetCache,
  call: Extract<DoorCall, { command: "cache-flush" | "cache-delete" | "cache-set" }>,
): Outcome<TargetCache> => {
  if (call.command === "cache-set") return setEntry(cache, call.mac, call.target)
  return call.command === "cache-delete" ? removeEntry(cache, call.mac) : flushEntries(cache)
}

type Look = Exclude<
  DoorCall,
  { command: "create" | "activate" | "destroy" | "setprop" | "cache-flush" | "cache-delete" | "cache-set" }
>

const reply = <T>(outcome: Outcome<T>, make: (value: T) => DoorReply): Outcome<DoorReply> =>
  outcome.ok ? done(make(outcome.value)) : outcome

/** The calls that change nothing. */
const looked = (state: DoorState, call: Look): Outcome<DoorReply> => {
  const { varpd } = state
  switch (call.command) {
    case "nprops":
      return reply(listProperties(varpd, call.id), ({ length }) => ({ type: "count", count: length }))
    case "propinfo":
      return reply(propertyOf(varpd, call.id, call.property), (info) => ({ type: "property", info }))
    case "getprop":
      return reply(getProperty(varpd, call.id, call.property, call.room), (octets) => ({ type: "octets", octets }))
    case "lookup": {
      const found = [...varpd.instances.values()].find(({ link }) => link === call.link)
      return found === undefined
        ? failed("ENOENT", `link ${call.link} has no instance`)
        : done({ type: "instance", id: found.id })
    }
    case "target-mode":
      return reply(instanceOf(varpd, call.id), ({ mode, destination }) => ({ type: "mode", mode, destination }))
    case "cache-get": {
      const cache = cacheOf(state, call.id)
      return reply(cache.ok ? getEntry(cache.value, call.mac) : cache, (target) => ({ type: "target", target }))
    }
    case "cache-walk": {
      const cache = cacheOf(state, call.id)
      if (!cache.ok) return cache
      if (call.count > WALK_LIMIT) return failed("E2BIG", `a walk has ${WALK_LIMIT} entries at most`)
      return reply(listEntries(cache.value, call.from, call.count), (listing) => ({ type: "listing", listing }))
    }
  }
}

const propertyOf = (varpd: Varpd, id: number, property: string | number): Outcome<PropertyInfo> => {
  if (typeof property === "string") return propertyInfo(varpd, id, property)
  const all = listProperties(varpd, id)
  if (!all.ok) return all
  const info = all.value[property]
  return info === undefined ? failed("ENOENT", `there is no property ${property}`) : done(info)
}
