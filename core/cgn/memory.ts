import { nextDue, type Sizes, word } from "../table/index.ts"
import { type Address, isAny, isIpv4, ResultCode } from "../wire/index.ts"
import { apply } from "./apply.ts"
import type { Change } from "./change.ts"
import type { Cgn, SubscriberAnswer } from "./contract.ts"
import { filter } from "./filter.ts"
import { type CgnState, createCgnTable, instantOf, SUBSCRIBER, Subscriber } from "./layout.ts"
import { addMapping, delMapping, delMappings } from "./map.ts"
import type { Realm } from "./mapping.ts"
import { addDynamic } from "./peer.ts"
import { pairedAddress, slotOf } from "./ports.ts"
import { findSubscriber } from "./row.ts"
import { permit } from "./rule.ts"
import { type CgnSettings, configureCgn } from "./settings.ts"
import { checkCgnSettings, type SettingsError } from "./settings-check.ts"
import { sealed, stepOf } from "./step.ts"
import { expireRows } from "./sweep.ts"

/**
 * The in-memory CGN: an endpoint-independent NAT44 over a pool of external addresses (RFC 4787 REQ-1), as a {@link Cgn}.
 *
 * A mapping past its end counts as absent wherever a request looks, however far {@link Cgn.expire} has come: what a
 * request touches is swept first. Only which of the free ports is chosen may depend on that.
 */
export const createCgn = (
  settings: CgnSettings,
  sizes?: Sizes,
): { readonly ok: true; readonly state: CgnState } | { readonly ok: false; readonly error: SettingsError } => {
  const error = checkCgnSettings(settings)
  if (error !== undefined) return { ok: false, error }
  const config = configureCgn(settings)
  return { ok: true, state: { version: createCgnTable(config, sizes), config } }
}

const externalAddress = (
  state: CgnState,
  internal: Address,
  _realm: Realm | undefined,
  now: number,
): Address | undefined => {
  const { table, config } = stepOf(state, now)
  const subscriber = findSubscriber(table, internal)
  return config.addresses[
    subscriber === 0 ? pairedAddress(config, internal) : word(table, SUBSCRIBER, subscriber, Subscriber.EXTERNAL) - 1
  ]
}

const expire = (state: CgnState, now: number, limit: number) => {
  const step = stepOf(state, now)
  const changes: Change[] = []
  const more = expireRows(step, limit, changes) === limit
  const due = nextDue(step.table)
  const next = more ? now : due === undefined ? undefined : Math.max(now, instantOf(step.config, due))
  return { state: sealed(step), changes, next }
}

const SERVED: SubscriberAnswer = { code: ResultCode.SUCCESS, epochStart: undefined }
const NOT_SERVED: SubscriberAnswer = { code: ResultCode.NOT_AUTHORIZED, epochStart: undefined }

/** The in-memory CGN behind the server's seam. */
export const memoryCgn: Cgn<CgnState> = {
  // Whoever has an IPv4 address inside is a subscriber of a NAT44; an IPv6 client is none.
  getSubscriber: (_state, internal) => (isIpv4(internal) && !isAny(internal) ? SERVED : NOT_SERVED),
  authorize: (state, request, source, thirdParty) => permit(state.config.rules, request, source, thirdParty),
  addMapping,
  delMapping,
  delMappings,
  addDynamic,
  filter,
  externalAddress,
  supports: (_state, protocol, internalPort) => internalPort !== 0 && slotOf(protocol) >= 0,
  expire,
  apply,
}
