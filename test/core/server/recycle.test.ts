import assert from "node:assert/strict"
import { Buffer } from "node:buffer"
import { describe, it } from "node:test"
import fc from "fast-check"
import { advance, type Outgoing, type RecycleAsk, updateRecycle } from "../../../core/server/index.ts"
import { address, filter, map, natPmpMap, octets, option, peer, preferFailure, Scene, thirdParty } from "./scene.ts"

const ask = (packet: readonly number[], more: Partial<RecycleAsk> = {}): RecycleAsk => ({
  packet: Uint8Array.from(packet),
  client: { address: address("10.0.0.1"), port: 40000 },
  external: address("198.51.100.77"),
  externalPort: 6000,
  lifetime: 300,
  ...more,
})

/** The first transmission at 2 s; `undefined` when the packet is none that can be used. */
const recycled = (scene: Scene, what: RecycleAsk): Outgoing | undefined => {
  const made = updateRecycle(scene.state, what, 2000)
  if (!made.ok) return undefined
  return advance(made.state, 2000)[1].send[0]
}

describe("updates made of a message at hand (libpcpd's pcpd_update_recycle)", () => {
  it("S-90 rewrite external end, lifetime and epoch of a previous response, and nothing else", () => {
    const scene = new Scene()
    for (const request of [map(), peer({ port: 4001 })]) {
      const response = scene.reply(request)
      const sent = recycled(scene, ask([...response]))
      const wanted = [...response]
      wanted.splice(4, 8, 0, 0, 1, 44, 0, 0, 0, 2)
      wanted.splice(42, 18, 0x17, 0x70, ...octets("198.51.100.77"))
      assert.deepEqual([...(sent?.bytes ?? [])], wanted)
      assert.equal(sent?.port, 40000)
    }
  })

  it("S-91 make the response of a matching request: THIRD_PARTY and FILTER stay, optional options go", () => {
    const scene = new Scene()
    const kept = [...thirdParty("10.0.0.7"), ...filter(128, 0, "198.51.100.1")]
    const request = map({ options: [...option(200, [1]), ...kept, ...option(128, [65])] })
    const sent = recycled(scene, ask(request))
    assert.deepEqual(
      [...(sent?.bytes.subarray(0, 24) ?? [])],
      [2, 0x81, 0, 0, 0, 0, 1, 44, 0, 0, 0, 2, ...new Array<number>(12).fill(0)],
    )
    assert.deepEqual([...(sent?.bytes.subarray(60) ?? [])], kept)
  })

  it("S-91 say CANNOT_PROVIDE_EXTERNAL of a request with PREFER_FAILURE whose end is another", () => {
    const scene = new Scene()
    const request = map({ suggestedPort: 6000, suggested: "198.51.100.77", options: preferFailure() })
    assert.equal(recycled(scene, ask(request))?.bytes[3], 0)
    const moved = recycled(scene, ask(request, { externalPort: 6001 }))
    assert.deepEqual([moved?.bytes[3], moved?.bytes[7]], [11, 30])
  })

  it("S-90 speak NAT-PMP of NAT-PMP, from request or response", () => {
    const scene = new Scene()
    const response = scene.reply(natPmpMap(1, 4000, 0, 3600))
    const wanted = [0, 129, 0, 0, 0, 0, 0, 2, 0x0f, 0xa0, 0x17, 0x70, 0, 0, 1, 44]
    for (const packet of [[...response], natPmpMap(1, 4000, 0, 3600)])
      assert.deepEqual([...(recycled(scene, ask(packet))?.bytes ?? [])], wanted)
  })

  it("keep the octets of the message that they were made of, also of a Buffer that its caller writes over", () => {
    const scene = new Scene()
    const packet = Buffer.from(scene.reply(map()))
    const what = { ...ask([]), packet }
    const wanted = recycled(scene, what)?.bytes
    const made = updateRecycle(scene.state, what, 2000)
    assert.ok(made.ok && wanted !== undefined)
    packet.fill(0xaa)
    for (let n = 0, now = 2000, { state } = made; n < 2; n++, now += 250) {
      const [after, { send }] = advance(state, now)
      state = after
      assert.deepEqual([...send[0].bytes.subarray(12)], [...wanted.subarray(12)])
    }
  })

  it("S-92 cease when the client refreshed the mapping", () => {
    const scene = new Scene()
    const response = scene.reply(map())
    const made = updateRecycle(scene.state, ask([...response]), 0)
    assert.ok(made.ok)
    scene.state = advance(made.state, 0)[0]
    scene.send(map())
    scene.now = 5000
    assert.deepEqual(advance(scene.state, 5000)[1].send, [])
  })

  it("takes any octets, and refuses what is no mapping message", () => {
    const scene = new Scene()
    assert.equal(recycled(scene, ask([])), undefined)
    assert.equal(recycled(scene, ask([0, 0])), undefined)
    assert.equal(recycled(scene, ask(map().slice(0, 59))), undefined)
    assert.equal(recycled(scene, ask(map({ options: [3, 0, 0, 200] }))), undefined)
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.boolean(), (bytes, near) => {
        if (near && bytes.length > 1) bytes.set([2 * (bytes[0] & 1), (bytes[1] & 0x80) | (bytes[1] & 3)])
        const made = updateRecycle(scene.state, { ...ask([]), packet: bytes }, 0)
        if (!made.ok) return
        const [{ bytes: sent }] = advance(made.state, 0)[1].send
        assert.ok(sent.length <= Math.max(16, bytes.length))
        assert.equal(sent[1], bytes[1] | 0x80)
      }),
    )
  })
})
