import type { Clock } from "../host.ts"

declare const Deno: {
  /** Takes what `setTimeout` gives, in this version or another. */
  unrefTimer(timer: unknown): void
}

/** Longest delay of a timer; anything longer would fire at once. */
const LONGEST = 0x7fffffff

const milliseconds = (delay: number): number => Math.min(Math.max(Math.ceil(delay), 0), LONGEST)

/** As {@link denoClock}, but its timers do not keep the process running. */
export const unrefClock: Clock = {
  now: () => performance.now(),
  after: (delay, call) => {
    const timer = setTimeout(call, milliseconds(delay))
    Deno.unrefTimer(timer)
    return () => clearTimeout(timer)
  },
}

/** {@link Clock} on the monotonic clock of this process: milliseconds since it started, with fractions. */
export const denoClock: Clock = {
  now: () => performance.now(),
  after: (delay, call) => {
    const timer = setTimeout(call, milliseconds(delay))
    return () => clearTimeout(timer)
  },
}
