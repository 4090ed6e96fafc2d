import { type Address, ANY4, formatAddress, isIpv4 } from "../../wire/index.ts"
import type { Cgn } from "../contract.ts"
import {
  CROSSING_DEFAULTS,
  type CrossingSettings,
  crossingFault,
  embedIpv4,
  extractIpv4,
  prefix64Fault,
} from "../packet/index.ts"
import type { Side } from "../passage.ts"
import type { Prefix, Rule } from "../rule.ts"
import { statelessCgn } from "./cgn.ts"
import { formatPrefix } from "./prefix.ts"

/** One IPv4 and one IPv6 address that stand for each other (RFC 7757 section 3.1, with prefixes of whole addresses). */
export interface AddressPair {
  /** IPv4-mapped. */
  readonly ipv4: Address
  /** Any that is not IPv4-mapped. */
  readonly ipv6: Address
}

/** What a stateless translator between IPv4 and IPv6 is made from. */
export interface SiitSettings {
  /** Of the internal hosts: `ipv4` for a NAT46, `ipv6` for a stateless NAT64. */
  readonly inside: "ipv4" | "ipv6"
  /** Explicit pairs: each address of either family at most once. They come before the prefix. */
  readonly pairs?: readonly AddressPair[]
  /** The IPv6 prefix behind which all other IPv4 addresses stand (RFC 6052). Default none: only pairs are translated. */
  readonly prefix?: Prefix | undefined
  /** What RFC 7915 leaves to the administrator. Default: its own defaults, with Ethernet's MTU. */
  readonly crossing?: Partial<CrossingSettings>
  /** The translator's own address of each family: what its ICMP errors come from. Default none: it tells nobody. */
  readonly routers?: AddressPair | undefined
  /** Permission rules in order; the first that matches decides. Default none: all is allowed. */
  readonly rules?: readonly Rule[]
}

/** A stateless translator's state. */
export interface SiitState {
  /** The family of the internal hosts. */
  readonly inside: "ipv4" | "ipv6"
  /** Of the explicit pairs: from IPv4 to IPv6. */
  readonly to6: ReadonlyMap<Address, Address>
  /** Of the explicit pairs: from IPv6 to IPv4. */
  readonly to4: ReadonlyMap<Address, Address>
  /** Behind which all other IPv4 addresses stand (RFC 6052); `undefined`: only pairs are translated. */
  readonly prefix: Prefix | undefined
  /** What RFC 7915 leaves to the administrator. */
  readonly crossing: CrossingSettings
  /** What its ICMP errors come from; `undefined`: it sends none. */
  readonly routers: AddressPair | undefined
  /** Permission rules in order; the first that matches decides. */
  readonly rules: readonly Rule[]
  /** The IPv4 identification of the next packet that comes without one (RFC 7915 section 5.1): all that packets change. */
  readonly packetId: number
}

/** Why no translator can be made of these settings. */
export interface SiitSettingsError {
  /** Short and stable, for programs. */
  readonly code: "empty-pool" | "bad-prefix" | "bad-address" | "overlap" | "bad-translation"
  /** One sentence for people. */
  readonly text: string
}

/** A new state, or the first fault of the settings. */
export type CreatedSiit =
  | { readonly ok: true; readonly state: SiitState }
  | { readonly ok: false; readonly error: SiitSettingsError }

/** A stateless translator between IPv4 and IPv6 (RFC 7915), or the first fault of its settings. */
export const createSiit = (settings: SiitSettings): CreatedSiit => {
  const { inside, pairs = [], prefix, crossing = {}, routers, rules = [] } = settings
  const refuse = (code: SiitSettingsError["code"], text: string): CreatedSiit => ({ ok: false, error: { code, text } })
  if (pairs.length === 0 && prefix === undefined) return refuse("empty-pool", "there is nothing to translate by")
  const fault = prefix === undefined ? undefined : prefix64Fault(prefix)
  if (prefix !== undefined && fault !== undefined) return refuse("bad-prefix", `${formatPrefix(prefix)} ${fault}`)
  const whole = { ...CROSSING_DEFAULTS, ...crossing }
  const wrong = crossingFault(whole)
  if (wrong !== undefined) return refuse("bad-translation", wrong)
  const to6 = new Map<Address, Address>()
  const to4 = new Map<Address, Address>()
  for (const pair of routers === undefined ? pairs : [...pairs, routers])
    if (!isIpv4(pair.ipv4) || pair.ipv4 === ANY4 || isIpv4(pair.ipv6))
      return refuse("bad-address", `${formatAddress(pair.ipv4)} and ${formatAddress(pair.ipv6)} are no pair`)
  for (const { ipv4, ipv6 } of pairs) {
    const twice = to6.has(ipv4) ? ipv4 : to4.has(ipv6) ? ipv6 : undefined
    if (twice !== undefined) return refuse("overlap", `${formatAddress(twice)} is in two pairs`)
    to6.set(ipv4, ipv6)
    to4.set(ipv6, ipv4)
  }
  // What may be fragmented is to fit the next link as well.
  const fitting = { ...whole, lowestIpv6Mtu: Math.min(whole.lowestIpv6Mtu, whole.ipv6Mtu) }
  const state = { inside, to6, to4, prefix, crossing: fitting, routers, rules }
  return { ok: true, state: Object.freeze({ ...state, packetId: 0 }) }
}

/** The address of the other family that stands for one; `undefined`: none does. */
export const siitAddress = ({ to6, to4, prefix }: SiitState, address: Address): Address | undefined => {
  if (isIpv4(address)) return to6.get(address) ?? (prefix === undefined ? undefined : embedIpv4(prefix, address))
  return to4.get(address) ?? (prefix === undefined ? undefined : extractIpv4(prefix, address))
}

/** Of which family the packets of a side are. */
export const siitVersion = ({ inside }: SiitState, side: Side): 4 | 6 =>
  (inside === "ipv4") === (side === "inside") ? 4 : 6

/** The external address of an internal one, if packets to it come back to that: a pair's own prefix address does not. */
const reachable = (state: SiitState, internal: Address): Address | undefined => {
  if (isIpv4(internal) !== (state.inside === "ipv4")) return undefined
  const external = siitAddress(state, internal)
  return external !== undefined && siitAddress(state, external) === internal ? external : undefined
}

/** A stateless translator between IPv4 and IPv6 behind the server's seam. */
export const siitCgn: Cgn<SiitState> = statelessCgn(reachable)
