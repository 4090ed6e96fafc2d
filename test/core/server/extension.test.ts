import assert from "node:assert/strict"
import { describe, it } from "node:test"
import type { ServerSettings } from "../../../core/server/index.ts"
import { createServer } from "../../../core/server/index.ts"
import { formatAddress } from "../../../core/wire/index.ts"
import {
  address,
  announce,
  filter,
  map,
  octets,
  option,
  POOL,
  peer,
  preferFailure,
  Scene,
  THIRD_PARTY,
  thirdParty,
} from "./scene.ts"
import { changeOf, Stub } from "./stub.ts"

const MALFORMED_REQUEST = 3
const UNSUPP_OPTION = 5
const MALFORMED_OPTION = 6

const text = (value: string): number[] => [...new TextEncoder().encode(value)]
const zeros = (count: number): number[] => new Array<number>(count).fill(0)
const after = (reply: Uint8Array, length: number): number[] => [...reply.subarray(length)]

describe("DESCRIPTION (RFC 7220)", () => {
  it("S-32 asks the CGN to store it with MAP and PEER, and returns what was stored, cut or not", () => {
    for (const [bytes, length] of [
      [map({ options: option(128, text("Träger")) }), 60],
      [peer({ options: option(128, text("Träger")) }), 80],
    ] as const) {
      const stub = new Stub({ result: { description: "Trä" } })
      assert.deepEqual(after(stub.reply(bytes), length), option(128, text("Trä")))
      const [{ ask }] = stub.asks.flatMap((one) =>
        one.method === "addMapping" || one.method === "addDynamic" ? [one] : [],
      )
      assert.equal(ask.description, "Träger")
    }
  })

  it("S-32 erases with an empty one and echoes it; is not echoed unless asked for or where the CGN keeps none", () => {
    const stub = new Stub({ result: { description: "" } })
    assert.deepEqual(after(stub.reply(map({ options: option(128) })), 60), [128, 0, 0, 0])
    assert.equal(stub.mapAsk.description, "")
    assert.equal(stub.reply(map()).length, 60)
    assert.equal(stub.mapAsk.description, undefined)
    assert.equal(new Stub().reply(map({ options: option(128, text("a")) })).length, 60)
    const off = new Stub({ result: { description: "a" } }, { description: false })
    assert.equal(off.reply(map({ options: option(128, text("a")) })).length, 60)
    assert.equal(off.mapAsk.description, undefined)
  })

  it("S-32 goes on without one that is not UTF-8 or has a NUL", () => {
    for (const data of [[0xff], [0xc3], [0xed, 0xa0, 0x80], [65, 0], [0, 65]]) {
      const stub = new Stub({ result: { description: "x" } })
      const reply = stub.reply(map({ options: option(128, data) }))
      assert.deepEqual([reply.length, reply[3]], [60, 0], `${data}`)
      assert.equal(stub.mapAsk.description, undefined)
    }
  })

  it("S-33 refuses two, and passes it over in a deletion and an ANNOUNCE", () => {
    const stub = new Stub({ result: { description: "a" } })
    assert.equal(
      stub.send(map({ options: [...option(128, text("a")), ...option(128, text("b"))] })).result,
      MALFORMED_OPTION,
    )
    const deleted = stub.reply(map({ lifetime: 0, options: option(128, text("a")) }))
    assert.deepEqual([deleted.length, deleted[3]], [60, 0])
    assert.equal(stub.reply(announce({ options: option(128, text("a")) })).length, 24)
  })
})

describe("PREFIX64 (RFC 7225)", () => {
  const wellKnown = {
    kind: "PREFIX64",
    prefix: Uint8Array.of(0, 0x64, 0xff, 0x9b, ...zeros(8)),
    suffix: new Uint8Array(0),
    ipv4Prefixes: undefined,
  } as const
  const own = {
    kind: "PREFIX64",
    prefix: Uint8Array.of(0x20, 1, 0xd, 0xb8, 1, 0x22, 3),
    suffix: Uint8Array.of(0, 0, 0, 0, 9),
    ipv4Prefixes: [{ length: 24, address: address("192.0.2.0") }],
  } as const
  // RFC 7225 section 4.3: a request has ::/96.
  const request = option(129, [0, 12, ...zeros(12)])
  const answer = [
    ...option(129, [0, 12, 0, 0x64, 0xff, 0x9b, ...zeros(8)]),
    ...option(129, [0, 7, 0x20, 1, 0xd, 0xb8, 1, 0x22, 3, 0, 0, 0, 0, 9, 0, 1, 0, 24, 192, 0, 2, 0]),
  ]
  const settings: Partial<ServerSettings> = { prefix64: [wellKnown, own] }

  it("S-32 answers MAP and ANNOUNCE with every prefix, suffix and list that is configured", () => {
    const stub = new Stub({}, settings)
    assert.deepEqual(after(stub.reply(map({ options: request })), 60), answer)
    assert.deepEqual(after(stub.reply(announce({ options: request })), 24), answer)
    assert.equal(stub.reply(map()).length, 60)
  })

  it("S-32 never sends one where none is configured, and not with PEER", () => {
    assert.equal(new Stub().reply(map({ options: request })).length, 60)
    assert.equal(new Stub().reply(announce({ options: request })).length, 24)
    assert.equal(new Stub({}, settings).reply(peer({ options: request })).length, 80)
  })

  it("S-32 can come with every MAP success, asked for or not, but never with an error", () => {
    const stub = new Stub({}, { ...settings, prefix64Unasked: true })
    assert.deepEqual(after(stub.reply(map()), 60), answer)
    assert.deepEqual(after(stub.reply(map({ options: request })), 60), answer)
    assert.equal(stub.reply(announce()).length, 24)
    assert.equal(stub.reply(map({ protocol: 0 })).length, 60)
  })

  it("S-33 refuses two, and one that is too short for its prefix", () => {
    const stub = new Stub({}, settings)
    assert.equal(stub.send(map({ options: [...request, ...request] })).result, MALFORMED_OPTION)
    assert.equal(stub.send(map({ options: option(129, [0, 4]) })).result, MALFORMED_OPTION)
  })

  it("S-12 is MALFORMED_REQUEST where the response would be over 1100 octets, with nothing changed", () => {
    const stub = new Stub({}, settings)
    // 60 + 24 * 41 = 1044, the request's own PREFIX64 20 more: 1064. The answer has 20 + 28 instead of those 20.
    const filters = (count: number) => Array.from({ length: count }, () => filter(128, 0, "198.51.100.1")).flat()
    assert.equal(stub.reply(map({ options: [...filters(41), ...request] })).length, 1092)
    const before = stub.asks.length
    assert.equal(stub.send(map({ options: [...filters(42), ...request] })).result, MALFORMED_REQUEST)
    assert.equal(stub.asks.length, before)
    // Unasked ones are left out instead.
    const unasked = new Stub({}, { ...settings, prefix64Unasked: true })
    assert.equal(unasked.reply(map({ options: filters(43) })).length, 60 + 43 * 24)
  })

  it("refuses prefixes that RFC 6052 does not have when the server is made", () => {
    for (const bad of [
      { ...own, prefix: new Uint8Array(9), suffix: new Uint8Array(3) },
      { ...own, suffix: new Uint8Array(4) },
      { ...own, ipv4Prefixes: [{ length: 33, address: address("192.0.2.0") }] },
    ]) {
      const made = createServer({ external: POOL.map(address), secret: new Uint8Array(32), now: 0, prefix64: [bad] })
      assert.equal(made.ok ? "made" : made.error.code, "bad-prefix64")
    }
  })
})

describe("PORT_SET (RFC 7753)", () => {
  const portSet = (size: number, first: number, parity = 0): number[] =>
    option(130, [size >> 8, size & 255, first >> 8, first & 255, parity])

  it("S-32 asks the CGN for the set, and returns as many ports as were mapped with the parity bit", () => {
    const stub = new Stub({ result: { ports: 3 } })
    const reply = stub.reply(map({ options: portSet(8, 4000, 0xff) }))
    assert.deepEqual(stub.mapAsk.portSet, { size: 8, parity: true })
    assert.deepEqual(after(reply, 60), [...portSet(3, 4000, 1)])
    assert.deepEqual([reply[42] * 256 + reply[43]], [5000])
    stub.reply(map({ options: portSet(0xffff, 4000) }))
    assert.deepEqual(stub.mapAsk.portSet, { size: 0xffff, parity: false })
  })

  it("S-32 has no option in a response of a single port, and ignores a set of one", () => {
    assert.equal(new Stub().reply(map({ options: portSet(8, 4000) })).length, 60)
    const one = new Stub({ result: { ports: 1 } })
    assert.equal(one.reply(map({ options: portSet(1, 4000) })).length, 60)
    assert.equal(one.mapAsk.portSet, undefined)
  })

  it("S-33 S-34 refuses two, none at all, PREFER_FAILURE, another first port, or another length, MALFORMED_OPTION", () => {
    const stub = new Stub({ result: { ports: 2 } })
    for (const options of [
      [...portSet(2, 4000), ...portSet(2, 4000)],
      portSet(0, 4000),
      [...portSet(2, 4000), ...preferFailure()],
      [...preferFailure(), ...portSet(2, 4000)],
      portSet(2, 4001),
      option(130, [0, 2, 0x0f, 0xa0]),
    ])
      assert.equal(stub.send(map({ suggestedPort: 6000, options })).result, MALFORMED_OPTION)
    assert.deepEqual(stub.asks, [])
  })

  it("S-133 deletes a set as one", () => {
    const stub = new Stub({ result: { ports: 4, lifetime: 0, outcome: "ok" } })
    const reply = stub.reply(map({ lifetime: 0, options: portSet(4, 4000) }))
    assert.deepEqual(after(reply, 60), portSet(4, 4000))
    const [{ ask }] = stub.asks.flatMap((one) => (one.method === "delMapping" ? [one] : []))
    assert.deepEqual(ask.portSet, { size: 4, parity: false })
    assert.equal(stub.send(map({ lifetime: 0, options: portSet(0, 0) })).result, 0)
  })

  it("S-03 maps no more than 32 ports with filters at once, so that one request is never the work of forty thousand", () => {
    const scene = new Scene()
    const many = Array.from({ length: 40 }, (_, i) => filter(128, i, "198.51.100.1")).flat()
    const reply = scene.reply(map({ options: [...portSet(1024, 4000), ...many] }))
    assert.deepEqual(after(reply, 60).slice(-12), portSet(32, 4000))
    assert.equal(scene.mappings.length, 32)
    assert.equal(scene.changes.filter(({ type }) => type === "filtered").length, 32)
    assert.deepEqual(after(new Scene().reply(map({ options: portSet(1024, 4000) })), 60), portSet(1024, 4000))
  })

  it("S-120 gives every port of the set its filters", () => {
    const stub = new Stub({ result: { ports: 3 } })
    stub.reply(map({ options: [...portSet(3, 4000), ...filter(128, 0, "198.51.100.1")] }))
    const ports = stub.asks.flatMap((one) => (one.method === "filter" ? [one.ask.internalPort] : []))
    assert.deepEqual(ports, [4000, 4001, 4002])
  })

  it("S-90 sends an update of each mapping that a new set overlaps, none of one that is only renewed", () => {
    const overlap = new Stub({
      result: { ports: 3, changes: [changeOf("renewed", 4000), changeOf("created", 4001), changeOf("renewed", 4002)] },
    })
    overlap.reply(map({ options: portSet(3, 4000) }))
    assert.equal(overlap.last?.next, 0)
    assert.deepEqual(
      overlap.due().send.map(({ bytes }) => bytes[40] * 256 + bytes[41]),
      [4000, 4002],
    )
    const renewal = new Stub({ result: { ports: 2, changes: [changeOf("renewed", 4000), changeOf("renewed", 4001)] } })
    renewal.reply(map({ options: portSet(2, 4000) }))
    assert.deepEqual(renewal.due().send, [])
  })

  it("S-32 can be switched off, and is nothing to PEER", () => {
    const off = new Stub({ result: { ports: 3 } }, { portSet: false })
    assert.equal(off.reply(map({ options: portSet(8, 4000) })).length, 60)
    assert.equal(off.mapAsk.portSet, undefined)
    assert.equal(new Stub().send(peer({ options: portSet(0, 0) })).result, 0)
  })
})

describe("THIRD_PARTY_ID (RFC 7843)", () => {
  const realm = address("2001:db8::51")
  const ids: Partial<ServerSettings> = { ...THIRD_PARTY, thirdPartyIds: new Map([["00a1b2", realm]]) }
  const known = option(13, [0, 0xa1, 0xb2])

  it("S-103 names the realm of the mapping, together with THIRD_PARTY in either order, and is echoed", () => {
    for (const options of [
      [...thirdParty("10.0.0.7"), ...known],
      [...known, ...thirdParty("10.0.0.7")],
    ]) {
      const stub = new Stub({}, ids)
      assert.deepEqual(after(stub.reply(map({ options })), 60), options)
      const { internal, realm: asked, requester, thirdPartyId } = stub.mapAsk
      assert.deepEqual(
        [formatAddress(internal), asked, requester, thirdPartyId],
        ["10.0.0.7", realm, address("10.0.0.1"), "00a1b2"],
      )
      assert.equal(stub.send(peer({ options })).result, 0)
    }
  })

  it("S-101 is UNSUPP_OPTION where it is not offered or THIRD_PARTY is not allowed", () => {
    const options = [...thirdParty("10.0.0.7"), ...known]
    assert.equal(new Stub({}, THIRD_PARTY).send(map({ options })).result, UNSUPP_OPTION)
    assert.equal(new Stub({}, { ...ids, threatModel: "simple" }).send(map({ options: known })).result, UNSUPP_OPTION)
  })

  it("S-32 refuses an unknown id with 24, a lone one with 25, a length that no id has with 26, each for long", () => {
    const stub = new Stub({}, ids)
    for (const [options, result] of [
      [[...thirdParty("10.0.0.7"), ...option(13, [0, 0xa1, 0xb3])], 24],
      [known, 25],
      [[...thirdParty("10.0.0.7"), ...option(13, [0, 0xa1])], 26],
      [[...thirdParty("10.0.0.7"), ...option(13)], 26],
    ] as const) {
      const reply = stub.send(map({ options }))
      assert.deepEqual([reply.result, reply.lifetime], [result, 1800])
    }
    assert.deepEqual(stub.asks, [])
  })

  it("S-33 S-35 refuses two, and one with ANNOUNCE, MALFORMED_OPTION", () => {
    const stub = new Stub({}, ids)
    assert.equal(stub.send(map({ options: [...thirdParty("10.0.0.7"), ...known, ...known] })).result, MALFORMED_OPTION)
    assert.equal(stub.send(announce({ options: known })).result, MALFORMED_OPTION)
  })

  it("S-91 is echoed in updates", () => {
    const details = {
      preferFailure: false,
      requester: address("10.0.0.1"),
      thirdPartyId: "00a1b2",
      description: undefined,
    }
    const scene = new Scene({ ...THIRD_PARTY, ...ids })
    scene.send(map({ options: thirdParty("10.0.0.7") }))
    const mapping = { ...scene.mappings[0], clientPort: 40000, details }
    const stub = new Stub(
      { result: { changes: [{ type: "renewed", mapping }, changeOf("created", 1)], ports: 2 } },
      ids,
    )
    stub.reply(map({ options: option(130, [0, 2, 0x0f, 0xa0, 0]) }))
    const [{ bytes }] = stub.due().send
    assert.deepEqual(after(bytes, 60), [...option(1, octets("10.0.0.7")), ...known])
  })
})
