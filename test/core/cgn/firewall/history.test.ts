/**
 * Random histories of a firewall against a model that knows nothing of tables: a list of mappings, read from the RFCs.
 */
import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import {
  type Change,
  createFirewall,
  type FirewallState,
  firewallCgn,
  listPinholes,
  pinholeCount,
} from "../../../../core/cgn/index.ts"
import { type Nonce, readNonce } from "../../../../core/wire/index.ts"
import { address } from "../../server/scene.ts"

const QUOTA = 4
const NONCES: readonly (Nonce | undefined)[] = [
  undefined,
  readNonce(new Uint8Array(12).fill(1), 0),
  readNonce(new Uint8Array(12).fill(2), 0),
]
const HOSTS = [address("2001:db8::1"), address("2001:db8::2")]

interface Pinhole {
  readonly host: number
  readonly protocol: number
  readonly port: number
  readonly nonce: number
  readonly expires: number
}

type Move =
  | {
      readonly kind: "map" | "delete"
      readonly host: number
      readonly protocol: number
      readonly port: number
      readonly nonce: number
      readonly size: number
      readonly lifetime: number
    }
  | { readonly kind: "clear"; readonly host: number; readonly protocol: number }
  | { readonly kind: "wait"; readonly seconds: number; readonly limit: number }

const move: fc.Arbitrary<Move> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constantFrom("map" as const, "map" as const, "delete" as const),
      host: fc.nat(1),
      protocol: fc.constantFrom(6, 17),
      port: fc.constantFrom(0, 1, 2, 3, 4, 5, 65535),
      nonce: fc.nat(2),
      size: fc.constantFrom(1, 1, 1, 2, 3, 65535),
      lifetime: fc.integer({ min: 1, max: 20 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant("clear" as const), host: fc.nat(1), protocol: fc.constantFrom(6, 17) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("wait" as const),
      seconds: fc.integer({ min: 0, max: 12 }),
      limit: fc.integer({ min: 1, max: 3 }),
    }),
  },
)

/** What a move makes of the model at second `now`, and how many ports it maps: 0 where it is refused. */
const follow = (all: readonly Pinhole[], step: Move, now: number): readonly [readonly Pinhole[], number] => {
  const alive = all.filter(({ expires }) => expires > now)
  if (step.kind === "wait") return [alive, 0]
  if (step.kind === "clear") {
    const { host, protocol } = step
    return [alive.filter((one) => one.host !== host || one.protocol !== protocol || one.nonce !== 0), 0]
  }
  const { host, protocol, port, nonce, lifetime } = step
  const size = port === 0 ? 1 : Math.min(step.size, 65536 - port)
  const inSet = (one: Pinhole): boolean =>
    one.host === host && one.protocol === protocol && one.port >= port && one.port < port + size
  const mine = (one: Pinhole): boolean => one.nonce === 0 || one.nonce === nonce
  if (step.kind === "delete") {
    if (alive.some((one) => inSet(one) && one.port === port && !mine(one))) return [alive, 0]
    return [alive.filter((one) => !inSet(one) || !mine(one)), size]
  }
  let next = alive
  for (let i = 0; i < size; i++) {
    const at = (one: Pinhole): boolean => one.host === host && one.protocol === protocol && one.port === port + i
    const there = next.find(at)
    // NAT-PMP is told of a PCP mapping, which stays as it is.
    if (there !== undefined && there.nonce !== 0 && nonce === 0) continue
    if (there !== undefined && !mine(there)) return [next, i]
    if (there === undefined && next.filter((one) => one.host === host).length === QUOTA) return [next, i]
    next = [...next.filter((one) => !at(one)), { host, protocol, port: port + i, nonce, expires: now + lifetime }]
  }
  return [next, size]
}

const text = ({ host, protocol, port, nonce, expires }: Pinhole): string =>
  `${host} ${protocol}/${port} nonce ${nonce} until ${expires}`

const live = (state: FirewallState, now: number): string[] =>
  listPinholes(state, now * 1000, 0, 1000)
    .mappings.map(({ internal, protocol, internalPort, nonce, expires }) =>
      text({
        host: HOSTS.indexOf(internal),
        protocol,
        port: internalPort,
        nonce: NONCES.indexOf(nonce),
        expires: expires / 1000,
      }),
    )
    .sort()

interface Result {
  readonly state: FirewallState
  readonly ports: number
  readonly changes: readonly Change[]
}

/** The same move by the firewall. */
const play = (state: FirewallState, step: Move, now: number): Result => {
  if (step.kind === "wait") return { ...firewallCgn.expire(state, now * 1000, step.limit), ports: 0 }
  if (step.kind === "clear") {
    return { ...firewallCgn.delMappings(state, HOSTS[step.host], undefined, step.protocol, now * 1000), ports: 0 }
  }
  const { host, protocol, port, lifetime } = step
  const nonce = NONCES[step.nonce]
  const ask = {
    protocol,
    internal: HOSTS[host],
    internalPort: port,
    origin: nonce === undefined ? ("nat-pmp" as const) : ("pcp" as const),
    nonce,
    portSet: step.size === 1 ? undefined : { size: step.size, parity: false },
  }
  const rest = { suggested: address("::"), suggestedPort: 0, lifetime, preferFailure: false }
  const done =
    step.kind === "delete"
      ? firewallCgn.delMapping(state, ask, now * 1000)
      : firewallCgn.addMapping(state, { ...ask, ...rest }, now * 1000)
  return done.outcome === "refused" ? { state, ports: 0, changes: [] } : done
}

test("S-44 S-52 S-132 N-05 any history of a firewall is the model's, its changes replay it, and old states keep", () => {
  const made = createFirewall({ family: "ipv6", quota: QUOTA, secret: new Uint8Array(32).fill(3), now: 0 })
  assert.ok(made.ok)
  const first = made.state
  fc.assert(
    fc.property(fc.array(move, { minLength: 1, maxLength: 60 }), (moves) => {
      let now = 0
      let model: readonly Pinhole[] = []
      let state = first
      const changes: Change[] = []
      const kept: { readonly state: FirewallState; readonly now: number; readonly live: readonly string[] }[] = []
      for (const step of moves) {
        if (step.kind === "wait") now += step.seconds
        const result = play(state, step, now)
        const [next, ports] = follow(model, step, now)
        model = next
        state = result.state
        changes.push(...result.changes)
        assert.equal(result.ports, ports, JSON.stringify(step))
        const expected = model.map(text).sort()
        assert.deepEqual(live(state, now), expected, JSON.stringify(step))
        kept.push({ state, now, live: expected })
      }
      assert.deepEqual(live(firewallCgn.apply(first, changes), now), model.map(text).sort())
      for (const old of kept) assert.deepEqual(live(old.state, old.now), old.live)
      for (let round = 0; pinholeCount(state) > 0; round++) {
        assert.ok(round < 200, "mappings that ran out are taken away")
        state = firewallCgn.expire(state, (now + 1000) * 1000, 5).state
      }
    }),
    { numRuns: 300 },
  )
})
