import assert from "node:assert/strict"
import { describe, it } from "node:test"
import type { StaticMapping } from "../../../core/cgn/index.ts"
import { createServer } from "../../../core/server/index.ts"
import { address, map, NONCE, natPmpMap, OTHER_NONCE, octets, POOL, peer, preferFailure, Scene } from "./scene.ts"

const NOT_AUTHORIZED = 2
const CANNOT_PROVIDE_EXTERNAL = 11
const FOREVER = 0xffffffff

const web: StaticMapping = {
  protocol: 6,
  internal: address("10.0.0.1"),
  internalPort: 8080,
  external: address("203.0.113.2"),
  externalPort: 80,
}

const ask = { protocol: 6, port: 8080 }

describe("static mappings (RFC 6887 sections 11.3 and 15.1)", () => {
  it("S-45 S-47 answer any nonce with their end, for ever, and keep nothing of the request", () => {
    const scene = new Scene({ staticMappings: [web] })
    const before = scene.mappings
    for (const nonce of [NONCE, OTHER_NONCE]) {
      const reply = scene.send(map({ ...ask, nonce, suggested: "203.0.113.1", suggestedPort: 5000 }))
      assert.deepEqual([reply.result, reply.lifetime, reply.externalPort], [0, FOREVER, 80])
      assert.deepEqual(reply.external, octets("203.0.113.2"))
      assert.deepEqual(reply.nonce, nonce)
      assert.deepEqual(scene.changes, [])
    }
    assert.deepEqual(scene.mappings, before)
    assert.equal(scene.mappings[0].kind, "static")
    assert.equal(scene.mappings[0].nonce, undefined)
    scene.wait(10_000_000)
    assert.deepEqual(scene.mappings, before)
  })

  it("S-47 S-50 refuse PREFER_FAILURE for another end, CANNOT_PROVIDE_EXTERNAL, before they answer", () => {
    const scene = new Scene({ staticMappings: [web] })
    const options = preferFailure()
    const other = scene.send(map({ ...ask, suggested: "203.0.113.2", suggestedPort: 81, options }))
    assert.equal(other.result, CANNOT_PROVIDE_EXTERNAL)
    const same = scene.send(map({ ...ask, suggested: "203.0.113.2", suggestedPort: 80, options }))
    assert.deepEqual([same.result, same.lifetime], [0, FOREVER])
  })

  it("S-134 are not deleted by anybody, PCP or NAT-PMP; N-05 result 2", () => {
    const scene = new Scene({ staticMappings: [web] })
    assert.equal(scene.send(map({ ...ask, lifetime: 0 })).result, NOT_AUTHORIZED)
    assert.deepEqual([...scene.reply(natPmpMap(2, 8080, 0, 0))].slice(2, 4), [0, 2])
    // All of a protocol: the others go, the answer says that not all did.
    scene.send(map({ protocol: 6, port: 9090 }))
    assert.deepEqual([...scene.reply(natPmpMap(2, 0, 0, 0))].slice(2, 4), [0, 2])
    assert.ok(scene.mappings.some(({ kind }) => kind === "static"))
  })

  it("N-04 tell NAT-PMP of their port, for no longer than it asked", () => {
    const scene = new Scene({ staticMappings: [web] })
    const reply = [...scene.reply(natPmpMap(2, 8080, 5000, 7200))]
    assert.deepEqual(reply, [0, 130, 0, 0, 0, 0, 0, 0, 0x1f, 0x90, 0, 80, 0, 0, 0x1c, 0x20])
  })

  it("S-53 give their host's other mappings the same external address", () => {
    for (const external of POOL) {
      const scene = new Scene({ staticMappings: [{ ...web, external: address(external) }] })
      for (let port = 4000; port < 4010; port++) {
        assert.deepEqual(scene.send(map({ port })).external, octets(external))
        assert.deepEqual(scene.send(peer({ port: port + 100 })).external, octets(external))
      }
    }
  })

  it("S-48 S-52 keep their port from others, and count to no quota", () => {
    const scene = new Scene({ staticMappings: [web], quota: 1 })
    const taken = map({
      client: "10.0.0.2",
      protocol: 6,
      suggested: "203.0.113.2",
      suggestedPort: 80,
      options: preferFailure(),
    })
    assert.equal(scene.send(taken, "10.0.0.2").result, CANNOT_PROVIDE_EXTERNAL)
    assert.equal(scene.send(map({ port: 4000 })).result, 0)
    assert.equal(scene.send(map({ port: 4001 })).result, 10)
  })

  it("that contradict each other make no server", () => {
    const made = createServer({
      external: POOL.map(address),
      secret: new Uint8Array(32),
      now: 0,
      staticMappings: [web, { ...web, internalPort: 81 }],
    })
    assert.equal(made.ok, false)
  })
})
