import type {
  CacheEntry,
  CacheListing,
  Mac,
  Outcome,
  PluginRegistry,
  PropertyInfo,
  TargetPoint,
  Varpd,
} from "../../core/overlay/index.ts"
import type { Closable } from "../client/index.ts"
import type { Clock } from "../host.ts"
import type { Endpoint, Udp, UdpError } from "../udp.ts"

/** What an endpoint needs of a runtime: `udp`, `clock` and `entropy` of `sallyport/node`, `/deno` or `/bun`. */
export interface OverlayRuntime {
  /** Its sockets. */
  readonly udp: Udp
  /** Its monotonic clock. */
  readonly clock: Clock
  /** Octets that nobody outside can guess (RFC 4086). */
  readonly entropy: (length: number) => Uint8Array
}

/** A VXLAN device of the system's kernel, which gives an overlay its link: it sends to `listen`, and listens at `peer`. */
export interface KernelLink {
  /** Where the device sends its frames, in VXLAN of the same vnetid; overlays may share it. */
  readonly listen: Endpoint
  /** Where the device listens. What comes from another address is dropped. */
  readonly peer: Endpoint
}

/** One overlay network, as this host has it. */
export interface OverlayOptions {
  /** For people, and for {@link OverlayEndpoint.overlay}. */
  readonly name: string
  /** 0 to 16777215. An endpoint has each once. */
  readonly vnetid: number
  /** Where VXLAN comes in and goes out; overlays with the same address and port share a socket. A port of 0 lets the system choose. */
  readonly listen: Endpoint
  /** Octets behind the Ethernet header at most, 576 to 8900. Default 1400: it fits paths of 1500. */
  readonly mtu?: number | undefined
  /** The name of the plugin that answers. */
  readonly plugin: string
  /** Its properties, in any order, as {@link readProperty} reads them. */
  readonly properties?: Readonly<Record<string, string>> | undefined
  /** Octets of frames that wait for one MAC at most. Default 128 KiB. */
  readonly pendingOctets?: number | undefined
  /** Lookups under way at most; a frame that would need another one is dropped. Default 1024. */
  readonly lookups?: number | undefined
  /** MACs that are remembered at most. Default 1048576. */
  readonly entries?: number | undefined
  /** Where frames come from and go to beside {@link Overlay.transmit} and `deliver`. */
  readonly kernel?: KernelLink | undefined
  /** A frame for this host's link. Its octets are valid during the call only. */
  readonly deliver?: ((frame: Uint8Array) => void) | undefined
}

/** What an endpoint is started with. */
export interface OverlayEndpointOptions extends OverlayRuntime {
  /** At least one. */
  readonly overlays: readonly OverlayOptions[]
  /** The plugins that there are. Default {@link OVERLAY_PLUGINS}. */
  readonly plugins?: PluginRegistry | undefined
  /**
   * Where the plugin `portmap` finds the ends of names, such as `overlay/23/de:ad:be:ef:00:01`: the best first, none where a name is not known.
   * It may reject. Left out, no name is known.
   */
  readonly find?: ((name: string) => Promise<readonly TargetPoint[]>) | undefined
  /** A folder where instances are kept over a crash, a file each; left out, nothing is kept. It has to be there. */
  readonly folder?: string | undefined
  /** Hears what is worth a line. */
  readonly note?: ((note: OverlayNote) => void) | undefined
}

/** What happens beside frames. */
export type OverlayNote =
  /** What is wrong with an overlay's plugin; `undefined`: nothing any more. */
  | { readonly type: "status"; readonly overlay: string; readonly text: string | undefined }
  /** A plugin did what it may not. */
  | { readonly type: "fault"; readonly overlay: string; readonly text: string }
  /** A file that keeps an instance: it was set aside, or cannot be written. */
  | { readonly type: "kept"; readonly path: string; readonly text: string }
  /** A socket lost a datagram or heard an ICMP error; it goes on. */
  | { readonly type: "socket"; readonly local: Endpoint; readonly error: UdpError }

/** What an overlay counts, from 0 at its start. */
export interface OverlayCounters {
  /** Frames that its link gave. */
  readonly transmitted: number
  /** Frames that were sent to targets. */
  readonly sent: number
  /** Frames that came by VXLAN. */
  readonly received: number
  /** Frames that its link took. */
  readonly delivered: number
  /** Frames that plugins made for the link. */
  readonly injected: number
  /** Frames that plugins sent on in place of others. */
  readonly resent: number
  /** Questions to the plugin. */
  readonly lookups: number
  /** Dropped: no Ethernet header. */
  readonly runt: number
  /** Dropped: more octets than the MTU. */
  readonly tooBig: number
  /** Dropped: the cache says so. */
  readonly dropEntry: number
  /** Dropped: too much waits already, or the cache is full. */
  readonly full: number
  /** Dropped: the plugin knew no target; all that a proxy takes is among them. */
  readonly unanswered: number
  /** Dropped: from somebody else than the kernel's device. */
  readonly foreign: number
}

/** What an endpoint counts that is of no overlay. */
export interface EndpointCounters {
  /** Datagrams that are no VXLAN: too short, or without a valid vnetid. */
  readonly noVxlan: number
  /** VXLAN of a vnetid that nobody has there. */
  readonly unknownVnetid: number
}

/** A property, and what it is set to. */
export interface PropertyValue {
  /** All that is to be known of it. */
  readonly info: PropertyInfo
  /** None: it is not set. */
  readonly octets: Uint8Array
}

/** An overlay at work. */
export interface Overlay {
  /** As given. */
  readonly name: string
  /** As given. */
  readonly vnetid: number
  /** Octets behind the Ethernet header at most. */
  readonly mtu: number
  /** The name of its plugin. */
  readonly plugin: string
  /** The number of its instance. */
  readonly id: number
  /** Where it takes VXLAN. */
  readonly local: Endpoint
  /** Where the kernel's device sends; `undefined`: it has none. */
  readonly kernel: Endpoint | undefined
  /** A frame from this host's link. Its octets are the caller's again after the call. */
  transmit(frame: Uint8Array): void
  /** Where a MAC lives, of the cache or else of the plugin; `drop`: frames for it are dropped. Rejects with an {@link OverlayError}, ETIMEDOUT. */
  lookup(mac: Mac, options?: { readonly timeout?: number | undefined }): Promise<TargetPoint | "drop">
  /** What is known of MACs, so many from one on: see `listEntries`. */
  list(from: Mac, count: number): Outcome<CacheListing>
  /** What is known of one: see `getEntry`. */
  get(mac: Mac): Outcome<TargetPoint | "drop">
  /** Sets one: see `setEntry`. */
  set(entry: CacheEntry): Outcome<undefined>
  /** Forgets one: see `removeEntry`. */
  remove(mac: Mac): Outcome<undefined>
  /** Forgets all: see `flushEntries`. */
  flush(): Outcome<undefined>
  /** All properties, those of the link first (`mtu`, `vnetid`, `encap`, `varpd/id`, `vxlan/listen_ip`, `vxlan/listen_port`), with what they are set to. */
  properties(): readonly PropertyValue[]
  /** Sets one of the plugin's, and keeps it; those of the link stay (ENOTSUP). What a plugin reads at its start alone is in force at the next one. */
  setProperty(name: string, octets: Uint8Array): Promise<Outcome<undefined>>
  /** What is wrong; `undefined`: nothing. */
  degraded(): string | undefined
  /** What it has counted. */
  counters(): OverlayCounters
}

/** Overlays at work on their sockets. */
export interface OverlayEndpoint extends Closable {
  /** In the order of the options. */
  readonly overlays: readonly Overlay[]
  /** One of them by its name. */
  overlay(name: string): Overlay | undefined
  /** All instances as they stand. */
  state(): Varpd
  /** What came in and is of no overlay. */
  counters(): EndpointCounters
  /** Stops all plugins and closes all sockets; what is kept of instances stays. Twice is once. */
  close(): Promise<void>
}
