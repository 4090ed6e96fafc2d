import { type Cgn, type CgnSettings, type CgnState, createCgn, memoryCgn } from "../cgn/index.ts"
import type { Address } from "../wire/index.ts"
import { type Cache, EMPTY_CACHE } from "./cache.ts"
import { type Counts, NO_COUNTS } from "./counts.ts"
import { NO_PUSHES, type Pushes } from "./push.ts"
import { NO_RATES, type Rates } from "./rate.ts"
import { checkSettings, DEFAULT_SETTINGS, type ServerSettings, type ServerSettingsError } from "./settings.ts"

/** A server's state: a handle that stays valid. `S` is its CGN's state. */
export interface ServerState<S = CgnState> {
  readonly settings: ServerSettings
  readonly cgn: Cgn<S>
  readonly cgnState: S
  /** The instant when Epoch Time was 0, milliseconds (RFC 6887 section 8.5). */
  readonly epochStart: number
  readonly counts: Counts
  /**
   * Announcements and updates still to be sent. This and the two below are what one running server has to do and knows by
   * heart: they say nothing of mappings, are not among the changes, and a replica starts without them.
   */
  readonly pushes: Pushes
  readonly cache: Cache
  readonly rates: Rates
}

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
  const own = { pushes: NO_PUSHES, cache: EMPTY_CACHE, rates: NO_RATES }
  return { ok: true, state: { settings, cgn, cgnState, epochStart: now, counts: NO_COUNTS, ...own } }
}

/** What {@link createServer} takes: the server's settings, all with defaults, and those of its in-memory CGN. */
export interface ServerOptions
  extends Partial<ServerSettings>,
    Pick<
      CgnSettings,
      "staticMappings" | "recycleDelay" | "noncePolicy" | "subscriberQuota" | "subscriberPrefix" | "rules"
    > {
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
 * its code and a sentence for people. Give each datagram to `process`, and call `advance` when a `next` is due. Clients of
 * an earlier run learn of the loss from `announce` (RFC 6887 section 14.1.3 wants it at every start).
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
    staticMappings,
    recycleDelay,
    noncePolicy,
    subscriberQuota,
    subscriberPrefix,
    rules,
    ...settings
  } = options
  const error = checkSettings({ ...DEFAULT_SETTINGS, ...settings })
  if (error !== undefined) return { ok: false, error }
  const { otherProtocols, port0, oneToOne, mapInternal } = settings.profile ?? DEFAULT_SETTINGS.profile
  const made = createCgn({
    external,
    secret,
    now,
    ports,
    quota,
    filterLimit,
    idleTimeout,
    staticMappings,
    recycleDelay,
    noncePolicy,
    subscriberQuota,
    subscriberPrefix,
    rules,
    otherProtocols,
    port0,
    oneToOne,
    internalFamily: mapInternal ? "ipv4" : "ipv6",
  })
  return made.ok ? createServerOver(memoryCgn, made.state, now, settings) : made
}
