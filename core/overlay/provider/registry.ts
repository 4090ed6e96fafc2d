import type { Address } from "../../wire/index.ts"
import { done, failed, type Outcome } from "../failure.ts"
import type { Mac } from "../mac.ts"
import type { TargetPoint } from "../point.ts"
import type { FrameQuery } from "../proxy/query.ts"
import type {
  PluginDefinition,
  PluginEffect,
  PluginGiven,
  PluginInput,
  PluginOps,
  PluginSaved,
  PluginStart,
  PluginStep,
} from "./plugin.ts"
import { PLUGIN_VERSION } from "./plugin.ts"
import type { PropertyInfo } from "./property.ts"

/** One instance's state with its operations, whatever type the state has. Each operation gives the next one; this one stays as it is. */
export interface PluginInstance {
  /** Files that a start needs. */
  readonly files: readonly string[]
  /** See {@link PluginOps}, as all others. */
  readonly start: (start: PluginStart) => Outcome<PluginMoved>
  /** Ends. */
  readonly stop: () => PluginMoved
  /** Of point mode. */
  readonly point: () => Outcome<TargetPoint>
  /** Of dynamic mode. */
  readonly lookup: (lookup: number, query: FrameQuery) => PluginMoved
  /** `undefined`: the plugin answers no ARP. */
  readonly arp: ((request: number, address: Address) => PluginMoved) | undefined
  /** `undefined`: the plugin answers no DHCP. */
  readonly dhcp: ((request: number, source: Mac) => PluginMoved) | undefined
  /** What the world says. */
  readonly input: (input: PluginInput) => PluginMoved
  /** In order. */
  readonly properties: readonly PropertyInfo[]
  /** Octets; none: it is not set. */
  readonly get: (name: string) => Uint8Array
  /** Sets a property. */
  readonly set: (name: string, octets: Uint8Array) => Outcome<PluginInstance>
  /** What is to be kept. */
  readonly save: () => PluginSaved
}

/** The next instance, and what is to be done. */
export type PluginMoved = readonly [next: PluginInstance, effects: readonly PluginEffect[]]

/** A plugin that is registered. */
export interface Plugin {
  /** By which `search` names it. */
  readonly name: string
  /** Whether all frames go to one point. */
  readonly mode: "point" | "dynamic"
  /** A new instance. */
  readonly create: (given: PluginGiven) => Outcome<PluginInstance>
  /** One of which something was kept. */
  readonly restore: (saved: PluginSaved, given: PluginGiven) => Outcome<PluginInstance>
}

/** Plugins by name. */
export type PluginRegistry = ReadonlyMap<string, Plugin>

const bind = <S>(ops: PluginOps<S>, state: S): PluginInstance => {
  const moved = ([next, effects]: PluginStep<S>): PluginMoved => [bind(ops, next), effects]
  const { arp, dhcp } = ops
  return {
    files: ops.files?.(state) ?? [],
    start: (start) => {
      const started = ops.start(state, start)
      return started.ok ? done(moved(started.value)) : started
    },
    stop: () => moved(ops.stop(state)),
    point: () => ops.point?.(state) ?? failed("ENOTSUP", "the plugin has no point"),
    lookup: (lookup, query) =>
      moved(ops.lookup?.(state, lookup, query) ?? [state, [{ type: "query-reply", lookup, answer: { kind: "drop" } }]]),
    arp: arp === undefined ? undefined : (request, address) => moved(arp(state, request, address)),
    dhcp: dhcp === undefined ? undefined : (request, source) => moved(dhcp(state, request, source)),
    input: (input) => moved(ops.input?.(state, input) ?? [state, []]),
    properties: ops.properties(state),
    get: (name) => ops.get(state, name),
    set: (name, octets) => {
      const next = ops.set(state, name, octets)
      return next.ok ? done(bind(ops, next.value)) : next
    },
    save: () => ops.save(state),
  }
}

/** The rule that a definition breaks; `undefined`: none. */
const broken = <S>({ name, version, mode, ops }: PluginDefinition<S>): string | undefined => {
  if (version !== PLUGIN_VERSION) return `the interface has version ${PLUGIN_VERSION}, not ${version}`
  if (name === "") return "a plugin has a name"
  if (mode === "point") {
    if (ops.point === undefined) return "a plugin of point mode has the operation point"
    if (ops.lookup !== undefined) return "a plugin of point mode has no operation lookup"
    return ops.arp === undefined && ops.dhcp === undefined ? undefined : "arp and dhcp are of dynamic mode"
  }
  if (ops.lookup === undefined) return "a plugin of dynamic mode has the operation lookup"
  return ops.point === undefined ? undefined : "a plugin of dynamic mode has no operation point"
}

/** The registry with a plugin more. EINVAL: a rule is broken, and which; EEXIST: the name is taken, and the first one stays. */
export const registerPlugin = <S>(
  registry: PluginRegistry,
  definition: PluginDefinition<S>,
): Outcome<PluginRegistry> => {
  const rule = broken(definition)
  if (rule !== undefined) return failed("EINVAL", rule)
  const { name, mode, ops } = definition
  if (registry.has(name)) return failed("EEXIST", `there is a plugin ${name}`)
  const bound = (state: Outcome<S>): Outcome<PluginInstance> => (state.ok ? done(bind(ops, state.value)) : state)
  const plugin: Plugin = {
    name,
    mode,
    create: (given) => bound(ops.create(given)),
    restore: (saved, given) => bound(ops.restore(saved, given)),
  }
  return done(new Map(registry).set(name, plugin))
}
