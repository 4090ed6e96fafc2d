import { addressFromIpv4, formatAddress, ipv4Value, isIpv4, parseAddress } from "../../../core/wire/index.ts"
import { isInterfaceName } from "../../linux/index.ts"
import type { Read } from "../read.ts"

/** A line of the file that Sallyport has nothing for. */
export interface Untranslated {
  /** From 1. */
  readonly line: number
  readonly text: string
  readonly reason: string
}

/** What became of a configuration file of miniupnpd. */
export interface Translation {
  /** Settings of a configuration file of `serve`. */
  readonly config: Readonly<Record<string, unknown>>
  /** Options that no configuration file has. */
  readonly options: readonly string[]
  readonly untranslated: readonly Untranslated[]
}

interface Rule {
  readonly action: "allow" | "deny"
  readonly opcode: "MAP" | "PEER"
  readonly internal?: string
  readonly internalPorts?: string
  readonly externalPorts?: string
}

/** Settings of the server as the lines of the file give them, one after another. */
interface Gathered {
  readonly listen: string[]
  readonly interfaces: string[]
  readonly external: string[]
  readonly outside: string[]
  readonly lifetimes: { min?: number; max?: number }
  readonly rules: Rule[]
  answers: boolean
  thirdParty: boolean
}

/** What a setting came to; a text: why it has no counterpart. */
type Taken = string | undefined

const ON = /^(?:yes|true|1|on)$/i

/** Where the words of one setting go. Names are those of miniupnpd.conf(5). */
const SETTINGS: Readonly<Record<string, (value: string, into: Gathered) => Taken>> = {
  ext_ifname: (value, { outside }) => addInterface(outside, value),
  ext_ifname6: (value, { outside }) => addInterface(outside, value),
  ext_ip: (value, { external }) => (isAddress(value) ? add(external, value) : "this is no IPv4 address"),
  listening_ip: (value, { listen, interfaces }) => {
    // An address, perhaps with the length of its link's prefix; or an interface, perhaps with its index.
    const [word] = value.split(/[\s/%]/)
    return parseAddress(word) === undefined ? addInterface(interfaces, word) : add(listen, word)
  },
  enable_natpmp: (value, into) => setAnswers(value, into),
  enable_pcp_pmp: (value, into) => setAnswers(value, into),
  enable_upnp: (value) => (ON.test(value) ? "Sallyport speaks PCP and NAT-PMP, and no UPnP" : undefined),
  min_lifetime: (value, { lifetimes }) => setLifetime(lifetimes, "min", value),
  max_lifetime: (value, { lifetimes }) => setLifetime(lifetimes, "max", value),
  pcp_allow_thirdparty: (value, into) => {
    into.thirdParty = ON.test(value)
    return undefined
  },
  // A host maps for itself alone: that is how it always is here.
  secure_mode: (value) => (ON.test(value) ? undefined : "UPnP's: a host maps for itself alone"),
  lease_file: () => "leases are not carried over; --state FILE keeps mappings over restarts",
  lease_file6: () => "leases are not carried over; --state FILE keeps mappings over restarts",
  ext_perform_stun: (value) => (ON.test(value) ? "the address outside is not asked of a STUN server" : undefined),
  ipv6_disable: (value) => (ON.test(value) ? undefined : "IPv6 pinholes are a server of their own: docs/linux.md"),
}

const OWN_TABLE = "Sallyport has one table of its own, whose chains are not to be chosen"
const UPNP = "UPnP's"
const REASONS: readonly (readonly [RegExp, string])[] = [
  [/^(?:upnp_.*chain|upnp_.*table_name|upnp_table_name|table_name|anchor|queue|tag)$/, OWN_TABLE],
  [
    /^(?:uuid|serial|model_.*|friendly_name|manufacturer_.*|presentation_url|notify_interval|bitrate_.*|port|http_.*|https_port|minissdpdsocket|system_uptime|force_igd_desc_v1|clean_ruleset_.*)$/,
    UPNP,
  ],
]

/** Translates a configuration file of miniupnpd (miniupnpd.conf(5)): each line is in the settings, says nothing, or is named. */
export const translateMiniupnpd = (text: string): Translation => {
  const into: Gathered = {
    listen: [],
    interfaces: [],
    external: [],
    outside: [],
    lifetimes: {},
    rules: [],
    answers: true,
    thirdParty: false,
  }
  const untranslated: Untranslated[] = []
  for (const [index, whole] of text.split(/\r\n|\r|\n/).entries()) {
    const line = whole.trim()
    if (line === "" || line.startsWith("#")) continue
    const reason = takeLine(line, into)
    if (reason !== undefined) untranslated.push({ line: index + 1, text: line, reason })
  }
  const { listen, interfaces, external, outside, lifetimes, rules, answers, thirdParty } = into
  const config = {
    ...(listen.length === 0 ? {} : { listen }),
    ...(interfaces.length === 0 ? {} : { interfaces }),
    ...(external.length === 0 ? {} : { external }),
    ...(Object.keys(lifetimes).length === 0 ? {} : { lifetimes }),
    ...(answers ? {} : { pcp: false, natPmp: false }),
    ...(thirdParty ? { profile: { kind: "nat444", thirdParty: true }, threatModel: "advanced" } : {}),
    ...(rules.length === 0 ? {} : { rules }),
  }
  const options = ["--nftables", ...[...new Set(outside)].flatMap((name) => ["--outside", name])]
  return { config, options, untranslated }
}

const takeLine = (line: string, into: Gathered): Taken => {
  if (/^(?:allow|deny)\s/.test(line)) {
    const rules = readRule(line)
    if (!rules.ok) return rules.text
    into.rules.push(...rules.value)
    return undefined
  }
  const [, name, value] = /^(\w+)\s*=\s*(.*)$/.exec(line) ?? []
  if (name === undefined) return "this is no setting and no rule"
  const take = Object.hasOwn(SETTINGS, name) ? SETTINGS[name] : undefined
  if (take !== undefined) return take(value.trim(), into)
  return REASONS.find(([pattern]) => pattern.test(name))?.[1] ?? "Sallyport has no such setting"
}

const addInterface = (to: string[], name: string): Taken =>
  isInterfaceName(name) ? add(to, name) : "this is no interface's name"

const setLifetime = (into: Gathered["lifetimes"], which: "min" | "max", value: string): Taken => {
  if (!/^\d{1,9}$/.test(value)) return "this is no number of seconds"
  into[which] = Number(value)
  return undefined
}

const add = (to: string[], value: string): Taken => {
  if (!to.includes(value)) to.push(value)
  return undefined
}

const setAnswers = (value: string, into: Gathered): Taken => {
  into.answers = ON.test(value)
  return into.answers ? undefined : "without PCP and NAT-PMP there is nothing for Sallyport to do"
}

const isAddress = (text: string): boolean => {
  const address = parseAddress(text)
  return address !== undefined && isIpv4(address)
}

/** `(allow|deny) external-ports internal/mask internal-ports`, the ports one or two with a minus between; the first that fits decides. */
const readRule = (line: string): Read<readonly Rule[]> => {
  const [action, outer, internal, inner, ...more] = line.split(/\s+/)
  if (inner === undefined) return { ok: false, text: "a rule has external ports, an address and internal ports" }
  if (more.length > 0) return { ok: false, text: "rules do not look at descriptions" }
  const [externalPorts, prefix, internalPorts] = [readPorts(outer), readPrefix(internal), readPorts(inner)]
  if (externalPorts === undefined || internalPorts === undefined) return { ok: false, text: "these are no ports" }
  if (prefix === undefined) return { ok: false, text: `"${internal}" is no IPv4 address or prefix` }
  const fields = {
    action: action === "allow" ? ("allow" as const) : ("deny" as const),
    ...(prefix.endsWith("/0") ? {} : { internal: prefix }),
    ...(internalPorts === "" ? {} : { internalPorts }),
    ...(externalPorts === "" ? {} : { externalPorts }),
  }
  // Whether a server is there and what its address is may be asked by whoever may map nothing.
  return {
    ok: true,
    value: [
      { ...fields, opcode: "MAP" },
      { ...fields, opcode: "PEER" },
    ],
  }
}

/** Ports as the file of `serve` has them; empty: all of them; `undefined`: none that there are. */
const readPorts = (text: string): string | undefined => {
  const [, first, last = first] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text) ?? []
  if (first === undefined || Number(first) > Number(last) || Number(last) > 65535) return undefined
  if (Number(first) <= 1 && Number(last) === 65535) return ""
  return `${Math.max(1, Number(first))}-${Math.max(1, Number(last))}`
}

const readPrefix = (text: string): string | undefined => {
  const [word, mask = "32"] = text.split("/")
  const address = parseAddress(word)
  const length = /^\d{1,2}$/.test(mask) ? Number(mask) : lengthOf(mask)
  if (address === undefined || !isIpv4(address) || length === undefined || length > 32) return undefined
  const base = length === 0 ? 0 : (ipv4Value(address) & (-1 << (32 - length))) >>> 0
  return `${formatAddress(addressFromIpv4(base))}/${length}`
}

/** Bits of a mask such as 255.255.255.0. */
const lengthOf = (mask: string): number | undefined => {
  const address = parseAddress(mask)
  if (address === undefined || !isIpv4(address)) return undefined
  const inverse = ~ipv4Value(address) >>> 0
  return (inverse & (inverse + 1)) === 0 ? 32 - inverse.toString(2).replace(/^0$/, "").length : undefined
}
