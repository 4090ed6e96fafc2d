import type { Realm } from "../cgn/index.ts"
import type { Address } from "../wire/index.ts"
import type { ServerState } from "./state.ts"

/**
 * Seconds since Epoch Time was 0 (RFC 6887 section 8.5), modulo 2^32.
 *
 * RFC ambiguity 15: never below 0, and unsigned, though JavaScript's 32-bit numbers are signed.
 */
export const epochTime = (state: { readonly epochStart: number }, now: number): number =>
  Math.max(0, Math.floor((now - state.epochStart) / 1000)) >>> 0

/** When Epoch Time was 0 for a subscriber: at its own reset, or at the server's where that was later. */
export const epochStartOf = (state: { readonly epochStart: number }, own: number | undefined): number =>
  own === undefined ? state.epochStart : Math.max(own, state.epochStart)

/** Epoch Time as a subscriber sees it. */
export const epochOf = <S>(
  state: ServerState<S>,
  internal: Address | undefined,
  realm: Realm | undefined,
  now: number,
): number => {
  const own = internal === undefined ? undefined : state.cgn.getSubscriber(state.cgnState, internal, realm).epochStart
  return epochTime({ epochStart: epochStartOf(state, own) }, now)
}
