import type { Filter, Mapping } from "../../core/cgn/index.ts"
import type { ServerEvent } from "../server-machine.ts"
import type { Endpoint } from "../udp.ts"
import type { ServePlan } from "./config/plan.ts"
import type { ControlTarget } from "./control/answer.ts"
import type { MetricsSource } from "./metrics.ts"
import type { Read } from "./read.ts"
import type { Sink } from "./sink.ts"

/** A server that has a state, but does not listen yet: one on this thread, or workers that are one together. */
export interface Beginning {
  /** It has the settings of the last run: those of today are put in force when it listens. */
  readonly outdated: boolean
  /** Epoch Time began again, which clients are to be told (RFC 6887 sections 8.5 and 14.1.3). */
  readonly lost: boolean
  /** What is outside, for the greeting; `undefined`: the pool of the plan. */
  readonly outside: string | undefined
  /** Listens, with the plan's settings in force; or says in lines why not. Then, as before, `undo` is next. */
  listen(told: Told): Promise<Listening>
  /** The server does not come up after all: state files are as they were. Nothing once it is open. */
  undo(): Promise<void>
}

/** Where what happens is told. */
export interface Told {
  /** `undefined`: nobody wants to know. */
  readonly events: ((events: readonly ServerEvent[], now: number) => void) | undefined
  /** For lines that are made elsewhere. */
  readonly sink: Sink
}

export type Listening =
  | { readonly ok: true; readonly value: Serving }
  | { readonly ok: false; readonly lines: readonly string[] }

/** A server that listens. */
export interface Serving extends ControlTarget {
  readonly local: readonly Endpoint[]
  readonly metrics: MetricsSource
  count(): number | Promise<number>
  /** The filters of a MAP mapping; `undefined`: they are in other threads. */
  readonly filters: ((mapping: Mapping) => readonly Filter[]) | undefined
  /** Datagrams are heard from now on, if they were not before; `lost`: clients are told that an earlier state is gone. */
  open(lost: boolean): void | Promise<void>
  /** Has each datagram's milliseconds told, where the metrics do not have them by themselves. */
  timed(took: (duration: number) => void): void
  /** Puts other settings in force, all or none; gives the lines that say why not. */
  apply(plan: ServePlan): readonly string[] | Promise<readonly string[]>
  /** Writes the state file now; gives the octets. `undefined`: nobody wants one. */
  save(): Promise<Read<number>> | undefined
  /** Answers no more, and writes the last state; `false`: that could not be written. What it has can still be listed. */
  stop(): Promise<boolean>
  /** Answers no more, and writes nothing: it does not come up after all. */
  abandon(): Promise<void>
  /** Lets go of what it ran on. */
  end(): Promise<void>
  /** Resolves when it cannot go on, with a line that says why: it is to be stopped then. */
  readonly failed: Promise<string>
}
