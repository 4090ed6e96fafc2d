/** A server with something of all that it can have, for the tests of snapshots; how it comes about is random. */
import assert from "node:assert/strict"
import { type CgnSettings, createCgn, listFilters, memoryCgn, noteOutbound, PROFILES } from "../../../core/cgn/index.ts"
import {
  advance,
  apply,
  createServerOver,
  mappings,
  process,
  type Restored,
  type RestoreOptions,
  type ServerState,
} from "../../../core/server/index.ts"
import type { Random } from "../../fuzz/random.ts"
import { randomFrom } from "../../fuzz/random.ts"
import { address, announce, filter, map, natPmpMap, OTHER_NONCE, option, peer, preferFailure } from "./scene.ts"

export const SETTINGS: CgnSettings = {
  external: ["203.0.113.1", "203.0.113.2"].map(address),
  ports: { first: 2000, last: 2060 },
  quota: 40,
  subscriberQuota: 60,
  subscriberPrefix: { ipv4: 24, ipv6: 64 },
  filterLimit: 8,
  idleTimeout: { udp: 300, tcp: 7440 },
  recycleDelay: { udp: 120, tcp: 240 },
  staticMappings: [
    {
      protocol: 6,
      internal: address("10.0.0.9"),
      internalPort: 80,
      external: address("203.0.113.7"),
      externalPort: 80,
    },
    {
      protocol: 17,
      internal: address("10.0.1.9"),
      internalPort: 53,
      external: address("203.0.113.1"),
      externalPort: 2053,
      realm: address("2001:db8::9"),
    },
  ],
  otherProtocols: true,
  port0: true,
  secret: Uint8Array.from({ length: 32 }, (_, i) => 7 * i),
  now: 5_000,
}

/** Just before a daylight-saving change, in case anybody minds: 2026-03-29 00:59:59.5 UTC. */
export const WALL = 1774745999500

export const PROFILE = { ...PROFILES.nat444, otherProtocols: true, port0: true }

export const serverOf = (settings: CgnSettings): ServerState => {
  const cgn = createCgn(settings)
  assert.ok(cgn.ok)
  const made = createServerOver(memoryCgn, cgn.state, settings.now, { profile: PROFILE })
  assert.ok(made.ok)
  return made.state
}

export const optionsAt = (now: number, wallClock: number): RestoreOptions => ({
  cgn: SETTINGS,
  server: { profile: PROFILE },
  now,
  wallClock,
})

const REALMS = [undefined, undefined, address("2001:db8::9"), address("2001:db8::a")]
export const HOSTS = ["10.0.0.1", "10.0.0.2", "10.0.1.9"]

/** One request of any kind that this server serves; `port` is the client's. */
const requestOf = (random: Random, client: string): readonly number[] => {
  const nonce = random.once(8) ? OTHER_NONCE : undefined
  const fields = {
    client,
    lifetime: random.pick([0, 120, 600, 7200]),
    protocol: random.pick([6, 17]),
    port: 4000 + random.below(6),
    suggestedPort: random.once(3) ? 2000 + random.below(60) : 0,
    ...(nonce === undefined ? {} : { nonce }),
  }
  switch (random.below(8)) {
    case 0:
      return announce({ client })
    case 1:
      return natPmpMap(random.pick([1, 2]), fields.port, 0, fields.lifetime)
    case 2:
      return peer({ ...fields, remotePort: 440 + random.below(3) })
    case 3: {
      const text = [...new TextEncoder().encode("a camera, größer als gedacht ".repeat(1 + random.below(5)))]
      return map({ ...fields, options: option(128, text) })
    }
    case 4:
      return map({ ...fields, options: option(130, [0, 1 + random.below(4), random.below(65), random.below(256), 0]) })
    case 5:
      return map({ ...fields, protocol: 47, port: 0 })
    default: {
      const filters = [filter(128, 80, "198.51.100.1"), filter(120, 0, "198.51.100.0")].slice(random.below(3))
      return map({ ...fields, options: [...(random.once(5) ? preferFailure() : []), ...filters.flat()] })
    }
  }
}

/** One thing that happens to a server, said in words. */
export const act = (state: ServerState, random: Random, now: number): { state: ServerState; said: string } => {
  const client = random.pick(HOSTS)
  const realm = random.pick(REALMS)
  if (random.once(12)) {
    const end = {
      protocol: random.pick([6, 17]),
      internal: address(client),
      internalPort: 4000 + random.below(6),
      realm,
    }
    const done = noteOutbound(state.cgnState, end, now)
    return { state: { ...state, cgnState: done.state }, said: `${done.changes.length} by traffic` }
  }
  if (random.once(5)) {
    // What a TCP connection through a mapping that is there leaves behind.
    const mapped = { protocol: 6, internal: address(client), internalPort: 4000 + random.below(6), realm }
    const connection = random.pick(["opening-inside", "established", "closing"] as const)
    const ends = { remote: address(`198.51.100.${random.below(5)}`), remotePort: 443 }
    const session = { type: "session", mapped, ...mapped, ...ends, connection, expires: now + 240_000 } as const
    return { state: apply(state, session), said: "session" }
  }
  if (random.once(40)) {
    const reset = { type: "subscriber-reset", internal: address(client), realm, at: now } as const
    return { state: apply(state, reset), said: "reset" }
  }
  const bytes = Uint8Array.from(requestOf(random, client))
  const request = {
    bytes,
    now,
    source: address(client),
    sourcePort: 40000 + random.below(9),
    ...(realm ? { realm } : {}),
  }
  const [after, { reply, changes }] = process(state, request)
  const kinds = changes.filter(({ type }) => type !== "counted").map(({ type }) => type)
  return { state: after, said: `${reply?.join()} ${kinds.join()}` }
}

/** A server with something of all that it can have, and the instant. */
export const busy = (seed: number, steps = 400): { state: ServerState; now: number } => {
  const random = randomFrom(seed)
  let state = serverOf(SETTINGS)
  let { now } = SETTINGS
  for (let step = 0; step < steps; step++) {
    now += random.once(4) ? random.below(40_000) : 0
    state = act(state, random, now).state
    if (random.once(20)) [state] = advance(state, now)
  }
  return { state, now }
}

export const listed = (state: ServerState, now: number) =>
  mappings(state, now).mappings.map((mapping) => ({ ...mapping, filters: listFilters(state.cgnState, mapping) }))

export const stateOf = (restored: Restored): ServerState => {
  assert.ok(restored.ok, restored.ok ? "" : restored.error.text)
  return restored.state
}
