import type { TargetPoint } from "../../core/overlay/index.ts"
import type { Clock } from "../host.ts"
import { OverlayError } from "./overlay-error.ts"

/** Lookups that people ask for: no frame waits for them. */
export interface Lookups {
  /** A number that no frame's lookup has, and its end. */
  open(timeout: number): { readonly number: number; readonly end: Promise<TargetPoint | "drop"> }
  /** True: it was one of these. */
  settle(number: number, target: TargetPoint | "drop"): boolean
  close(): void
}

/** Above the numbers of caches, which count from 1; twice as much is still a whole number. */
const FIRST = 2 ** 40

/** None yet. */
export const openLookups = (clock: Clock): Lookups => {
  const waiting = new Map<number, { settle(target: TargetPoint | "drop"): void; fail(error: OverlayError): void }>()
  let next = FIRST
  return {
    open: (timeout) => {
      const number = next
      next++
      const end = new Promise<TargetPoint | "drop">((resolve, reject) => {
        const cancel = clock.after(timeout, () => {
          waiting.delete(number)
          reject(new OverlayError("ETIMEDOUT", `the plugin has no answer within ${timeout} ms`))
        })
        waiting.set(number, {
          settle: (target) => {
            cancel()
            resolve(target)
          },
          fail: (error) => {
            cancel()
            reject(error)
          },
        })
      })
      return { number, end }
    },
    settle: (number, target) => {
      const one = waiting.get(number)
      waiting.delete(number)
      one?.settle(target)
      return one !== undefined || number >= FIRST
    },
    close: () => {
      for (const { fail } of waiting.values()) fail(new OverlayError("ECANCELED", "the endpoint is closed"))
      waiting.clear()
    },
  }
}
