/** What comes to a small CGN whose ports are assigned in one way or another: requests, traffic, time. */
import fc from "fast-check"
import {
  type Assignment,
  type CgnState,
  type Change,
  memoryCgn,
  noteOutbound,
  translate,
} from "../../../core/cgn/index.ts"
import { address, host, map, remove, TCP, UDP } from "./scene.ts"
import { echo4, REMOTE } from "./translate/scene.ts"

const ports = { first: 2000, last: 2000 + 16 * 14 }
export const external = ["203.0.113.1", "203.0.113.2"].map(address)
const internal = [{ address: host(0), prefixLength: 124 }]
export const COMMON = { external, ports, recycleDelay: { udp: 20, tcp: 0 }, subscriberPrefix: { ipv4: 31, ipv6: 64 } }

/** One of each kind, with few and small blocks and ranges. */
export const ASSIGNMENTS: readonly Assignment[] = [
  { kind: "blocks", size: 16, limit: 3 },
  { kind: "blocks", size: 40, limit: 1 },
  { kind: "deterministic", internal },
  { kind: "deterministic", internal, ratio: 5, dynamic: { factor: 4, size: 16, maximum: 60 } },
]

/** One thing that happens to a CGN. */
export const move = fc.record({
  kind: fc.constantFrom("map", "map", "map", "set", "traffic", "echo", "delete", "wait", "expire", "settings"),
  n: fc.integer({ min: 1, max: 9 }),
  port: fc.integer({ min: 1, max: 40 }),
  tcp: fc.boolean(),
  natPmp: fc.boolean(),
  suggested: fc.integer({ min: 1990, max: 2230 }),
  exact: fc.boolean(),
  lifetime: fc.integer({ min: 1, max: 120 }),
  which: fc.integer({ min: 0, max: 3 }),
})
export type Move = typeof move extends fc.Arbitrary<infer T> ? T : never

export interface Stage {
  readonly state: CgnState
  readonly changes: readonly Change[]
  readonly now: number
}

/** What comes of it. */
export const act = ({ state, now }: Stage, what: Move): Stage => {
  const protocol = what.tcp ? TCP : UDP
  const origin = what.natPmp ? "nat-pmp" : "pcp"
  const who = { internal: host(what.n), internalPort: what.port, protocol }
  switch (what.kind) {
    case "set": {
      const portSet = { size: 1 + (what.suggested % 20), parity: what.exact }
      const result = map(state, { ...who, portSet, lifetime: what.lifetime }, now)
      return result.outcome === "refused" ? { state, changes: [], now } : { ...result, now }
    }
    case "map":
    case "delete": {
      const { lifetime } = what
      const suggestedPort = what.suggested % 3 === 0 ? what.suggested : 0
      const preferFailure = what.exact && !what.natPmp
      const ask = { ...who, origin, suggestedPort, preferFailure, lifetime } as const
      const result = what.kind === "map" ? map(state, ask, now) : remove(state, { ...who, origin }, now)
      return result.outcome === "refused" ? { state, changes: [], now } : { ...result, now }
    }
    case "traffic":
      return { ...noteOutbound(state, who, now), now }
    case "echo": {
      const bytes = echo4(8, `10.0.0.${what.n}`, REMOTE, what.exact ? 0 : what.port)
      return { ...translate(state, { bytes, now, side: "inside" }), now }
    }
    case "wait":
      return { state, changes: [], now: now + what.lifetime * 500 }
    case "expire":
      return { ...memoryCgn.expire(state, now, what.port), now }
    default:
      return { state, changes: [], now }
  }
}
