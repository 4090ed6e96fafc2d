import { done, failed, type Outcome } from "../failure.ts"
import { emptyNumbers, type NumberMap } from "../number-map.ts"
import type { TargetPoint } from "../point.ts"
import type { FrameQuery } from "../proxy/query.ts"
import type { PluginSaved } from "./plugin.ts"
import type { PluginInstance, PluginRegistry } from "./registry.ts"

/** A lookup that has no answer yet. */
export interface OpenLookup {
  /** What is asked. */
  readonly query: FrameQuery
  /** The frame that it is about. */
  readonly frame: Uint8Array
  /** A proxy is at it: no other and no reply may end it. */
  readonly proxied: boolean
}

/** A question to a plugin's `arp` or `dhcp` that has no answer yet. */
export interface OpenRequest {
  /** Whose frame is to be answered. */
  readonly lookup: number
  /** By which proxy. */
  readonly proxy: "arp" | "ndp" | "dhcp"
}

/** One overlay's instance of a plugin. */
export interface Instance {
  /** Its number, 1 to 2^31 - 1. */
  readonly id: number
  /** The link that it serves. */
  readonly link: number
  /** The plugin's name. */
  readonly name: string
  /** Of the plugin. */
  readonly mode: "point" | "dynamic"
  /** The overlay's id. */
  readonly vnetid: number
  /** What targets are made of: bits of `Destination`. */
  readonly destination: number
  /** `created`, then `started` while something that follows the start fails, then `activated`. */
  readonly phase: "created" | "started" | "activated"
  /** Its state. */
  readonly plugin: PluginInstance
  /** By number. */
  readonly lookups: NumberMap<OpenLookup>
  /** By number. */
  readonly requests: NumberMap<OpenRequest>
  /** The next request's number. */
  readonly nextRequest: number
  /** What is wrong; `undefined`: nothing. */
  readonly degraded: string | undefined
}

/** All instances: plain data that is never written to again. */
export interface Varpd {
  /** The plugins that there are. */
  readonly plugins: PluginRegistry
  /** By number. */
  readonly instances: ReadonlyMap<number, Instance>
  /** The next number to try. */
  readonly nextId: number
}

/** What is to be kept of an instance over a crash. */
export interface SavedInstance {
  /** Its number. */
  readonly id: number
  /** Its link. */
  readonly link: number
  /** Bits of `Destination`. */
  readonly destination: number
  /** Of the plugin. */
  readonly mode: "point" | "dynamic"
  /** The plugin's name. */
  readonly plugin: string
  /** What the plugin keeps. */
  readonly saved: PluginSaved
}

/** What is to be done for an instance when it is activated, in this order. */
export interface Activation {
  /** To be written, atomically, before anything else happens. */
  readonly saved: SavedInstance
  /** Of point mode: where all frames go from now on. */
  readonly point: TargetPoint | undefined
}

/** Without instances. */
export const createVarpd = (plugins: PluginRegistry): Varpd => ({ plugins, instances: new Map(), nextId: 1 })

const HIGHEST = 0x7fffffff

/** With an instance put anew. */
export const withInstance = (varpd: Varpd, instance: Instance): Varpd => ({
  ...varpd,
  instances: new Map(varpd.instances).set(instance.id, instance),
})

/** An instance by its number. ENOENT: there is none. */
export const instanceOf = ({ instances }: Varpd, id: number): Outcome<Instance> => {
  const instance = instances.get(id)
  return instance === undefined ? failed("ENOENT", `there is no instance ${id}`) : done(instance)
}

/** What an instance is made for. */
export interface InstanceOptions {
  /** The link that it serves: each link has one at most. */
  readonly link: number
  /** The plugin's name. */
  readonly plugin: string
  /** The overlay's id. */
  readonly vnetid: number
  /** Bits of `Destination`. */
  readonly destination: number
}

/** A new instance, and its number. ENOENT: no such plugin; EEXIST: the link has one (the reference panics); or what the plugin says. */
export const createInstance = (varpd: Varpd, options: InstanceOptions): Outcome<readonly [Varpd, number]> => {
  const plugin = varpd.plugins.get(options.plugin)
  if (plugin === undefined) return failed("ENOENT", `there is no plugin ${options.plugin}`)
  const taken = linkTaken(varpd, options.link)
  if (taken !== undefined) return taken
  const made = plugin.create(options)
  if (!made.ok) return made
  let id = varpd.nextId
  while (varpd.instances.has(id)) id = id === HIGHEST ? 1 : id + 1
  const next = withInstance(varpd, fresh(id, options, plugin.mode, made.value))
  return done([{ ...next, nextId: id === HIGHEST ? 1 : id + 1 }, id])
}

const linkTaken = ({ instances }: Varpd, link: number): Outcome<never> | undefined =>
  [...instances.values()].some((one) => one.link === link)
    ? failed("EEXIST", `link ${link} has an instance`)
    : undefined

const fresh = (id: number, options: InstanceOptions, mode: Instance["mode"], plugin: PluginInstance): Instance => {
  const { link, plugin: name, vnetid, destination } = options
  return {
    id,
    link,
    name,
    mode,
    vnetid,
    destination,
    phase: "created",
    plugin,
    lookups: emptyNumbers(),
    requests: emptyNumbers(),
    nextRequest: 1,
    degraded: undefined,
  }
}

/**
 * An instance as it was kept, its properties set and not yet activated: activate it next. ENOENT: no such plugin; EINVAL: the
 * plugin has another mode, the overlay another destination, or what was kept cannot be; EEXIST: number or link is in use.
 */
export const restoreInstance = (
  varpd: Varpd,
  kept: SavedInstance,
  overlay: { readonly vnetid: number; readonly destination: number },
): Outcome<Varpd> => {
  const plugin = varpd.plugins.get(kept.plugin)
  if (plugin === undefined) return failed("ENOENT", `there is no plugin ${kept.plugin}`)
  if (plugin.mode !== kept.mode) return failed("EINVAL", `${kept.plugin} is of ${plugin.mode} mode`)
  if (overlay.destination !== kept.destination) return failed("EINVAL", "the overlay has another destination")
  if (!Number.isInteger(kept.id) || kept.id < 1 || kept.id > HIGHEST)
    return failed("EINVAL", `no instance has the number ${kept.id}`)
  if (varpd.instances.has(kept.id)) return failed("EEXIST", `there is an instance ${kept.id}`)
  const taken = linkTaken(varpd, kept.link)
  if (taken !== undefined) return taken
  const made = plugin.restore(kept.saved, overlay)
  if (!made.ok) return made
  return done(withInstance(varpd, fresh(kept.id, { ...kept, ...overlay }, plugin.mode, made.value)))
}

/** What is to be kept of an instance now. The reference keeps it at activation alone; call it again when a property is set later. */
export const saveInstance = ({ id, link, destination, mode, name, plugin }: Instance): SavedInstance => ({
  id,
  link,
  destination,
  mode,
  plugin: name,
  saved: plugin.save(),
})

/** The files that {@link activate} needs the texts of. */
export const filesOf = ({ plugin }: Instance): readonly string[] => plugin.files
