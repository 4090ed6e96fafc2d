import type { NonceMode } from "./nonce.ts"

/** How a client behaves. The defaults are the RFCs'. */
export interface ClientSettings {
  /** RFC 6887 section 8.1.1: seconds until the first retransmission (IRT). */
  readonly initialRetransmission: number
  /** Transmissions before an exchange fails (MRC); 0: no maximum. A server with several addresses has 4 (RFC 7488 section 3). */
  readonly retransmissionCount: number
  /** Longest time between two retransmissions, seconds (MRT); 0: no maximum. */
  readonly retransmissionTime: number
  /** Seconds after which an exchange fails (MRD); 0: no maximum. */
  readonly retransmissionDuration: number
  /** RFC 6886 section 3.1: milliseconds until NAT-PMP's first retransmission; each later one doubles. */
  readonly natPmpInterval: number
  /** Transmissions of a NAT-PMP request (section 3.1). */
  readonly natPmpTries: number
  /** Transmissions of a deletion: advisory (section 3.1). */
  readonly deleteTries: number
  /** Shortest and longest time for which an error holds, seconds, whatever the server says (RFC 6887 section 8.3). */
  readonly errorFloor: number
  /** Seconds, as the floor. */
  readonly errorCeiling: number
  /** Longest lifetime that is believed, seconds (RFC 6887 section 15, C-131). */
  readonly lifetimeCeiling: number
  /** Seconds for which a server counts as one of NAT-PMP alone, and after which another version is tried (RFC 6887 section 9, C-22). */
  readonly versionCache: number
  /** Seconds until a server that answers at none of its addresses is tried again (RFC 7488 section 3). */
  readonly exhaustedWait: number
  /** Longest random delay before lost mappings are made again, seconds (RFC 6887 section 14.1.3). */
  readonly recoveryDelay: number
  /** Where mapping nonces come from. */
  readonly nonces: NonceMode
  /** Datagrams that one server gets: at most `burst`, and `perSecond` more each second. */
  readonly serverBudget: SendRate
  /** Datagrams about one mapping that one server gets. */
  readonly mappingBudget: SendRate
}

/** A bucket of tokens: never more than `burst + perSecond * t` in any t seconds. */
export interface SendRate {
  /** Tokens a second. */
  readonly perSecond: number
  /** Tokens that it holds, and begins with. */
  readonly burst: number
}

/** What holds where settings say nothing: the numbers of the RFCs, and where they have none a careful client's. */
export const DEFAULT_CLIENT_SETTINGS: ClientSettings = Object.freeze({
  initialRetransmission: 3,
  retransmissionCount: 0,
  retransmissionTime: 1024,
  retransmissionDuration: 0,
  natPmpInterval: 250,
  natPmpTries: 9,
  deleteTries: 3,
  errorFloor: 30,
  errorCeiling: 86400,
  lifetimeCeiling: 86400,
  versionCache: 1800,
  exhaustedWait: 900,
  recoveryDelay: 5,
  nonces: "random",
  serverBudget: Object.freeze({ perSecond: 16, burst: 64 }),
  mappingBudget: Object.freeze({ perSecond: 0.25, burst: 6 }),
})

export interface ClientSettingsError {
  readonly setting: keyof ClientSettings
  readonly text: string
}

/** The first setting that cannot be; `undefined`: all can. */
export const checkSettings = (settings: ClientSettings): ClientSettingsError | undefined => {
  const wrong = (setting: keyof ClientSettings, text: string): ClientSettingsError => ({ setting, text })
  const positive = [
    "initialRetransmission",
    "natPmpInterval",
    "natPmpTries",
    "deleteTries",
    "errorFloor",
    "errorCeiling",
    "lifetimeCeiling",
    "versionCache",
    "exhaustedWait",
  ] as const
  for (const name of positive)
    if (!(settings[name] > 0 && Number.isFinite(settings[name]))) return wrong(name, `${name} is more than 0`)
  const natural = ["retransmissionCount", "retransmissionTime", "retransmissionDuration", "recoveryDelay"] as const
  for (const name of natural)
    if (!(settings[name] >= 0 && Number.isFinite(settings[name]))) return wrong(name, `${name} is 0 or more`)
  for (const name of ["natPmpTries", "deleteTries", "retransmissionCount"] as const)
    if (!Number.isInteger(settings[name])) return wrong(name, `${name} is a whole number`)
  for (const name of ["serverBudget", "mappingBudget"] as const) {
    const { perSecond, burst } = settings[name]
    if (!(perSecond > 0 && Number.isFinite(perSecond))) return wrong(name, `${name}.perSecond is more than 0`)
    if (!(burst >= 1 && Number.isFinite(burst))) return wrong(name, `${name}.burst is 1 or more`)
  }
  if (settings.errorCeiling < settings.errorFloor) return wrong("errorCeiling", "errorCeiling is errorFloor or more")
  if (settings.nonces !== "random" && settings.nonces !== "deterministic")
    return wrong("nonces", "nonces is random or deterministic")
  return undefined
}
