import type { Saved } from "#runtime"
import type { Counters, Page, Realm } from "../../../core/cgn/index.ts"
import type { Address } from "../../../core/wire/index.ts"
import type { Endpoint } from "../../udp.ts"
import type { ServeSettings } from "../config/settings.ts"
import type { Device } from "../device/device.ts"
import type { Read } from "../read.ts"

export interface BeginAsk {
  /** Its share. */
  readonly settings: ServeSettings
  readonly state: { readonly file: string; readonly period: number } | undefined
  /** Has each datagram's time told to the metrics. */
  readonly isTimed: boolean
  /** Has sockets for many datagrams a call: this process has them. */
  readonly isFast: boolean
}

export interface Begun {
  readonly outdated: boolean
  readonly lost: boolean
  /** Addresses that it had in its last run; `undefined`: there was none. */
  readonly had: readonly Address[] | undefined
  /** Mappings of its last run that are other workers' now. */
  readonly foreign: number
  readonly outside: string | undefined
}

export interface ListenAsk {
  readonly ends: readonly Endpoint[] | undefined
  /** It sees that nobody else has these ends before they are shared, and chooses the ports that are 0. */
  readonly first: boolean
  /** How it tells what happens; `undefined`: not at all. */
  readonly told: { readonly json: boolean; readonly coloured: boolean } | undefined
}

/** What a metrics scrape or a listing wants to know at once. */
export interface Numbers {
  readonly count: number
  readonly kinds: Readonly<Record<string, number>>
  readonly pool: ReturnType<Device<unknown>["pool"]>
  readonly counters: Counters
  /** Epoch Time, seconds. */
  readonly epoch: number
}

/** What a worker can be told to do, and what it answers. */
export interface Orders {
  begin: { readonly ask: BeginAsk; readonly answer: Read<Begun> }
  listen: { readonly ask: ListenAsk; readonly answer: Read<readonly Endpoint[]> }
  /** Puts its share of other settings in force, or says only whether it could; lines as `linesOf` reads them. */
  apply: {
    readonly ask: { readonly settings: ServeSettings; readonly dry: boolean }
    readonly answer: { readonly lines: readonly string[]; readonly reset: boolean }
  }
  /** Epoch Time begins again now; `isTold`: one of the workers has a line of it. */
  reset: { readonly ask: { readonly isTold: boolean }; readonly answer: undefined }
  /** Hears datagrams from now on; `true`: it was to announce something before it could. */
  open: { readonly ask: undefined; readonly answer: boolean }
  announce: { readonly ask: undefined; readonly answer: undefined }
  revoke: {
    readonly ask: { readonly internal: Address; readonly realm: Realm | undefined }
    readonly answer: Read<number>
  }
  page: {
    readonly ask: { readonly after: number; readonly limit: number }
    /** `now`: the present on the worker's clock, on which the mappings' times are. */
    readonly answer: Page & { readonly now: number }
  }
  numbers: { readonly ask: undefined; readonly answer: Numbers }
  /** The latency histogram, as prom-client has it in JSON. */
  latency: { readonly ask: undefined; readonly answer: readonly object[] }
  save: { readonly ask: undefined; readonly answer: Saved | undefined }
  /** Hears no more, and writes the last state if `last`. */
  stop: { readonly ask: { readonly last: boolean }; readonly answer: Saved | undefined }
  undo: { readonly ask: undefined; readonly answer: undefined }
}

export type OrderName = keyof Orders

/** An order on its way. */
export type Order<K extends OrderName = OrderName> = {
  readonly [N in K]: { readonly id: number; readonly name: N; readonly ask: Orders[N]["ask"] }
}[K]

/** What does each of the orders. */
export type Handlers = {
  readonly [N in OrderName]: (ask: Orders[N]["ask"]) => Orders[N]["answer"] | Promise<Orders[N]["answer"]>
}

/** What a worker says. */
export type Word =
  /** First: it hears what it is told from now on. */
  | { readonly hears: true }
  /** `answer` has the type that its order says. */
  | { readonly id: number; readonly answer: never }
  | { readonly id: number; readonly fault: string }
  /** Lines for standard output. */
  | { readonly lines: string }

/** To a worker besides orders: so many characters of its lines are with their reader, or left to wait no more. */
export type Ack = { readonly taken: number }
