/** The rules of A5 for today's form: what is received, from whom, how often, and within which bounds. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { countFlows, encodeFlow, hashOf, listFlows, QOS_CUBES } from "../../../core/flow/index.ts"
import { hex, toHex } from "../wire/hex.ts"
import { allocated, CLIENT, end, pair, SERVER, scene, text, types } from "./scene.ts"
import { FLOW_REPLY, FLOW_REQUEST } from "./vectors.ts"

const NAME = "oecho"
const STRANGER = end("203.0.113.9", 3435)

describe("A5: endpoint ids", () => {
  test("are counted from 64 to 4095, as the reference's descriptors", () => {
    const client = scene().peer(CLIENT)
    const flows = Array.from({ length: 4032 }, () => client.flow({ type: "alloc", name: NAME, peer: SERVER }))
    assert.deepEqual(
      flows,
      Array.from({ length: 4032 }, (_, i) => 64 + i),
    )
    client.give({ type: "alloc", name: NAME, peer: SERVER })
    assert.equal(client.result(), "ENOMEM")
  })

  test("are random where the settings say so: the same of one seed, others of another, never 0, 31 bits", () => {
    const ids = (seed: number): readonly number[] => {
      const client = scene().peer(CLIENT, { eids: "random", firstEid: 1, lastEid: 0x7fffffff }, seed)
      return Array.from({ length: 200 }, () => client.flow({ type: "alloc", name: NAME, peer: SERVER }))
    }
    const [one, again, other] = [ids(1), ids(1), ids(2)]
    assert.deepEqual(one, again)
    assert.equal(new Set([...one, ...other]).size, 400)
    assert.ok(one.every((id) => id >= 1 && id <= 0x7fffffff))
    // Spread over the range: each quarter has some.
    for (let quarter = 0; quarter < 4; quarter++) assert.ok(one.some((id) => id >>> 29 === quarter))
  })

  test("random ones fill a small range to its last", () => {
    const client = scene().peer(CLIENT, { eids: "random", firstEid: 64, lastEid: 95, maxFlows: 32 })
    const flows = new Set(Array.from({ length: 32 }, () => client.flow({ type: "alloc", name: NAME, peer: SERVER })))
    assert.equal(flows.size, 32)
  })

  test("rest after their flow: no other flow has them while a datagram for the old one can come", () => {
    const { there, client, server } = pair({ firstEid: 64, lastEid: 65, maxFlows: 2, linger: 5000 })
    const first = client.flow({ type: "alloc", name: NAME, peer: server.at })
    client.give({ type: "dealloc", flow: first })
    // The peer may have accepted after all its waiting, 2 and 20 s, and then holds the flow for its timeout, 120 s.
    there.pass(22_000 + 120_000 + 4980)
    assert.equal(client.flow({ type: "alloc", name: NAME, peer: server.at }), 65)
    client.give({ type: "alloc", name: NAME, peer: server.at })
    assert.equal(client.result(), "ENOMEM")
    client.give({ type: "dealloc", flow: 65 })
    there.pass(40)
    assert.equal(client.flow({ type: "alloc", name: NAME, peer: server.at }), first)
  })

  test("rest longer while datagrams still come for the old flow, within a bound", () => {
    const { there, client, server } = pair({ linger: 1000, lingerMost: 5000 })
    const flow = client.flow({ type: "alloc", name: NAME, peer: server.at, qos: { ...QOS_CUBES.raw, timeout: 1000 } })
    there.wire.length = 0
    there.deliver({ from: server.at, to: client.at, bytes: FLOW_REPLY })
    client.give({ type: "dealloc", flow })
    client.events()
    const late = { from: server.at, to: client.at, bytes: hex("00000040 6c617465") }
    for (let i = 0; i < 5; i++) {
      there.pass(900)
      there.deliver(late)
    }
    assert.equal(client.stateOf(flow), "DEALLOC_PENDING")
    assert.deepEqual(
      types(client.events()),
      Array.from({ length: 5 }, () => "dropped late"),
    )
    there.pass(600)
    assert.equal(client.stateOf(flow), undefined)
    there.deliver(late)
    assert.deepEqual(types(client.events()), ["destroyed", "dropped unknown-eid"])
  })
})

describe("A5: what is received", () => {
  test("fewer than 4 octets, and a management message of fewer than 47, are runts", () => {
    const { there, client } = pair()
    for (const length of [0, 1, 2, 3, 4, 46])
      there.deliver({ from: SERVER, to: client.at, bytes: FLOW_REPLY.subarray(0, length) })
    assert.deepEqual(
      types(client.events()),
      Array.from({ length: 6 }, () => "dropped runt"),
    )
    assert.equal(countFlows(client.layer()).dropped.runt, 6)
  })

  test("an unknown code is dropped, and so is a request of more octets than a packet has", () => {
    const { there, server } = pair()
    const unknown = FLOW_REQUEST.slice()
    unknown[44] = 3
    there.deliver({ from: CLIENT, to: server.at, bytes: unknown })
    const long = new Uint8Array(9000)
    long.set(FLOW_REQUEST)
    there.deliver({ from: CLIENT, to: server.at, bytes: long })
    assert.deepEqual(types(server.events()), ["dropped malformed", "dropped malformed"])
  })

  test("a message for no flow is dropped, and one for a flow that is not there yet", () => {
    const { there, client } = pair()
    const flow = client.flow({ type: "alloc", name: NAME, peer: SERVER })
    there.deliver({ from: SERVER, to: client.at, bytes: hex("0000ffff 61") })
    there.deliver({ from: SERVER, to: client.at, bytes: hex("ffffffff 61") })
    there.deliver({ from: SERVER, to: client.at, bytes: hex("00000040 61") })
    assert.equal(flow, 64)
    assert.deepEqual(types(client.events()), ["dropped unknown-eid", "dropped unknown-eid", "dropped not-allocated"])
  })

  test("a message must come from its flow's peer, address and port, which the reference does not look at", () => {
    const both = pair()
    const { here } = allocated(both)
    const bytes = hex("00000040 6f776e6564")
    for (const from of [STRANGER, { ...both.server.at, port: 3436 }, { ...STRANGER, port: 1 }])
      both.there.deliver({ from, to: both.client.at, bytes })
    assert.deepEqual(types(both.client.events()), [
      "dropped wrong-source",
      "dropped wrong-source",
      "dropped wrong-source",
    ])
    both.there.deliver({ from: both.server.at, to: both.client.at, bytes })
    assert.deepEqual(both.client.events(), [{ type: "data", flow: here, data: text("owned") }])
  })

  test("a reply must come from whom was asked, byte for byte; its s_eid may be any number", () => {
    const { there, client, server } = pair()
    const flow = client.flow({ type: "alloc", name: NAME, peer: server.at })
    there.wire.length = 0
    for (const from of [STRANGER, { ...server.at, port: 40000 }])
      there.deliver({ from, to: client.at, bytes: FLOW_REPLY })
    for (const eid of ["00000041", "ffffffff", "80000000", "7fffffff"])
      there.deliver({ from: server.at, to: client.at, bytes: hex(`00000000 ${eid} ${toHex(FLOW_REPLY).slice(16)}`) })
    assert.deepEqual(types(client.events()), [
      "dropped wrong-source",
      "dropped wrong-source",
      ...Array.from({ length: 4 }, () => "dropped late-reply"),
    ])
    assert.equal(client.stateOf(flow), "ALLOC_PENDING")
    there.deliver({ from: server.at, to: client.at, bytes: FLOW_REPLY })
    there.deliver({ from: server.at, to: client.at, bytes: FLOW_REPLY })
    assert.deepEqual(types(client.events()), ["allocated", "dropped duplicate"])
  })

  test("a reply cannot change a flow that came in: whoever asked does not answer", () => {
    const both = pair()
    const { far } = allocated(both)
    const reply = encodeFlow({
      kind: "flow-reply",
      requester: far,
      responder: 7,
      response: -1,
      data: new Uint8Array(0),
    })
    assert.ok(reply.ok)
    both.there.deliver({ from: both.client.at, to: both.server.at, bytes: reply.bytes })
    assert.equal(both.server.stateOf(far), "ALLOCATED")
  })

  test("the request is known before it leaves: a reply in the same instant finds its flow", () => {
    const { client, server } = pair()
    const effects = client.give({ type: "alloc", name: NAME, peer: server.at })
    assert.equal(effects.filter(({ type }) => type === "send").length, 1)
    client.give({ type: "datagram", bytes: FLOW_REPLY, source: server.at.address, sourcePort: server.at.port })
    assert.equal(client.stateOf(64), "ALLOCATED")
  })
})

describe("A5: requests are repeated, and known when they come again", () => {
  test("after 500 ms, then after twice the time, 4000 ms at most", () => {
    const { there, client } = pair()
    client.flow({ type: "alloc", name: NAME, peer: SERVER })
    const at: number[] = []
    for (let ms = 0; ms < 20_000; ms += 10) {
      there.pass(10)
      if (there.wire.length > 1) at.push(ms + 10)
      if (there.wire.length > 1) assert.deepEqual(there.wire.pop()?.bytes, there.wire[0]?.bytes)
    }
    assert.deepEqual(at, [500, 1500, 3500, 7500, 11500, 15500, 19500])
  })

  test("a repeated request makes no second flow; its reply is sent again, with the same data", () => {
    const { there, client, server } = pair()
    const far = server.flow({ type: "accept", name: NAME })
    server.flow({ type: "accept", name: NAME })
    const request = { from: client.at, to: server.at, bytes: FLOW_REQUEST }
    there.deliver(request)
    there.deliver(request)
    assert.deepEqual(types(server.events()), ["request", "dropped duplicate"])
    server.give({ type: "respond", flow: far, response: 0, data: text("welcome") })
    there.deliver(request)
    const [first, again] = there.wire.map(({ bytes }) => toHex(bytes))
    assert.equal(there.wire.length, 2)
    assert.equal(again, first)
    assert.ok(first?.endsWith(toHex(text("welcome"))))
    assert.equal(listFlows(server.layer()).filter(({ state }) => state === "ALLOCATED").length, 1)
  })

  test("a lost reply is made good by the repeated request", () => {
    const { there, client, server } = pair()
    server.flow({ type: "accept", name: NAME, auto: true })
    const flow = client.flow({ type: "alloc", name: NAME, peer: server.at })
    const request = there.wire.shift()
    assert.ok(request !== undefined)
    there.deliver(request)
    there.wire.length = 0
    there.pass(500)
    there.settle()
    assert.equal(client.stateOf(flow), "ALLOCATED")
  })

  test("a lost refusal is sent again as well", () => {
    const { there, client, server } = pair()
    const far = server.flow({ type: "accept", name: NAME })
    const request = { from: client.at, to: server.at, bytes: FLOW_REQUEST }
    there.deliver(request)
    server.give({ type: "respond", flow: far, response: -1 })
    there.wire.length = 0
    there.deliver(request)
    assert.equal(toHex(there.wire[0]?.bytes ?? hex("")), `000000000000004000000000ffffffff${"00".repeat(28)}020000`)
  })

  test("a request that waits for somebody to accept waits once", () => {
    const { there, server } = pair()
    for (let i = 0; i < 5; i++) there.deliver({ from: CLIENT, to: server.at, bytes: FLOW_REQUEST })
    assert.equal(countFlows(server.layer()).waiting, 1)
  })

  test("a requester that has begun anew gets a new flow, and nobody can end the old one by asking in its name", () => {
    const both = pair()
    const { far } = allocated(both)
    const again = both.server.flow({ type: "accept", name: NAME, auto: true })
    const request = encodeFlow({
      kind: "flow-request",
      requester: 64,
      qos: QOS_CUBES.data,
      hash: hashOf(text(NAME)),
      data: text("another run"),
    })
    assert.ok(request.ok)
    both.there.deliver({ from: both.client.at, to: both.server.at, bytes: request.bytes })
    assert.deepEqual(
      [far, again].map((flow) => both.server.stateOf(flow)),
      ["ALLOCATED", "ALLOCATED"],
    )
    both.there.wire.length = 0
    both.server.give({ type: "write", flow: far, data: text("x") })
    assert.equal(toHex(both.there.wire[0]?.bytes ?? hex("")), "0000004078")
  })

  test("a request that comes again after its flow was ended is late: no new flow of it", () => {
    const both = pair()
    const { far } = allocated(both)
    both.server.give({ type: "dealloc", flow: far })
    both.server.flow({ type: "accept", name: NAME, auto: true })
    both.there.deliver({ from: both.client.at, to: both.server.at, bytes: FLOW_REQUEST })
    assert.deepEqual(types(both.server.events()), ["dropped duplicate"])
    assert.deepEqual(both.there.wire, [])
  })
})

describe("A5: messages", () => {
  for (const [family, peer, most] of [
    ["IPv4", SERVER, 8976],
    ["IPv6", end("2001:db8::2", 3435), 8948],
  ] as const)
    test(`over ${family} a packet has ${most + 4} octets at most, the endpoint id with it, so that no message is cut`, () => {
      const there = scene()
      const client = there.peer(CLIENT)
      const flow = client.flow({ type: "alloc", name: NAME, peer })
      there.wire.length = 0
      there.deliver({ from: peer, to: client.at, bytes: FLOW_REPLY })
      client.give({ type: "write", flow, data: new Uint8Array(most) })
      assert.equal(there.wire[0]?.bytes.length, most + 4)
      client.give({ type: "write", flow, data: new Uint8Array(most + 1) })
      assert.equal(client.result(), "EMSGSIZE")
      assert.equal(there.wire.length, 1)
    })

  test("A9: a write of no octets sends nothing", () => {
    const both = pair()
    const { here } = allocated(both)
    both.client.give({ type: "write", flow: here, data: new Uint8Array(0) })
    assert.deepEqual(both.there.wire, [])
  })

  test("a quarter of the timeout without a message is answered by a keep-alive, which nobody is told of", () => {
    const both = pair()
    const { here, far } = allocated(both)
    both.there.pass(29_990)
    assert.deepEqual(both.there.wire, [])
    both.there.pass(20)
    assert.deepEqual(
      both.there.wire.map(({ bytes }) => toHex(bytes)),
      ["00000040", "00000040"],
    )
    both.there.settle()
    assert.deepEqual([both.client.events(), both.server.events()], [[], []])
    // An hour of silence, and both are there.
    for (let i = 0; i < 360; i++) {
      both.there.pass(10_000)
      both.there.settle()
    }
    assert.deepEqual([both.client.stateOf(here), both.server.stateOf(far)], ["ALLOCATED", "ALLOCATED"])
  })

  test("a message of its own is as good as a keep-alive", () => {
    const both = pair()
    const { here } = allocated(both)
    for (let i = 0; i < 5; i++) {
      both.there.pass(20_000)
      both.client.give({ type: "write", flow: here, data: text("x") })
    }
    const fromClient = both.there.wire.filter(({ from }) => from === both.client.at)
    assert.equal(fromClient.length, 5)
  })

  test("a peer that is silent for the flow's timeout is gone: EFLOWPEER, and so says a write then", () => {
    const both = pair()
    const { here } = allocated(both)
    both.there.pass(119_990)
    assert.equal(both.client.stateOf(here), "ALLOCATED")
    both.there.wire.length = 0
    both.there.pass(20)
    assert.deepEqual(both.client.events(), [{ type: "down", flow: here, error: "EFLOWPEER" }])
    both.client.give({ type: "write", flow: here, data: text("x") })
    assert.equal(both.client.result(), "EFLOWPEER")
    both.client.give({ type: "dealloc", flow: here })
    assert.equal(both.client.result(), "ok")
  })

  test("a timeout of 0 never ends a flow, and one below the bound counts as the bound", () => {
    for (const [timeout, down] of [
      [0, false],
      [1, true],
    ] as const) {
      const { there, client, server } = pair({ keepAlive: false })
      server.flow({ type: "accept", name: NAME, auto: true })
      const flow = client.flow({ type: "alloc", name: NAME, peer: server.at, qos: { ...QOS_CUBES.raw, timeout } })
      there.settle()
      there.pass(980)
      assert.equal(client.stateOf(flow), "ALLOCATED")
      there.pass(10_000_000)
      assert.equal(client.stateOf(flow), down ? undefined : "ALLOCATED")
    }
  })
})

describe("A5: a requester's timeout", () => {
  test("of 0, or longer than the bound, is the bound at the side that was asked: nobody holds a flow there for ever", () => {
    for (const timeout of [0, 0xffffffff, 50_000]) {
      const { there, client, server } = pair({ keepAlive: false, mostTimeout: 60_000 })
      const far = server.flow({ type: "accept", name: NAME, auto: true })
      const here = client.flow({ type: "alloc", name: NAME, peer: server.at, qos: { ...QOS_CUBES.raw, timeout } })
      there.settle()
      const bound = timeout === 50_000 ? 50_000 : 60_000
      there.pass(bound - 10)
      assert.equal(server.stateOf(far), "ALLOCATED", `${timeout}`)
      there.pass(20)
      assert.equal(server.stateOf(far), "DEALLOC_PENDING", `${timeout}`)
      // Whoever asked keeps what it chose for itself: with 0 the flow never ends by silence.
      assert.equal(client.stateOf(here), timeout === 50_000 ? "DEALLOC_PENDING" : "ALLOCATED")
    }
  })

  test("is a day at most unless the settings say otherwise, and what was asked for is told as it was asked", () => {
    const { there, client, server } = pair()
    const far = server.flow({ type: "accept", name: NAME })
    client.flow({ type: "alloc", name: NAME, peer: server.at, qos: { ...QOS_CUBES.raw, timeout: 0 } })
    there.settle()
    const [request] = server.events()
    assert.ok(request?.type === "request" && request.qos.timeout === 0)
    server.give({ type: "respond", flow: far, response: 0 })
    assert.equal(listFlows(server.layer()).find(({ flow }) => flow === far)?.timeout, 86_400_000)
  })
})

describe("A5: management messages", () => {
  test("are handled in the order in which they come, where the reference takes the last first", () => {
    const both = pair()
    const accepted = [1, 2].map(() => both.server.flow({ type: "accept", name: NAME }))
    const asked = [1, 2].map(() => both.client.flow({ type: "alloc", name: NAME, peer: both.server.at }))
    both.there.settle()
    const requests = both.server.events().flatMap((event) => (event.type === "request" ? [event.flow] : []))
    assert.deepEqual(requests, accepted)
    for (const flow of accepted) both.server.give({ type: "respond", flow, response: 0 })
    both.there.settle()
    const there = both.client.events().flatMap((event) => (event.type === "allocated" ? [event.flow] : []))
    assert.deepEqual(there, asked)
  })
})

describe("states", () => {
  test("an old layer stays valid: two futures from one", () => {
    const both = pair()
    const { here } = allocated(both)
    const before = both.client.layer()
    both.client.give({ type: "dealloc", flow: here })
    const after = both.client.layer()
    assert.deepEqual(
      listFlows(before).map(({ state }) => state),
      ["ALLOCATED"],
    )
    assert.deepEqual(
      listFlows(after).map(({ state }) => state),
      ["DEALLOC_PENDING"],
    )
    assert.deepEqual(
      listFlows(before).map(({ state }) => state),
      ["ALLOCATED"],
    )
  })
})
