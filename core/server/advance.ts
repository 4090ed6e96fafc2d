import type { Change } from "../cgn/index.ts"
import { announcement } from "./announce.ts"
import { forget, subscriberKey } from "./cache.ts"
import { count } from "./counts.ts"
import { stopUpdates, takeDue } from "./push.ts"
import type { Advance } from "./request.ts"
import type { ServerState } from "./state.ts"
import { transmission } from "./update.ts"

/** Mappings taken away in one call: under a millisecond or so, so that requests are not held up. */
const LIMIT = 2048

/**
 * Takes away what has run out by `now`, milliseconds, gives what is due to be sent, and says when to come back: at once
 * when there was more than one call should do. Requests are answered right however late it is called, but for one: where a
 * pool is full and thousands of mappings ran out in it at once, a request may be told NO_RESOURCES until this has come
 * round to them.
 */
export const advance = <S>(state: ServerState<S>, now: number): readonly [ServerState<S>, Advance] => {
  const { state: cgnState, changes, next } = state.cgn.expire(state.cgnState, now, LIMIT)
  const { announceCount, updateCount } = state.settings
  const due = takeDue(stopUpdates(state.pushes, changes), announceCount, updateCount, now)
  const after = { ...state, cgnState, pushes: due.pushes }
  const send = [
    ...due.series.flatMap(({ to }) => announcement(after, to, now)),
    ...due.updates.map((update) => transmission(after, update, now)),
  ]
  return [after, { changes, send, next: sooner(next, due.next) }]
}

/** The earlier of two instants, where there is one. */
export const sooner = (a: number | undefined, b: number | undefined): number | undefined =>
  a === undefined ? b : b === undefined ? a : Math.min(a, b)

/**
 * Replays one change: folding it over the changes of a run from its first state gives its last. Announcements, updates,
 * rate limits and the subscriber cache are not in the changes: see {@link ServerState}.
 */
export const apply = <S>(state: ServerState<S>, change: Change): ServerState<S> => {
  switch (change.type) {
    case "epoch-reset":
      return { ...state, epochStart: change.at }
    case "counted":
      return { ...state, counts: count(state.counts, change.vector, change.index) }
    case "subscriber-reset":
      return {
        ...state,
        cgnState: state.cgn.apply(state.cgnState, [change]),
        cache: forget(state.cache, subscriberKey(change.internal, change.realm)),
      }
    default:
      return { ...state, cgnState: state.cgn.apply(state.cgnState, [change]) }
  }
}
