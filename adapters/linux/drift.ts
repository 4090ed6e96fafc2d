import type { Wanted } from "./batch.ts"
import type { Listing } from "./listing.ts"
import type { Element } from "./plane.ts"

/** How the kernel's table differs from what the server holds. */
export interface Drift {
  /** Not there, or with other data, or ending at another time. */
  readonly put: readonly Wanted[]
  /** There, and nobody's. */
  readonly gone: readonly Element[]
}

/** Milliseconds by which the end of an element may differ: listings tell whole seconds, and take time. */
const TOLERANCE = 5_000

/** What is to be put in and taken out; `took`: milliseconds that passed since the listing began. */
export const driftOf = (wanted: ReadonlyMap<string, Wanted>, elements: Listing, took: number): Drift => {
  const put: Wanted[] = []
  const gone: Element[] = []
  for (const [key, one] of wanted) {
    const found = elements.get(key)
    // About to end: whether the kernel has it still is chance.
    if (found === undefined) {
      if (one.left === undefined || one.left > TOLERANCE) put.push(one)
    } else if (found.data !== one.element.data || !isNear(found.left, one, took)) {
      gone.push(found)
      put.push(one)
    }
  }
  for (const [key, found] of elements)
    if (!wanted.has(key) && (found.left === undefined || found.left > TOLERANCE)) gone.push(found)
  return { put, gone }
}

const isNear = (found: number | undefined, { element, left }: Wanted, took: number): boolean => {
  if (found === undefined || left === undefined) return found === left || UNTIMED.test(element.set)
  return Math.abs(found - left) <= TOLERANCE + took
}

/** Elements of filters go with their mapping. */
const UNTIMED = /^(?:filtered|permitted)/
