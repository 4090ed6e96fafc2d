import { type Address, isIpv4, readAddress, writeAddress } from "../../core/wire/index.ts"
import { assignedBy } from "./assigned.ts"
import type { Kit } from "./load.ts"
import { type Bindings, fromHex } from "./template.ts"

/** Where a run's internal and suggested external ports begin; a case has the next ones of each. */
const INTERNAL = 20_000
/** High ports, or low ones where the server gives mappings none of those. */
export const SUGGESTED = { high: 40_000, low: 2000 } as const
/** Ports of each sort that a case may use. */
const PORTS = 4
const CASES = 4900

const octetsOf = (address: Address): Uint8Array => {
  const bytes = new Uint8Array(16)
  writeAddress(bytes, 0, address)
  return bytes
}

const port = (value: number): Uint8Array => Uint8Array.of(value >>> 8, value & 255)

/** Another host's address beside ours: it stands in requests and sends none. */
const neighbour = (address: Address, server: Address, step: number): Address => {
  for (let change = step; ; change += 2) {
    const bytes = octetsOf(address)
    bytes[15] ^= change
    const other = readAddress(bytes, 0)
    if (other !== server && bytes[15] !== 0 && bytes[15] !== 255) return other
  }
}

/** What the variables of a run's cases are, beside what is the same for all of its kind. */
export interface Hosts {
  readonly client: Address
  /** A second address of ours on the server's inside; `undefined`: none, and cases that need one do not apply. */
  readonly second: Address | undefined
  readonly server: Address
}

/** The variables of one case after the other. */
export interface Variables {
  /** Those of the next case. */
  next(): Bindings
  /** Notes an answer: an external port that was assigned once, which may be held for long, is suggested by no case after it. */
  heard(reply: Uint8Array): void
  /** Where the external ports to suggest begin from now on. */
  suggestFrom(first: number): void
}

/**
 * The variables of the cases of one run: ports that no two cases share, nonces by chance, and addresses of the hosts. Where
 * in the ports a run begins is chance, so that it does not meet what the one before left to run out.
 */
export const makeBindings = (
  kit: Kit,
  kind: string,
  { client, second, server }: Hosts,
  random: (length: number) => Uint8Array,
): Variables => {
  const [high, low] = random(2)
  let next = ((high << 8) | low) % CASES
  const fixed = new Map<string, Uint8Array>()
  for (const [name, digits] of Object.entries(kit.variables[kind] ?? {})) fixed.set(name, fromHex(digits))
  const own = octetsOf(client)
  fixed.set("client", own)
  fixed.set("client4", own.slice(12))
  fixed.set("clientTail", own.slice(4))
  fixed.set("client2", octetsOf(second ?? neighbour(client, server, 1)))
  fixed.set("client3", octetsOf(neighbour(client, server, 2)))
  // Devices whose inside is of the other family than a run's kind says have the client's.
  if (isIpv4(client) !== isIpv4(readAddress(fixed.get("remote") ?? own, 0)))
    for (const name of ["remote", "remote2"]) {
      const [other] = Object.values(kit.variables).filter(({ remote }) => remote.startsWith("0000") === isIpv4(client))
      fixed.set(name, fromHex(other[name]))
    }
  const assigned = new Set<number>()
  let first: number = SUGGESTED.high
  const suggestions = (base: number): readonly number[] => [first + base, first + base + 2]
  return {
    next: () => {
      const bindings = new Map(fixed)
      let base = (next++ % CASES) * PORTS
      // The server's own choice of an external port may be any: also one that would be suggested now, and cannot be had.
      for (let n = 0; n < CASES && suggestions(base).some((one) => assigned.has(one)); n++)
        base = (next++ % CASES) * PORTS
      for (const [i, name] of ["port", "port2", "port3"].entries()) bindings.set(name, port(INTERNAL + base + i))
      for (const [i, name] of ["suggested", "suggested2"].entries()) bindings.set(name, port(suggestions(base)[i]))
      for (const name of ["nonce", "nonce2", "nonce3"]) bindings.set(name, random(12))
      return bindings
    },
    heard: (reply) => {
      const { first: from, count } = assignedBy(reply) ?? { first: 0, count: 0 }
      for (let i = 0; i < count; i++) assigned.add(from + i)
    },
    suggestFrom: (from) => {
      first = from
    },
  }
}
