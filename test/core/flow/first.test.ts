/** The first form (A2): a name from a fresh port, its echo from another, and a flow between the two. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { QOS_CUBES } from "../../../core/flow/index.ts"
import { allocated, end, pair, text, types } from "./scene.ts"

const NAME = "oecho"
const SETTINGS = { form: "first" } as const

describe("A2: the first form", () => {
  test("a client asks from a port of its own, at 3359; the server answers from one of its own", () => {
    const { there, client, server } = pair(SETTINGS)
    const far = server.flow({ type: "accept", name: NAME, auto: true })
    const here = client.flow({ type: "alloc", name: NAME, peer: server.at })
    const request = there.wire[0]
    assert.deepEqual(request?.bytes, text("oecho"))
    assert.equal(request?.to.port, 3359)
    assert.notEqual(request?.from.port, 3359)
    there.settle()
    assert.deepEqual([client.stateOf(here), server.stateOf(far)], ["ALLOCATED", "ALLOCATED"])
    client.give({ type: "write", flow: here, data: text("hello") })
    const message = there.wire[0]
    assert.deepEqual([message?.from.port, message?.bytes], [request?.from.port, text("hello")])
    assert.notEqual(message?.to.port, 3359)
    there.settle()
    assert.deepEqual(
      server.events().filter(({ type }) => type === "data"),
      [{ type: "data", flow: far, data: text("hello") }],
    )
    server.give({ type: "write", flow: far, data: text("back") })
    there.settle()
    assert.deepEqual(
      client.events().filter(({ type }) => type === "data"),
      [{ type: "data", flow: here, data: text("back") }],
    )
  })

  test("a request is pending until the application answers; only then comes the echo", () => {
    const { there, client, server } = pair(SETTINGS)
    const far = server.flow({ type: "accept", name: NAME })
    const here = client.flow({ type: "alloc", name: NAME, peer: server.at })
    there.settle()
    assert.deepEqual([client.stateOf(here), server.stateOf(far)], ["ALLOC_PENDING", "ACCEPT_PENDING"])
    assert.deepEqual(types(server.events()), ["request"])
    server.give({ type: "respond", flow: far, response: 0 })
    assert.deepEqual(there.wire[0]?.bytes, text("oecho"))
    there.settle()
    assert.deepEqual([client.stateOf(here), server.stateOf(far)], ["ALLOCATED", "ALLOCATED"])
  })

  test("a negative response deletes it: no echo, and the client does not hold it for allocated, but for timed out", () => {
    const { there, client, server } = pair(SETTINGS)
    const far = server.flow({ type: "accept", name: NAME })
    const here = client.flow({ type: "alloc", name: NAME, peer: server.at, timeout: 2000 })
    there.settle()
    server.give({ type: "respond", flow: far, response: -1 })
    assert.deepEqual(there.wire, [])
    for (let i = 0; i < 30; i++) {
      there.pass(100)
      there.settle()
    }
    assert.deepEqual(client.events(), [{ type: "failed", flow: here, error: "ETIMEDOUT" }])
    assert.equal(server.stateOf(far), "DEALLOCATED")
  })

  test("a server that echoes at once and refuses then, as the original: the client's flow ends by silence", () => {
    const { there, client, server } = pair(SETTINGS)
    const here = client.flow({ type: "alloc", name: NAME, peer: server.at, qos: { ...QOS_CUBES.raw, timeout: 5000 } })
    const request = there.wire.shift()
    assert.ok(request !== undefined)
    there.deliver({ from: { ...server.at, port: 41000 }, to: request.from, bytes: request.bytes })
    assert.equal(client.stateOf(here), "ALLOCATED")
    there.pass(5020)
    assert.deepEqual(types(client.events()), ["allocated", "down EFLOWPEER"])
  })

  test("a lost echo blocks nobody: the name is asked again, and echoed again from the same port", () => {
    const { there, client, server } = pair(SETTINGS)
    server.flow({ type: "accept", name: NAME, auto: true })
    server.flow({ type: "accept", name: NAME, auto: true })
    const here = client.flow({ type: "alloc", name: NAME, peer: server.at })
    const request = there.wire.shift()
    assert.ok(request !== undefined)
    there.deliver(request)
    const lost = there.wire.shift()
    there.pass(500)
    const again = there.wire.shift()
    assert.ok(again !== undefined)
    there.deliver(again)
    assert.deepEqual(there.wire, [lost])
    there.settle()
    assert.equal(client.stateOf(here), "ALLOCATED")
    assert.deepEqual(types(server.events()), ["allocated", "dropped duplicate"])
  })

  test("an echo that comes again is no message, but so many as the name was repeated alone", () => {
    const { there, client, server } = pair(SETTINGS)
    const here = client.flow({ type: "alloc", name: NAME, peer: server.at })
    const [request] = there.wire
    assert.ok(request !== undefined)
    there.pass(500)
    there.wire.length = 0
    const echo = { from: { ...server.at, port: 41000 }, to: request.from, bytes: request.bytes }
    for (let i = 0; i < 3; i++) there.deliver(echo)
    assert.deepEqual(types(client.events()), ["allocated", "dropped duplicate", "data"])
    assert.equal(client.stateOf(here), "ALLOCATED")
  })

  test("an echo must have the name's octets and come from the address that was asked", () => {
    const { there, client, server } = pair(SETTINGS)
    const here = client.flow({ type: "alloc", name: NAME, peer: server.at })
    const [request] = there.wire
    assert.ok(request !== undefined)
    there.deliver({ from: end("203.0.113.9", 41000), to: request.from, bytes: request.bytes })
    there.deliver({ from: { ...server.at, port: 41000 }, to: request.from, bytes: text("oechp") })
    assert.deepEqual(types(client.events()), ["dropped wrong-source", "dropped malformed"])
    assert.equal(client.stateOf(here), "ALLOC_PENDING")
  })

  test("of a quality of service its timeout alone counts: UDP can do nothing for the rest, and nothing of it is sent", () => {
    const both = pair(SETTINGS)
    both.server.flow({ type: "accept", name: NAME, auto: true })
    both.client.flow({ type: "alloc", name: NAME, peer: both.server.at, qos: { ...QOS_CUBES.voice, timeout: 2000 } })
    assert.deepEqual(
      both.there.wire.map(({ bytes }) => bytes),
      [text(NAME)],
    )
    both.there.settle()
    both.client.events()
    both.there.pass(1990)
    both.there.wire.length = 0
    both.there.pass(20)
    assert.deepEqual(types(both.client.events()), ["down EFLOWPEER"])
    assert.deepEqual(types(both.server.events()), ["allocated"])
  })

  test("an answer to a request that is not pending is refused: ENOTALLOC, and EBADF for no flow at all", () => {
    const both = pair(SETTINGS)
    const { far } = allocated(both)
    both.server.give({ type: "respond", flow: far, response: 0 })
    assert.equal(both.server.result(), "ENOTALLOC")
    both.server.give({ type: "respond", flow: far + 1000, response: 0 })
    assert.equal(both.server.result(), "EBADF")
  })

  test("a message from anywhere but the flow's own end is dropped, at either end", () => {
    const both = pair(SETTINGS)
    const { here, far } = allocated(both)
    both.client.give({ type: "write", flow: here, data: text("x") })
    both.server.give({ type: "write", flow: far, data: text("y") })
    for (const { to, bytes } of both.there.wire.splice(0))
      both.there.deliver({ from: end("203.0.113.9", 5), to, bytes })
    assert.deepEqual(types(both.client.events()), ["dropped wrong-source"])
    assert.deepEqual(types(both.server.events()), ["dropped wrong-source"])
  })

  test("what is no name is dropped, and a name that nobody registered", () => {
    const { there, client, server } = pair(SETTINGS)
    for (const bytes of [new Uint8Array(0), new Uint8Array(256).fill(65), Uint8Array.of(65, 0), text("nobody")])
      there.deliver({ from: client.at, to: server.at, bytes })
    assert.deepEqual(types(server.events()), [
      "dropped runt",
      "dropped malformed",
      "dropped malformed",
      "dropped unknown-name",
    ])
    assert.deepEqual(there.wire, [])
  })

  test("its flows are kept alive by datagrams without octets, and ended like today's", () => {
    const both = pair(SETTINGS)
    const { here, far } = allocated(both)
    for (let i = 0; i < 100; i++) {
      both.there.pass(10_000)
      both.there.settle()
    }
    assert.deepEqual([both.client.events(), both.server.events()], [[], []])
    both.client.give({ type: "dealloc", flow: here })
    both.there.wire.length = 0
    both.there.pass(130_020)
    assert.deepEqual(types(both.client.events()), ["destroyed"])
    assert.deepEqual(types(both.server.events()), ["down EFLOWPEER"])
    both.there.pass(130_020)
    assert.deepEqual(types(both.server.events()), ["destroyed"])
    assert.equal(both.server.stateOf(far), undefined)
  })

  test("no data goes with requests and replies, and a message has 8980 octets at most", () => {
    const both = pair(SETTINGS)
    both.client.give({ type: "alloc", name: NAME, peer: both.server.at, data: text("x") })
    assert.equal(both.client.result(), "EINVAL")
    const { here } = allocated(both)
    both.client.give({ type: "write", flow: here, data: new Uint8Array(8981) })
    assert.equal(both.client.result(), "EMSGSIZE")
    both.client.give({ type: "write", flow: here, data: new Uint8Array(8980) })
    assert.equal(both.there.wire[0]?.bytes.length, 8980)
  })

  test("a socket that cannot be had ends what needs it: EIPCP before, EFLOWDOWN after", () => {
    const both = pair(SETTINGS)
    const pending = both.client.flow({ type: "alloc", name: "x", peer: both.server.at })
    both.client.give({ type: "socket-failed", socket: pending })
    assert.deepEqual(types(both.client.events()), ["failed EIPCP"])
    both.there.wire.length = 0
    const { here } = allocated(both)
    both.client.give({ type: "socket-failed", socket: here })
    assert.deepEqual(types(both.client.events()), ["down EFLOWDOWN"])
    both.client.give({ type: "write", flow: here, data: text("x") })
    assert.equal(both.client.result(), "EFLOWDOWN")
  })
})
