import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { filters } from "../../../core/server/index.ts"
import {
  address,
  announce,
  filter,
  map,
  octets,
  option,
  peer,
  preferFailure,
  Scene,
  THIRD_PARTY,
  thirdParty,
} from "./scene.ts"

const UNSUPP_OPTION = 5
const MALFORMED_OPTION = 6
const MALFORMED_REQUEST = 3
const CANNOT_PROVIDE_EXTERNAL = 11
const EXCESSIVE_REMOTE_PEERS = 13

const end = { protocol: 17, internal: address("10.0.0.1"), internalPort: 4000 }

describe("options", () => {
  it("S-31 refuses one that runs past the end, known or not, mandatory or not, MALFORMED_OPTION", () => {
    const scene = new Scene()
    for (const options of [
      [200, 0, 0, 1],
      [3, 0, 0, 21, ...new Array<number>(20).fill(0)],
      [99, 0, 255, 255],
      [...option(200), 200, 0, 0, 5, 0, 0, 0, 0],
    ])
      assert.equal(scene.send(map({ options })).result, MALFORMED_OPTION)
    assert.deepEqual(scene.mappings, [])
  })

  it("S-31 takes padding for what it is: the next option begins behind it", () => {
    const scene = new Scene()
    assert.equal(
      scene.send(map({ options: [...option(200, [1, 2, 3, 4, 5]), ...preferFailure()], suggestedPort: 5000 })).result,
      0,
    )
    assert.equal(scene.send(map({ options: [...option(200, [1]), ...option(99)] })).result, UNSUPP_OPTION)
  })

  it("S-32 passes over optional ones, refuses mandatory ones that it does not know, UNSUPP_OPTION", () => {
    const scene = new Scene()
    for (const code of [128, 131, 200, 255]) assert.equal(scene.send(map({ options: option(code) })).result, 0)
    for (const code of [0, 4, 13, 63, 99, 127])
      assert.equal(scene.send(map({ options: option(code) })).result, UNSUPP_OPTION)
  })

  it("S-30 processes them in order: of two faults the first decides", () => {
    const scene = new Scene(THIRD_PARTY)
    const bad = filter(95, 0, "198.51.100.1")
    const unknown = option(99)
    assert.equal(scene.send(map({ options: [...bad, ...unknown] })).result, MALFORMED_OPTION)
    assert.equal(scene.send(map({ options: [...unknown, ...bad] })).result, UNSUPP_OPTION)
  })

  it("S-33 refuses a second of an option that may come once, MALFORMED_OPTION", () => {
    const scene = new Scene(THIRD_PARTY)
    const twice = [...preferFailure(), ...preferFailure()]
    assert.equal(scene.send(map({ options: twice, suggestedPort: 5000 })).result, MALFORMED_OPTION)
    const parties = [...thirdParty("10.0.0.7"), ...thirdParty("10.0.0.8")]
    assert.equal(scene.send(map({ options: parties })).result, MALFORMED_OPTION)
  })

  it("S-34 S-123 refuses PREFER_FAILURE or FILTER in a deletion, MALFORMED_OPTION, and deletes nothing", () => {
    const scene = new Scene()
    scene.send(map())
    for (const options of [preferFailure(), filter(128, 0, "198.51.100.1"), filter(0, 0, "0.0.0.0")])
      assert.equal(scene.send(map({ lifetime: 0, suggestedPort: 5000, options })).result, MALFORMED_OPTION)
    assert.equal(scene.mappings.length, 1)
  })

  it("S-35 refuses FILTER with PEER and ANNOUNCE, THIRD_PARTY and PREFER_FAILURE with ANNOUNCE", () => {
    const scene = new Scene(THIRD_PARTY)
    assert.equal(scene.send(peer({ options: filter(128, 0, "198.51.100.1") })).result, MALFORMED_OPTION)
    for (const options of [filter(128, 0, "198.51.100.1"), thirdParty("10.0.0.7"), preferFailure()])
      assert.equal(scene.send(announce({ options })).result, MALFORMED_OPTION)
  })

  it("S-10 an error after a tentative change leaves no trace of it", () => {
    const scene = new Scene({ filterLimit: 1 })
    const options = [...filter(128, 1, "198.51.100.1"), ...filter(128, 2, "198.51.100.1")]
    assert.equal(scene.send(map({ options })).result, EXCESSIVE_REMOTE_PEERS)
    assert.deepEqual(scene.mappings, [])
    assert.deepEqual(scene.changes, [])
  })
})

describe("PREFER_FAILURE", () => {
  it("S-110 needs a suggested external port: MALFORMED_OPTION without, or with data", () => {
    const scene = new Scene()
    assert.equal(scene.send(map({ options: preferFailure() })).result, MALFORMED_OPTION)
    assert.equal(scene.send(map({ suggestedPort: 5000, options: option(2, [0, 0, 0, 0]) })).result, MALFORMED_OPTION)
  })

  it("S-50 gives just the suggestion or CANNOT_PROVIDE_EXTERNAL, a short error, and is echoed", () => {
    const scene = new Scene()
    const wish = { suggestedPort: 5000, suggested: "203.0.113.2", options: preferFailure() }
    const bytes = scene.reply(map(wish))
    assert.deepEqual([...bytes.subarray(42, 64)], [0x13, 0x88, ...octets("203.0.113.2"), 2, 0, 0, 0])
    const refused = scene.send(map({ ...wish, client: "10.0.0.2" }), "10.0.0.2")
    assert.deepEqual([refused.result, refused.lifetime], [CANNOT_PROVIDE_EXTERNAL, 30])
    for (const suggested of ["192.0.2.1", "127.0.0.1"])
      assert.equal(
        scene.send(map({ port: 4001, suggestedPort: 5001, suggested, options: preferFailure() })).result,
        CANNOT_PROVIDE_EXTERNAL,
      )
    assert.equal(scene.mappings.length, 1)
  })

  it("S-47 with a mapping that is elsewhere: CANNOT_PROVIDE_EXTERNAL; where it is: renewed", () => {
    const scene = new Scene()
    const { externalPort, external } = scene.send(map())
    const at = `${external[12]}.${external[13]}.${external[14]}.${external[15]}`
    const other = externalPort === 5000 ? 5001 : 5000
    assert.equal(scene.send(map({ suggestedPort: other, options: preferFailure() })).result, CANNOT_PROVIDE_EXTERNAL)
    assert.equal(scene.send(map({ suggestedPort: externalPort, suggested: at, options: preferFailure() })).result, 0)
    // An all-zeros address is no preference (reference trap 6.9).
    assert.equal(scene.send(map({ suggestedPort: externalPort, options: preferFailure() })).result, 0)
  })

  it("S-67 with PEER: MALFORMED_REQUEST", () => {
    const scene = new Scene()
    assert.equal(scene.send(peer({ suggestedPort: 5000, options: preferFailure() })).result, MALFORMED_REQUEST)
  })
})

describe("FILTER", () => {
  it("S-120 S-09 keeps several in order, adds to those there, and echoes what it processed", () => {
    const scene = new Scene()
    const first = filter(128, 80, "198.51.100.1")
    const second = filter(120, 0, "192.0.2.0")
    const reply = scene.reply(map({ options: [...first, ...option(200), ...second] }))
    assert.deepEqual([...reply.subarray(60)], [...first, ...second])
    scene.send(map({ options: filter(128, 81, "198.51.100.1") }))
    assert.deepEqual(filters(scene.state, end), [
      { remote: address("198.51.100.1"), prefixLength: 128, remotePort: 80 },
      { remote: address("192.0.2.0"), prefixLength: 120, remotePort: 0 },
      { remote: address("198.51.100.1"), prefixLength: 128, remotePort: 81 },
    ])
  })

  it("S-121 prefix length 0 removes those before it, in the mapping and in the request, whatever its address", () => {
    const scene = new Scene()
    scene.send(map({ options: filter(128, 80, "198.51.100.1") }))
    const options = [
      ...filter(128, 1, "198.51.100.9"),
      ...filter(0, 7, "20010db8000000000000000000000001"),
      ...filter(128, 81, "198.51.100.2"),
    ]
    assert.equal(scene.send(map({ options })).result, 0)
    assert.deepEqual(filters(scene.state, end), [
      { remote: address("198.51.100.2"), prefixLength: 128, remotePort: 81 },
    ])
    scene.send(map({ options: filter(0, 0, "0.0.0.0") }))
    assert.deepEqual(filters(scene.state, end), [])
  })

  it("S-122 takes 96 to 128 bits of an IPv4-mapped address, nothing else", () => {
    const scene = new Scene()
    for (const prefix of [96, 112, 128])
      assert.equal(scene.send(map({ options: filter(prefix, 0, "198.51.100.1") })).result, 0)
    for (const prefix of [1, 33, 95, 129, 255])
      assert.equal(scene.send(map({ options: filter(prefix, 0, "198.51.100.1") })).result, MALFORMED_OPTION)
    assert.equal(scene.send(map({ options: option(3, new Array<number>(16).fill(0)) })).result, MALFORMED_OPTION)
  })

  it("S-124 over the limit: EXCESSIVE_REMOTE_PEERS, filters and lifetime as before", () => {
    const scene = new Scene({ filterLimit: 2 })
    scene.send(map({ options: [...filter(128, 1, "198.51.100.1"), ...filter(128, 2, "198.51.100.1")] }))
    const before = scene.mappings
    scene.now += 60_000
    const refused = scene.send(map({ options: filter(128, 3, "198.51.100.1") }))
    assert.deepEqual([refused.result, refused.lifetime], [EXCESSIVE_REMOTE_PEERS, 1800])
    assert.deepEqual(scene.mappings, before)
    assert.equal(filters(scene.state, end).length, 2)
    // The same request again adds nothing, so it is not over the limit.
    assert.equal(scene.send(map({ options: filter(128, 2, "198.51.100.1") })).result, 0)
  })

  it("S-120 lets go of a mapping's filters with it", () => {
    const scene = new Scene()
    scene.send(map({ options: filter(128, 1, "198.51.100.1") }))
    scene.send(map({ lifetime: 0 }))
    scene.send(map())
    assert.deepEqual(filters(scene.state, end), [])
  })
})

describe("THIRD_PARTY", () => {
  it("B-10 S-101 S-102 is off unless switched on: UNSUPP_OPTION", () => {
    const scene = new Scene()
    const refused = scene.send(map({ options: thirdParty("10.0.0.7") }))
    assert.deepEqual([refused.result, refused.lifetime], [UNSUPP_OPTION, 1800])
    assert.equal(scene.send(announce({ options: thirdParty("10.0.0.7") })).result, UNSUPP_OPTION)
  })

  it("S-100 refuses the sender's own address, MALFORMED_REQUEST", () => {
    const scene = new Scene(THIRD_PARTY)
    assert.equal(scene.send(map({ options: thirdParty("10.0.0.1") })).result, MALFORMED_REQUEST)
  })

  it("S-103 S-42 maps for the address in the option, copies the option back, and can delete", () => {
    const scene = new Scene(THIRD_PARTY)
    const reply = scene.reply(map({ options: thirdParty("10.0.0.7") }))
    assert.deepEqual([...reply.subarray(60)], thirdParty("10.0.0.7"))
    assert.deepEqual(
      scene.mappings.map(({ internal }) => internal),
      [address("10.0.0.7")],
    )
    assert.equal(scene.send(map({ lifetime: 0, options: thirdParty("10.0.0.7") })).result, 0)
    assert.deepEqual(scene.mappings, [])
  })

  it("S-32 refuses a wrong length and an all-zeros address, MALFORMED_OPTION", () => {
    const scene = new Scene(THIRD_PARTY)
    assert.equal(scene.send(map({ options: option(1, [10, 0, 0, 7]) })).result, MALFORMED_OPTION)
    for (const zero of ["0.0.0.0", "0".repeat(32)])
      assert.equal(scene.send(map({ options: thirdParty(zero) })).result, MALFORMED_OPTION)
  })
})
