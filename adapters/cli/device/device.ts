import type { Saved } from "#runtime"
import type { Filter, InternalEnd, Page } from "../../../core/cgn/index.ts"
import type { ServerState } from "../../../core/server/index.ts"
import type { Address } from "../../../core/wire/index.ts"
import type { ServePlan } from "../config/plan.ts"
import type { Read } from "../read.ts"
import type { ServeHost } from "../serve-listen.ts"

/** What a server begins with. */
export interface Begin<S> {
  readonly state: ServerState<S>
  /** It has the settings of the last run: today's are to be put in force. */
  readonly outdated: boolean
  /** Epoch Time began again, which clients are to be told (RFC 6887 sections 8.5 and 14.1.3). */
  readonly lost: boolean
  /** The bad state file was renamed to this. */
  readonly aside?: string
}

/** Writes a state to a file: now and then, and the last one as such. */
export interface Keeper<S> {
  save(): Promise<Saved>
  finish(last: ServerState<S>, isWhole?: boolean): Promise<Saved>
}

/** Ports of one transport: all that can be assigned, and those of them that cannot be had now. */
export interface PortUse {
  readonly ports: number
  readonly taken: number
}

/** What `serve` needs of a PCP-controlled device besides the seam between it and the server. `S` is its CGN's state. */
export interface Device<S> {
  /** The state to begin with, Epoch Time and all; or what is wrong, in a line. */
  begin(plan: ServePlan): Promise<Read<Begin<S>>>
  /** The server does not come up after all. */
  undo(plan: ServePlan, begin: Begin<S>): Promise<void>
  /** Has the state written to its file again and again; `undefined`: nobody wants that. */
  keep(plan: ServePlan, host: ServeHost<S>): Keeper<S> | undefined
  /** Puts other settings in force; gives the lines that say why not, and then nothing is changed. */
  apply(plan: ServePlan, host: ServeHost<S>): readonly string[]
  /** Deletes all mappings of a host and gives how many those were; or says why it does not. */
  revoke(host: ServeHost<S>, internal: Address, realm: Address | undefined): Read<number>
  /** Live mappings, a page at a time: rows after `after`, 0 from the start. */
  list(state: S, now: number, after: number, limit: number): Page
  /** The filters of the MAP mapping of an internal end. */
  filters(state: S, end: InternalEnd): readonly Filter[]
  count(state: S): number
  /** Mappings by kind. */
  counts(state: S): Readonly<Record<string, number>>
  /** `undefined`: it assigns no external ends. */
  pool(state: S): { readonly addresses: number; readonly udp: PortUse; readonly tcp: PortUse } | undefined
  /** The addresses of its pool; none where it has no pool. */
  addresses(state: S): readonly Address[]
  /** What is outside, for the greeting; `undefined`: the pool of its plan. */
  outside(plan: ServePlan): string | undefined
}
