import type { Realm, SubscriberAnswer } from "../cgn/index.ts"
import { isIpv4 } from "../wire/index.ts"
import { recall, remember, subscriberKey } from "./cache.ts"
import { epochStartOf, epochTime } from "./epoch.ts"
import type { Request } from "./request.ts"
import type { ServerSettings } from "./settings.ts"
import type { ServerState } from "./state.ts"

/** One request being served: what all of its answers need. `state` has what the request cost already: rates, the cache. */
export interface Call<S> {
  readonly state: ServerState<S>
  readonly request: Request
  /** The realm of the source. */
  readonly realm: Realm | undefined
  /** What the CGN says of the source. */
  readonly subscriber: SubscriberAnswer
  /**
   * Epoch Time for every answer to this source, errors too: its own where the CGN reset it alone. With THIRD_PARTY it is
   * still the source's, as a client keeps one epoch for a server (RFC 6887 section 8.5).
   */
  readonly epoch: number
}

/** In plain-mode DS-Lite the B4's IPv6 address is what keeps the IPv4 hosts behind it apart from others' (RFC 6333). */
export const realmOf = ({ profile }: ServerSettings, request: Pick<Request, "source" | "realm">): Realm | undefined =>
  request.realm === undefined && profile.kind === "dslite" && !isIpv4(request.source) ? request.source : request.realm

const callOf = <S>(
  state: ServerState<S>,
  request: Request,
  realm: Realm | undefined,
  subscriber: SubscriberAnswer,
): Call<S> => {
  const { epochStart } = subscriber
  const since = epochStart === undefined ? state : { epochStart: epochStartOf(state, epochStart) }
  const epoch = epochTime(since, request.now)
  return { state, request, realm, subscriber, epoch }
}

/** Begins to serve a request: libpcpd's `getsubscriber` comes first, so that even errors carry the right epoch. */
export const openCall = <S>(state: ServerState<S>, request: Request): Call<S> => {
  const realm = realmOf(state.settings, request)
  const answer = request.subscriber ?? state.cgn.getSubscriber(state.cgnState, request.source, realm)
  return callOf(state, request, realm, answer)
}

/** The same with the subscriber cache in between; `hit` is `undefined` where the caller knew the subscriber. */
export const openCachedCall = <S>(
  state: ServerState<S>,
  request: Request,
): { readonly call: Call<S>; readonly hit: boolean | undefined } => {
  const { cache, settings } = state
  if (request.subscriber !== undefined) return { call: openCall(state, request), hit: undefined }
  const realm = realmOf(state.settings, request)
  const key = subscriberKey(request.source, realm)
  const known = recall(cache, key, settings.cacheSize)
  if (known !== undefined)
    return { call: callOf({ ...state, cache: known.cache }, request, realm, known.answer), hit: true }
  const found = state.cgn.getSubscriber(state.cgnState, request.source, realm)
  const after = { ...state, cache: remember(cache, key, found, settings.cacheSize) }
  return { call: callOf(after, request, realm, found), hit: false }
}
