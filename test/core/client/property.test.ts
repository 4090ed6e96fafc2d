import assert from "node:assert/strict"
import { describe, test } from "node:test"
import fc from "fast-check"
import { type ClientServer, createClient, type Effect, listLeases, step } from "../../../core/client/index.ts"
import { mappings } from "../../../core/server/index.ts"
import { announcement } from "./answer.ts"
import { commands, inputs, octets } from "./inputs.ts"
import { address, CLIENT, EXTERNAL, realServer, router, SEED, scene, TCP_8080 } from "./scene.ts"

describe("whatever happens", () => {
  test("no step throws; its last effect says when to come back, never in the past; what is pending has such a time", () => {
    fc.assert(
      fc.property(inputs, (history) => {
        const created = createClient({ seed: SEED, now: 0, servers: [router(), router({ name: "other" })] })
        assert.ok(created.ok)
        let { state } = created
        for (const input of history) {
          const [after, effects]: readonly [typeof state, readonly Effect[]] = step(state, input)
          state = after
          const wakes = effects.filter((effect) => effect.type === "wake")
          assert.equal(wakes.length, 1)
          const [wake] = wakes
          assert.equal(effects.at(-1), wake)
          assert.ok(wake.at === undefined || wake.at >= state.now)
          assert.ok(wake.at === undefined || Number.isFinite(wake.at))
          // Whatever is not over waits for a time; a client that stopped waits for none.
          assert.equal(wake.at === undefined, state.tasks.size === 0)
          for (const effect of effects)
            if (effect.type === "send") assert.ok(effect.bytes.length <= 1100 && effect.bytes.length >= 2)
        }
      }),
      { numRuns: 500 },
    )
  })

  test("waking when it asks for it, a client settles: it never goes round in circles", () => {
    fc.assert(
      fc.property(fc.array(commands, { maxLength: 12 }), fc.array(octets, { maxLength: 12 }), (wanted, datagrams) => {
        const client = scene()
        for (const command of wanted) {
          client.command(command)
          client.run(1700)
          for (const bytes of datagrams) client.datagram(bytes)
        }
        const before = client.sent.length
        client.run(600_000)
        assert.ok(client.sent.length - before < 200, `${client.sent.length - before}`)
      }),
      { numRuns: 100 },
    )
  })
})

const TROUBLES = [
  "loss",
  "restart",
  "reorder",
  "duplicate",
  "announce",
  "unreachable",
  "renumber",
  "offline",
  "stray",
  "old firmware",
  "new firmware",
] as const

/** What befalls a network, and for how many milliseconds. */
interface Trouble {
  readonly kind: (typeof TROUBLES)[number]
  readonly for: number
}

const troubles: fc.Arbitrary<readonly Trouble[]> = fc.array(
  fc.record({ kind: fc.constantFrom(...TROUBLES), for: fc.oneof(fc.nat(10_000), fc.nat(3_000_000)) }),
  { maxLength: 8 },
)

const TWO_ENDS = [...router().ends, { address: address("10.0.0.1"), client: CLIENT }]

/** One server, spoken to in each way. */
const ways: fc.Arbitrary<ClientServer> = fc.constantFrom(
  router(),
  router({ protocol: "pcp" }),
  router({ protocol: "nat-pmp" }),
  router({ ends: TWO_ENDS }),
)

/** A client with two mappings, and what befalls it; the network is well again afterwards. */
const suffer = (seed: number, way: ClientServer, all: readonly Trouble[]) => {
  const client = scene({ seed: new Uint8Array(32).fill(seed), servers: [way] })
  const server = realServer()
  let kind: Trouble["kind"] | undefined
  let turn = false
  client.respond((sent) => {
    turn = !turn
    const replies = kind === "loss" || kind === "offline" ? [] : server.respond(sent)
    if (kind === "duplicate") return [...replies, ...replies]
    if (kind !== "reorder") return replies
    for (const bytes of replies) client.deliver(bytes, turn ? 10 : 7000, sent.to)
    return []
  })
  client.command({ type: "request", id: "web", request: TCP_8080 })
  client.command({ type: "request", id: "dns", request: { ...TCP_8080, protocol: 17, internalPort: 53 } })
  client.run(5000)
  const befall = (): void => {
    const now = client.now()
    if (kind === "restart" || kind === "announce") server.restart(now)
    if (kind === "announce") client.datagram(announcement(0))
    if (kind === "old firmware") server.restart(now, { pcp: false })
    if (kind === "new firmware") server.restart(now, { natPmp: false })
    if (kind === "unreachable")
      for (const { address: to } of way.ends) client.give({ type: "unreachable", now, address: to, port: 5351 })
    if (kind === "renumber") client.command({ type: "network-changed", servers: [way] })
    if (kind === "offline") client.command({ type: "network-changed", servers: [] })
    if (kind === "stray") client.datagram(Uint8Array.of(2, 129, 0, 0))
  }
  for (const one of all) {
    const wasOffline = kind === "offline"
    kind = one.kind
    if (wasOffline) client.command({ type: "network-changed", servers: [way] })
    befall()
    client.run(one.for)
  }
  if (kind === "offline") client.command({ type: "network-changed", servers: [way] })
  kind = undefined
  server.restart(client.now())
  return { client, server }
}

describe("a mapping that is kept, at a server that behaves", () => {
  test("C-55, C-130: after any finite trouble it runs again, and the server's table agrees", () => {
    fc.assert(
      fc.property(troubles, fc.nat(255), ways, (all, seed, way) => {
        const { client, server } = suffer(seed, way, all)
        // An hour's lifetime, the longest retransmission, the longest penalty: a day is more than enough.
        client.run(86_400_000)
        assert.deepEqual(client.states(), ["router running", "router running"])
        const table = mappings(server.server(), client.now()).mappings.filter(({ kind }) => kind === "map")
        for (const { request, mapping } of listLeases(client.state())) {
          const row = table.find(
            (one) => one.protocol === request.protocol && one.internalPort === request.internalPort,
          )
          assert.ok(row !== undefined && mapping !== undefined)
          assert.deepEqual([row.internal, row.external, row.externalPort], [CLIENT, EXTERNAL, mapping.externalPort])
          assert.equal(mapping.external, EXTERNAL)
        }
      }),
      { numRuns: 60 },
    )
  })

  test("the same seed and the same network give the same, to the octet", () => {
    const run = (seed: number) => {
      const client = scene({ seed: new Uint8Array(32).fill(seed) })
      const server = realServer()
      client.respond(server.respond)
      client.command({ type: "request", id: "web", request: TCP_8080 })
      client.run(10_000_000)
      server.restart(client.now())
      client.datagram(announcement(0))
      client.run(10_000_000)
      return [client.sent, client.timed()]
    }
    assert.deepEqual(run(1), run(1))
    assert.notDeepEqual(run(1), run(2))
  })
})
