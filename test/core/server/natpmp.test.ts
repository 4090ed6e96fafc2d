import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { address, announce, map, NONCE, natPmpMap, peer, Scene } from "./scene.ts"

const read = (reply: Uint8Array) => {
  const view = new DataView(reply.buffer, reply.byteOffset, reply.length)
  return {
    length: reply.length,
    version: reply[0],
    opcode: reply[1],
    result: view.getUint16(2),
    epoch: reply.length >= 8 ? view.getUint32(4) : -1,
    port: reply.length >= 16 ? view.getUint16(8) : -1,
    externalPort: reply.length >= 16 ? view.getUint16(10) : -1,
    lifetime: reply.length >= 16 ? view.getUint32(12) : -1,
  }
}

const send = (scene: Scene, bytes: readonly number[], source = "10.0.0.1") => read(scene.reply(bytes, source))

describe("NAT-PMP (RFC 6886)", () => {
  it("N-01 a server of NAT-PMP alone answers other versions with 8 octets, opcode 0, no response bit", () => {
    const scene = new Scene({ pcp: false })
    scene.now = 7000
    for (const bytes of [map(), [1, 1], [255, 0]]) assert.deepEqual([...scene.reply(bytes)], [0, 0, 0, 1, 0, 0, 0, 7])
    assert.equal(send(scene, [0, 0]).result, 0)
  })

  it("N-02 ignores opcodes from 128 on, returns others whole with the top bit and result 5", () => {
    const scene = new Scene()
    assert.equal(scene.raw([0, 128]).dropped, "response")
    assert.equal(scene.raw([0, 129, 0, 0]).dropped, "response")
    assert.deepEqual([...scene.reply([0, 3, 9, 9, 1, 2, 3])], [0, 131, 0, 5, 1, 2, 3])
    assert.deepEqual([...scene.reply([0, 127])], [0, 255, 0, 5])
    assert.equal(scene.reply([0, 5, ...new Array<number>(2000).fill(1)]).length, 1100)
  })

  it("tells the external address that the host's mappings have", () => {
    const scene = new Scene()
    scene.now = 3000
    const reply = scene.reply([0, 0])
    assert.deepEqual([...reply.subarray(0, 8)], [0, 128, 0, 0, 0, 0, 0, 3])
    const told = `${reply[8]}.${reply[9]}.${reply[10]}.${reply[11]}`
    send(scene, natPmpMap(1, 4000, 0, 7200))
    assert.equal(scene.mappings[0].external, address(told))
    assert.equal(scene.mappings[0].origin, "nat-pmp")
  })

  it("N-03 takes the source for the internal address, and nothing from the outside", () => {
    const scene = new Scene()
    send(scene, natPmpMap(2, 80, 8080, 60), "10.0.0.5")
    const [mapping] = scene.mappings
    assert.deepEqual(
      [mapping.internal, mapping.protocol, mapping.internalPort, mapping.externalPort, mapping.nonce],
      [address("10.0.0.5"), 6, 80, 8080, undefined],
    )
    assert.equal(scene.raw([0, 0], "10.0.0.1", "outside").reply, undefined)
  })

  it("N-03 makes one mapping and reserves its companion port for the same host", () => {
    const scene = new Scene({ external: [address("203.0.113.1")] })
    assert.equal(send(scene, natPmpMap(2, 80, 8080, 7200)).externalPort, 8080)
    assert.equal(scene.mappings.length, 1)
    // No other host gets UDP 8080: not by NAT-PMP, not by PCP, not as the only port wanted.
    assert.notEqual(send(scene, natPmpMap(1, 80, 8080, 7200), "10.0.0.2").externalPort, 8080)
    assert.notEqual(scene.send(map({ client: "10.0.0.3", suggestedPort: 8080 }), "10.0.0.3").externalPort, 8080)
    const exact = scene.send(peer({ client: "10.0.0.4", suggestedPort: 8080 }), "10.0.0.4")
    assert.equal(exact.result, 11)
    // The host itself does.
    assert.equal(send(scene, natPmpMap(1, 80, 8080, 7200)).externalPort, 8080)
  })

  it("N-03 never chooses a port whose companion somebody has, and lets the companion go with the mapping", () => {
    const scene = new Scene({ external: [address("203.0.113.1")], ports: { first: 2000, last: 2003 } })
    scene.send(map({ client: "10.0.0.9", protocol: 17, suggestedPort: 2001 }), "10.0.0.9")
    const given = [1, 2, 3].map((port) => send(scene, natPmpMap(2, port, 0, 7200)).externalPort)
    assert.deepEqual(given.sort(), [2000, 2002, 2003])
    // TCP 2001 is free, but its companion is another host's: out of resources for NAT-PMP, not for PCP.
    const refused = send(scene, natPmpMap(2, 4, 0, 7200))
    assert.deepEqual([refused.result, refused.externalPort, refused.lifetime, refused.port], [4, 0, 0, 4])
    assert.equal(scene.send(map({ protocol: 6, port: 4 })).externalPort, 2001)
    send(scene, natPmpMap(2, 1, 0, 0))
    assert.equal(scene.send(map({ client: "10.0.0.9", port: 77 }), "10.0.0.9").result, 0)
  })

  it("N-04 tells the port already assigned, whatever is suggested now and however the mapping came to be", () => {
    const scene = new Scene()
    const first = send(scene, natPmpMap(1, 4000, 5000, 7200))
    assert.equal(send(scene, natPmpMap(1, 4000, 6000, 7200)).externalPort, first.externalPort)
    scene.outbound("10.0.0.1", 17, 4001)
    const implicit = scene.mappings.find(({ internalPort }) => internalPort === 4001)
    assert.equal(send(scene, natPmpMap(1, 4001, 6001, 7200)).externalPort, implicit?.externalPort)
    const pcp = scene.send(map({ port: 4002, lifetime: 600 }))
    const told = send(scene, natPmpMap(1, 4002, 6002, 7200))
    assert.deepEqual([told.result, told.externalPort, told.lifetime], [0, pcp.externalPort, 600])
    assert.deepEqual(scene.changes, [])
  })

  it("N-04 grants no more than asked, and assigns another port for one that is taken", () => {
    const scene = new Scene({ external: [address("203.0.113.1")] })
    assert.equal(send(scene, natPmpMap(1, 1, 5000, 1)).lifetime, 1)
    assert.equal(send(scene, natPmpMap(1, 2, 5001, 0xffffffff)).lifetime, 86400)
    const other = send(scene, natPmpMap(1, 1, 5001, 7200), "10.0.0.2")
    assert.deepEqual([other.result, other.externalPort === 5001], [0, false])
  })

  it("N-05 deletes: result 0, external port 0, lifetime 0; a mapping not there is deleted already", () => {
    const scene = new Scene()
    send(scene, natPmpMap(1, 4000, 5000, 7200))
    for (let i = 0; i < 2; i++) {
      const reply = send(scene, natPmpMap(1, 4000, 5000, 0))
      assert.deepEqual(
        [reply.opcode, reply.result, reply.port, reply.externalPort, reply.lifetime],
        [129, 0, 4000, 0, 0],
      )
    }
    assert.deepEqual(scene.mappings, [])
  })

  it("N-05 lets a mapping go at its end", () => {
    const scene = new Scene()
    send(scene, natPmpMap(1, 4000, 5000, 60))
    scene.wait(60)
    assert.deepEqual(scene.mappings, [])
  })

  it("N-05 deletes all of one protocol and one host with internal port 0, as many as it may", () => {
    const scene = new Scene()
    for (const port of [1, 2, 3]) send(scene, natPmpMap(1, port, 0, 7200))
    send(scene, natPmpMap(2, 1, 0, 7200))
    send(scene, natPmpMap(1, 1, 0, 7200), "10.0.0.2")
    const reply = send(scene, natPmpMap(1, 0, 0, 0))
    assert.deepEqual([reply.result, reply.port, reply.externalPort, reply.lifetime], [0, 0, 0, 0])
    assert.deepEqual(
      scene.mappings.map(({ internal, protocol }) => [internal, protocol]),
      [
        [address("10.0.0.1"), 6],
        [address("10.0.0.2"), 17],
      ],
    )
    // A mapping with a nonce is not NAT-PMP's to delete: the rest goes, the result says so.
    send(scene, natPmpMap(1, 5, 0, 7200))
    scene.send(map({ port: 6 }))
    assert.equal(send(scene, natPmpMap(1, 0, 0, 0)).result, 2)
    assert.deepEqual(
      scene.mappings.filter(({ protocol, internal }) => protocol === 17 && internal === address("10.0.0.1")).length,
      1,
    )
  })

  it("N-05 S-44 a PCP mapping is not NAT-PMP's to delete, having a nonce", () => {
    const scene = new Scene()
    scene.send(map({ nonce: NONCE }))
    assert.equal(send(scene, natPmpMap(1, 4000, 0, 0)).result, 2)
    assert.equal(scene.mappings.length, 1)
  })

  it("N-02 tells an error with epoch and internal port, external port and lifetime 0", () => {
    const scene = new Scene({ external: [address("203.0.113.1")], ports: { first: 2000, last: 2000 } })
    scene.now = 4000
    send(scene, natPmpMap(1, 1, 0, 7200))
    const refused = send(scene, natPmpMap(1, 2, 2000, 7200))
    assert.deepEqual(
      [refused.opcode, refused.result, refused.epoch, refused.port, refused.externalPort, refused.lifetime],
      [129, 4, 4, 2, 0, 0],
    )
    // RFC 6886 has no meaning for internal port 0 with a lifetime.
    assert.equal(send(scene, natPmpMap(1, 0, 0, 7200)).result, 2)
  })

  it("N-07 can be switched off", () => {
    const scene = new Scene({ natPmp: false })
    assert.equal(scene.send([0, 0]).result, 1)
  })

  it("drops mapping requests under 12 octets, takes longer ones", () => {
    const scene = new Scene()
    assert.equal(scene.raw([0, 1]).dropped, "too-short")
    assert.equal(scene.raw(natPmpMap(1, 1, 1, 1).slice(0, 11)).dropped, "too-short")
    assert.equal(send(scene, [...natPmpMap(1, 1, 0, 100), 1, 2, 3]).result, 0)
    assert.equal(send(scene, [0, 0, 0, 0]).length, 12)
  })

  it("counts apart from PCP", () => {
    const scene = new Scene()
    send(scene, natPmpMap(1, 1, 0, 100))
    send(scene, [0, 3, 0, 0])
    scene.send(announce())
    assert.deepEqual(scene.counters["natpmp-operation"], [
      { index: 1, count: 1 },
      { index: 3, count: 1 },
    ])
    assert.deepEqual(scene.counters["natpmp-result"], [
      { index: 0, count: 1 },
      { index: 5, count: 1 },
    ])
  })
})
