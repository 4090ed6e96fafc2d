import type { Clock } from "../host.ts"

/** Longest delay of a timer; anything longer would fire at once. */
const LONGEST = 0x7fffffff

/** {@link Clock} on the monotonic clock of this page or worker: milliseconds since it began, with fractions. */
export const browserClock: Clock = {
  now: () => performance.now(),
  after: (delay, call) => {
    const timer = setTimeout(call, Math.min(Math.max(Math.ceil(delay), 0), LONGEST))
    return () => clearTimeout(timer)
  },
}
