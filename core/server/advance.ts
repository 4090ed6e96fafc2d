import type { Change } from "../cgn/index.ts"
import { count } from "./counts.ts"
import type { Advance } from "./request.ts"
import type { ServerState } from "./settings.ts"

/** Mappings taken away in one call: under a millisecond or so, so that requests are not held up. */
const LIMIT = 2048

/**
 * Takes away what has run out by `now`, milliseconds, and says when to come back: at once when there was more than one
 * call should do. Requests are answered right however late it is called, but for one: where a pool is full and thousands
 * of mappings ran out in it at once, a request may be told NO_RESOURCES until this has come round to them.
 */
export const advance = <S>(state: ServerState<S>, now: number): readonly [ServerState<S>, Advance] => {
  const { state: cgnState, changes, next } = state.cgn.expire(state.cgnState, now, LIMIT)
  return [
    { ...state, cgnState },
    { changes, send: [], next },
  ]
}

/** Replays one change: folding it over the changes of a run from its first state gives its last. */
export const apply = <S>(state: ServerState<S>, change: Change): ServerState<S> =>
  change.type === "epoch-reset"
    ? { ...state, epochStart: change.at }
    : change.type === "counted"
      ? { ...state, counts: count(state.counts, change.vector, change.index) }
      : { ...state, cgnState: state.cgn.apply(state.cgnState, [change]) }
