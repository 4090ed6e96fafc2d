import type { Address } from "../../wire/index.ts"
import type { Outcome } from "../failure.ts"
import type { Mac } from "../mac.ts"
import type { TargetPoint } from "../point.ts"
import type { FrameQuery } from "../proxy/query.ts"
import type { SvpEffect, SvpInput } from "../svp/remote.ts"
import type { PropertyInfo } from "./property.ts"

/** The version of the interface. */
export const PLUGIN_VERSION = 1

/** What a target is made of: bits of `overlay_plugin_dest`. VXLAN's has an IP address and a port. */
export const Destination = { ETHERNET: 1, IP: 2, PORT: 4 } as const

/** A plugin's answer to a question; the reference panics on any other. */
export type PluginAnswer<T> = { readonly kind: "ok"; readonly found: T } | { readonly kind: "drop" }

/** What a plugin wants done. */
export type PluginEffect =
  /** The end of a lookup, once for each. */
  | { readonly type: "query-reply"; readonly lookup: number; readonly answer: PluginAnswer<TargetPoint> }
  /** The end of a request that came by the operation `arp` or `dhcp`. */
  | { readonly type: "arp-reply" | "dhcp-reply"; readonly request: number; readonly answer: PluginAnswer<Mac> }
  /** Answer the frame of a lookup in place of its target, by asking this plugin's `arp` or `dhcp`. It ends the lookup. */
  | { readonly type: "proxy-arp" | "proxy-ndp" | "proxy-dhcp"; readonly lookup: number }
  /** Put a target into the cache; `undefined`: forget the MAC. `vnetid`: into that of another overlay of this host. */
  | {
      readonly type: "inject-varp"
      readonly vnetid?: number | undefined
      readonly mac: Mac
      readonly target: TargetPoint | undefined
    }
  /** Tell the overlay, or another one of this host, by a gratuitous ARP that an IPv4 address is at a MAC. */
  | {
      readonly type: "inject-arp"
      readonly vnetid?: number | undefined
      readonly vlan: number
      readonly mac: Mac
      readonly address: Address
      readonly destination: Mac
    }
  /** Something is wrong, of which people are to know; and no longer. */
  | { readonly type: "fma-degrade"; readonly text: string }
  | { readonly type: "fma-restore" }
  /** What the plugin needs of the world: names and TCP connections; what comes of it comes by `input`. */
  | { readonly type: "outside"; readonly request: PluginRequest }
  /** Come back with a tick at this instant, milliseconds. */
  | { readonly type: "wake"; readonly at: number }

/** What a plugin asks of the world. */
export type PluginRequest =
  | Extract<SvpEffect, { type: "resolve" | "connect" | "send" | "close" }>
  /** Where is the end of a name, in the flow directory? */
  | { readonly type: "find"; readonly name: string }

/** What the world tells a plugin. */
export type PluginInput =
  | Extract<SvpInput, { type: "tick" | "resolved" | "unresolved" | "connected" | "closed" | "data" }>
  /** A file that the plugin read at its start has changed. `wall`: milliseconds since 1970, for files with dates in them. */
  | {
      readonly type: "file"
      readonly path: string
      readonly text: string
      readonly now: number
      readonly wall?: number | undefined
    }
  /** The ends that the flow directory has for a name; none: it does not know it, or cannot be asked. */
  | { readonly type: "found"; readonly name: string; readonly ends: readonly TargetPoint[]; readonly now: number }

/** What an instance is made for. */
export interface PluginGiven {
  /** The overlay's id. */
  readonly vnetid: number
  /** What targets are made of: bits of {@link Destination}. */
  readonly destination: number
}

/** What a start has at hand. */
export interface PluginStart {
  /** The texts of the files that `files` named, by path; one that is not there cannot be read. */
  readonly files: ReadonlyMap<string, string>
  /** Milliseconds. */
  readonly now: number
  /** Milliseconds since 1970, for files with dates in them; left out, such dates count for nothing. */
  readonly wall?: number | undefined
}

/** A state, and what is to be done. */
export type PluginStep<S> = readonly [state: S, effects: readonly PluginEffect[]]

/** What is kept over a crash: texts and numbers by name. */
export type PluginSaved = Readonly<Record<string, string | number>>

/**
 * The operations of a plugin over its own state `S`, each a pure function. Before `start` and after `stop` only those of properties are
 * called.
 */
export interface PluginOps<S> {
  /** A new instance. ENOTSUP: the destination is not served. */
  readonly create: (given: PluginGiven) => Outcome<S>
  /** The paths of files that `start` needs. */
  readonly files?: (state: S) => readonly string[]
  /** Begins to answer. EAGAIN: a required property is not set. */
  readonly start: (state: S, start: PluginStart) => Outcome<PluginStep<S>>
  /** Ends. */
  readonly stop: (state: S) => PluginStep<S>
  /** Point mode: where all frames go. */
  readonly point?: (state: S) => Outcome<TargetPoint>
  /** Dynamic mode: where does the destination live? Answered by `query-reply` or a proxy, now or later. */
  readonly lookup?: (state: S, lookup: number, query: FrameQuery) => PluginStep<S>
  /** Dynamic mode: which MAC has an overlay address? Answered by `arp-reply`. */
  readonly arp?: (state: S, request: number, address: Address) => PluginStep<S>
  /** Dynamic mode: to which MAC go the DHCP broadcasts of a host? Answered by `dhcp-reply`. */
  readonly dhcp?: (state: S, request: number, source: Mac) => PluginStep<S>
  /** What the world says. */
  readonly input?: (state: S, input: PluginInput) => PluginStep<S>
  /** All properties, in order. */
  readonly properties: (state: S) => readonly PropertyInfo[]
  /** A property's octets; none: it is not set. */
  readonly get: (state: S, name: string) => Uint8Array
  /** Sets a property. EOVERFLOW: too few octets; EINVAL: a value that cannot be. */
  readonly set: (state: S, name: string, octets: Uint8Array) => Outcome<S>
  /** What is to be kept. */
  readonly save: (state: S) => PluginSaved
  /** The instance of which that was kept. EINVAL: it cannot be. */
  readonly restore: (saved: PluginSaved, given: PluginGiven) => Outcome<S>
}

/** A plugin as its author writes it. */
export interface PluginDefinition<S> {
  /** By which `search` names it. */
  readonly name: string
  /** {@link PLUGIN_VERSION}. */
  readonly version: number
  /** Point mode has `point`; dynamic mode has `lookup`, and may have `arp` and `dhcp`. */
  readonly mode: "point" | "dynamic"
  /** What it does. */
  readonly ops: PluginOps<S>
}
