import type { Clock } from "../host.ts"

/** The wall clock beside the machine's: `at` turns an instant of the one into a time of the other. */
export interface WallClock {
  time(): string
  /** RFC 3339 text; `null` for what never comes. */
  at(instant: number): string | null
}

/** Milliseconds by which the two clocks may drift apart before their distance is taken anew, as after a suspend. */
const DRIFT = 1000

/** One distance between the clocks for all lines, so that a mapping's end reads the same wherever it is printed. */
export const wallClock = (clock: Clock): WallClock => {
  let distance = Date.now() - clock.now()
  return {
    time: () => new Date().toISOString(),
    at: (instant) => {
      if (instant === Number.POSITIVE_INFINITY) return null
      const present = Date.now() - clock.now()
      if (Math.abs(present - distance) > DRIFT) distance = present
      return new Date(instant + distance).toISOString()
    },
  }
}
