import type { SaveCgn, ServerState } from "../../core/server/index.ts"
import type { Clock } from "../host.ts"
import { saveState } from "./state-file.ts"
import type { Saved } from "./whole-file.ts"

/** What is kept, where, and how often. */
export interface StateKeeperOptions<S> {
  /** The file, which is written anew each time; its folder is there. */
  readonly path: string
  /** Makes octets of the CGN's part. */
  readonly save: SaveCgn<S>
  /** Seconds from one writing to the next; 0: only when asked. */
  readonly period: number
  /** The clock of the state's instants. */
  readonly clock: Clock
  /** The newest state. */
  readonly state: () => ServerState<S>
  /** Hears of each writing. The next one is tried whatever this one came to. */
  readonly saved?: (saved: Saved) => void
}

/** Writes a server's state to a file again and again. */
export interface StateKeeper<S> {
  /** Writes now, or as soon as what is being written is. Resolves when a state no older than this call is on the disk, or is not. */
  save(): Promise<Saved>
  /**
   * Writes the last state as such, from which Epoch Time may go on, and stops. Only after the server stopped answering. `isWhole`: all that clients
   * were promised is in it; otherwise Epoch Time does not go on (RFC 6887 section 8.5). Default: it is.
   */
  finish(last: ServerState<S>, isWhole?: boolean): Promise<Saved>
}

/** Keeps a server's state in a file; what changed nothing since the last writing is not written again by the period. */
export const keepState = <S extends Versioned>(options: StateKeeperOptions<S>): StateKeeper<S> => {
  const { path, period, clock, state, saved } = options
  let written: ServerState<S> | undefined
  let writing: Promise<unknown> = Promise.resolve()
  let asked: Promise<Saved> | undefined
  let stopped = false
  let cancel = (): void => {}

  const write = async (of: ServerState<S>, final: boolean): Promise<Saved> => {
    const outcome = await saveState(path, options.save, of, { now: clock.now(), wallClock: Date.now(), final })
    if (outcome.ok) written = of
    saved?.(outcome)
    return outcome
  }

  const save = (): Promise<Saved> => {
    // Whoever asks while one is waiting for its turn is served by that one.
    asked ??= after(() => {
      asked = undefined
      return write(state(), false)
    })
    return asked
  }

  const after = (next: () => Promise<Saved>): Promise<Saved> => {
    const done = writing.then(next)
    writing = done
    return done
  }

  const wait = (): void => {
    if (period <= 0 || stopped) return
    cancel = clock.after(period * 1000, () => {
      if (isChanged(written, state())) void save().then(wait)
      else wait()
    })
  }
  wait()

  return {
    save: () => (stopped ? Promise.resolve({ ok: false, text: "the last state is written already" }) : save()),
    finish: (last, isWhole = true) => {
      stopped = true
      cancel()
      return after(() => write(last, isWhole))
    },
  }
}

/** The state of a CGN on a table: what it holds, and its settings. */
export interface Versioned {
  /** What it holds. */
  readonly version: unknown
  /** What it was made with. */
  readonly config: unknown
}

const isChanged = <S extends Versioned>(before: ServerState<S> | undefined, now: ServerState<S>): boolean =>
  before === undefined ||
  before.cgnState.version !== now.cgnState.version ||
  before.cgnState.config !== now.cgnState.config ||
  before.counts !== now.counts ||
  before.epochStart !== now.epochStart
