/** What a CGN does of its own accord, taken over by the server (libpcpd's pcpd_cgn_register). */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import type { Change, Mapping } from "../../../core/cgn/index.ts"
import {
  adopt,
  advance,
  apply,
  type CgnStep,
  epochTime,
  type Outgoing,
  reconfigureOver,
} from "../../../core/server/index.ts"
import { formatAddress } from "../../../core/wire/index.ts"
import { address, announce, map, natPmpMap, peer, Scene } from "./scene.ts"
import type { Asks } from "./stub.ts"
import { changeOf, Stub } from "./stub.ts"

/** The mapping that a request made, as the CGN tells of it. */
const made = (bytes: readonly number[], more: Partial<Mapping> = {}): Mapping => {
  const scene = new Scene()
  scene.raw(bytes)
  return { ...scene.mappings[0], clientPort: 40000, ...more }
}

const moved = (mapping: Mapping): Change => ({
  type: "moved",
  mapping: { ...mapping, external: address("198.51.100.77"), externalPort: 6000 },
  external: mapping.external,
  externalPort: mapping.externalPort,
})

/** Takes a step over, and gives what goes out at once. */
const taken = (stub: Stub, step: Omit<CgnStep<Asks>, "state">): readonly Outgoing[] => {
  const [after] = adopt(stub.state, { state: stub.asks, ...step }, stub.now)
  stub.state = after
  return stub.due().send
}

describe("what a CGN did by itself", () => {
  it("S-90 S-91 mappings that moved have an update in the protocol that created each, MAP, PEER and NAT-PMP", () => {
    const filters = [{ remote: address("198.51.100.0"), prefixLength: 120, remotePort: 443 }]
    const changes = [made(map()), made(peer({ port: 4001 })), made(natPmpMap(2, 4002, 0, 3600))].map(moved)
    const stub = new Stub()
    const sent = taken(stub, { changes, filters: ({ internalPort }) => (internalPort === 4000 ? filters : []) })
    assert.deepEqual(
      sent.map(({ bytes }) => [bytes[0], bytes[1], bytes.length]),
      [
        [2, 0x81, 84],
        [2, 0x82, 80],
        [0, 130, 16],
      ],
    )
    for (const { bytes, destination, port } of sent) {
      assert.deepEqual([formatAddress(destination), port], ["10.0.0.1", 40000])
      const at = bytes[0] === 2 ? 42 : 10
      assert.deepEqual([...bytes.subarray(at, at + 2)], [0x17, 0x70])
    }
  })

  it("S-91 mappings that could not be kept are told so: CANNOT_PROVIDE_EXTERNAL to who wanted no other end", () => {
    const details = { preferFailure: true, requester: undefined, thirdPartyId: undefined, description: undefined }
    const gone = [
      made(map()),
      made(map({ port: 4001 }), { details }),
      made(peer({ port: 4002 })),
      made(natPmpMap(1, 4003, 0, 60)),
    ]
    const changes = gone.map((mapping): Change => ({ type: "deleted", mapping }))
    const sent = taken(new Stub(), { changes, lost: true })
    assert.deepEqual(
      sent.map(({ bytes }) => bytes[3]),
      [8, 11, 11, 4],
    )
    assert.deepEqual(taken(new Stub(), { changes }), [])
  })

  it("S-140 S-83 new external addresses begin the epoch again, and that is announced and among the changes", () => {
    const stub = new Stub()
    stub.now = 90_000
    assert.equal(stub.send(announce()).epoch, 90)
    const before = stub.state
    const [after, { changes, next }] = adopt(before, { state: stub.asks, changes: [], readdressed: true }, 100_000)
    assert.deepEqual([changes, next], [[{ type: "epoch-reset", at: 100_000 }], 100_000])
    assert.equal(epochTime(after, 103_000), 3)
    assert.equal(changes.reduce((state, change) => apply(state, change), before).epochStart, after.epochStart)
    const { send } = advance(after, 100_000)[1]
    assert.deepEqual(
      send.map(({ bytes, destination }) => [bytes[0], formatAddress(destination)]),
      [
        [2, "224.0.0.1"],
        [2, "ff02::1"],
        [0, "224.0.0.1"],
      ],
    )
    // Nothing of it is in the state before.
    assert.equal(epochTime(before, 103_000), 103)
    assert.deepEqual(advance(before, 100_000)[1].send, [])
  })

  it("S-92 a mapping that went, or was renewed by the CGN, has no more updates", () => {
    const mapping = made(map())
    const stub = new Stub()
    assert.equal(taken(stub, { changes: [moved(mapping)] }).length, 1)
    stub.now = 250
    assert.deepEqual(taken(stub, { changes: [{ type: "expired", mapping }] }), [])
    const other = new Stub()
    assert.equal(taken(other, { changes: [moved(mapping)] }).length, 1)
    other.now = 250
    assert.equal(taken(other, { changes: [changeOf("renewed", 1)] }).length, 1)
  })

  it("S-140 other settings go into force over any CGN, with or without a step of its own", () => {
    const stub = new Stub()
    stub.now = 50_000
    const limits = reconfigureOver(stub.state, { maxLifetime: 300 }, 50_000)
    assert.ok(limits.ok)
    assert.deepEqual(limits.pushed, { changes: [], next: undefined })
    stub.state = limits.state
    stub.send(map())
    assert.equal(stub.mapAsk.lifetime, 300)
    const step = { state: stub.asks, changes: [], readdressed: true }
    const moved = reconfigureOver(stub.state, {}, 50_000, step)
    assert.ok(moved.ok)
    stub.state = moved.state
    assert.equal(stub.send(announce()).epoch, 0)
    assert.equal(stub.due().send.length, 3)
    assert.equal(reconfigureOver(stub.state, { maxLifetime: 0 }, 50_000).ok, false)
  })
})
