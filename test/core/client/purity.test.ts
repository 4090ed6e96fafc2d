import assert from "node:assert/strict"
import { describe, test } from "node:test"
import fc from "fast-check"
import { type ClientInput, type ClientState, createClient, step } from "../../../core/client/index.ts"
import { inputs } from "./inputs.ts"
import { CLIENT, ROUTER, router, SEED, scene, TCP_8080 } from "./scene.ts"

const start = (seed: Uint8Array = SEED): ClientState => {
  const created = createClient({ seed, now: 0, servers: [router(), router({ name: "other" })] })
  assert.ok(created.ok)
  return created.state
}

/** All states and effects of a history. */
const replay = (history: readonly ClientInput[], from = start()) => {
  let state = from
  return history.map((input) => {
    const [after, effects] = step(state, input)
    state = after
    return { state, effects }
  })
}

describe("a step", () => {
  test("of one state and input gives the same twice, later too, and leaves the state as it was", () => {
    fc.assert(
      fc.property(inputs, (history) => {
        const first = replay(history)
        const copies = first.map(({ state }) => structuredClone(state))
        assert.deepEqual(replay(history), first)
        for (const [index, { state }] of first.entries()) {
          assert.deepEqual(state, copies[index])
          const next = history[index + 1]
          if (next !== undefined)
            assert.deepEqual(step(state, next), [first[index + 1].state, first[index + 1].effects])
        }
      }),
      { numRuns: 100 },
    )
  })

  test("keeps none of what it is given: octets that change afterwards change nothing", () => {
    const client = scene()
    const thirdPartyId = Uint8Array.of(1, 2, 3)
    const data = Uint8Array.of(5)
    const filters = [{ remote: ROUTER, prefixLength: 32, remotePort: 0 }]
    client.command({
      type: "request",
      id: "one",
      request: {
        ...TCP_8080,
        thirdParty: ROUTER,
        thirdPartyId,
        filters,
        options: [{ kind: "unknown", code: 200, data }],
      },
    })
    client.run(3500)
    thirdPartyId.fill(9)
    data.fill(9)
    filters.length = 0
    client.run(10_000)
    const last = client.sent.at(-1)?.bytes ?? new Uint8Array()
    assert.deepEqual([...last], [...client.sent[0].bytes])
  })

  test("keeps nothing of a datagram's octets, and nothing of the seed's", () => {
    const seed = new Uint8Array(32).fill(4)
    let state = start(seed)
    const run = (input: ClientInput): readonly ReturnType<typeof step>[1][number][] => {
      const [after, effects] = step(state, input)
      state = after
      return [...effects]
    }
    const [sent] = run({
      type: "request",
      now: 0,
      id: "web",
      request: { ...TCP_8080, prefix64: true },
      servers: ["router"],
    }).filter((effect) => effect.type === "send")
    const bytes = Uint8Array.from(sent.bytes)
    bytes[1] |= 128
    bytes.fill(0, 12, 24)
    const before = run({ type: "datagram", now: 10, bytes, source: ROUTER, sourcePort: 5351, local: CLIENT })
    const copy = structuredClone({ state, before })
    bytes.fill(255)
    seed.fill(255)
    sent.bytes.fill(255)
    assert.deepEqual({ state, before }, copy)
    const [after] = step(state, { type: "tick", now: 3_000_000 })
    const [, expected] = step(copy.state, { type: "tick", now: 3_000_000 })
    assert.deepEqual(step(state, { type: "tick", now: 3_000_000 })[1], expected)
    assert.ok(after.now === 3_000_000)
  })
})
