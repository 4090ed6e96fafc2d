import type { Where } from "./case.ts"
import type { Bindings } from "./template.ts"

/** The unsigned number that octets are. */
export const numberOf = (bytes: Uint8Array): bigint => bytes.reduce((value, octet) => (value << 8n) | BigInt(octet), 0n)

/** The limits that kept values break, as sentences for people. */
export const broken = (limits: readonly Where[], bindings: Bindings): readonly string[] =>
  limits.flatMap((limit) => {
    const bytes = bindings.get(limit.name)
    if (bytes === undefined) return [`nothing was kept as ${limit.name}`]
    const own = numberOf(bytes)
    const of = (name: string): bigint => numberOf(bindings.get(name) ?? new Uint8Array(0))
    const value = limit.minus === undefined ? own : own - of(limit.minus)
    const named = limit.minus === undefined ? limit.name : `${limit.name} less ${limit.minus}`
    const faults: string[] = []
    if (limit.atLeast !== undefined && value < BigInt(limit.atLeast))
      faults.push(`${named} is ${value}, under ${limit.atLeast}`)
    if (limit.atMost !== undefined && value > BigInt(limit.atMost))
      faults.push(`${named} is ${value}, over ${limit.atMost}`)
    if (limit.differsFrom !== undefined && own === of(limit.differsFrom))
      faults.push(`${limit.name} is ${own}, the same as ${limit.differsFrom}`)
    if (limit.parityOf !== undefined && (own ^ of(limit.parityOf)) % 2n !== 0n)
      faults.push(`${limit.name} is ${own}: not the parity of ${limit.parityOf}`)
    return faults
  })
