import {
  type AddressPair,
  type Assignment,
  CGN_DEFAULTS,
  type CgnChangeable,
  type CgnKind,
  type CgnProfile,
  createProfile,
  MAX_POOL,
  PROFILES,
  type Prefix,
  type PrefixPair,
  type Rule,
  type SettingsError,
  type StaticMapping,
} from "../../../core/cgn/index.ts"
import {
  DEFAULT_SETTINGS,
  type RestoreError,
  type ServerSettings,
  type ServerSettingsError,
} from "../../../core/server/index.ts"
import { type Address, isIpv4, OptionCode, type Prefix64, writeAddress } from "../../../core/wire/index.ts"
import { DEFAULT_POOL, poolAddresses, poolSize } from "../pool.ts"
import type { Read } from "../read.ts"
import type { ServeOptions } from "../serve-options.ts"
import type { SettingPath } from "./fault.ts"
import type { ServeConfig } from "./schema.ts"

/** What the server and its CGN run with; all of it can be changed while they run. */
export interface ServeSettings {
  readonly server: ServerSettings
  /** Of the in-memory NAT; what other devices have of it they have from here too. */
  readonly cgn: CgnChangeable
  /** Where a firewall's hosts are; empty: anywhere. */
  readonly inside: readonly Prefix[]
  /** What an NPTv6 device translates. */
  readonly pairs: readonly PrefixPair[]
  /** What a NAT46 translates: addresses one by one, and all others behind a prefix. */
  readonly addressPairs: readonly AddressPair[]
  readonly ipv6Prefix: Prefix | undefined
  /** Which events are printed. */
  readonly log: "all" | "assignments"
}

/** A rule that holds between settings and is broken, by the setting that says so best. */
export interface SettingFault {
  readonly path: SettingPath
  readonly text: string
}

export type SettingsMade =
  | { readonly ok: true; readonly value: ServeSettings }
  | { readonly ok: false; readonly faults: readonly SettingFault[] }

/** What nobody set, where the core has no default of its own. */
export const PRESETS = {
  ports: { first: 1024, last: 65535 },
  quota: 1024,
  blocks: 4,
  filterLimit: 43,
  udpIdle: 300,
  tcpIdle: 7440,
}

/** The settings of a file and of the command line, which goes first. */
export const makeSettings = (config: ServeConfig, options: ServeOptions): SettingsMade => {
  const faults: SettingFault[] = []
  const found = <T>(path: SettingPath, read: Read<T>): T | undefined => {
    if (read.ok) return read.value
    faults.push({ path, text: read.text })
    return undefined
  }
  const profile = found(["profile"], profileOf(config, options))
  if (profile !== undefined) faults.push(...foreignSettings(profile.kind, config, options))
  const external = found(["external"], externalOf(config, options))
  const prefix64 = (config.prefix64 ?? []).map((entry, i) => found(["prefix64", i], prefix64Of(entry)))
  const staticMappings = (config.staticMappings ?? []).map((entry): StaticMapping => {
    const { protocol, internal, external: outside, realm } = entry
    const ends = { internal: internal.address, internalPort: internal.port }
    return { protocol, ...ends, external: outside.address, externalPort: outside.port, realm }
  })
  if (profile === undefined || external === undefined || faults.length > 0) return { ok: false, faults }
  return {
    ok: true,
    value: {
      cgn: {
        external,
        ports: options.ports ?? config.ports ?? PRESETS.ports,
        assignment: assignmentOf(config, profile),
        quota: options.quota ?? config.quota ?? PRESETS.quota,
        subscriberQuota: config.subscriberQuota ?? CGN_DEFAULTS.subscriberQuota,
        subscriberPrefix: {
          ipv4: config.subscriberPrefix?.ipv4 ?? CGN_DEFAULTS.subscriberPrefix.ipv4,
          ipv6: config.subscriberPrefix?.ipv6 ?? CGN_DEFAULTS.subscriberPrefix.ipv6,
        },
        filterLimit: config.filterLimit ?? PRESETS.filterLimit,
        idleTimeout: {
          udp: config.idleTimeout?.udp ?? PRESETS.udpIdle,
          tcp: config.idleTimeout?.tcp ?? PRESETS.tcpIdle,
        },
        recycleDelay: {
          udp: config.recycleDelay?.udp ?? CGN_DEFAULTS.recycleDelay.udp,
          tcp: config.recycleDelay?.tcp ?? CGN_DEFAULTS.recycleDelay.tcp,
        },
        staticMappings,
        noncePolicy: config.noncePolicy ?? CGN_DEFAULTS.noncePolicy,
        rules: rulesOf(config),
        internalFamily: profile.mapInternal ? "ipv4" : "ipv6",
        otherProtocols: profile.otherProtocols,
        port0: profile.port0,
        oneToOne: profile.oneToOne,
      },
      inside: config.inside ?? [],
      pairs: config.prefixes ?? [],
      addressPairs: config.addressPairs ?? [],
      ipv6Prefix: config.ipv6Prefix,
      log: config.log ?? "all",
      server: {
        ...DEFAULT_SETTINGS,
        profile,
        threatModel: options.thirdParty ? "advanced" : (config.threatModel ?? DEFAULT_SETTINGS.threatModel),
        pcp: options.pcp && (config.pcp ?? DEFAULT_SETTINGS.pcp),
        natPmp: options.natPmp && (config.natPmp ?? DEFAULT_SETTINGS.natPmp),
        minLifetime: options.minLifetime ?? config.lifetimes?.min ?? DEFAULT_SETTINGS.minLifetime,
        maxLifetime: options.maxLifetime ?? config.lifetimes?.max ?? DEFAULT_SETTINGS.maxLifetime,
        shortError: config.errorLifetimes?.short ?? DEFAULT_SETTINGS.shortError,
        longError: config.errorLifetimes?.long ?? DEFAULT_SETTINGS.longError,
        description: config.description ?? DEFAULT_SETTINGS.description,
        portSet: config.portSet ?? DEFAULT_SETTINGS.portSet,
        prefix64: prefix64.filter((entry) => entry !== undefined),
        prefix64Unasked: config.prefix64Unasked ?? DEFAULT_SETTINGS.prefix64Unasked,
        thirdPartyIds: new Map(
          Object.entries(config.thirdPartyIds ?? {}).map(([id, realm]) => [id.toLowerCase(), realm]),
        ),
        rateLimits: config.rateLimits && {
          perSource: config.rateLimits.perSource,
          global: config.rateLimits.global,
          over: config.rateLimits.over ?? "drop",
        },
        cacheSize: config.cacheSize ?? DEFAULT_SETTINGS.cacheSize,
        announceCount: config.announceCount ?? DEFAULT_SETTINGS.announceCount,
        updateCount: config.updateCount ?? DEFAULT_SETTINGS.updateCount,
        updateLimit: config.updateLimit ?? DEFAULT_SETTINGS.updateLimit,
      },
    },
  }
}

/** What is deterministic by B4s in DS-Lite is so by hosts elsewhere. */
const assignmentOf = ({ assignment }: ServeConfig, profile: CgnProfile): Assignment => {
  switch (assignment?.kind) {
    case undefined:
      return CGN_DEFAULTS.assignment
    case "random":
      return assignment
    case "blocks":
      return { ...assignment, limit: assignment.limit ?? PRESETS.blocks }
    case "deterministic":
      return { ...assignment, realms: profile.kind === "dslite" }
  }
}

const profileOf = ({ profile = "nat444" }: ServeConfig, { thirdParty }: ServeOptions): Read<CgnProfile> => {
  const { kind, ...switches } = typeof profile === "string" ? { kind: profile } : profile
  const given: Partial<Record<string, boolean | undefined>> = switches
  const set = Object.entries(given).flatMap(([name, on]) => (on === undefined ? [] : [[name, on] as const]))
  const created = createProfile(kind, { ...Object.fromEntries(set), ...(thirdParty ? { thirdParty: true } : {}) })
  if (!created.ok) return { ok: false, text: `${created.error.text} (rule ${created.error.rule})` }
  const { firewall, mapInternal, mapExternal } = created.profile
  if (firewall !== PROFILES[kind].firewall || mapInternal !== PROFILES[kind].mapInternal)
    return { ok: false, text: `serve has a device for ${kind} with its own firewall and mapInternal alone` }
  if (mapExternal !== PROFILES[kind].mapExternal)
    return { ok: false, text: `the external addresses of ${kind} are ${mapExternal ? "IPv6" : "IPv4"} here` }
  return { ok: true, value: created.profile }
}

/** Settings of a device that translates to a pool, of one without a pool, and of one that keeps mappings at all. */
const OF_NAT = [
  "external",
  "ports",
  "assignment",
  "staticMappings",
  "idleTimeout",
  "recycleDelay",
  "noncePolicy",
] as const
const OF_SUBSCRIBERS = ["subscriberQuota", "subscriberPrefix"] as const
const OF_MAPPINGS = ["quota", "filterLimit", "state"] as const
/** And of the two that keep none. */
const OF_NPT = ["prefixes"] as const
const OF_SIIT = ["addressPairs", "ipv6Prefix"] as const

/** A setting that the device has not is a mistake, which to pass over would hide. */
const foreignSettings = (kind: CgnKind, config: ServeConfig, options: ServeOptions): readonly SettingFault[] => {
  const given: Readonly<Record<string, unknown>> = { ...config, ...options }
  const isStateless = kind === "nptv6" || kind === "nat46"
  const isNat = !(PROFILES[kind].firewall || isStateless)
  const foreign = [
    ...(isNat ? [] : [...OF_NAT, ...OF_SUBSCRIBERS]),
    ...(isStateless ? OF_MAPPINGS : []),
    ...(kind === "nptv6" ? [] : OF_NPT),
    ...(kind === "nat46" ? [] : OF_SIIT),
    ...(PROFILES[kind].firewall ? [] : ["inside"]),
  ]
  return foreign
    .filter((name) => given[name] !== undefined)
    .map((name) => ({ path: [name], text: `${kind} has no such setting` }))
}

const externalOf = (config: ServeConfig, options: ServeOptions): Read<readonly Address[]> => {
  const spans = options.external ?? config.external?.flat() ?? DEFAULT_POOL
  const size = poolSize(spans)
  return size > MAX_POOL
    ? { ok: false, text: `${size} addresses; ${MAX_POOL} is the most` }
    : { ok: true, value: poolAddresses(spans) }
}

/** The rules of the file; before them, the one that keeps THIRD_PARTY to its subnets. */
const rulesOf = ({ rules = [], thirdPartySubnets }: ServeConfig): readonly Rule[] => {
  const own = rules.map(({ action, ...fields }): Rule => ({ allow: action === "allow", ...fields }))
  if (thirdPartySubnets === undefined) return own
  return [{ allow: false, option: OptionCode.THIRD_PARTY, except: thirdPartySubnets }, ...own]
}

type Prefix64Entry = NonNullable<ServeConfig["prefix64"]>[number]

/** RFC 7225 section 4.1, figure 2: so many octets of prefix, and of suffix the rest of 12. */
const prefix64Of = ({ prefix, suffix = "", ipv4Prefixes }: Prefix64Entry): Read<Prefix64> => {
  const { address, prefixLength } = prefix
  if (isIpv4(address) || ![32, 40, 48, 56, 64, 96].includes(prefixLength))
    return { ok: false, text: "a Pref64 is IPv6, of 32, 40, 48, 56, 64 or 96 bits (RFC 6052 section 2.2)" }
  const octets = new Uint8Array(16)
  writeAddress(octets, 0, address)
  const length = prefixLength / 8
  const rest = new Uint8Array(12 - length)
  const given = suffix.match(/../g) ?? []
  if (suffix !== "" && given.length !== rest.length)
    return { ok: false, text: `the suffix has ${given.length} octets; after this prefix it has ${rest.length}` }
  rest.set(given.map((pair) => Number.parseInt(pair, 16)))
  if (ipv4Prefixes?.some((entry) => !isIpv4(entry.address))) return { ok: false, text: "ipv4Prefixes are IPv4" }
  return {
    ok: true,
    value: {
      kind: "PREFIX64",
      prefix: octets.slice(0, length),
      suffix: rest,
      ipv4Prefixes: ipv4Prefixes?.map((entry) => ({ length: entry.prefixLength - 96, address: entry.address })),
    },
  }
}

/** Which setting a rule of the core is about. */
export const settingOf = ({ code, text }: SettingsError | ServerSettingsError | RestoreError): SettingPath => {
  switch (code) {
    case "empty-pool":
    case "pool-too-large":
    case "bad-address":
      return ["external"]
    case "bad-ports":
      return ["ports"]
    case "bad-assignment":
      return ["assignment"]
    case "bad-quota":
      return ["quota"]
    case "bad-prefix":
      return ["subscriberPrefix"]
    case "bad-filters":
      return ["filterLimit"]
    case "bad-delay":
      return [text.includes("idle") ? "idleTimeout" : "recycleDelay"]
    case "bad-static":
      return ["staticMappings"]
    case "bad-rule":
      return ["rules"]
    case "bad-lifetime":
      return [text.includes("Error") ? "errorLifetimes" : "lifetimes"]
    case "bad-protocols":
      return ["pcp"]
    case "bad-profile":
      return ["profile"]
    case "bad-prefix64":
      return ["prefix64"]
    case "bad-third-party-id":
      return ["thirdPartyIds"]
    case "bad-rate":
      return ["rateLimits"]
    case "bad-count":
      return [text.split(" ")[0]]
    case "bad-translation":
    case "bad-secret":
    case "foreign":
    case "format":
    case "truncated":
    case "damaged":
    case "contents":
      return ["state"]
  }
}
