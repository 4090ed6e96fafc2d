import type { Change, Filter, InternalEnd, Mapping, Realm } from "../cgn/index.ts"
import { type Address, ResultCode } from "../wire/index.ts"
import { sooner } from "./advance.ts"
import { announce } from "./announce.ts"
import { forget, subscriberKey } from "./cache.ts"
import { stopUpdates } from "./push.ts"
import type { Pushed } from "./request.ts"
import type { ServerState } from "./state.ts"
import { mayUpdate, update } from "./update.ts"

/** What a CGN did of its own accord. */
export interface CgnStep<S> {
  /** The CGN's next state. */
  readonly state: S
  /** What it did, in order. */
  readonly changes: readonly Change[]
  /** The filters of a mapping, for updates to carry (RFC 6887 section 14.2). Default: none are known. */
  readonly filters?: (end: InternalEnd) => readonly Filter[]
  /** Deleted mappings are ones that could not be kept: tell their clients. Default: who deleted them has told. */
  readonly lost?: boolean
  /** External addresses came or went, so that the epoch is reset and announced (RFC 6887 section 8.5, S-140). */
  readonly readdressed?: boolean
}

/**
 * Takes over what the CGN did outside of a request: the other half of libpcpd's `pcpd_cgn_register`. Clients of mappings
 * that moved, and of those lost, get an update in the protocol that created the mapping; subscribers that were reset leave the
 * cache; with {@link CgnStep.readdressed} Epoch Time begins again at 0 and is announced.
 */
export const adopt = <S>(state: ServerState<S>, step: CgnStep<S>, now: number): readonly [ServerState<S>, Pushed] => {
  const { changes: own, filters, lost = false, readdressed = false } = step
  const reset: Change = { type: "epoch-reset", at: now }
  const changes = readdressed ? [...own, reset] : own
  let after: ServerState<S> = {
    ...state,
    cgnState: step.state,
    pushes: stopUpdates(state.pushes, own),
    epochStart: readdressed ? now : state.epochStart,
  }
  let next: number | undefined
  const push = ([pushed, { next: due }]: readonly [ServerState<S>, Pushed]): void => {
    after = pushed
    next = sooner(next, due)
  }
  for (const change of own) {
    if (change.type === "subscriber-reset")
      after = { ...after, cache: forget(after.cache, subscriberKey(change.internal, change.realm)) }
    else if (change.type === "epoch-reset") after = { ...after, epochStart: change.at }
    if (!mayUpdate(after)) continue
    if (change.type === "moved") {
      const { mapping } = change
      if (mapping.clientPort !== 0) push(update(after, { mapping, filters: filters?.(mapping) ?? [] }, now))
    } else if (change.type === "deleted" && lost)
      push(update(after, { mapping: change.mapping, code: codeOfLoss(change.mapping) }, now))
  }
  if (readdressed) push(announce(after, now))
  return [after, { changes, next }]
}

/** RFC 6887 section 7.4 keeps CANNOT_PROVIDE_EXTERNAL for those who wanted this end or none. */
const codeOfLoss = ({ details, kind }: Mapping): number =>
  kind === "peer" || details?.preferFailure === true ? ResultCode.CANNOT_PROVIDE_EXTERNAL : ResultCode.NO_RESOURCES

/** libpcpd's `pcpd_uncache`: forgets what the CGN said of a subscriber, since it is gone or was reset. */
export const uncache = <S>(
  state: ServerState<S>,
  internal: Address,
  realm: Realm | undefined = undefined,
): ServerState<S> => ({ ...state, cache: forget(state.cache, subscriberKey(internal, realm)) })
