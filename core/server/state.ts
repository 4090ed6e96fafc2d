import type { Cgn, CgnState } from "../cgn/index.ts"
import { type Cache, EMPTY_CACHE } from "./cache.ts"
import { type Counts, NO_COUNTS } from "./counts.ts"
import { NO_PUSHES, type Pushes } from "./push.ts"
import { NO_RATES, type Rates } from "./rate.ts"
import { checkSettings, DEFAULT_SETTINGS, type ServerSettings, type ServerSettingsError } from "./settings.ts"

/** A server's state: a handle that stays valid. `S` is its CGN's state. */
export interface ServerState<S = CgnState> {
  /** What it was made with, defaults and all. */
  readonly settings: ServerSettings
  /** What it drives. */
  readonly cgn: Cgn<S>
  /** The state of that: mappings, filters, counters. */
  readonly cgnState: S
  /** The instant when Epoch Time was 0, milliseconds (RFC 6887 section 8.5). */
  readonly epochStart: number
  /** The server's own counters: see `counters`. */
  readonly counts: Counts
  /**
   * Announcements and updates still to be sent. This and the two below are what one running server has to do and knows by
   * heart: they say nothing of mappings, are not among the changes, and a replica starts without them.
   */
  readonly pushes: Pushes
  /** What the CGN said of subscribers. */
  readonly cache: Cache
  /** Who has sent how much. */
  readonly rates: Rates
}

/** A new state, or the first fault of the settings. */
export type Created<S> =
  | { readonly ok: true; readonly state: ServerState<S> }
  | { readonly ok: false; readonly error: ServerSettingsError }

/** A server over any CGN, its Epoch Time 0 at `now`, milliseconds. */
export const createServerOver = <S>(
  cgn: Cgn<S>,
  cgnState: S,
  now: number,
  options: Partial<ServerSettings> = {},
): Created<S> => {
  const settings: ServerSettings = { ...DEFAULT_SETTINGS, ...options }
  const error = checkSettings(settings)
  if (error !== undefined) return { ok: false, error }
  const state: ServerState<S> = {
    settings,
    cgn,
    cgnState,
    epochStart: now,
    counts: NO_COUNTS,
    pushes: NO_PUSHES,
    cache: EMPTY_CACHE,
    rates: NO_RATES,
  }
  return { ok: true, state }
}
