import { nextDue, open, peek, rowCount, rowLimit, seal, word } from "../../table/index.ts"
import { type Address, familyOf, hasPorts, isAny, isLoopback, isMulticast, ResultCode } from "../../wire/index.ts"
import type { Change } from "../change.ts"
import type { Cgn, InternalEnd, SubscriberAnswer } from "../contract.ts"
import { instantOf } from "../layout.ts"
import type { Page } from "../list.ts"
import type { Filter, Mapping } from "../mapping.ts"
import { isInPrefix, permit } from "../rule.ts"
import { apply, sweepDue } from "./apply.ts"
import { filter } from "./filter.ts"
import { flowAsData, isFlow } from "./flow.ts"
import { type FirewallState, FLOWS, makeFirewall, PINHOLE, Pinhole } from "./layout.ts"
import { addMapping, delMapping, delMappings, refused, stepOf } from "./map.ts"
import { deadlineOfRow, filtersOf, findEnd, pinholeAsData } from "./row.ts"
import { checkFirewall, type FirewallConfig, type FirewallSettings, type FirewallSettingsError } from "./settings.ts"

/** A firewall with no mappings yet, or the first fault of its settings. */
export const createFirewall = (
  settings: FirewallSettings,
):
  | { readonly ok: true; readonly state: FirewallState }
  | { readonly ok: false; readonly error: FirewallSettingsError } => {
  const error = checkFirewall(settings)
  return error === undefined ? { ok: true, state: makeFirewall(settings) } : { ok: false, error }
}

/** Is this an address that hosts behind the firewall have? */
export const isServed = ({ family, inside }: FirewallConfig, internal: Address): boolean =>
  familyOf(internal) === family &&
  !isAny(internal) &&
  !isLoopback(internal) &&
  !isMulticast(internal) &&
  (inside.length === 0 || inside.some((prefix) => isInPrefix(internal, prefix)))

const SERVED: SubscriberAnswer = { code: ResultCode.SUCCESS, epochStart: undefined }
const NOT_SERVED: SubscriberAnswer = { code: ResultCode.NOT_AUTHORIZED, epochStart: undefined }

/**
 * An IPv4 or IPv6 firewall behind the server's seam: nothing is translated, so the external end is the internal one
 * (RFC 6887 section 11.1), and a MAP mapping is a hole in it for as long as it lives, for all ports of a protocol or all
 * protocols where that is asked: what is the firewall's own, PCP's ports among it, it keeps out by itself. Outbound traffic
 * opens flows, which are `translateFirewall`'s; PEER is UNSUPP_OPCODE, as libpcpd has it.
 *
 * Descriptions (RFC 7220) are not kept.
 */
export const firewallCgn: Cgn<FirewallState> = {
  getSubscriber: ({ config }, internal) => (isServed(config, internal) ? SERVED : NOT_SERVED),
  authorize: ({ config }, request, source, thirdParty) => permit(config.rules, request, source, thirdParty),
  addMapping,
  delMapping,
  delMappings,
  addDynamic: () => refused(ResultCode.UNSUPP_OPCODE),
  filter,
  externalAddress: ({ config }, internal) => (isServed(config, internal) ? internal : undefined),
  // A port means something only to a protocol that has ports.
  supports: (_state, protocol, internalPort) => internalPort === 0 || hasPorts(protocol),
  expire: (state, now, limit) => {
    const step = stepOf(state, now)
    const changes: Change[] = []
    const more = sweepDue(step, limit, changes) === limit
    const due = nextDue(step.table)
    const next = more ? now : due === undefined ? undefined : Math.max(now, instantOf(step.config, due))
    return { state: { version: seal(step.table), config: step.config }, changes, next }
  },
  apply,
}

/** Lists live mappings, flows among them as implicit ones, by cursor: rows after `after` (0: from the start) until `limit` are found. */
export const listPinholes = (state: FirewallState, now: number, after: number, limit: number): Page => {
  const step = stepOf(state, now)
  const mappings: Mapping[] = []
  const end = rowLimit(step.table, PINHOLE)
  for (let row = after + 1; row < end; row++) {
    if (word(step.table, PINHOLE, row, Pinhole.EXPIRES) === 0 || deadlineOfRow(step, row) === 0) continue
    mappings.push(isFlow(step.table, row) ? flowAsData(step, row) : pinholeAsData(step, row))
    if (mappings.length >= limit) return { mappings, after: row }
  }
  return { mappings, after: undefined }
}

/** How many explicit mappings there are, those that have run out and are not yet taken away among them. */
export const pinholeCount = (state: FirewallState): number => rowCount(open(state.version), PINHOLE) - flowCount(state)

/** How many flows there are, those that have run out and are not yet taken away among them. */
export const flowCount = ({ version }: FirewallState): number => peek(open(version), FLOWS, 0)

/** The filters of a mapping, in order. */
export const pinholeFilters = (state: FirewallState, end: InternalEnd): readonly Filter[] => {
  const step = stepOf(state, state.config.now)
  const row = findEnd(step.table, end)
  return row === 0 ? [] : filtersOf(step.table, row)
}
