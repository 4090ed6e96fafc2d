import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { map, natPmpMap, OTHER_NONCE, preferFailure, Scene } from "./scene.ts"

const CANNOT_PROVIDE_EXTERNAL = 11

/** A request for external port 5000 of 203.0.113.1, or nothing. */
const wanting = (client: string, more: Parameters<typeof map>[0] = {}) =>
  map({ client, suggested: "203.0.113.1", suggestedPort: 5000, options: preferFailure(), ...more })

describe("freed external ports (RFC 6887 section 15, S-136)", () => {
  it("S-136 are nobody else's for 120 s after a deletion, TCP and UDP, and anybody's then", () => {
    for (const protocol of [6, 17]) {
      const scene = new Scene()
      assert.equal(scene.send(wanting("10.0.0.1", { protocol })).result, 0)
      scene.send(map({ protocol, lifetime: 0 }))
      assert.deepEqual(scene.mappings, [])
      const other = () => scene.send(wanting("10.0.0.2", { protocol }), "10.0.0.2").result
      assert.equal(other(), CANNOT_PROVIDE_EXTERNAL)
      scene.now = 119_999
      assert.equal(other(), CANNOT_PROVIDE_EXTERNAL)
      scene.now = 120_000
      assert.equal(other(), 0)
    }
  })

  it("S-136 are held after they ran out too, from their end on", () => {
    const scene = new Scene()
    scene.send(wanting("10.0.0.1", { lifetime: 200 }))
    const other = () => scene.send(wanting("10.0.0.2"), "10.0.0.2").result
    scene.wait(319)
    assert.deepEqual(scene.mappings, [])
    assert.equal(other(), CANNOT_PROVIDE_EXTERNAL)
    scene.wait(1)
    assert.equal(other(), 0)
  })

  it("S-136 come back to the same internal address, port and nonce within the time, and to no other", () => {
    for (const [more, result] of [
      [{}, 0],
      [{ port: 4001 }, CANNOT_PROVIDE_EXTERNAL],
      [{ nonce: OTHER_NONCE }, CANNOT_PROVIDE_EXTERNAL],
    ] as const) {
      const scene = new Scene()
      scene.send(wanting("10.0.0.1"))
      scene.send(map({ lifetime: 0 }))
      scene.now = 60_000
      assert.equal(scene.send(wanting("10.0.0.1", more)).result, result, JSON.stringify(more))
    }
  })

  it("S-136 are held for NAT-PMP's internal end as well", () => {
    const scene = new Scene()
    const external = (reply: Uint8Array) => reply[10] * 256 + reply[11]
    assert.equal(external(scene.reply(natPmpMap(1, 4000, 5000, 3600))), 5000)
    scene.reply(natPmpMap(1, 4000, 0, 0))
    assert.notEqual(external(scene.reply(natPmpMap(1, 4001, 5000, 3600))), 5000)
    assert.equal(external(scene.reply(natPmpMap(1, 4000, 5000, 3600))), 5000)
  })

  it("S-136 are not assigned to anybody by chance either, and the delay can be set and be 0", () => {
    const scene = new Scene({ ports: { first: 5000, last: 5001 }, recycleDelay: { udp: 30, tcp: 0 } })
    for (const protocol of [17, 6]) {
      for (const port of [1, 2, 3, 4]) assert.equal(scene.send(map({ protocol, port })).result, 0)
      for (const port of [1, 2, 3, 4]) scene.send(map({ protocol, port, lifetime: 0 }))
    }
    const other = (protocol: number) => scene.send(map({ protocol, client: "10.0.0.2" }), "10.0.0.2").result
    assert.equal(other(17), 8)
    assert.equal(other(6), 0)
    scene.wait(30)
    assert.equal(other(17), 0)
  })
})
