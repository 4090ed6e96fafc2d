import { type Address, ipv4Value } from "../../../core/wire/index.ts"
import { externalOf, type KernelPlan } from "./plan.ts"

/** Milliseconds between two looks at the interfaces. */
const PERIOD = 1000

/**
 * Says when the outside interfaces have other IPv4 addresses than the pool. With none at all it waits: an address is taken away
 * before the next one is there.
 */
export const followAddresses = (
  { outside }: KernelPlan,
  pool: () => readonly Address[],
  changed: () => void,
): (() => void) => {
  const look = (): void => {
    const there = new Set(externalOf(outside).map(({ first }) => first))
    const had = pool().map(ipv4Value)
    if (there.size > 0 && (there.size !== had.length || had.some((address) => !there.has(address)))) changed()
  }
  const timer = setInterval(look, PERIOD)
  return () => clearInterval(timer)
}
