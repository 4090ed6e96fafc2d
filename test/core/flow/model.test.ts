/** Thousands of flows that open and close between layers with few endpoint ids, on a network that keeps datagrams for long. */
import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { type FlowLayer, listFlows, QOS_CUBES } from "../../../core/flow/index.ts"
import { CLIENT, end, type Peer, SERVER, type Sent, scene, text } from "./scene.ts"

const NAME = "oecho"
/** How long a datagram lives in the network; endpoint ids rest longer. */
const LIFE = 3000

const random = (seed: number): (() => number) => {
  let state = seed | 0
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0
    return (state >>> 8) / 2 ** 24
  }
}

for (const eids of ["sequential", "random"] as const)
  test(`A5: thousands of flows, ${eids} endpoint ids: no message reaches a flow that it was not written for, however late`, () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const next = random(seed)
        const there = scene()
        const settings = { eids, firstEid: 64, lastEid: 363, maxFlows: 200, linger: LIFE + 500, respondTimeout: 1000 }
        const client = there.peer(CLIENT, settings, 1)
        const others = [there.peer(SERVER, settings, 2), there.peer(end("2001:db8::2", 3435), settings, 3)]
        for (const server of others) {
          server.give({ type: "create-name", name: NAME })
          server.give({ type: "register-name", name: NAME })
        }
        const peers: readonly Peer[] = [client, ...others]
        /** Flows by their owner and endpoint id, each time anew: `generation` tells them apart. */
        const generations = new Map<string, number>()
        const ends = new Map<string, string>()
        const kept: { readonly sent: Sent; readonly until: number }[] = []
        const olds: { readonly layer: FlowLayer; readonly flows: string }[] = []
        let opened = 0
        const begin = (peer: Peer, flow: number): void => {
          const key = `${peers.indexOf(peer)} ${flow}`
          generations.set(key, (generations.get(key) ?? 0) + 1)
        }
        const look = (): void => {
          for (const peer of peers)
            for (const event of peer.events()) {
              const key = "flow" in event ? `${peers.indexOf(peer)} ${event.flow}` : ""
              if (event.type === "allocated") opened++
              if (event.type !== "data") continue
              // It carries its writer with its generation: all messages of a reader's generation come from one writer's.
              const reader = `${key} ${generations.get(key)}`
              const writer = new TextDecoder().decode(event.data)
              assert.equal(ends.get(reader) ?? writer, writer)
              assert.equal(ends.get(`w${writer}`) ?? reader, reader)
              ends.set(reader, writer)
              ends.set(`w${writer}`, reader)
            }
        }
        for (let turn = 0; turn < 2500; turn++) {
          const choice = next()
          const server = others[next() < 0.5 ? 0 : 1]
          if (choice < 0.25) {
            for (const [peer, input] of [
              [server, { type: "accept", name: NAME, auto: true, timeout: 2000 }],
              [
                client,
                { type: "alloc", name: NAME, peer: server.at, timeout: 4000, qos: { ...QOS_CUBES.raw, timeout: 4000 } },
              ],
            ] as const) {
              const [result] = peer.give(input).flatMap((effect) => (effect.type === "result" ? [effect] : []))
              if (result?.ok) begin(peer, result.flow)
            }
          } else if (choice < 0.75) {
            const peer = peers[Math.floor(next() * 3)]
            const flows = listFlows(peer.layer()).filter(({ state }) => state === "ALLOCATED")
            const one = flows[Math.floor(next() * flows.length)]
            if (one !== undefined) {
              const key = `${peers.indexOf(peer)} ${one.flow}`
              if (next() < 0.35) peer.give({ type: "dealloc", flow: one.flow })
              else peer.give({ type: "write", flow: one.flow, data: text(`${key} ${generations.get(key)}`) })
            }
          } else if (choice < 0.8) {
            const layer = client.layer()
            olds.push({ layer, flows: JSON.stringify(listFlows(layer)) })
          } else there.pass(Math.floor(next() * 200))
          // The network: some at once, some lost, some kept and delivered again until their life is over.
          for (const sent of there.wire.splice(0)) {
            kept.push({ sent, until: there.now() + LIFE })
            if (next() < 0.8) there.deliver(sent)
          }
          const old = kept[Math.floor(next() * kept.length)]
          if (old !== undefined && old.until > there.now() && next() < 0.5) there.deliver(old.sent)
          while (kept[0] !== undefined && kept[0].until <= there.now()) kept.shift()
          look()
        }
        for (const { layer, flows } of olds) assert.equal(JSON.stringify(listFlows(layer)), flows)
        assert.ok(opened > 800, `${opened} flows`)
        // Both ends of a flow are told of it: there are fewer endpoint ids than flows, so most were given out again.
        assert.ok([...generations.values()].filter((count) => count > 1).length > 100)
      }),
      { numRuns: 6 },
    )
  })

test("100000 flows at once, each with its own message, and all of them end", () => {
  const there = scene()
  const count = 100_000
  const settings = { firstEid: 1, lastEid: count * 2, maxFlows: count * 2 } as const
  const client = there.peer(CLIENT, settings, 1)
  const server = there.peer(SERVER, settings, 2)
  server.give({ type: "create-name", name: NAME })
  server.give({ type: "register-name", name: NAME })
  for (let i = 0; i < count; i++) {
    server.flow({ type: "accept", name: NAME, auto: true })
    client.flow({ type: "alloc", name: NAME, peer: server.at })
    there.settle()
  }
  const allocated = (peer: Peer): number => listFlows(peer.layer()).filter(({ state }) => state === "ALLOCATED").length
  assert.deepEqual([allocated(client), allocated(server)], [count, count])
  client.events()
  server.events()
  for (const flow of [1, 50_000, 100_000]) {
    client.give({ type: "write", flow, data: text(`${flow}`) })
    there.settle()
    assert.deepEqual(server.events(), [{ type: "data", flow, data: text(`${flow}`) }])
  }
  client.give({ type: "exit" })
  there.pass(130_020)
  assert.equal(listFlows(client.layer()).length, 0)
  there.wire.length = 0
  for (let i = 0; i < 28; i++) {
    there.pass(10_000)
    there.wire.length = 0
  }
  assert.equal(listFlows(server.layer()).length, 0)
})
