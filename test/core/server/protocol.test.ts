import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { map, natPmpMap, option, peer, preferFailure, profileWith, Scene } from "./scene.ts"

const UNSUPP_PROTOCOL = 9
const CANNOT_PROVIDE_EXTERNAL = 11
const SCTP = 132

const other = { profile: profileWith({ otherProtocols: true }) }
const whole = { profile: profileWith({ otherProtocols: true, port0: true, oneToOne: true }) }

describe("protocols besides TCP and UDP (RFC 6887 sections 11.1 and 16.3.3)", () => {
  it("S-54 SCTP has its internal port outside too, or CANNOT_PROVIDE_EXTERNAL", () => {
    const scene = new Scene(other)
    const first = scene.send(map({ protocol: SCTP, port: 5060 }))
    assert.deepEqual([first.result, first.externalPort], [0, 5060])
    const second = scene.send(map({ client: "10.0.0.2", protocol: SCTP, port: 5060 }), "10.0.0.2")
    assert.deepEqual([second.result, second.externalPort], [0, 5060])
    assert.notDeepEqual(second.external, first.external)
    // Both addresses of the pool have that port taken now.
    const third = map({ client: "10.0.0.3", protocol: SCTP, port: 5060 })
    assert.equal(scene.send(third, "10.0.0.3").result, CANNOT_PROVIDE_EXTERNAL)
    assert.equal(scene.send(map({ client: "10.0.0.3", protocol: SCTP, port: 5061 }), "10.0.0.3").result, 0)
  })

  it("S-43 S-54 SCTP is UNSUPP_PROTOCOL where the profile has no other protocols", () => {
    assert.equal(new Scene().send(map({ protocol: SCTP })).result, UNSUPP_PROTOCOL)
    assert.equal(new Scene().send(peer({ protocol: SCTP })).result, UNSUPP_PROTOCOL)
  })

  it("S-43 all ports of a protocol are one host's on an external address of its own, or not to be had", () => {
    const scene = new Scene(whole)
    const gre = scene.send(map({ protocol: 47, port: 0 }))
    assert.deepEqual([gre.result, gre.port, gre.externalPort], [0, 0, 0])
    const second = scene.send(map({ client: "10.0.0.2", protocol: 47, port: 0 }), "10.0.0.2")
    assert.deepEqual([second.result, second.external.join() !== gre.external.join()], [0, true])
    const third = scene.send(map({ client: "10.0.0.3", protocol: 47, port: 0 }), "10.0.0.3")
    assert.notEqual(third.result, 0)
    assert.equal(scene.send(map({ protocol: 47, port: 0, lifetime: 0 })).result, 0)
    assert.equal(scene.mappings.length, 1)
  })

  it("S-132 protocol and port 0 is the DMZ host, which its nonce deletes", () => {
    const scene = new Scene(whole)
    const dmz = scene.send(map({ protocol: 0, port: 0 }))
    assert.deepEqual([dmz.result, dmz.protocol, dmz.port], [0, 0, 0])
    const stolen = scene.send(map({ protocol: 0, port: 0, lifetime: 0, nonce: new Array(12).fill(3) }))
    assert.equal(stolen.result, 2)
    assert.equal(scene.send(map({ protocol: 0, port: 0, lifetime: 0 })).result, 0)
    assert.deepEqual(scene.mappings, [])
  })
})

describe("PORT_SET over the in-memory CGN (RFC 7753)", () => {
  const set = (size: number, first: number, parity = 0) =>
    option(130, [size >> 8, size & 255, first >> 8, first & 255, parity])

  it("S-32 maps a run of ports to a run of ports, each a mapping, and parity where it was asked for", () => {
    const scene = new Scene()
    const reply = scene.reply(map({ port: 4001, options: set(4, 4001, 1) }))
    assert.deepEqual([...reply.subarray(60)], set(4, 4001, 1))
    const external = reply[42] * 256 + reply[43]
    assert.equal(external & 1, 1)
    const ends = scene.mappings.map(({ externalPort, internalPort }) => [internalPort, externalPort])
    assert.deepEqual(
      ends.sort(([a], [b]) => a - b),
      [0, 1, 2, 3].map((i) => [4001 + i, external + i]),
    )
  })

  it("S-32 renews a set as one and deletes it as one", () => {
    const scene = new Scene()
    const first = scene.reply(map({ options: set(3, 4000) }))
    scene.now = 60_000
    const again = scene.reply(map({ options: set(3, 4000) }))
    assert.deepEqual([...again.subarray(40)], [...first.subarray(40)])
    assert.deepEqual(
      scene.changes.map(({ type }) => type),
      ["renewed", "renewed", "renewed"],
    )
    assert.equal(new Set(scene.mappings.map(({ expires }) => expires)).size, 1)
    assert.equal(scene.send(map({ lifetime: 0, options: set(3, 4000) })).result, 0)
    assert.deepEqual(scene.mappings, [])
  })
})

describe("updates of what a set overlaps (RFC 7753 section 4.4.1)", () => {
  const set = (size: number, first: number) => option(130, [size >> 8, size & 255, first >> 8, first & 255, 0])
  const waiting = (scene: Scene): number => scene.state.pushes.queues.reduce((sum, { size }) => sum + size, 0)

  it("are few for one request, however many mappings it overlaps", () => {
    const scene = new Scene({ quota: 0 })
    scene.send(map({ port: 5000, options: set(1000, 5000) }))
    scene.send(map({ port: 4999, options: set(1001, 4999) }))
    assert.equal(waiting(scene), 32)
  })

  it("leave room for updates of what moved, however many requests come", () => {
    const scene = new Scene({ quota: 0, updateLimit: 64 })
    for (let n = 1; n <= 8; n++) {
      const client = `10.0.1.${n}`
      scene.send(map({ client, port: 5000, options: set(20, 5000) }), client)
      scene.send(map({ client, port: 4999, options: set(21, 4999) }), client)
    }
    assert.equal(waiting(scene), 16)
  })
})

describe("DESCRIPTION over the in-memory CGN (RFC 7220)", () => {
  it("S-32 keeps 128 octets, cut between characters, and shows them in the listing", () => {
    const scene = new Scene()
    const text = `${"a".repeat(127)}é and more`
    const reply = scene.reply(map({ options: option(128, [...new TextEncoder().encode(text)]) }))
    assert.deepEqual([...reply.subarray(60)], option(128, new Array<number>(127).fill(97)))
    assert.equal(scene.mappings[0].details?.description, "a".repeat(127))
    assert.equal(scene.reply(map()).length, 60)
    assert.equal(scene.mappings[0].details?.description, "a".repeat(127))
    assert.deepEqual([...scene.reply(map({ options: option(128) })).subarray(60)], [128, 0, 0, 0])
    assert.equal(scene.mappings[0].details?.description ?? "", "")
  })
})

describe("mappings of both protocols see each other (RFC 6887 section 9, RFC 6886 section 1.1)", () => {
  it("N-04 S-47 one asked for by NAT-PMP and then by PCP, or the other way, keeps its external end", () => {
    const scene = new Scene()
    const first = scene.reply(natPmpMap(1, 4000, 0, 3600))
    const port = first[10] * 256 + first[11]
    const taken = scene.send(map())
    assert.deepEqual([taken.result, taken.externalPort], [0, port])
    const told = scene.reply(natPmpMap(1, 4000, 0, 3600))
    assert.deepEqual([told[3], told[10] * 256 + told[11]], [0, port])
    assert.equal(scene.mappings.length, 1)
    const tcp = scene.send(map({ protocol: 6, port: 4000, suggestedPort: 7000, options: preferFailure() }))
    const learnt = scene.reply(natPmpMap(2, 4000, 0, 3600))
    assert.deepEqual([tcp.externalPort, learnt[10] * 256 + learnt[11]], [7000, 7000])
  })
})
