import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { advance, apply, createServer, epochTime, mappingCount } from "../../../core/server/index.ts"
import { address, announce, map, OTHER_NONCE, octets, peer, Scene } from "./scene.ts"

const NOT_AUTHORIZED = 2
const MALFORMED_REQUEST = 3

describe("lifetimes (RFC 6887 section 15)", () => {
  it("S-130 grants what is asked between 120 s and 24 h, as configured", () => {
    const scene = new Scene()
    const granted = (lifetime: number, port: number) => scene.send(map({ lifetime, port })).lifetime
    assert.deepEqual(
      [1, 119, 120, 3600, 86400, 86401, 0xffffffff].map((lifetime, i) => granted(lifetime, i + 1)),
      [120, 120, 120, 3600, 86400, 86400, 86400],
    )
    const other = new Scene({ minLifetime: 10, maxLifetime: 60 })
    assert.deepEqual(
      [1, 30, 100].map((lifetime, i) => other.send(map({ lifetime, port: i + 1 })).lifetime),
      [10, 30, 60],
    )
    assert.equal(other.send(peer({ lifetime: 100, port: 9 })).lifetime, 60)
  })

  it("S-130 keeps a mapping for all the time granted, wherever in a second it began, and under a second more", () => {
    for (const start of [0, 1, 500, 999, 1000]) {
      const scene = new Scene()
      scene.now = start
      scene.send(map({ lifetime: 120 }))
      scene.now = start + 119_999
      assert.equal(scene.mappings.length, 1)
      scene.now = start + 121_000
      assert.equal(scene.mappings.length, 0)
    }
  })

  it("S-131 a deletion leaves a mapping with traffic for what is left of the idle time, and says so", () => {
    const scene = new Scene({ idleTimeout: { udp: 300, tcp: 7440 } })
    scene.send(map({ lifetime: 7200 }))
    scene.now = 1_000_000
    scene.outbound("10.0.0.1", 17, 4000)
    scene.now = 1_100_000
    const reply = scene.send(map({ lifetime: 0 }))
    assert.deepEqual([reply.result, reply.lifetime], [0, 200])
    assert.equal(scene.mappings.find(({ kind }) => kind === "map")?.expires, 1_300_000)
    scene.now = 1_300_000
    assert.deepEqual(scene.mappings, [])
    assert.deepEqual([scene.send(map({ lifetime: 0 })).lifetime], [0])
  })

  it("S-131 no lifetime, asked or granted, goes below what traffic keeps", () => {
    const scene = new Scene({ idleTimeout: { udp: 300, tcp: 7440 } })
    scene.outbound("10.0.0.1", 6, 4000)
    scene.now = 40_000
    const reply = scene.send(map({ protocol: 6, lifetime: 120 }))
    assert.deepEqual([reply.result, reply.lifetime], [0, 7400])
  })

  it("S-132 deletes by internal end; protocol 0 with a port is MALFORMED_REQUEST also here", () => {
    const scene = new Scene()
    scene.send(map({ port: 1 }))
    scene.send(map({ port: 2 }))
    const reply = scene.send(map({ port: 1, lifetime: 0 }))
    assert.deepEqual([reply.result, reply.lifetime, reply.port], [0, 0, 1])
    assert.deepEqual(
      scene.mappings.map(({ internalPort }) => internalPort),
      [2],
    )
    assert.equal(scene.send(map({ protocol: 0, port: 2, lifetime: 0 })).result, MALFORMED_REQUEST)
  })

  it("S-132 deleting the mapping of all ports, or of all protocols, when there is none, deletes no other", () => {
    const scene = new Scene()
    scene.send(map())
    for (const protocol of [17, 0]) assert.equal(scene.send(map({ protocol, port: 0, lifetime: 0 })).result, 0)
    assert.equal(scene.mappings.length, 1)
  })

  it("S-133 ignores a deletion's suggestion and copies it back", () => {
    const scene = new Scene()
    scene.send(map())
    const reply = scene.send(map({ lifetime: 0, suggestedPort: 1234, suggested: "192.0.2.9" }))
    assert.deepEqual([reply.result, reply.externalPort, reply.external], [0, 1234, octets("192.0.2.9")])
    assert.deepEqual(scene.mappings, [])
  })

  it("S-134 deleting what is not there is SUCCESS, time and again", () => {
    const scene = new Scene()
    for (let i = 0; i < 3; i++) {
      const reply = scene.send(map({ lifetime: 0, nonce: OTHER_NONCE }))
      assert.deepEqual([reply.result, reply.lifetime], [0, 0])
    }
    scene.send(map())
    assert.equal(scene.send(map({ lifetime: 0 })).result, 0)
    assert.equal(scene.send(map({ lifetime: 0 })).result, 0)
  })

  it("S-134 S-69 deleting an outbound mapping, implicit or PEER's, is NOT_AUTHORIZED", () => {
    const scene = new Scene()
    scene.outbound("10.0.0.1", 17, 4000)
    assert.equal(scene.send(map({ lifetime: 0 })).result, NOT_AUTHORIZED)
    scene.send(peer({ port: 4001 }))
    assert.equal(scene.send(map({ port: 4001, lifetime: 0 })).result, NOT_AUTHORIZED)
    assert.equal(scene.mappings.length, 2)
  })
})

describe("expiry", () => {
  it("advance takes away what has run out, once, and says when to come back", () => {
    const scene = new Scene({ recycleDelay: { udp: 0, tcp: 0 } })
    scene.send(map({ port: 1, lifetime: 120 }))
    scene.send(map({ port: 2, lifetime: 200 }))
    assert.equal(scene.last?.next, 200_000)
    const [, early] = advance(scene.state, 60_000)
    assert.deepEqual([early.changes.length, early.next], [0, 120_000])
    const first = scene.wait(120)
    assert.deepEqual(
      first.changes.map((change) => (change.type === "expired" ? change.mapping.internalPort : change.type)),
      [1],
    )
    assert.equal(first.next, 200_000)
    const second = scene.wait(80)
    assert.deepEqual([second.changes.length, second.next], [1, undefined])
    assert.equal(mappingCount(scene.state), 0)
    assert.deepEqual(scene.wait(1000).changes, [])
  })

  it("a renewed mapping outlives its first deadline, however often that is looked at", () => {
    const scene = new Scene({ recycleDelay: { udp: 0, tcp: 0 } })
    scene.send(map({ lifetime: 120 }))
    scene.now = 100_000
    scene.send(map({ lifetime: 120 }))
    assert.deepEqual(scene.wait(20).changes, [])
    assert.equal(scene.wait(0).next, 220_000)
    assert.equal(scene.wait(100).changes.length, 1)
  })

  it("what has run out is absent for requests even when advance never came", () => {
    const scene = new Scene({ external: [address("203.0.113.1")] })
    scene.send(map({ lifetime: 120, suggestedPort: 5000 }))
    scene.now = 500_000
    assert.deepEqual(scene.mappings, [])
    const other = scene.send(map({ client: "10.0.0.2", suggestedPort: 5000, suggested: "0.0.0.0" }), "10.0.0.2")
    const types = () => scene.changes.map(({ type }) => type)
    assert.deepEqual([other.result, other.externalPort, ...types()], [0, 5000, "expired", "created"])
    const reply = scene.send(map({ nonce: OTHER_NONCE }))
    assert.deepEqual([reply.result, ...types()], [0, "created"])
  })
})

describe("the epoch (RFC 6887 section 8.5)", () => {
  it("S-140 starts at 0, counts whole seconds, wraps at 2^32, and is set back by its change", () => {
    const scene = new Scene()
    assert.equal(scene.send(announce()).epoch, 0)
    scene.now = 3_999
    assert.equal(scene.send(announce()).epoch, 3)
    scene.state = apply(scene.state, { type: "epoch-reset", at: 3_000 })
    assert.equal(scene.send(announce()).epoch, 0)
    assert.equal(epochTime(scene.state, 3_000 + 4294967296 * 1000 + 5000), 5)
    // A clock that was read a moment earlier is no negative epoch.
    assert.equal(epochTime(scene.state, 2_000), 0)
  })
})

describe("settings", () => {
  it("refuses what can't work, with the rule", () => {
    const secret = new Uint8Array(32)
    const external = [address("203.0.113.1")]
    const code = (options: object) => {
      const made = createServer({ external, secret, now: 0, ...options })
      return made.ok ? "ok" : made.error.code
    }
    assert.equal(code({}), "ok")
    assert.equal(code({ external: [] }), "empty-pool")
    assert.equal(code({ external: [...external, ...external] }), "bad-address")
    assert.equal(code({ external: [address("2001:db8::1")] }), "bad-address")
    for (const none of ["0.0.0.0", "0.1.2.3", "127.0.0.1", "224.0.0.1", "255.255.255.255"])
      assert.equal(code({ external: [address(none)] }), "bad-address")
    assert.equal(code({ ports: { first: 2000, last: 1999 } }), "bad-ports")
    assert.equal(code({ ports: { first: 0, last: 10 } }), "bad-ports")
    assert.equal(code({ ports: { first: 1, last: 65536 } }), "bad-ports")
    assert.equal(code({ quota: -1 }), "bad-quota")
    assert.equal(code({ filterLimit: 0 }), "bad-filters")
    for (const idle of [0, -5, 1.5, Number.NaN, 2 ** 31])
      for (const idleTimeout of [
        { udp: idle, tcp: 7440 },
        { udp: 300, tcp: idle },
      ])
        assert.equal(code({ idleTimeout }), "bad-delay")
    assert.equal(code({ secret: new Uint8Array(31) }), "bad-secret")
    assert.equal(code({ minLifetime: 100, maxLifetime: 99 }), "bad-lifetime")
    assert.equal(code({ maxLifetime: 4294967296 }), "bad-lifetime")
    assert.equal(code({ minLifetime: Number.NaN }), "bad-lifetime")
    assert.equal(code({ pcp: false, natPmp: false }), "bad-protocols")
  })
})
