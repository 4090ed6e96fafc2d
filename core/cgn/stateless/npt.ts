import type { Address } from "../../wire/index.ts"
import type { Cgn } from "../contract.ts"
import type { Side } from "../passage.ts"
import type { Rule } from "../rule.ts"
import { statelessCgn } from "./cgn.ts"
import {
  formatPrefix,
  inbound,
  makeTranslator,
  outbound,
  overlap,
  type PrefixPair,
  prefixFault,
  type Translator,
} from "./prefix.ts"

/** What an NPTv6 device is made from. */
export interface NptSettings {
  /**
   * Internal prefixes and what replaces each, 1 to 64 bits: every pair is a translator of its own (RFC 6296 section 3.1).
   * Internal prefixes of different pairs have no address in common, nor have external ones.
   */
  readonly pairs: readonly PrefixPair[]
  /** Permission rules in order; the first that matches decides. Default none: all is allowed. */
  readonly rules?: readonly Rule[]
  /**
   * The device's own address on each side, IPv6: what its ICMP errors come from. Default none: it drops and tells nobody,
   * though RFC 6296 sections 3.2 and 3.7 would have it do so.
   */
  readonly routers?: Readonly<Record<Side, Address>> | undefined
}

/** An NPTv6 device's state: what it was configured with. No request changes it. */
export interface NptState {
  /** One for each pair of prefixes. */
  readonly translators: readonly Translator[]
  /** Permission rules in order; the first that matches decides. */
  readonly rules: readonly Rule[]
  /** What its ICMP errors come from, on each side; `undefined`: it sends none. */
  readonly routers: Readonly<Record<Side, Address>> | undefined
}

/** Why no NPTv6 device can be made of these settings. */
export interface NptSettingsError {
  /** Short and stable, for programs. */
  readonly code: "empty-pool" | "bad-prefix" | "overlap"
  /** One sentence for people. */
  readonly text: string
}

/** A new state, or the first fault of the settings. */
export type CreatedNpt =
  | { readonly ok: true; readonly state: NptState }
  | { readonly ok: false; readonly error: NptSettingsError }

/** An NPTv6 device (RFC 6296), or the first fault of its settings. */
export const createNpt = ({ pairs, rules = [], routers }: NptSettings): CreatedNpt => {
  const refuse = (code: NptSettingsError["code"], text: string): CreatedNpt => ({ ok: false, error: { code, text } })
  if (pairs.length === 0) return refuse("empty-pool", "there is no pair of prefixes to translate")
  for (const side of ["internal", "external"] as const) {
    for (const [i, pair] of pairs.entries()) {
      const fault = prefixFault(pair[side])
      if (fault !== undefined) return refuse("bad-prefix", `the ${side} prefix ${formatPrefix(pair[side])} ${fault}`)
      const other = pairs.slice(0, i).find((earlier) => overlap(earlier[side], pair[side]))
      if (other === undefined) continue
      const text = `the ${side} prefixes ${formatPrefix(other[side])} and ${formatPrefix(pair[side])} overlap`
      return refuse("overlap", text)
    }
  }
  return { ok: true, state: Object.freeze({ translators: pairs.map(makeTranslator), rules, routers }) }
}

/** The external address of an internal one; `undefined` where it has none (RFC 6296 section 3.2). */
export const nptOutbound = ({ translators }: NptState, internal: Address): Address | undefined => {
  for (const translator of translators) {
    const external = outbound(translator, internal)
    if (external !== undefined) return external
  }
  return undefined
}

/** The internal address of an external one; `undefined` where it has none (RFC 6296 section 3.3). */
export const nptInbound = ({ translators }: NptState, external: Address): Address | undefined => {
  for (const translator of translators) {
    const internal = inbound(translator, external)
    if (internal !== undefined) return internal
  }
  return undefined
}

/** As remote peers can reach it: RFC 6296 section 3.7 has a few addresses translate out and not back in. */
const reachable = (state: NptState, internal: Address): Address | undefined => {
  const external = nptOutbound(state, internal)
  return external !== undefined && nptInbound(state, external) === internal ? external : undefined
}

/** A stateless NPTv6 device behind the server's seam. */
export const nptCgn: Cgn<NptState> = statelessCgn(reachable)
