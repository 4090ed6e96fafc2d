import { type Cgn, type CgnSettings, type CgnState, createCgn, memoryCgn, type SettingsError } from "../cgn/index.ts"
import type { Address } from "../wire/index.ts"
import { type Counts, NO_COUNTS } from "./counts.ts"

/** What a server does and within which limits. Lifetimes are seconds. */
export interface ServerSettings {
  /** Least lifetime granted to PCP (RFC 6887 section 15: 120). NAT-PMP's is never raised (RFC 6886 section 3.3). */
  readonly minLifetime: number
  /** Most granted to anybody (RFC 6887 section 15: 24 hours). */
  readonly maxLifetime: number
  /** Lifetime of errors that soon pass (RFC 6887 section 7.4: 30 s). */
  readonly shortError: number
  /** Lifetime of errors that stay (RFC 6887 section 7.4: 30 min). */
  readonly longError: number
  /** Answer PCP; without it the server is a NAT-PMP server alone. */
  readonly pcp: boolean
  /** Answer NAT-PMP; without it, NAT-PMP's version 0 is an unsupported PCP version (RFC 6887 section 9). */
  readonly natPmp: boolean
  /** The administrator's switches for the opcodes (RFC 6887 sections 11 and 12). */
  readonly map: boolean
  readonly peer: boolean
  readonly announce: boolean
  /** Allow the THIRD_PARTY option: only where the whole network is trusted (RFC 6887 section 13.1). */
  readonly thirdParty: boolean
}

export const DEFAULT_SETTINGS: ServerSettings = {
  minLifetime: 120,
  maxLifetime: 86400,
  shortError: 30,
  longError: 1800,
  pcp: true,
  natPmp: true,
  map: true,
  peer: true,
  announce: true,
  thirdParty: false,
}

/** A server's state: a handle that stays valid. `S` is its CGN's state. */
export interface ServerState<S = CgnState> {
  readonly settings: ServerSettings
  readonly cgn: Cgn<S>
  readonly cgnState: S
  /** The instant when Epoch Time was 0, milliseconds (RFC 6887 section 8.5). */
  readonly epochStart: number
  readonly counts: Counts
}

export interface ServerSettingsError {
  readonly code: SettingsError["code"] | "bad-lifetime" | "bad-protocols"
  readonly text: string
}

export type Created<S> =
  | { readonly ok: true; readonly state: ServerState<S> }
  | { readonly ok: false; readonly error: ServerSettingsError }

const isLifetime = (value: number): boolean => Number.isInteger(value) && value >= 0 && value <= 0xffffffff

/** The first rule that the settings break, or `undefined`. */
export const checkSettings = (settings: ServerSettings): ServerSettingsError | undefined => {
  for (const name of ["minLifetime", "maxLifetime", "shortError", "longError"] as const)
    if (!isLifetime(settings[name]))
      return { code: "bad-lifetime", text: `${name} must be a whole number of seconds from 0 to 4294967295` }
  if (settings.maxLifetime === 0) return { code: "bad-lifetime", text: "maxLifetime 0 would grant nothing" }
  if (settings.minLifetime > settings.maxLifetime)
    return {
      code: "bad-lifetime",
      text: `the least lifetime, ${settings.minLifetime} s, is over the most, ${settings.maxLifetime} s`,
    }
  if (!settings.pcp && !settings.natPmp)
    return { code: "bad-protocols", text: "neither PCP nor NAT-PMP is on: nothing would be answered" }
  return undefined
}

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
  return { ok: true, state: { settings, cgn, cgnState, epochStart: now, counts: NO_COUNTS } }
}

/** What {@link createServer} takes: the server's settings, all with defaults, and those of its in-memory CGN. */
export interface ServerOptions extends Partial<ServerSettings> {
  /** Pool of external IPv4 addresses, 1 to 16384, each once. */
  readonly external: readonly Address[]
  /** 32 octets of entropy: who knows them can tell ports in advance and make the tables slow. */
  readonly secret: Uint8Array
  /** The present on the caller's monotonic clock, milliseconds: Epoch Time 0 (RFC 6887 section 8.5). */
  readonly now: number
  /** External ports to assign, both ends included. Default 1024 to 65535. */
  readonly ports?: CgnSettings["ports"]
  /** MAP and PEER mappings of one subscriber. Default 1024: RFC 6887 section 11.3 recommends a limit; 0 is none. */
  readonly quota?: number
  /** FILTERs of one mapping. Default 43: as many as a request has room for (RFC 6887 section 13.3). */
  readonly filterLimit?: number
  /**
   * Seconds without outbound traffic until an implicit mapping ends. Default 300 for UDP (RFC 4787 REQ-5), 7440 for TCP
   * (RFC 5382 REQ-5).
   */
  readonly idleTimeout?: CgnSettings["idleTimeout"]
}

/**
 * A PCP and NAT-PMP server over the in-memory CGN, with no mappings yet; or the first setting that breaks a rule, with
 * its code and a sentence for people. Give each datagram to `process`, and call `advance` when a `next` is due.
 */
export const createServer = (options: ServerOptions): Created<CgnState> => {
  const {
    external,
    secret,
    now,
    ports = { first: 1024, last: 65535 },
    quota = 1024,
    filterLimit = 43,
    idleTimeout = { udp: 300, tcp: 7440 },
    ...settings
  } = options
  const made = createCgn({ external, secret, now, ports, quota, filterLimit, idleTimeout })
  return made.ok ? createServerOver(memoryCgn, made.state, now, settings) : made
}
