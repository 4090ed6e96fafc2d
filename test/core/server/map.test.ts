import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { address, map, NONCE, natPmpMap, OTHER_NONCE, octets, peer, profileWith, Scene } from "./scene.ts"

const NOT_AUTHORIZED = 2
const MALFORMED_REQUEST = 3
const UNSUPP_OPCODE = 4
const NO_RESOURCES = 8
const UNSUPP_PROTOCOL = 9
const USER_EX_QUOTA = 10

const pool = ["203.0.113.1", "203.0.113.2"].map((text) => JSON.stringify(octets(text)))

describe("MAP (RFC 6887 section 11.3)", () => {
  it("S-40 is UNSUPP_OPCODE when switched off", () => {
    const scene = new Scene({ profile: profileWith({ map: false }) })
    const refused = scene.send(map())
    assert.deepEqual([refused.result, refused.lifetime], [UNSUPP_OPCODE, 1800])
  })

  it("S-42 S-09 copies nonce, protocol and internal port; gives an external end of the pool", () => {
    const scene = new Scene()
    const reply = scene.send(map({ protocol: 6, port: 443 }))
    assert.deepEqual([reply.result, reply.length, reply.protocol, reply.port], [0, 60, 6, 443])
    assert.deepEqual(reply.nonce, NONCE)
    assert.ok(pool.includes(JSON.stringify(reply.external)))
    assert.ok(reply.externalPort >= 1024)
    const [mapping] = scene.mappings
    assert.equal(mapping.externalPort, reply.externalPort)
    assert.equal(mapping.internal, address("10.0.0.1"))
  })

  it("S-43 protocol 0 with a port is MALFORMED_REQUEST; all ports and all protocols are UNSUPP_PROTOCOL here", () => {
    const scene = new Scene()
    assert.equal(scene.send(map({ protocol: 0, port: 1 })).result, MALFORMED_REQUEST)
    assert.equal(scene.send(map({ protocol: 0, port: 0 })).result, UNSUPP_PROTOCOL)
    for (const protocol of [6, 17]) assert.equal(scene.send(map({ protocol, port: 0 })).result, UNSUPP_PROTOCOL)
    for (const protocol of [1, 33, 47, 132, 255]) assert.equal(scene.send(map({ protocol })).result, UNSUPP_PROTOCOL)
    assert.deepEqual(scene.mappings, [])
  })

  it("S-44 another nonce is NOT_AUTHORIZED for as long as the mapping lasts, whether it renews or deletes", () => {
    const scene = new Scene()
    scene.send(map({ lifetime: 1000 }))
    scene.now = 400_000
    for (const lifetime of [1000, 0]) {
      const refused = scene.send(map({ lifetime, nonce: OTHER_NONCE }))
      assert.deepEqual([refused.result, refused.lifetime], [NOT_AUTHORIZED, 600])
    }
    assert.equal(scene.mappings[0].expires, 1_000_000)
    // One octet is enough to differ, any of the twelve.
    for (let i = 0; i < 12; i++) {
      const nonce = [...NONCE]
      nonce[i] ^= 1
      assert.equal(scene.send(map({ nonce })).result, NOT_AUTHORIZED)
    }
    // Once it has run out, the next nonce is as good as any.
    scene.now = 1_000_000
    assert.equal(scene.send(map({ nonce: OTHER_NONCE })).result, 0)
  })

  it("S-47 gives an existing mapping's external end whatever is suggested, and the new lifetime", () => {
    const scene = new Scene()
    const first = scene.send(map({ lifetime: 600 }))
    scene.now = 100_000
    const again = scene.send(map({ lifetime: 3600, suggestedPort: 6000, suggested: "203.0.113.2" }))
    assert.deepEqual(
      [again.result, again.externalPort, again.external, again.lifetime],
      [0, first.externalPort, first.external, 3600],
    )
    assert.equal(scene.mappings.length, 1)
    assert.equal(scene.mappings[0].expires, 3_700_000)
    // Shorter is the client's right too (section 15).
    assert.equal(scene.send(map({ lifetime: 300 })).lifetime, 300)
    assert.equal(scene.mappings[0].expires, 400_000)
  })

  it("S-47 replicates an outbound mapping's external end, which lives on when the inbound one is deleted", () => {
    const scene = new Scene()
    const out = scene.send(peer({ port: 4000 }))
    const inbound = scene.send(map({ port: 4000, nonce: OTHER_NONCE, suggestedPort: 7000 }))
    assert.deepEqual([inbound.result, inbound.externalPort, inbound.external], [0, out.externalPort, out.external])
    assert.deepEqual(scene.mappings.map(({ kind }) => kind).sort(), ["map", "peer"])
    assert.equal(scene.send(map({ port: 4000, nonce: OTHER_NONCE, lifetime: 0 })).result, 0)
    assert.deepEqual(
      scene.mappings.map(({ kind, externalPort }) => [kind, externalPort]),
      [["peer", out.externalPort]],
    )
  })

  it("S-47 S-56 traffic's implicit mapping and MAP share one external end, for the same internal end", () => {
    const scene = new Scene()
    scene.outbound("10.0.0.1", 17, 4000)
    const [implicit] = scene.mappings
    assert.equal(implicit.kind, "implicit")
    assert.equal(scene.send(map()).externalPort, implicit.externalPort)
  })

  it("S-48 honours the suggestion where it can", () => {
    const scene = new Scene()
    const reply = scene.send(map({ suggestedPort: 5000, suggested: "203.0.113.2" }))
    assert.deepEqual([reply.externalPort, reply.external], [5000, octets("203.0.113.2")])
  })

  it("S-48 S-50 assigns another end for a suggestion that is taken, foreign, out of range or nonsense", () => {
    const scene = new Scene({ ports: { first: 5000, last: 5999 } })
    scene.send(map({ client: "10.0.0.9", suggestedPort: 5500, suggested: "203.0.113.1" }), "10.0.0.9")
    for (const [port, suggestedPort, suggested] of [
      [1, 5500, "203.0.113.1"],
      [2, 80, "203.0.113.1"],
      [3, 5001, "127.0.0.1"],
      [4, 5002, "224.0.0.1"],
      [5, 5003, "192.0.2.55"],
      [6, 65535, "255.255.255.255"],
      [7, 5004, "20010db8000000000000000000000001"],
      [8, 0, "00000000000000000000000000000000"],
    ] as const) {
      const reply = scene.send(map({ port, suggestedPort, suggested }))
      assert.equal(reply.result, 0, suggested)
      assert.ok(pool.includes(JSON.stringify(reply.external)), suggested)
      assert.ok(reply.externalPort >= 5000 && reply.externalPort <= 5999)
    }
    const ends = scene.mappings.map(({ external, externalPort }) => `${external}${externalPort}`)
    assert.equal(new Set(ends).size, ends.length)
  })

  it("S-49 never maps external UDP ports 5350 and 5351, even suggested or the last free ones; TCP's are free", () => {
    const scene = new Scene({ external: [address("203.0.113.1")], ports: { first: 5349, last: 5352 } })
    const given: number[] = []
    for (let port = 1; port <= 2; port++) {
      const reply = scene.send(map({ port, suggestedPort: 5349 + port }))
      assert.equal(reply.result, 0)
      given.push(reply.externalPort)
    }
    assert.deepEqual(given.sort(), [5349, 5352])
    const refused = scene.send(map({ port: 3, suggestedPort: 5351 }))
    assert.deepEqual([refused.result, refused.lifetime], [NO_RESOURCES, 30])
    assert.equal(scene.send(map({ port: 3, protocol: 6, suggestedPort: 5351 })).externalPort, 5351)
  })

  it("S-50 assigns every port there is before it says NO_RESOURCES", () => {
    const scene = new Scene({ ports: { first: 2000, last: 2009 }, recycleDelay: { udp: 0, tcp: 0 } })
    const ends = new Set<string>()
    for (let port = 1; port <= 20; port++) {
      const reply = scene.send(map({ port }))
      assert.equal(reply.result, 0, `${port}`)
      ends.add(`${reply.external}:${reply.externalPort}`)
    }
    assert.equal(ends.size, 20)
    assert.equal(scene.send(map({ port: 21 })).result, NO_RESOURCES)
    // What ran out is free again even before anybody has taken it away.
    scene.now = 7_200_000
    assert.equal(scene.send(map({ port: 21 })).result, 0)
  })

  it("S-51 maps the protocol asked for alone", () => {
    const scene = new Scene()
    scene.send(map({ protocol: 6, suggestedPort: 5000 }))
    assert.deepEqual(
      scene.mappings.map(({ protocol }) => protocol),
      [6],
    )
    // Another host can have the other protocol's port: PCP reserves no companion.
    const other = scene.send(map({ client: "10.0.0.2", protocol: 17, suggestedPort: 5000 }), "10.0.0.2")
    assert.equal(other.externalPort, 5000)
  })

  it("S-52 holds a subscriber to its quota of MAP and PEER mappings, USER_EX_QUOTA, and others not at all", () => {
    const scene = new Scene({ quota: 3 })
    assert.equal(scene.send(map({ port: 1 })).result, 0)
    assert.equal(scene.send(map({ port: 2 })).result, 0)
    assert.equal(scene.send(peer({ port: 2 })).result, 0)
    const refused = scene.send(map({ port: 3 }))
    assert.deepEqual([refused.result, refused.lifetime], [USER_EX_QUOTA, 30])
    assert.equal(scene.send(peer({ port: 3 })).result, USER_EX_QUOTA)
    // Renewing is not having more.
    assert.equal(scene.send(map({ port: 1 })).result, 0)
    assert.equal(scene.send(map({ client: "10.0.0.2" }), "10.0.0.2").result, 0)
    scene.send(map({ port: 1, lifetime: 0 }))
    assert.equal(scene.send(map({ port: 3 })).result, 0)
    // And what has run out does not count.
    scene.now = 7_200_000
    assert.equal(scene.send(map({ port: 4 })).result, 0)
  })

  it("S-53 keeps a subscriber to one external address, unless it suggests another", () => {
    const scene = new Scene()
    const own = scene.send(map({ port: 1 })).external
    for (let port = 2; port < 20; port++) assert.deepEqual(scene.send(map({ port })).external, own)
    for (const suggested of ["203.0.113.1", "203.0.113.2"])
      assert.deepEqual(
        scene.send(map({ port: 50 + suggested.length + Number(suggested.at(-1)), suggested })).external,
        octets(suggested),
      )
  })

  it("S-55 closing the outbound mapping leaves the inbound one", () => {
    const scene = new Scene()
    scene.send(peer({ lifetime: 120 }))
    scene.send(map({ lifetime: 3600 }))
    scene.wait(121)
    assert.deepEqual(
      scene.mappings.map(({ kind }) => kind),
      ["map"],
    )
  })

  it("takes no IPv6 client for a subscriber of a NAT44: NOT_AUTHORIZED", () => {
    const scene = new Scene()
    const client = "20010db8000000000000000000000001"
    assert.equal(scene.send(map({ client }), "2001:db8::1").result, NOT_AUTHORIZED)
    assert.equal(scene.send(peer({ client }), "2001:db8::1").result, NOT_AUTHORIZED)
  })

  it("a PCP client takes its host's NAT-PMP mapping over, and from then on needs its nonce", () => {
    const scene = new Scene()
    const reply = scene.reply(natPmpMap(1, 4000, 0, 7200))
    const port = (reply[10] << 8) | reply[11]
    assert.equal(scene.send(map({ suggestedPort: 6000 })).externalPort, port)
    assert.equal(scene.send(map({ nonce: OTHER_NONCE })).result, NOT_AUTHORIZED)
    assert.equal(scene.mappings[0].origin, "pcp")
  })
})
