import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { announce, map, OTHER_NONCE, octets, option, peer, read, Scene } from "./scene.ts"

describe("the pipeline of RFC 6887 section 8.2", () => {
  it("S-01 B-01 answers every request it does not drop, IPv4 clients by all 96 first bits", () => {
    const scene = new Scene()
    assert.equal(scene.send(map()).result, 0)
    assert.equal(scene.send(peer({ port: 4001 })).result, 0)
    assert.equal(scene.send(announce()).result, 0)
    // ::1:10.0.0.1 has IPv4's last 48 bits but one: not the client 10.0.0.1.
    const near = map()
    near[17] = 1
    assert.equal(scene.send(near).result, 12)
  })

  it("S-02 ignores whatever comes from the outside", () => {
    const scene = new Scene()
    const before = scene.state
    for (const bytes of [map(), announce(), [0, 0], [1, 1]]) {
      const { reply, dropped } = scene.raw(bytes, "10.0.0.1", "outside")
      assert.equal(reply, undefined)
      assert.equal(dropped, "outside")
    }
    assert.deepEqual(scene.mappings, [])
    assert.equal(before.epochStart, scene.state.epochStart)
  })

  it("asks the permission rules about every opcode, ANNOUNCE too", () => {
    const scene = new Scene({ rules: [{ allow: false, opcode: 0 }] })
    assert.deepEqual([scene.send(announce()).result, scene.send(map()).result], [2, 0])
    const all = new Scene({ rules: [{ allow: false }] })
    assert.deepEqual(
      [announce(), map(), peer()].map((bytes) => all.send(bytes).result),
      [2, 2, 2],
    )
  })

  it("S-03 drops under 2 octets, then R bit set, then a supported version under 24", () => {
    const scene = new Scene()
    assert.equal(scene.raw([]).dropped, "too-short")
    assert.equal(scene.raw([2]).dropped, "too-short")
    // A 2-octet message with R set is dropped for R, also of a version that is not supported.
    assert.equal(scene.raw([2, 0x81]).dropped, "response")
    assert.equal(scene.raw([9, 0x80]).dropped, "response")
    assert.equal(scene.raw([2, 1]).dropped, "too-short")
    assert.equal(scene.raw(map().slice(0, 23)).dropped, "too-short")
    assert.deepEqual(
      scene.counters.drop.map(({ count }) => count),
      [4, 2],
    )
  })

  it("S-03 goes by version before length: any version but 2 and 0 is UNSUPP_VERSION from 2 octets on", () => {
    const scene = new Scene()
    for (const version of [1, 3, 255]) {
      const reply = scene.send([version, 1])
      assert.deepEqual([reply.version, reply.response, reply.opcode, reply.result], [2, 1, 1, 1])
    }
  })

  it("S-03 S-12 refuses more than 1100 octets and lengths that are no multiple of 4, cut at 1100", () => {
    const scene = new Scene()
    const long = [...map(), ...option(200, new Array<number>(1100).fill(7))]
    const reply = scene.reply(long)
    assert.equal(reply.length, 1100)
    assert.equal(reply[3], 3)
    assert.deepEqual([...reply.subarray(24)], long.slice(24, 1100))
    const odd = scene.reply([...map(), 0, 0, 9])
    assert.deepEqual([odd.length, odd[3]], [64, 3])
    assert.deepEqual([...odd.subarray(60)], [0, 0, 9, 0])
    assert.deepEqual(scene.mappings, [])
  })

  it("S-03 takes exactly 1100 octets", () => {
    const scene = new Scene()
    const full = [...map(), ...option(200, new Array<number>(1036).fill(7))]
    assert.equal(full.length, 1100)
    assert.equal(scene.send(full).result, 0)
  })

  it("S-03 refuses a message too short for its opcode, MALFORMED_REQUEST", () => {
    const scene = new Scene()
    assert.equal(scene.send(map().slice(0, 56)).result, 3)
    assert.equal(scene.send(peer().slice(0, 76)).result, 3)
    assert.equal(scene.send(map().slice(0, 24)).result, 3)
  })

  it("S-03 refuses a client address that is not the source's, ADDRESS_MISMATCH, whatever the options", () => {
    const scene = new Scene()
    for (const bytes of [map(), peer(), announce(), map({ options: [99, 0, 255, 255] })]) {
      const reply = scene.send(bytes, "10.0.0.2")
      assert.equal(reply.result, 12)
      assert.equal(reply.lifetime, 1800)
    }
    assert.deepEqual(scene.mappings, [])
  })

  it("S-04 ignores reserved fields and sends them as zero", () => {
    const scene = new Scene()
    const bytes = map()
    bytes[2] = 255
    bytes[3] = 255
    bytes[37] = bytes[38] = bytes[39] = 255
    const reply = scene.reply(bytes)
    assert.deepEqual([reply[2], reply[3]], [0, 0])
    assert.deepEqual([...reply.subarray(37, 40)], [0, 0, 0])
    const toPeer = peer({ port: 4001 })
    toPeer[37] = toPeer[62] = toPeer[63] = 255
    const peerReply = scene.reply(toPeer)
    assert.deepEqual([peerReply[37], peerReply[62], peerReply[63]], [0, 0, 0])
    // In an error's copy only the header's are the server's to set.
    const refused = scene.reply([...bytes, 99, 0, 0, 0])
    assert.deepEqual([refused[2], refused[3]], [0, 5])
  })

  it("S-05 S-07 S-140 answers with version 2, R set, the opcode, and the seconds since the epoch, error or not", () => {
    const scene = new Scene()
    scene.now = 5999
    for (const [bytes, opcode, result] of [
      [map(), 1, 0],
      [peer({ port: 4001 }), 2, 0],
      [announce(), 0, 0],
      [map({ options: [99, 0, 0, 0] }), 1, 5],
      [[...announce().slice(0, 1), 33, ...announce().slice(2)], 33, 4],
    ] as const) {
      const reply = scene.send(bytes)
      assert.deepEqual(
        [reply.version, reply.response, reply.opcode, reply.result, reply.epoch],
        [2, 1, opcode, result, 5],
      )
    }
    scene.now = 6000
    assert.equal(scene.send(announce()).epoch, 6)
  })

  it("S-06 zeroes the 96 reserved bits of a parsed request, and leaves the client's bits where it could not be parsed", () => {
    const scene = new Scene()
    const clientBits = octets("10.0.0.1").slice(4)
    const zero = new Array<number>(12).fill(0)
    assert.deepEqual(scene.send(map()).reserved96, zero)
    // NOT_AUTHORIZED and ADDRESS_MISMATCH speak of a request that was understood.
    assert.deepEqual(scene.send(map({ nonce: OTHER_NONCE })).reserved96, zero)
    assert.deepEqual(scene.send(map(), "10.0.0.9").reserved96, zero)
    for (const bytes of [[...map(), 1], map().slice(0, 56), map({ options: [3, 0, 0, 200] })])
      assert.deepEqual(scene.send(bytes).reserved96, clientBits)
    const version3 = map()
    version3[0] = 3
    assert.deepEqual(scene.send(version3).reserved96, clientBits)
  })

  it("S-08 returns the whole request with an error, header fields set", () => {
    const scene = new Scene()
    const bytes = map({ options: [...option(200, [1, 2, 3]), ...option(99, [4])] })
    const reply = scene.reply(bytes)
    assert.equal(reply.length, bytes.length)
    assert.deepEqual([...reply.subarray(24)], bytes.slice(24))
    assert.deepEqual([...reply.subarray(0, 12)], [2, 0x81, 0, 5, 0, 0, 7, 8, 0, 0, 0, 0])
  })

  it("S-09 leaves options that it does not process out of a success", () => {
    const scene = new Scene()
    const reply = scene.reply(map({ options: option(200, [1, 2, 3]) }))
    assert.equal(reply.length, 60)
    assert.equal(reply[3], 0)
  })

  it("S-11 answers an unknown opcode with UNSUPP_OPCODE and the payload as it is", () => {
    const scene = new Scene()
    for (const opcode of [3, 4, 64, 127]) {
      const bytes = [...announce(), ...Array.from({ length: 40 }, (_, i) => i)]
      bytes[1] = opcode
      const reply = scene.reply(bytes)
      assert.deepEqual([reply[0], reply[1], reply[3], reply.length], [2, 0x80 | opcode, 4, 64])
      assert.deepEqual([...reply.subarray(24)], bytes.slice(24))
    }
  })

  it("S-20 S-22 names version 2 as the closest it has, in a whole header that NAT-PMP clients can read too", () => {
    const scene = new Scene()
    scene.now = 9000
    const reply = scene.reply([1, 0])
    assert.equal(reply.length, 24)
    assert.deepEqual([...reply.subarray(0, 12)], [2, 0x80, 0, 1, 0, 0, 7, 8, 0, 0, 0, 9])
    const higher = map()
    higher[0] = 200
    assert.equal(scene.send(higher).version, 2)
  })

  it("S-21 a server without NAT-PMP takes version 0 for one that it does not support", () => {
    const scene = new Scene({ natPmp: false })
    const reply = scene.reply([0, 0])
    assert.deepEqual([...reply.subarray(0, 8)], [2, 0x80, 0, 1, 0, 0, 7, 8])
  })

  it("S-22 takes a first octet of 0 for NAT-PMP", () => {
    const scene = new Scene()
    const reply = scene.reply([0, 0])
    assert.deepEqual([reply.length, reply[0], reply[1]], [12, 0, 0x80])
  })

  it("counts by operation, result and option", () => {
    const scene = new Scene()
    scene.send(map({ options: [...option(200), ...option(200)] }))
    scene.send(map({ nonce: OTHER_NONCE }))
    scene.send(announce())
    assert.deepEqual(scene.counters.operation, [
      { index: 0, count: 1 },
      { index: 1, count: 2 },
    ])
    assert.deepEqual(scene.counters.result, [
      { index: 0, count: 2 },
      { index: 2, count: 1 },
    ])
    assert.deepEqual(scene.counters.option, [{ index: 200, count: 2 }])
  })

  it("keeps no reference to the request's octets", () => {
    const scene = new Scene()
    const bytes = Uint8Array.from(map())
    const { reply } = scene.raw([...bytes])
    assert.ok(reply !== undefined)
    const copy = [...reply]
    bytes.fill(255)
    assert.deepEqual([...reply], copy)
    assert.equal(read(reply).result, 0)
  })
})
