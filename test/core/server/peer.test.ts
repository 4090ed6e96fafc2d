import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { map, NONCE, OTHER_NONCE, octets, peer, profileWith, read, Scene } from "./scene.ts"

const NOT_AUTHORIZED = 2
const MALFORMED_REQUEST = 3
const UNSUPP_OPCODE = 4
const UNSUPP_PROTOCOL = 9
const CANNOT_PROVIDE_EXTERNAL = 11

describe("PEER (RFC 6887 section 12.3)", () => {
  it("S-60 is UNSUPP_OPCODE when switched off", () => {
    assert.equal(new Scene({ profile: profileWith({ peer: false }) }).send(peer()).result, UNSUPP_OPCODE)
  })

  it("S-61 refuses protocol, internal port and remote peer port zero, MALFORMED_REQUEST", () => {
    const scene = new Scene()
    for (const bytes of [peer({ protocol: 0 }), peer({ port: 0 }), peer({ remotePort: 0 })])
      assert.equal(scene.send(bytes).result, MALFORMED_REQUEST)
    assert.equal(scene.send(peer({ protocol: 47 })).result, UNSUPP_PROTOCOL)
    assert.deepEqual(scene.mappings, [])
  })

  it("S-62 copies protocol, internal port, nonce, remote peer port and address", () => {
    const scene = new Scene()
    const bytes = peer({ protocol: 6, port: 5555, remotePort: 8443, remote: "198.51.100.99" })
    const reply = scene.reply(bytes)
    assert.equal(reply.length, 80)
    assert.deepEqual([...reply.subarray(24, 37)], [...NONCE, 6])
    assert.deepEqual([...reply.subarray(40, 42)], bytes.slice(40, 42))
    assert.deepEqual([...reply.subarray(60, 80)], bytes.slice(60, 80))
  })

  it("S-63 refuses a remote peer that no host has: loopback, multicast, this network, broadcast, IPv6", () => {
    const scene = new Scene()
    for (const remote of [
      "127.0.0.1",
      "224.0.0.1",
      "239.255.255.255",
      "0.0.0.0",
      "0.1.2.3",
      "255.255.255.255",
      "20010db8000000000000000000000001",
      "0".repeat(32),
    ])
      assert.equal(scene.send(peer({ remote })).result, MALFORMED_REQUEST, remote)
    assert.deepEqual(scene.mappings, [])
  })

  it("S-64 creates a mapping with the suggested end, or any when none is suggested", () => {
    const scene = new Scene()
    const suggested = scene.send(peer({ port: 1, suggestedPort: 5000, suggested: "203.0.113.2" }))
    assert.deepEqual([suggested.result, suggested.externalPort, suggested.external], [0, 5000, octets("203.0.113.2")])
    assert.equal(scene.send(peer({ port: 2 })).result, 0)
  })

  it("S-64 CANNOT_PROVIDE_EXTERNAL and no state for a suggestion that can't be honoured", () => {
    const scene = new Scene()
    scene.send(map({ client: "10.0.0.2", suggestedPort: 5000, suggested: "203.0.113.1" }), "10.0.0.2")
    const before = scene.mappings
    for (const wish of [
      { suggestedPort: 5000, suggested: "203.0.113.1" },
      { suggestedPort: 80 },
      { suggestedPort: 5001, suggested: "192.0.2.1" },
      { suggested: "192.0.2.1" },
    ])
      assert.equal(scene.send(peer(wish)).result, CANNOT_PROVIDE_EXTERNAL)
    assert.deepEqual(scene.mappings, before)
  })

  it("S-65 tells an existing mapping's end whatever is suggested, and remembers the nonce", () => {
    const scene = new Scene()
    scene.outbound("10.0.0.1", 17, 4000)
    const [implicit] = scene.mappings
    const reply = scene.send(peer({ suggestedPort: 5000, suggested: "203.0.113.2" }))
    assert.deepEqual([reply.result, reply.externalPort], [0, implicit.externalPort])
    assert.equal(scene.send(peer({ nonce: OTHER_NONCE })).result, NOT_AUTHORIZED)
  })

  it("S-66 another nonce is NOT_AUTHORIZED for as long as the mapping lasts", () => {
    const scene = new Scene()
    scene.send(peer({ lifetime: 1000 }))
    scene.now = 250_000
    const refused = scene.send(peer({ nonce: OTHER_NONCE }))
    assert.deepEqual([refused.result, refused.lifetime], [NOT_AUTHORIZED, 750])
    // Of one internal end all peers share an external end, so they share a nonce too (reference trap 6.7).
    assert.equal(scene.send(peer({ nonce: OTHER_NONCE, remote: "198.51.100.8" })).result, NOT_AUTHORIZED)
    assert.equal(scene.send(peer({ remote: "198.51.100.8" })).result, 0)
    assert.equal(scene.mappings.length, 2)
  })

  it("S-69 neither shortens nor deletes; lifetime 0 asks what is left", () => {
    const scene = new Scene()
    const first = scene.send(peer({ lifetime: 3600 }))
    scene.now = 600_000
    for (const lifetime of [0, 1, 120, 2999]) {
      const reply = scene.send(peer({ lifetime }))
      assert.deepEqual([reply.result, reply.lifetime, reply.externalPort], [0, 3000, first.externalPort])
      assert.deepEqual(scene.changes, [])
    }
    assert.equal(scene.send(peer({ lifetime: 7200 })).lifetime, 7200)
    assert.equal(scene.mappings[0].expires, 7_800_000)
    // With nothing there, nothing is made.
    const nothing = scene.send(peer({ port: 9, lifetime: 0, suggestedPort: 6000 }))
    assert.deepEqual([nothing.result, nothing.lifetime], [0, 0])
    assert.equal(scene.mappings.length, 1)
  })

  it("S-70 unrenewed, it falls back to what traffic keeps", () => {
    const scene = new Scene({ idleTimeout: { udp: 300, tcp: 7440 } })
    const { externalPort } = scene.send(peer({ lifetime: 120 }))
    scene.now = 119_000
    scene.outbound("10.0.0.1", 17, 4000)
    const { changes } = scene.wait(2)
    assert.deepEqual(
      changes.map((change) => (change.type === "expired" ? change.mapping.kind : change.type)),
      ["peer"],
    )
    assert.deepEqual(
      scene.mappings.map((mapping) => [mapping.kind, mapping.externalPort]),
      [["implicit", externalPort]],
    )
    scene.wait(300)
    assert.deepEqual(scene.mappings, [])
  })

  it("S-68 lives longer than traffic alone would keep it", () => {
    const scene = new Scene({ idleTimeout: { udp: 120, tcp: 7440 } })
    scene.outbound("10.0.0.1", 17, 4000)
    assert.equal(read(scene.reply(peer({ lifetime: 7200 }))).lifetime, 7200)
    scene.wait(7000)
    assert.deepEqual(
      scene.mappings.map(({ kind }) => kind),
      ["peer"],
    )
  })
})
