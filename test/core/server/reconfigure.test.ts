import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { PROFILES } from "../../../core/cgn/index.ts"
import { advance, apply, reconfigure, revoke, type ServerOptions } from "../../../core/server/index.ts"
import { formatAddress } from "../../../core/wire/index.ts"
import {
  address,
  announce,
  filter,
  map,
  natPmpMap,
  octets,
  option,
  POOL,
  peer,
  preferFailure,
  profileWith,
  Scene,
} from "./scene.ts"

const NEW_POOL = ["198.51.100.1"].map(address)

/** Reconfigures the scene's server and gives the changes and all that goes out at once. */
const change = (scene: Scene, options: Partial<ServerOptions>) => {
  const { now: _now, secret: _secret, ...rest } = { external: POOL.map(address), ...options }
  const done = reconfigure(scene.state, rest, scene.now)
  assert.ok(done.ok, done.ok ? "" : done.error.text)
  scene.state = done.state
  const [after, { send }] = advance(scene.state, scene.now)
  scene.state = after
  return { changes: done.pushed.changes, send, next: done.pushed.next }
}

const multicasts = (send: ReturnType<typeof change>["send"]) =>
  send.filter(({ port }) => port === 5350).map(({ destination }) => formatAddress(destination))

describe("other settings while the server runs", () => {
  it("S-03 whoever ran into the old rate limit is measured by the new one alone", () => {
    const limits = (perSecond: number): Partial<ServerOptions> => ({
      rateLimits: { perSource: { perSecond, burst: 1 }, global: undefined, over: "drop" },
    })
    const scene = new Scene(limits(0.001))
    const dropped = () => scene.raw(announce()).dropped
    assert.deepEqual([dropped(), dropped()], [undefined, "source-rate"])
    // The same limits: what was taken stays taken.
    change(scene, limits(0.001))
    assert.equal(dropped(), "source-rate")
    change(scene, limits(1000))
    assert.equal(dropped(), undefined)
    scene.now = 1
    assert.equal(dropped(), undefined)
  })

  it("S-140 S-83 N-06 new external addresses begin the epoch again, in both protocols, and announce it", () => {
    const scene = new Scene()
    scene.now = 50_000
    assert.equal(scene.send(announce()).epoch, 50)
    const { changes, send } = change(scene, { external: NEW_POOL })
    assert.deepEqual(changes, [{ type: "epoch-reset", at: 50_000 }])
    assert.deepEqual(multicasts(send), ["224.0.0.1", "ff02::1", "224.0.0.1"])
    assert.deepEqual([...send[2].bytes.subarray(4)], [0, 0, 0, 0, 198, 51, 100, 1])
    assert.equal(scene.send(announce()).epoch, 0)
    assert.deepEqual([...scene.reply([0, 0]).subarray(8)], [198, 51, 100, 1])
  })

  it("S-80 S-90 S-91 mappings move to them and their clients hear of it in the protocol that made each, filters and all", () => {
    const scene = new Scene()
    const filters = [...filter(128, 443, "198.51.100.9")]
    scene.send(map({ options: filters }))
    scene.send(peer({ port: 4001 }))
    scene.reply(natPmpMap(2, 4002, 0, 3600))
    const before = scene.state
    const { changes, send } = change(scene, { external: NEW_POOL })
    const updates = send.filter(({ port }) => port === 40000)
    assert.equal(updates.length, 3)
    for (const { bytes, destination } of updates) {
      assert.equal(formatAddress(destination), "10.0.0.1")
      assert.equal(bytes[3], 0)
      if (bytes[0] === 2) assert.deepEqual([...bytes.subarray(44, 60)], octets("198.51.100.1"))
    }
    assert.deepEqual(updates.map(({ bytes }) => bytes[1]).sort(), [0x81, 0x82, 130])
    const mapUpdate = updates.find(({ bytes }) => bytes[0] === 2 && bytes[1] === 0x81)
    assert.deepEqual([...(mapUpdate?.bytes.subarray(60) ?? [])], filters)
    assert.ok(scene.mappings.every(({ external }) => external === NEW_POOL[0]))
    assert.equal(scene.mappings.length, 3)
    // The state before is what it was.
    scene.state = before
    assert.ok(scene.mappings.every(({ external }) => POOL.includes(formatAddress(external))))
    assert.equal(changes.filter(({ type }) => type === "moved").length, 3)
  })

  it("S-91 a mapping that wanted its own end or none is told CANNOT_PROVIDE_EXTERNAL, and is gone", () => {
    const scene = new Scene()
    scene.send(map({ suggestedPort: 5000, options: preferFailure() }))
    const { send } = change(scene, { external: NEW_POOL })
    const [{ bytes }] = send.filter(({ port }) => port === 40000)
    assert.deepEqual([bytes[1], bytes[3], bytes[42] * 256 + bytes[43]], [0x81, 11, 5000])
    assert.deepEqual(scene.mappings, [])
  })

  it("S-92 updates go out three times, and cease when the client renews", () => {
    const scene = new Scene()
    scene.send(map())
    change(scene, { external: NEW_POOL })
    const due = (now: number) => {
      scene.now = now
      const [after, { send }] = advance(scene.state, now)
      scene.state = after
      return send.filter(({ port }) => port === 40000).length
    }
    const state = scene.state
    assert.deepEqual([due(249), due(250), due(749), due(750), due(5000)], [0, 1, 0, 1, 0])
    scene.state = state
    scene.now = 100
    scene.send(map())
    assert.deepEqual([due(250), due(750)], [0, 0])
  })

  it("mappings, counters and epoch stay where the addresses do, and limits change at once", () => {
    const scene = new Scene()
    scene.now = 30_000
    scene.send(map())
    const { mappings } = scene
    const { changes, send } = change(scene, { maxLifetime: 300, quota: 1, profile: profileWith({ peer: false }) })
    assert.deepEqual([changes, send], [[], []])
    assert.deepEqual(scene.mappings, mappings)
    assert.equal(scene.send(announce()).epoch, 30)
    assert.equal(scene.send(map()).lifetime, 300)
    assert.equal(scene.send(map({ port: 4001 })).result, 10)
    assert.equal(scene.send(peer({ port: 4001 })).result, 4)
    // The same set of addresses in another order is no new address.
    assert.deepEqual(change(scene, { external: POOL.map(address).reverse() }).changes, [])
  })

  it("a setting that breaks a rule changes nothing", () => {
    const scene = new Scene()
    for (const bad of [
      { minLifetime: 900, maxLifetime: 600 },
      { external: [] },
      { profile: { ...PROFILES.nat444, port0: true } },
    ]) {
      const done = reconfigure(scene.state, { external: POOL.map(address), ...bad }, 0)
      assert.equal(done.ok, false)
    }
  })

  it("S-83 other Pref64s of a NAT64 are announced (RFC 7225 section 4.2)", () => {
    const scene = new Scene()
    const prefix64 = [
      { kind: "PREFIX64", prefix: Uint8Array.of(0, 100, 255, 155), suffix: new Uint8Array(8), ipv4Prefixes: undefined },
    ] as const
    const { changes, send } = change(scene, { prefix64 })
    assert.deepEqual(changes, [])
    assert.equal(send[0].bytes[24], 129)
    assert.deepEqual(change(scene, { prefix64: [{ ...prefix64[0] }] }).next, undefined)
  })
})

describe("a subscriber that is gone (RFC 6887 section 15, S-137)", () => {
  it("S-137 S-140 loses its mappings, and whoever has its address next sees an epoch of its own", () => {
    const scene = new Scene()
    scene.send(map())
    scene.send(peer({ port: 4001 }))
    scene.send(map({ client: "10.0.0.2" }), "10.0.0.2")
    scene.now = 60_000
    const before = scene.state
    const [after, { changes }] = revoke(before, address("10.0.0.1"), undefined, 60_000)
    scene.state = after
    assert.deepEqual(
      scene.mappings.map(({ internal }) => formatAddress(internal)),
      ["10.0.0.2"],
    )
    scene.now = 65_000
    assert.equal(scene.send(announce()).epoch, 5)
    assert.equal(scene.reply([0, 0])[7], 5)
    assert.equal(scene.send(announce({ client: "10.0.0.2" }), "10.0.0.2").epoch, 65)
    assert.deepEqual(advance(after, 65_000)[1].send, [])
    // The changes alone lead there too.
    scene.state = changes.reduce((state, one) => apply(state, one), before)
    assert.equal(scene.send(announce()).epoch, 5)
    assert.equal(scene.mappings.length, 1)
  })

  it("S-137 S-134 keeps what the administrator made, and leaves nothing of a description", () => {
    const external = address("203.0.113.1")
    const web = { protocol: 6, internal: address("10.0.0.1"), internalPort: 80, external, externalPort: 80 }
    const scene = new Scene({ staticMappings: [web] })
    scene.send(map({ options: option(128, [65]) }))
    scene.state = revoke(scene.state, address("10.0.0.1"), undefined, 0)[0]
    assert.deepEqual(
      scene.mappings.map(({ kind }) => kind),
      ["static"],
    )
    scene.send(map())
    assert.equal(scene.mappings.find(({ kind }) => kind === "map")?.details, undefined)
  })
})
