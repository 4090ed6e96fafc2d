/** Flows over a network that loses, repeats, reorders, damages and makes up datagrams. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import fc from "fast-check"
import { createFlowLayer, type FlowForm, listFlows, stepFlow } from "../../../core/flow/index.ts"
import { octets } from "./arbitrary.ts"
import { CLIENT, end, pair, SERVER, type Sent, text } from "./scene.ts"
import { FLOW_REPLY, FLOW_REQUEST } from "./vectors.ts"

const NAME = "oecho"

/** What the network does next: with which of the datagrams under way, and what. */
const move = fc.record(
  {
    act: fc.constantFrom("deliver", "deliver", "deliver", "lose", "repeat", "spoof", "damage", "write", "pass", "old"),
    which: fc.nat({ max: 1000 }),
    value: fc.nat({ max: 255 }),
  },
  { noNullPrototype: true },
)

describe("an adversarial network", () => {
  for (const form of ["current", "first"] satisfies readonly FlowForm[])
    test(`A5, A8: ${form} form: what arrives is what was written to that flow by its peer, at most as often as the network repeats it`, () => {
      fc.assert(
        fc.property(fc.array(move, { minLength: 20, maxLength: 200 }), (moves) => {
          const { there, client, server } = pair({ form, firstEid: 64, lastEid: 4095 })
          const far = [1, 2].map(() => server.flow({ type: "accept", name: NAME, auto: true }))
          const here = [1, 2].map(() => client.flow({ type: "alloc", name: NAME, peer: server.at }))
          const seen: Sent[] = []
          const written = new Set<string>()
          /** Which flow here has which there: each once, whatever the network does. */
          const partners = new Map<string, string>()
          let count = 0
          const look = (): void => {
            for (const peer of [client, server])
              for (const event of peer.events()) {
                if (event.type !== "data") continue
                // The echo of a name that the network repeated is a message like any other: nothing tells them apart.
                if (form === "first" && new TextDecoder().decode(event.data) === NAME) continue
                const [side, flow, number] = new TextDecoder().decode(event.data).split(" ")
                const sender = `${side} ${flow}`
                assert.ok(written.has(`${sender} ${number}`), "nobody wrote that")
                assert.notEqual(side, peer === client ? "client" : "server", "it came back to whoever wrote it")
                const receiver = `${peer === client ? "client" : "server"} ${event.flow}`
                assert.equal(partners.get(sender) ?? receiver, receiver, "a flow has one other end")
                partners.set(sender, receiver)
              }
          }
          for (const { act, which, value } of moves) {
            const at = there.wire.length === 0 ? -1 : which % there.wire.length
            const [one] =
              at < 0
                ? []
                : act === "repeat"
                  ? [there.wire[at]]
                  : there.wire.splice(at, act === "deliver" || act === "lose" ? 1 : 0)
            if (one !== undefined) seen.push(one)
            if (one !== undefined && act !== "lose") there.deliver(one)
            const known = seen[which % Math.max(1, seen.length)]
            if (act === "old" && known !== undefined) there.deliver(known)
            if (act === "spoof" && known !== undefined)
              there.deliver({ ...known, from: end(`203.0.113.${value}`, 1 + which), bytes: text(`spoofed ${value} 0`) })
            // A flipped bit of today's form reaches another flow or none; UDP's checksum keeps it from the application.
            if (act === "damage" && known !== undefined && form === "current") {
              const bytes = known.bytes.slice(0, 46)
              there.deliver({ ...known, from: end("203.0.113.250", 3435), bytes })
            }
            if (act === "write")
              for (const [side, peer, flows] of [
                ["client", client, here],
                ["server", server, far],
              ] as const) {
                const flow = flows[value % 2]
                if (peer.stateOf(flow) !== "ALLOCATED") continue
                count++
                written.add(`${side} ${flow} ${count}`)
                peer.give({ type: "write", flow, data: text(`${side} ${flow} ${count}`) })
              }
            if (act === "pass") there.pass(value * 4)
            look()
          }
          // Left alone the network is fair again: every allocation that still has time comes to a good end.
          for (let i = 0; i < 60; i++) {
            there.settle()
            there.pass(500)
          }
          for (const flow of here) assert.notEqual(client.stateOf(flow), "ALLOC_PENDING")
          const allocated = here.filter((flow) => client.stateOf(flow) === "ALLOCATED")
          assert.ok(listFlows(server.layer()).filter(({ state }) => state === "ALLOCATED").length >= allocated.length)
        }),
        { numRuns: 60 },
      )
    })

  test("A5: replayed requests and replies make no flow that was not asked for", () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { maxLength: 60 }), (replays) => {
        const { there, client, server } = pair()
        for (let i = 0; i < 8; i++) server.flow({ type: "accept", name: NAME, auto: true })
        const flow = client.flow({ type: "alloc", name: NAME, peer: server.at })
        there.settle()
        for (const reply of replays) {
          if (reply) there.deliver({ from: server.at, to: client.at, bytes: FLOW_REPLY })
          else there.deliver({ from: client.at, to: server.at, bytes: FLOW_REQUEST })
          there.settle()
        }
        assert.equal(listFlows(server.layer()).filter(({ state }) => state === "ALLOCATED").length, 1)
        assert.deepEqual(
          listFlows(client.layer()).map((one) => [one.flow, one.state]),
          [[flow, "ALLOCATED"]],
        )
      }),
    )
  })

  test("A5, A2: any octets from anybody: none throws, and what they make is bounded", () => {
    const source = fc.constantFrom(CLIENT, SERVER, end("203.0.113.1", 1), end("2001:db8::1", 3435))
    for (const form of ["current", "first"] satisfies readonly FlowForm[])
      fc.assert(
        fc.property(fc.array(fc.tuple(octets, source, fc.nat({ max: 70 })), { maxLength: 60 }), (datagrams) => {
          const made = createFlowLayer({
            seed: new Uint8Array(32),
            now: 0,
            settings: { form, maxFlows: 8, maxWaiting: 4 },
          })
          assert.ok(made.ok)
          let layer = made.layer
          let now = 0
          const give = (input: Parameters<typeof stepFlow>[1]): number => {
            const [next, effects] = stepFlow(layer, input)
            layer = next
            return effects.filter(({ type }) => type === "send").length
          }
          give({ type: "create-name", name: NAME, now })
          give({ type: "register-name", name: NAME, now })
          give({ type: "alloc", name: NAME, peer: SERVER, now })
          give({ type: "accept", name: NAME, auto: true, now })
          for (const [bytes, from, socket] of datagrams) {
            now += bytes.length
            const due = layer.wake !== undefined && layer.wake <= now ? 16 : 0
            const sent = give({
              type: "datagram",
              socket: form === "first" && socket > 62 ? socket : 0,
              bytes,
              source: from.address,
              sourcePort: from.port,
              now,
            })
            // Nobody is answered by more than was sent.
            assert.ok(sent <= 1 + due)
            assert.ok(listFlows(layer).length <= 8)
          }
        }),
        { numRuns: 300 },
      )
  })
})
