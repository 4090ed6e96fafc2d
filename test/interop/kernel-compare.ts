/** One sequence of packets through the kernel's router and through a translator of this project, and what may differ. */
import assert from "node:assert/strict"
import type { Out, Passed } from "../../core/cgn/index.ts"
import { type PortEnds, toHex } from "../core/cgn/packet/build.ts"
import { missing, type Router, route, type Sent } from "./kernel.ts"

export const lack = missing()
/** For tests: skipped with what is missing, but not where every test must run. */
export const skip = lack !== undefined && process.env.CI !== "true" ? lack : false

/** Octets that may differ, and why. */
export interface Difference {
  readonly why: string
  readonly applies: (sent: Sent) => boolean
  /** First octet, and the one behind the last. */
  readonly octets: readonly (readonly [number, number])[]
}

/** One packet, what it is, and where the kernel does otherwise, why. */
export interface Step extends Sent {
  readonly what: string
  /** The verdict differs, for this reason. */
  readonly otherwise?: string
}

/** A translator with its state inside. */
export type Carry = (sent: Sent) => readonly Sent[]

export const carrying = <S>(first: S, translate: (state: S, passage: Sent & { now: number }) => Passed<S>): Carry => {
  let state = first
  return ({ side, bytes }) => {
    const passed = translate(state, { side, bytes, now: 0 })
    state = passed.state
    return sentBy(passed.out, side)
  }
}

const sentBy = (out: Out, side: Sent["side"]): readonly Sent[] => {
  if (out.kind === "forwarded") return out.packets.map((bytes) => ({ side: out.side, bytes }))
  return out.kind === "returned" ? [{ side, bytes: out.packet }] : []
}

export const shown = (sent: readonly Sent[], differences: readonly Difference[]): string[] =>
  sent.map((one) => {
    const copy = one.bytes.slice()
    for (const { applies, octets: ranges } of differences)
      if (applies(one)) for (const [from, to] of ranges) copy.fill(0, from, to)
    return `${one.side} ${toHex(copy)}`
  })

/** Both carry the packets, one after another; what comes of each is compared. */
export const compare = (
  router: Router,
  carry: Carry,
  steps: readonly Step[],
  differences: readonly Difference[] = [],
): void => {
  assert.equal(lack, undefined)
  compareWith(route(router, steps), carry, steps, differences)
}

/** The same with what another has made of each step's packet. */
export const compareWith = (
  others: readonly (readonly Sent[])[],
  carry: Carry,
  steps: readonly Step[],
  differences: readonly Difference[] = [],
): void => {
  for (const [i, step] of steps.entries()) {
    const own = shown(carry(step), differences)
    const its = shown(others[i], differences)
    if (step.otherwise === undefined) assert.deepEqual(own, its, `${i}: ${step.what}, from the ${step.side}`)
    else assert.notDeepEqual(own, its, `${step.what}: not otherwise: ${step.otherwise}`)
  }
}

export const inside = (what: string, bytes: Uint8Array): Step => ({ side: "inside", bytes, what })
export const outside = (what: string, bytes: Uint8Array): Step => ({ side: "outside", bytes, what })
/** The ends of an answer. */
export const turned = ({ source, sourcePort, destination, destinationPort }: PortEnds): PortEnds => ({
  source: destination,
  sourcePort: destinationPort,
  destination: source,
  destinationPort: sourcePort,
})
