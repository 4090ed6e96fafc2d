import type { Realm, SettingsError } from "../cgn/index.ts"
import { type CgnProfile, checkProfile, PROFILES } from "../cgn/index.ts"
import type { Prefix64 } from "../wire/index.ts"
import type { RateLimits } from "./rate.ts"
import type { Naming } from "./text.ts"

/** What a server does and within which limits. Lifetimes are seconds. */
export interface ServerSettings extends Naming {
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
  /** What is controlled, and what of PCP is offered for it: libpcpd's flags. */
  readonly profile: CgnProfile
  /**
   * RFC 6887 section 18. `simple`: no THIRD_PARTY whatever the profile says, as no host may ask for another. `advanced`: what
   * the profile says, for networks where requests cannot be forged. Nonces and the floor of lifetimes hold in both.
   *
   * RFC ambiguity 20: section 18.1 wants explicit mappings to live as long as implicit ones, section 15 recommends up to 24
   * hours: `maxLifetime` decides in both models, and whoever wants section 18.1 to the letter sets it to the idle timeout.
   */
  readonly threatModel: "simple" | "advanced"
  /** Keep DESCRIPTION (RFC 7220) where the CGN can; without it the option is ignored. */
  readonly description: boolean
  /** Map sets of ports (RFC 7753) where the CGN can; without it the option is ignored. */
  readonly portSet: boolean
  /** What PREFIX64 tells a NAT64's clients (RFC 7225), in this order; empty: the option is ignored. */
  readonly prefix64: readonly Prefix64[]
  /** Send {@link prefix64} with every MAP success, asked for or not (RFC 7225 section 4.2). */
  readonly prefix64Unasked: boolean
  /** THIRD_PARTY_ID (RFC 7843): the identifier's octets in lower-case hex, and the realm that it names; empty: not offered. */
  readonly thirdPartyIds: ReadonlyMap<string, Realm>
  /** `undefined`: requests are taken as fast as they come. */
  readonly rateLimits: RateLimits | undefined
  /** Subscribers that the cache holds where the profile has one. */
  readonly cacheSize: number
  /** Transmissions of each announcement, 0 to 10 (RFC 6887 section 14.1.3, RFC 6886 section 3.2.1). */
  readonly announceCount: number
  /** Transmissions of each mapping update, 0 to 3 (RFC 6887 section 14.2). */
  readonly updateCount: number
  /**
   * Mapping updates that may be under way at once; for those over it clients have the announcement and its epoch. Ten
   * thousand take 0.1 s to make.
   */
  readonly updateLimit: number
}

export const DEFAULT_SETTINGS: ServerSettings = {
  minLifetime: 120,
  maxLifetime: 86400,
  shortError: 30,
  longError: 1800,
  pcp: true,
  natPmp: true,
  profile: PROFILES.nat444,
  threatModel: "simple",
  description: true,
  portSet: true,
  prefix64: [],
  prefix64Unasked: false,
  thirdPartyIds: new Map(),
  rateLimits: undefined,
  cacheSize: 4096,
  announceCount: 10,
  updateCount: 3,
  updateLimit: 16384,
  strerror: undefined,
  id2str: undefined,
}

export interface ServerSettingsError {
  readonly code:
    | SettingsError["code"]
    | "bad-lifetime"
    | "bad-protocols"
    | "bad-profile"
    | "bad-prefix64"
    | "bad-third-party-id"
    | "bad-rate"
    | "bad-count"
  readonly text: string
}

/** Is third-party asking allowed at all (RFC 6887 sections 13.1 and 18.1)? */
export const hasThirdParty = (settings: ServerSettings): boolean =>
  settings.profile.thirdParty && settings.threatModel === "advanced"

/** The first rule that the settings break, or `undefined`. */
export const checkSettings = (settings: ServerSettings): ServerSettingsError | undefined =>
  checkLifetimes(settings) ??
  checkServed(settings) ??
  checkOptions(settings) ??
  checkRates(settings.rateLimits) ??
  checkCounts(settings)

const isWhole = (value: number, least: number, most: number): boolean =>
  Number.isInteger(value) && value >= least && value <= most

const checkLifetimes = (settings: ServerSettings): ServerSettingsError | undefined => {
  for (const name of ["minLifetime", "maxLifetime", "shortError", "longError"] as const)
    if (!isWhole(settings[name], 0, 0xffffffff))
      return { code: "bad-lifetime", text: `${name} must be a whole number of seconds from 0 to 4294967295` }
  if (settings.maxLifetime === 0) return { code: "bad-lifetime", text: "maxLifetime 0 would grant nothing" }
  if (settings.minLifetime > settings.maxLifetime)
    return {
      code: "bad-lifetime",
      text: `the least lifetime, ${settings.minLifetime} s, is over the most, ${settings.maxLifetime} s`,
    }
  return undefined
}

const checkServed = (settings: ServerSettings): ServerSettingsError | undefined => {
  if (!settings.pcp && !settings.natPmp)
    return { code: "bad-protocols", text: "neither PCP nor NAT-PMP is on: nothing would be answered" }
  const broken = checkProfile(settings.profile)
  return broken === undefined ? undefined : { code: "bad-profile", text: broken.text }
}

/** Octets that a Pref64::/n may have (RFC 6052 section 2.2). */
const PREFIX64_LENGTHS: readonly number[] = [4, 5, 6, 7, 8, 12]

const checkOptions = ({ prefix64, thirdPartyIds }: ServerSettings): ServerSettingsError | undefined => {
  for (const { prefix, suffix, ipv4Prefixes = [] } of prefix64) {
    if (!PREFIX64_LENGTHS.includes(prefix.length) || prefix.length + suffix.length !== 12)
      return { code: "bad-prefix64", text: "a Pref64 has 4, 5, 6, 7, 8 or 12 octets, its suffix the rest of 12" }
    if (ipv4Prefixes.some(({ length }) => !isWhole(length, 0, 32)))
      return { code: "bad-prefix64", text: "an IPv4 prefix of a Pref64 has 0 to 32 bits" }
  }
  // As many as leave room for MAP and the options of a request (RFC 6887 section 7).
  if (prefix64.reduce((sum, one) => sum + 20 + 6 * (one.ipv4Prefixes?.length ?? 0), 0) > 512)
    return { code: "bad-prefix64", text: "the Pref64s and their IPv4 prefixes take over 512 octets of a message" }
  for (const id of thirdPartyIds.keys())
    if (!/^(?:[0-9a-f]{2}){1,1016}$/.test(id))
      return { code: "bad-third-party-id", text: "a third-party id is 1 to 1016 octets in lower-case hex" }
  return undefined
}

const checkRates = (limits: RateLimits | undefined): ServerSettingsError | undefined => {
  for (const rate of [limits?.perSource, limits?.global])
    if (rate !== undefined && !(rate.perSecond > 0 && Number.isFinite(rate.perSecond) && isWhole(rate.burst, 1, 1e9)))
      return { code: "bad-rate", text: "a rate limit has a rate over 0 a second and a burst of 1 request at least" }
  return undefined
}

const checkCounts = (settings: ServerSettings): ServerSettingsError | undefined => {
  if (!isWhole(settings.announceCount, 0, 10))
    return { code: "bad-count", text: "announceCount must be 0 to 10 (RFC 6887 section 14.1.3)" }
  if (!isWhole(settings.updateCount, 0, 3))
    return { code: "bad-count", text: "updateCount must be 0 to 3 (RFC 6887 section 14.2)" }
  if (!isWhole(settings.updateLimit, 0, 1e6)) return { code: "bad-count", text: "updateLimit must be 0 to 1000000" }
  if (!isWhole(settings.cacheSize, 1, 1e6)) return { code: "bad-count", text: "cacheSize must be 1 to 1000000" }
  return undefined
}
