import {
  type CgnState,
  type Change,
  type InternalEnd,
  listFilters,
  type Realm,
  reconfigureCgn,
  revoke as revokeOfCgn,
} from "../cgn/index.ts"
import type { Address, Prefix64 } from "../wire/index.ts"
import { adopt, type CgnStep } from "./adopt.ts"
import { sooner } from "./advance.ts"
import { announce } from "./announce.ts"
import { EMPTY_CACHE } from "./cache.ts"
import { type ServerOptions, settingsOf } from "./create.ts"
import { NO_RATES, type RateLimits } from "./rate.ts"
import type { Pushed } from "./request.ts"
import { checkSettings, DEFAULT_SETTINGS, type ServerSettings, type ServerSettingsError } from "./settings.ts"
import type { ServerState } from "./state.ts"

/** The server under the new settings, and what is to be told to whom; or the first fault, and then nothing changed. */
export type ServerReconfigured<S = CgnState> =
  | { readonly ok: true; readonly state: ServerState<S>; readonly pushed: Pushed }
  | { readonly ok: false; readonly error: ServerSettingsError }

/**
 * Goes on with other settings, mappings and all; `options` is all of them, as for `createServer`, but the secret and the
 * clock, which stay. A setting that breaks a rule changes nothing: the state before stays in force.
 *
 * Clients of mappings that moved, and of those that could not be kept, get an update in the protocol that created the
 * mapping (RFC 6887 section 14.2). Where an external address came or went, Epoch Time begins again at 0 and is announced
 * (section 8.5, S-140); where only the Pref64s of a NAT64 changed, that is announced (RFC 7225 section 4.2). `advance` at
 * once: it sends. The settings are not among the changes: a replica calls this too.
 */
export const reconfigure = (
  state: ServerState,
  options: Omit<ServerOptions, "now" | "secret">,
  now: number,
): ServerReconfigured => {
  const { secret, now: start, external } = state.cgnState.config
  const { cgn, server } = settingsOf({ ...options, secret, now: start })
  const error = checkSettings({ ...DEFAULT_SETTINGS, ...server })
  if (error !== undefined) return { ok: false, error }
  const { now: _clock, secret: _secret, ...changeable } = cgn
  const done = reconfigureCgn(state.cgnState, changeable, now)
  if (!done.ok) return done
  const readdressed = !isSamePool(external, done.state.config.external)
  const filters = (end: InternalEnd) => listFilters(done.state, end)
  const step = { state: done.state, changes: done.changes, filters, lost: true, readdressed }
  return reconfigureOver(state, server, now, step)
}

/**
 * The same over any CGN: `options` are all of the server's settings that are not the defaults, and `step` what the CGN made
 * of its own other settings; left out, the CGN stays as it is.
 */
export const reconfigureOver = <S>(
  state: ServerState<S>,
  options: Partial<ServerSettings>,
  now: number,
  step: CgnStep<S> = { state: state.cgnState, changes: [] },
): ServerReconfigured<S> => {
  const settings: ServerSettings = { ...DEFAULT_SETTINGS, ...options }
  const error = checkSettings(settings)
  if (error !== undefined) return { ok: false, error }
  const told = isSameList(state.settings.prefix64.map(textOf), settings.prefix64.map(textOf))
  const rates = isSameLimits(state.settings.rateLimits, settings.rateLimits) ? state.rates : NO_RATES
  // Who is served may be others now, and a bucket that the old rate fills for an hour says nothing of the new one.
  const [adopted, pushed] = adopt({ ...state, settings, rates, cache: EMPTY_CACHE }, step, now)
  if (told || step.readdressed === true) return { ok: true, state: adopted, pushed }
  const [after, announced] = announce(adopted, now)
  return { ok: true, state: after, pushed: { changes: pushed.changes, next: sooner(pushed.next, announced.next) } }
}

const isSameLimits = (before: RateLimits | undefined, after: RateLimits | undefined): boolean =>
  (["perSource", "global"] as const).every(
    (name) => before?.[name]?.perSecond === after?.[name]?.perSecond && before?.[name]?.burst === after?.[name]?.burst,
  )

const isSamePool = (before: readonly Address[], after: readonly Address[]): boolean => {
  const known = new Set(before)
  return before.length === after.length && after.every((address) => known.has(address))
}

const isSameList = (before: readonly string[], after: readonly string[]): boolean =>
  before.length === after.length && before.every((text, i) => text === after[i])

const textOf = ({ prefix, suffix, ipv4Prefixes }: Prefix64): string =>
  `${prefix.join()} ${suffix.join()} ${(ipv4Prefixes ?? []).map(({ address, length }) => address + length).join()}`

/**
 * A subscriber is gone, its DHCP lease ended, say (RFC 6887 section 15, S-137): all its mappings go, nobody is told, and
 * whoever has the address next sees an Epoch Time of its own that begins at `now`, milliseconds.
 */
export const revoke = (
  state: ServerState,
  internal: Address,
  realm: Realm | undefined,
  now: number,
): readonly [ServerState, { readonly changes: readonly Change[] }] => {
  const done = revokeOfCgn(state.cgnState, internal, realm, now)
  const step: { readonly state: CgnState; readonly changes: readonly Change[] } = done
  const [after, { changes }] = adopt(state, step, now)
  return [after, { changes }]
}
