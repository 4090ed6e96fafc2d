/** Any order of updates, renewals and late calls of `advance` against a plain list of what is to be sent when. */
import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { advance, update } from "../../../core/server/index.ts"
import { map, Scene } from "./scene.ts"

type Move =
  | { readonly type: "update"; readonly port: number }
  | { readonly type: "renew"; readonly port: number }
  | { readonly type: "advance"; readonly after: number }

const port = fc.integer({ min: 1, max: 4 })
const move: fc.Arbitrary<Move> = fc.oneof(
  fc.record({ type: fc.constant("update" as const), port }),
  fc.record({ type: fc.constant("renew" as const), port }),
  fc.record({ type: fc.constant("advance" as const), after: fc.integer({ min: 0, max: 600 }) }),
)

test("S-92 each update goes out as often and as soon as RFC 6887 section 14.2 says, and not once refreshed, whatever comes between", () => {
  fc.assert(
    fc.property(fc.array(move, { maxLength: 60 }), fc.integer({ min: 0, max: 3 }), (moves, updateCount) => {
      const scene = new Scene({ updateCount })
      for (const one of [1, 2, 3, 4]) scene.send(map({ port: one }))
      const mappings = new Map(scene.mappings.map((mapping) => [mapping.internalPort, mapping]))
      const model = new Map<number, { sent: number; at: number }>()
      const start = scene.state
      for (const one of moves) {
        if (one.type === "update") {
          const mapping = mappings.get(one.port)
          assert.ok(mapping !== undefined)
          scene.state = update(scene.state, { mapping }, scene.now)[0]
          if (updateCount > 0) model.set(one.port, { sent: 0, at: scene.now })
        } else if (one.type === "renew") {
          scene.send(map({ port: one.port }))
          model.delete(one.port)
        } else {
          scene.now += one.after
          const [after, { send, next }] = advance(scene.state, scene.now)
          scene.state = after
          const wanted: number[] = []
          for (const [internalPort, { at, sent }] of model) {
            if (at > scene.now) continue
            wanted.push(internalPort)
            if (sent + 1 === updateCount) model.delete(internalPort)
            else model.set(internalPort, { sent: sent + 1, at: scene.now + (sent === 0 ? 250 : 500) })
          }
          const ports = send.map(({ bytes }) => bytes[40] * 256 + bytes[41])
          assert.deepEqual(ports.sort(), wanted.sort())
          for (const { at } of model.values()) assert.ok(next !== undefined && next <= at)
        }
      }
      // The state before it all has nothing to send.
      assert.deepEqual(advance(start, scene.now)[1].send, [])
    }),
    {
      examples: [
        [
          [
            { type: "update", port: 1 },
            { type: "advance", after: 0 },
            { type: "advance", after: 246 },
          ],
          2,
        ],
      ],
    },
  )
})
