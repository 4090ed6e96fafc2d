import type { Realm, SubscriberAnswer } from "../cgn/index.ts"
import type { Address } from "../wire/index.ts"
import { realmOf } from "./call.ts"
import { process } from "./process.ts"
import type { Request, Response } from "./request.ts"
import type { ServerState } from "./state.ts"

/** What the CGN knows of a packet that it hands in: libpcpd's `pcpctx_t` as a value. */
export interface Context {
  /** The realm of the packet's subscriber: see {@link Request.realm}. */
  readonly realm?: Realm | undefined
  /** Who it is from, where the CGN has just looked: the server does not ask again. */
  readonly subscriber?: SubscriberAnswer | undefined
  /** For whom `subscriber` was found; a packet of another source or realm is looked up anew. Default: for this packet. */
  readonly source?: Address | undefined
}

/**
 * Passive mode, libpcpd's `pcpd_lib_runonce`: the CGN owns the loop and hands in the packets that it intercepts, each with
 * what it knows of it. Besides what `process` gives, this gives the context to hand in with the same subscriber's next
 * packet, so that a CGN which has many in a row is asked once. A context is not to be kept over a step of the CGN's own.
 */
export const runOnce = <S>(
  state: ServerState<S>,
  request: Request,
  context: Context = {},
): readonly [ServerState<S>, Response, Context] => {
  const { source } = request
  const realm = context.realm ?? realmOf(state.settings, request)
  const known = context.source === undefined || context.source === source
  const subscriber = (known ? context.subscriber : undefined) ?? state.cgn.getSubscriber(state.cgnState, source, realm)
  const [after, response] = process(state, { ...request, realm, subscriber })
  return [after, response, { realm, subscriber, source }]
}
