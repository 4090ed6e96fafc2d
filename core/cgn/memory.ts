import { nextDue, open, type Sizes } from "../table/index.ts"
import { type Address, isAny, isIpv4, ResultCode } from "../wire/index.ts"
import { apply } from "./apply.ts"
import { isServed } from "./area.ts"
import type { Change } from "./change.ts"
import { ownAddress } from "./choose.ts"
import type { Cgn, DeleteAsk, MapAsk, SubscriberAnswer } from "./contract.ts"
import { delMapping, delMappings } from "./delete.ts"
import { isTranslated } from "./end.ts"
import { epochStartOf } from "./epoch.ts"
import { filter } from "./filter.ts"
import { type CgnState, createCgnTable, instantOf, type Step } from "./layout.ts"
import { addMapping } from "./map.ts"
import type { Realm } from "./mapping.ts"
import { addDynamic } from "./peer.ts"
import { addPortSet, delPortSet } from "./port-set.ts"
import { refreshAddress } from "./ports.ts"
import { refreshBlocks } from "./relayout.ts"
import { permit } from "./rule.ts"
import { type CgnSettings, configureCgn, type InternalFamily } from "./settings.ts"
import { checkCgnSettings, type SettingsError } from "./settings-check.ts"
import { placeStatic } from "./static.ts"
import { sealed, stepOf } from "./step.ts"
import { findSubscriber } from "./subscriber.ts"
import { expireRows, freshSubscriber } from "./sweep.ts"

/**
 * The in-memory CGN: a NAT44 over a pool of external addresses, as a {@link Cgn}; endpoint-independent (RFC 4787 REQ-1), unless
 * the settings' `translation.mapping` has what traffic and PEERs map depend on the remote peer.
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
  const table = open(createCgnTable(config, sizes))
  const step: Step = { table, config, second: 0, now: config.now, waiting: undefined }
  for (let number = 0; number < config.addresses.length; number++)
    if (!config.inPool[number]) {
      refreshAddress(step, number)
      refreshBlocks(step, number)
    }
  for (const mapping of config.staticMappings) placeStatic(step, mapping, [])
  return { ok: true, state: sealed(step) }
}

const externalAddress = (
  state: CgnState,
  internal: Address,
  realm: Realm | undefined,
  now: number,
): Address | undefined => {
  const step = stepOf(state, now)
  const { table, config } = step
  const subscriber = freshSubscriber(step, { internal, realm }, findSubscriber(table, internal, realm), [])
  return config.addresses[ownAddress(step, { internal, realm }, subscriber)]
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

const isInside = (family: InternalFamily, internal: Address): boolean =>
  !isAny(internal) && (family === "any" || isIpv4(internal) === (family === "ipv4"))

/** Whoever has an address of the internal family is a subscriber; a NAT44 has no IPv6 clients. */
const getSubscriber = (state: CgnState, internal: Address, realm: Realm | undefined): SubscriberAnswer => {
  const { config } = state
  if (!isInside(config.internalFamily, internal) || !isServed({ config }, { internal, realm })) return NOT_SERVED
  const epochStart = epochStartOf(open(state.version), internal, realm)
  return epochStart === undefined ? SERVED : { code: ResultCode.SUCCESS, epochStart }
}

const isSet = (ask: MapAsk | DeleteAsk): boolean =>
  ask.portSet !== undefined && ask.portSet.size > 1 && ask.internalPort !== 0

/** The in-memory CGN behind the server's seam. */
export const memoryCgn: Cgn<CgnState> = {
  getSubscriber,
  authorize: (state, request, source, thirdParty) => permit(state.config.rules, request, source, thirdParty),
  addMapping: (state, ask, now) => (isSet(ask) ? addPortSet : addMapping)(state, ask, now),
  delMapping: (state, ask, now) => (isSet(ask) ? delPortSet : delMapping)(state, ask, now),
  delMappings,
  addDynamic,
  filter,
  externalAddress,
  supports: (state, protocol, internalPort) => isTranslated(state.config, protocol, internalPort),
  expire,
  apply,
}
