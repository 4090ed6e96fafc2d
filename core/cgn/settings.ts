import { hkdf } from "@noble/hashes/hkdf.js"
import { sha256 } from "@noble/hashes/sha2.js"
import { type Address, addressWord, CLIENT_PORT, i32, SERVER_PORT, sliceOctets } from "../wire/index.ts"
import { type Assignment, type BlockLayout, layoutBlocks } from "./assignment.ts"
import { type DeterministicPlan, planDeterministic } from "./deterministic.ts"
import type { Realm } from "./mapping.ts"
import type { PortRange, Rule } from "./rule.ts"
import {
  completeTranslation,
  type GivenTranslation,
  hasLimits,
  type TranslationSettings,
} from "./translate/settings.ts"

/**
 * A mapping by the administrator (RFC 6887 section 3): it does not expire, counts to no quota, and no request changes
 * it. Its external port may lie outside the range of the dynamic ones, and its external address outside the pool.
 */
export interface StaticMapping {
  /** IANA protocol number; 0 with both ports 0 is the DMZ host, which gets whatever nobody else does. */
  readonly protocol: number
  /** The host's address. */
  readonly internal: Address
  /** 0 with external port 0: all ports of the protocol. */
  readonly internalPort: number
  /** The external address. */
  readonly external: Address
  /** 0 with internal port 0: all ports of the protocol. */
  readonly externalPort: number
  /** `undefined`: none. */
  readonly realm?: Realm | undefined
}

/**
 * What a nonce protects (RFC 6887 section 11.3). `rfc`: PCP mappings from requests with another nonce; NAT-PMP, which has
 * none, learns of them and cannot touch them, and PCP takes NAT-PMP mappings of the same host over. `strict`: besides,
 * NAT-PMP does not learn of PCP mappings, and what NAT-PMP made only NAT-PMP changes. `off`: nonces are not compared, so
 * that whoever can send with a host's address has its mappings: for clients that lose their nonce.
 */
export type NoncePolicy = "rfc" | "strict" | "off"

/** Which internal addresses are served: IPv4 for a NAT44, IPv6 for a NAT64. */
export type InternalFamily = "ipv4" | "ipv6" | "any"

/** What a CGN is made from. */
export interface CgnSettings {
  /** Pool of external IPv4 addresses, 1 to 16384, each once. */
  readonly external: readonly Address[]
  /** External ports that may be assigned, both ends included. */
  readonly ports: PortRange
  /** How these are assigned. Default `random`. */
  readonly assignment?: Assignment | undefined
  /** MAP and PEER mappings that one internal address may hold (RFC 6887 sections 11.3 and 17.2); 0 is no limit. */
  readonly quota: number
  /** The same for one subscriber: a realm, or all internal addresses of one {@link subscriberPrefix}. Default 0: no limit. */
  readonly subscriberQuota?: number | undefined
  /** Leading bits that one subscriber's addresses share: of 32 for IPv4, of 128 for IPv6. Default 32 and 64. */
  readonly subscriberPrefix?: { readonly ipv4: number; readonly ipv6: number } | undefined
  /** FILTERs that one mapping may have, at least 1 (RFC 6887 section 13.3). */
  readonly filterLimit: number
  /** Seconds without outbound traffic after which an implicit mapping ends: RFC 4787 REQ-5, RFC 5382 REQ-5. */
  readonly idleTimeout: { readonly udp: number; readonly tcp: number }
  /**
   * Seconds for which an external port that was freed is held for its former owner alone (RFC 6887 section 15, S-136);
   * 0: not at all. Default 120 for both: two minutes of TIME_WAIT, and of UDP idle time. SCTP has TCP's.
   */
  readonly recycleDelay?: { readonly udp: number; readonly tcp: number } | undefined
  /** Mappings by the administrator. Default none. */
  readonly staticMappings?: readonly StaticMapping[] | undefined
  /** Default `rfc`. */
  readonly noncePolicy?: NoncePolicy | undefined
  /** Permission rules in order; the first that matches decides. Default none: all is allowed. */
  readonly rules?: readonly Rule[] | undefined
  /** Default `ipv4`. */
  readonly internalFamily?: InternalFamily | undefined
  /** SCTP, without port rewriting (RFC 6887 section 16.3.3), and with {@link port0} whole protocols. Default off. */
  readonly otherProtocols?: boolean | undefined
  /**
   * Internal port 0: all ports of a protocol, or a protocol that has none, on an external address of its own as far as
   * that protocol goes (RFC 6887 section 11.1). Needs {@link otherProtocols}. Default off.
   */
  readonly port0?: boolean | undefined
  /** Protocol and port 0: the DMZ host, on an external address of its own. Needs {@link port0}. Default off. */
  readonly oneToOne?: boolean | undefined
  /** How `translate` carries packets. Default `TRANSLATION_DEFAULTS`, also for each part of it that is not given. */
  readonly translation?: GivenTranslation | undefined
  /** 32 octets of entropy; every random choice is computed from them. */
  readonly secret: Uint8Array
  /** The instant when the CGN starts, milliseconds on the clock of every later `now`. */
  readonly now: number
}

/** What can be changed while a CGN runs: all but its secret and its clock. */
export type CgnChangeable = Omit<CgnSettings, "secret" | "now">

/** The settings with every default filled in. */
type CompleteSettings = { readonly [Name in keyof Required<CgnSettings>]: NonNullable<CgnSettings[Name]> }

/** Settings with what is computed from them once. */
export interface CgnConfig extends CompleteSettings {
  readonly translation: TranslationSettings
  /**
   * Every external address by its number, which the table has in its rows. A number keeps its address over
   * reconfigurations for as long as a mapping may have it; some stand for addresses that are no longer in use.
   */
  readonly addresses: readonly Address[]
  /** The 32 bits of each, signed. */
  readonly addressBits: readonly number[]
  /** Which numbers dynamic mappings may have. */
  readonly inPool: readonly boolean[]
  /** The numbers of the pool's addresses, in the pool's order. */
  readonly pool: readonly number[]
  /** The number of each address in the pool. */
  readonly poolIndex: ReadonlyMap<Address, number>
  /** The number of each address in use: the pool's and the static mappings'. */
  readonly addressIndex: ReadonlyMap<Address, number>
  /** The same by the addresses' 32 bits, signed: for packets, to which a string an address is dear. */
  readonly addressWords: ReadonlyMap<number, number>
  /** The first three words of a NAT64's prefix of 96 bits that changes families with the settings that are default. */
  readonly prefix96: readonly number[] | undefined
  /** Ports of one address that can be assigned: without and with UDP's 5350 and 5351 taken out (S-49). */
  readonly portCount: number
  readonly udpPortCount: number
  /** Can mappings be there at all that are of one remote address alone; of one remote address and port? */
  readonly addressDependent: boolean
  readonly portDependent: boolean
  /** Can a mapping of a whole protocol be there at all? */
  readonly whole: boolean
  /** Key of the port choice: its own, so that answers say nothing of the index hash's secret. */
  readonly portKey: readonly [number, number, number, number]
  readonly indexKey: readonly [number, number]
  /** Which ports internal hosts have of their own; `undefined`: the assignment is not deterministic. */
  readonly plan: DeterministicPlan | undefined
  /** Where blocks of ports are; `undefined`: nowhere. */
  readonly blocks: BlockLayout | undefined
  /** Are subscribers, in the sense of the subscriber quota, kept account of? */
  readonly grouped: boolean
}

/** Each address of the pool costs a bit set a protocol, and its number must fit an external end's word. */
export const MAX_POOL = 16384

/** What the optional settings are where they are not given. */
export const CGN_DEFAULTS = {
  assignment: { kind: "random" },
  subscriberQuota: 0,
  subscriberPrefix: { ipv4: 32, ipv6: 64 },
  recycleDelay: { udp: 120, tcp: 120 },
  staticMappings: [],
  noncePolicy: "rfc",
  rules: [],
  internalFamily: "ipv4",
  otherProtocols: false,
  port0: false,
  oneToOne: false,
} as const

/** The settings with every default filled in; `undefined` counts as not given. */
const complete = (settings: CgnSettings): CompleteSettings & { readonly translation: TranslationSettings } => ({
  external: settings.external,
  ports: settings.ports,
  assignment: settings.assignment ?? CGN_DEFAULTS.assignment,
  quota: settings.quota,
  subscriberQuota: settings.subscriberQuota ?? CGN_DEFAULTS.subscriberQuota,
  subscriberPrefix: settings.subscriberPrefix ?? CGN_DEFAULTS.subscriberPrefix,
  filterLimit: settings.filterLimit,
  idleTimeout: settings.idleTimeout,
  recycleDelay: settings.recycleDelay ?? CGN_DEFAULTS.recycleDelay,
  staticMappings: settings.staticMappings ?? CGN_DEFAULTS.staticMappings,
  noncePolicy: settings.noncePolicy ?? CGN_DEFAULTS.noncePolicy,
  rules: settings.rules ?? CGN_DEFAULTS.rules,
  internalFamily: settings.internalFamily ?? CGN_DEFAULTS.internalFamily,
  otherProtocols: settings.otherProtocols ?? CGN_DEFAULTS.otherProtocols,
  port0: settings.port0 ?? CGN_DEFAULTS.port0,
  oneToOne: settings.oneToOne ?? CGN_DEFAULTS.oneToOne,
  translation: completeTranslation(settings.translation),
  secret: sliceOctets(settings.secret),
  now: settings.now,
})

/**
 * Numbers for addresses: those that have one keep it, the rest get the numbers of addresses that were not in use, then
 * new ones.
 */
const numberAddresses = (wanted: ReadonlySet<Address>, before: Numbering | undefined): readonly Address[] => {
  const addresses = before === undefined ? [] : [...before.addresses]
  const used = before?.addressIndex ?? new Map<Address, number>()
  const spare: number[] = []
  for (let number = 0; number < addresses.length; number++)
    if (used.get(addresses[number]) !== number) spare.push(number)
  spare.reverse()
  // An address that comes back gets the number that it had: no two numbers stand for one.
  const back = new Set(spare.map((number) => addresses[number]).filter((address) => wanted.has(address)))
  const free = spare.filter((number) => !back.has(addresses[number]))
  for (const address of wanted)
    if (!used.has(address) && !back.has(address)) addresses[free.pop() ?? addresses.length] = address
  return addresses
}

/** The number of an address, in use or not any more. */
export const numberOf = (config: CgnConfig, address: Address): number | undefined => {
  const number = config.addressIndex.get(address) ?? config.addresses.indexOf(address)
  return number < 0 ? undefined : number
}

/** Numbers of addresses that a table's rows have. */
export type Numbering = Pick<CgnConfig, "addresses" | "addressIndex">

const udpPorts = ({ first, last }: PortRange): number =>
  last - first + 1 - [CLIENT_PORT, SERVER_PORT].filter((port) => first <= port && port <= last).length

const prefix96Of = ({ inside, crossing }: TranslationSettings): readonly number[] | undefined => {
  if (inside.kind !== "nat64" || inside.prefix.prefixLength !== 96 || Object.keys(crossing).length > 0) return undefined
  const { address } = inside.prefix
  return [addressWord(address, 0), addressWord(address, 1), addressWord(address, 2)]
}

/** The configuration that a CGN runs with. `before`: what it ran with so far, whose table goes on. */
export const configureCgn = (settings: CgnSettings, before?: Numbering): CgnConfig => {
  const key = (label: string, length: number) =>
    hkdf(sha256, settings.secret, undefined, new TextEncoder().encode(`sallyport ${label}`), length)
  const port = key("port choice", 16)
  const index = key("index hash", 8)
  const whole = complete(settings)
  const wanted = new Set([...whole.external, ...whole.staticMappings.map(({ external }) => external)])
  const addresses = numberAddresses(wanted, before)
  const addressIndex = new Map<Address, number>()
  for (const [number, address] of addresses.entries()) if (wanted.has(address)) addressIndex.set(address, number)
  const poolIndex = new Map<Address, number>()
  for (const address of whole.external) {
    const number = addressIndex.get(address)
    if (number !== undefined) poolIndex.set(address, number)
  }
  const inPool = addresses.map((address, number) => poolIndex.get(address) === number)
  return {
    ...whole,
    addresses,
    addressBits: addresses.map((address) => addressWord(address, 3)),
    inPool,
    pool: [...poolIndex.values()],
    poolIndex,
    addressIndex,
    addressWords: new Map([...addressIndex].map(([address, number]) => [addressWord(address, 3), number])),
    prefix96: prefix96Of(whole.translation),
    portCount: whole.ports.last - whole.ports.first + 1,
    udpPortCount: udpPorts(whole.ports),
    addressDependent: whole.translation.mapping !== "endpoint-independent",
    portDependent: whole.translation.mapping === "address-and-port-dependent",
    whole: whole.port0 || whole.oneToOne || whole.staticMappings.some(({ internalPort }) => internalPort === 0),
    portKey: [i32(port, 0), i32(port, 4), i32(port, 8), i32(port, 12)],
    indexKey: [i32(index, 0), i32(index, 4)],
    plan: planDeterministic(whole),
    blocks: layoutBlocks(whole),
    grouped: whole.subscriberQuota !== 0 || whole.assignment.kind !== "random" || hasLimits(whole.translation),
  }
}
