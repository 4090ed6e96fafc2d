import { type Address, isAny, ResultCode } from "../../wire/index.ts"
import type { Cgn, CgnDone, CgnRefused, CgnResult, PortSetAsk, SubscriberAnswer } from "../contract.ts"
import type { Side } from "../passage.ts"
import { permit, type Rule } from "../rule.ts"
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
  readonly translators: readonly Translator[]
  readonly rules: readonly Rule[]
  readonly routers: Readonly<Record<Side, Address>> | undefined
}

export interface NptSettingsError {
  readonly code: "empty-pool" | "bad-prefix" | "overlap"
  /** One sentence for people. */
  readonly text: string
}

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

const SERVED: SubscriberAnswer = { code: ResultCode.SUCCESS, epochStart: undefined }
const NOT_SERVED: SubscriberAnswer = { code: ResultCode.NOT_AUTHORIZED, epochStart: undefined }

const refused = (code: number): CgnRefused => ({ outcome: "refused", code, lifetime: undefined })

/** Consecutive ports of an answer: all that are asked for and exist (RFC 7753 section 1.4); one for port 0, all ports. */
const portsOf = (internalPort: number, portSet: PortSetAsk | undefined): number =>
  portSet === undefined || internalPort === 0 ? 1 : Math.max(1, Math.min(portSet.size, 0x10000 - internalPort))

/** What is asked of an answer, and which suggestion must be met for there to be one. */
interface Question {
  readonly internal: Address
  readonly internalPort: number
  readonly suggested: Address
  readonly suggestedPort: number
  readonly lifetime: number
  readonly portSet?: PortSetAsk | undefined
}

const answer = (state: NptState, question: Question, exact: boolean): CgnResult<NptState> => {
  const { internal, internalPort, suggested, suggestedPort, lifetime, portSet } = question
  const external = reachable(state, internal)
  if (external === undefined) return refused(ResultCode.NOT_AUTHORIZED)
  const met = (isAny(suggested) || suggested === external) && (suggestedPort === 0 || suggestedPort === internalPort)
  if (exact && !met) return refused(ResultCode.CANNOT_PROVIDE_EXTERNAL)
  return done(state, external, internalPort, lifetime, portsOf(internalPort, portSet))
}

const done = (
  state: NptState,
  external: Address,
  externalPort: number,
  lifetime: number,
  ports: number,
): CgnDone<NptState> => ({
  outcome: "ok",
  state,
  external,
  externalPort,
  lifetime,
  changes: [],
  ports,
  description: undefined,
})

/**
 * A stateless NPTv6 device behind the server's seam: every answer is the algorithm's (RFC 6887 section 11.3, S-46).
 *
 * - The lifetime is the one asked for, within the server's limits, rather than a static mapping's 2^32-1: clients ask
 *   again, and learn of new prefixes.
 * - A suggestion counts only where the request must fail without it: PREFER_FAILURE and PEER.
 * - Nonces are not looked at, as there is no mapping to protect, and a deletion succeeds, as there is none to delete.
 * - It does not filter: a FILTER is UNSUPP_OPTION, but for one that removes all.
 */
export const nptCgn: Cgn<NptState> = {
  getSubscriber: (state, internal) => (reachable(state, internal) === undefined ? NOT_SERVED : SERVED),
  authorize: ({ rules }, request, source, thirdParty) => permit(rules, request, source, thirdParty),
  addMapping: (state, ask) => answer(state, ask, ask.preferFailure),
  delMapping: (state, { internal, internalPort, portSet }) =>
    done(state, internal, internalPort, 0, portsOf(internalPort, portSet)),
  delMappings: (state) => ({ state, complete: true, changes: [] }),
  addDynamic: (state, ask) => answer(state, ask, true),
  filter: (state, ask) =>
    ask.filters.length > 0
      ? refused(ResultCode.UNSUPP_OPTION)
      : answer(state, { ...ask, suggested: ask.internal, suggestedPort: 0, lifetime: 0 }, false),
  externalAddress: (state, internal) => reachable(state, internal),
  supports: () => true,
  expire: (state) => ({ state, changes: [], next: undefined }),
  apply: (state) => state,
}
