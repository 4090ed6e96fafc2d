import { type CgnSettings, type CgnState, createCgn, memoryCgn } from "../cgn/index.ts"
import type { Address } from "../wire/index.ts"
import { checkSettings, DEFAULT_SETTINGS, type ServerSettings } from "./settings.ts"
import { type Created, createServerOver } from "./state.ts"

/** What {@link createServer} takes: the server's settings, all with defaults, and those of its in-memory CGN. */
export interface ServerOptions
  extends Partial<ServerSettings>,
    Pick<
      CgnSettings,
      | "assignment"
      | "staticMappings"
      | "recycleDelay"
      | "noncePolicy"
      | "subscriberQuota"
      | "subscriberPrefix"
      | "rules"
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

/** Options as the settings of the CGN, its defaults filled in, and those of the server, which stand by themselves. */
export const settingsOf = (
  options: ServerOptions,
): { readonly cgn: CgnSettings; readonly server: Partial<ServerSettings> } => {
  const {
    external,
    secret,
    now,
    ports = { first: 1024, last: 65535 },
    quota = 1024,
    filterLimit = 43,
    idleTimeout = { udp: 300, tcp: 7440 },
    assignment,
    staticMappings,
    recycleDelay,
    noncePolicy,
    subscriberQuota,
    subscriberPrefix,
    rules,
    ...server
  } = options
  const { otherProtocols, port0, oneToOne, mapInternal } = server.profile ?? DEFAULT_SETTINGS.profile
  const cgn: CgnSettings = {
    external,
    secret,
    now,
    ports,
    quota,
    filterLimit,
    idleTimeout,
    assignment,
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
  }
  return { cgn, server }
}

/**
 * A PCP and NAT-PMP server over the in-memory CGN, with no mappings yet; or the first setting that breaks a rule, with
 * its code and a sentence for people. Give each datagram to `process`, and call `advance` when a `next` is due. Clients of
 * an earlier run learn of the loss from `announce` (RFC 6887 section 14.1.3 wants it at every start).
 *
 * @example
 * ```ts
 * import { createServer, parseAddress } from "sallyport"
 *
 * const external = parseAddress("203.0.113.7")
 * if (external === undefined) throw new Error("not an address")
 * const secret = crypto.getRandomValues(new Uint8Array(32))
 * const made = createServer({ external: [external], secret, now: 0, quota: 64 })
 * console.log(made.ok) // true
 *
 * const refused = createServer({ external: [], secret, now: 0 })
 * if (!refused.ok) console.log(refused.error.code) // empty-pool
 * ```
 */
export const createServer = (options: ServerOptions): Created<CgnState> => {
  const { cgn, server } = settingsOf(options)
  const error = checkSettings({ ...DEFAULT_SETTINGS, ...server })
  if (error !== undefined) return { ok: false, error }
  const made = createCgn(cgn)
  return made.ok ? createServerOver(memoryCgn, made.state, options.now, server) : made
}
