import type { FlowDrop, FlowEnd, FlowErrorName, FlowLayer, FlowSettings, QosSpec } from "../../core/flow/index.ts"
import type { Closable } from "../client/index.ts"
import type { Clock } from "../host.ts"
import type { Endpoint, Udp, UdpError } from "../udp.ts"
import type { Directory, DirectoryEnd } from "./directory.ts"
import type { Flow } from "./flow.ts"
import type { InboxBounds } from "./inbox.ts"

/** What a layer needs of a runtime: `udp`, `clock` and `entropy` of `sallyport/node`, `/deno` or `/bun`. */
export interface FlowRuntime {
  /** Its sockets. */
  readonly udp: Udp
  /** Its monotonic clock. */
  readonly clock: Clock
  /** Octets that nobody outside can guess (RFC 4086). */
  readonly entropy: (length: number) => Uint8Array
}

/** What a layer is started with. */
export interface FlowServiceOptions extends FlowRuntime {
  /** Where it listens; left out, all of IPv4, at 3435, or 3359 in the first form. A port of 0 lets the system choose. */
  readonly local?: readonly Endpoint[] | undefined
  /** Where names are found; left out, nowhere: `to` of `flowAlloc` says it. */
  readonly directory?: Directory | undefined
  /**
   * What the core's machine is told, on top of its defaults and these: random endpoint ids out of 2^31, and a million flows at most.
   */
  readonly settings?: Partial<FlowSettings> | undefined
  /** Messages of one flow, and their octets, that wait to be read at most. Default 1024, and 8 MiB. */
  readonly inbox?: InboxBounds | undefined
  /** At which ends registered names are published; left out, where it listens. See {@link FlowService.publishAt}. */
  readonly publish?: readonly FlowEnd[] | undefined
  /** A bound program is to be started: nobody accepts on its name. */
  readonly spawn?: ((name: string, program: string) => void) | undefined
  /** A datagram was dropped. */
  readonly dropped?: ((reason: FlowDrop) => void) | undefined
  /** A socket lost a datagram or heard an ICMP error; the layer goes on. */
  readonly socketError?: ((error: UdpError) => void) | undefined
}

/** How a flow is asked for. */
export interface FlowAllocOptions {
  /** What it is to be like; left out, the cube `raw`. */
  readonly qos?: QosSpec | undefined
  /** Milliseconds, looking up the name among them. Default 20000. */
  readonly timeout?: number | undefined
  /** Gives up: ECANCELED. */
  readonly signal?: AbortSignal | undefined
  /** Goes to the application there with the request; today's form alone. */
  readonly data?: Uint8Array | undefined
  /** The end to ask, without the directory. */
  readonly to?: DirectoryEnd | undefined
}

/** How requests are waited for. */
export interface FlowAcceptOptions {
  /** Ends the iteration. */
  readonly signal?: AbortSignal | undefined
}

/** A request for a flow: accept it or refuse it, within 20 s. */
export interface IncomingFlow {
  /** The name that it is for. */
  readonly name: string
  /** What the flow is to be like. */
  readonly qos: QosSpec
  /** What came with the request. */
  readonly data: Uint8Array
  /** Who asks. */
  readonly peer: Endpoint
  /** Allocates the flow; `data` goes with the reply. Rejects with ENOTALLOC where it took too long. */
  accept(options?: { readonly data?: Uint8Array | undefined }): Promise<Flow>
  /** Refuses it, with an error's name or a number of the application's own. The first form has no words for that. Default ECONNREFUSED. */
  refuse(reason?: FlowErrorName | number): Promise<void>
}

/** A layer at work: names and flows. */
export interface FlowService extends Closable {
  /** Where it listens. */
  readonly local: readonly Endpoint[]
  /** The layer as it stands: see `listFlows` and `countFlows`. */
  state(): FlowLayer
  /**
   * Asks for a flow to a name: of several ends one after the other, each for its part of the time, until one accepts or its application refuses. Rejects
   * with a `FlowError`: ENAME where the directory does not know the name, or the other side does not; EAFNOSUPPORT where it is at addresses of another
   * family than the layer's; EIPCP where the directory fails; ETIMEDOUT; ECANCELED; or what the other side refused with, ECONNREFUSED if that has no name.
   */
  flowAlloc(name: string, options?: FlowAllocOptions): Promise<Flow>
  /**
   * Requests for a name as they come, until the iteration is left. The name is created and registered with the first, if it is not yet, and is
   * taken back in that case at the end. Nobody who asks between two of them waits longer than a second.
   */
  flowAccept(name: string, options?: FlowAcceptOptions): AsyncIterableIterator<IncomingFlow>
  /** Creates a name (EINVAL, EEXIST). */
  createName(name: string): void
  /** Forgets a name: what waits on it fails with EPIPE. */
  destroyName(name: string): Promise<void>
  /** Binds a program to a name; with `auto`, {@link FlowServiceOptions.spawn} is called where nobody accepts. */
  bindProgram(name: string, program: string, auto?: boolean): void
  /** Unbinds it. */
  unbindProgram(name: string): void
  /** Takes requests for a name from now on, and publishes it: where that fails, it is not registered (EIPCP). */
  registerName(name: string): Promise<void>
  /** Takes no more. */
  unregisterName(name: string): Promise<void>
  /** From now on names are published at these ends: what a NAT has assigned, say. */
  publishAt(ends: readonly FlowEnd[]): Promise<void>
  /** Ends all flows and closes the sockets. Twice is once. */
  close(): Promise<void>
}
