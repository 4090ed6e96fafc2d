import { type Address, isAny, ResultCode } from "../../wire/index.ts"
import type { Cgn, CgnDone, CgnRefused, CgnResult, PortSetAsk, SubscriberAnswer } from "../contract.ts"
import { permit, type Rule } from "../rule.ts"

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

const answer = <S>(state: S, external: Address | undefined, question: Question, exact: boolean): CgnResult<S> => {
  const { internalPort, suggested, suggestedPort, lifetime, portSet } = question
  if (external === undefined) return refused(ResultCode.NOT_AUTHORIZED)
  const met = (isAny(suggested) || suggested === external) && (suggestedPort === 0 || suggestedPort === internalPort)
  if (exact && !met) return refused(ResultCode.CANNOT_PROVIDE_EXTERNAL)
  return done(state, external, internalPort, lifetime, portsOf(internalPort, portSet))
}

const done = <S>(state: S, external: Address, externalPort: number, lifetime: number, ports: number): CgnDone<S> => ({
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
 * A stateless translator behind the server's seam: every answer is the algorithm's (RFC 6887 section 11.3, S-46).
 * `reachable` gives the external address at which remote peers reach an internal one, `undefined` where they cannot.
 *
 * - The lifetime is the one asked for, within the server's limits, rather than a static mapping's 2^32-1: clients ask
 *   again, and learn of new prefixes.
 * - A suggestion counts only where the request must fail without it: PREFER_FAILURE and PEER.
 * - Nonces are not looked at, as there is no mapping to protect, and a deletion succeeds, as there is none to delete.
 * - It does not filter: a FILTER is UNSUPP_OPTION, but for one that removes all.
 */
export const statelessCgn = <S extends { readonly rules: readonly Rule[] }>(
  reachable: (state: S, internal: Address) => Address | undefined,
): Cgn<S> => ({
  getSubscriber: (state, internal) => (reachable(state, internal) === undefined ? NOT_SERVED : SERVED),
  authorize: ({ rules }, request, source, thirdParty) => permit(rules, request, source, thirdParty),
  addMapping: (state, ask) => answer(state, reachable(state, ask.internal), ask, ask.preferFailure),
  delMapping: (state, { internal, internalPort, portSet }) =>
    done(state, internal, internalPort, 0, portsOf(internalPort, portSet)),
  delMappings: (state) => ({ state, complete: true, changes: [] }),
  addDynamic: (state, ask) => answer(state, reachable(state, ask.internal), ask, true),
  filter: (state, ask) => {
    if (ask.filters.length > 0) return refused(ResultCode.UNSUPP_OPTION)
    const question = { ...ask, suggested: ask.internal, suggestedPort: 0, lifetime: 0 }
    return answer(state, reachable(state, ask.internal), question, false)
  },
  externalAddress: (state, internal) => reachable(state, internal),
  supports: () => true,
  expire: (state) => ({ state, changes: [], next: undefined }),
  apply: (state) => state,
})
