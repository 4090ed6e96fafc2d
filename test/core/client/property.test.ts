import assert from "node:assert/strict"
import { describe, test } from "node:test"
import fc from "fast-check"
import { createClient, type Effect, listLeases, step } from "../../../core/client/index.ts"
import { mappings } from "../../../core/server/index.ts"
import { announcement } from "./answer.ts"
import { commands, inputs, octets } from "./inputs.ts"
import { CLIENT, EXTERNAL, ROUTER, realServer, router, SEED, scene, TCP_8080 } from "./scene.ts"

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

/** What befalls a network for a while. */
interface Trouble {
  readonly kind: "loss" | "restart" | "reorder" | "duplicate" | "announce" | "unreachable" | "renumber" | "stray"
  readonly for: number
}

const trouble: fc.Arbitrary<Trouble> = fc.record({
  kind: fc.constantFrom<Trouble["kind"]>(
    "loss",
    "restart",
    "reorder",
    "duplicate",
    "announce",
    "unreachable",
    "renumber",
    "stray",
  ),
  for: fc.oneof(fc.nat(10_000), fc.nat(3_000_000)),
})

describe("a mapping that is kept, at a server that behaves", () => {
  test("C-55, C-130: after any finite trouble it runs again, and the server's table agrees", () => {
    fc.assert(
      fc.property(
        fc.array(trouble, { maxLength: 8 }),
        fc.nat(255),
        fc.constantFrom("pcp", "nat-pmp"),
        (troubles, seed, protocol) => {
          const client = scene({ seed: new Uint8Array(32).fill(seed), servers: [router({ protocol })] })
          const server = realServer()
          let kind: Trouble["kind"] | undefined
          let toggle = false
          client.respond((sent) => {
            toggle = !toggle
            if (kind === "loss" && toggle) return []
            const replies = server.respond(sent)
            if (kind === "loss") return []
            if (kind === "duplicate") return [...replies, ...replies]
            if (kind === "reorder") {
              for (const bytes of replies) client.deliver(bytes, toggle ? 10 : 7000)
              return []
            }
            return replies
          })
          client.command({ type: "request", id: "web", request: TCP_8080 })
          client.command({ type: "request", id: "dns", request: { ...TCP_8080, protocol: 17, internalPort: 53 } })
          client.run(5000)
          for (const one of troubles) {
            kind = one.kind
            if (kind === "restart") server.restart(client.now())
            if (kind === "announce") {
              server.restart(client.now())
              client.datagram(announcement(0))
            }
            if (kind === "unreachable")
              client.give({ type: "unreachable", now: client.now(), address: ROUTER, port: 5351 })
            if (kind === "renumber") client.command({ type: "network-changed", servers: [router({ protocol })] })
            if (kind === "stray") client.datagram(Uint8Array.of(2, 129, 0, 0))
            client.run(one.for)
          }
          kind = undefined
          // An hour's lifetime, the longest retransmission, the longest penalty: a day is more than enough.
          client.run(86_400_000)
          assert.deepEqual(client.states(), ["router running", "router running"])
          const table = mappings(server.server(), client.now()).mappings.filter(({ kind: of }) => of === "map")
          const leases = listLeases(client.state())
          for (const { request, mapping } of leases) {
            const row = table.find(
              (one) => one.protocol === request.protocol && one.internalPort === request.internalPort,
            )
            assert.ok(row !== undefined && mapping !== undefined)
            assert.deepEqual([row.internal, row.external, row.externalPort], [CLIENT, EXTERNAL, mapping.externalPort])
            assert.equal(mapping.external, EXTERNAL)
          }
        },
      ),
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
