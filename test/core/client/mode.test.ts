import assert from "node:assert/strict"
import { describe, test } from "node:test"
import type { Mode } from "../../../core/client/index.ts"
import { announcement, failure, success } from "./answer.ts"
import { scene, TCP_8080 } from "./scene.ts"

const asked = (mode: Mode, lifetime = 600) => {
  const client = scene()
  client.respond(({ bytes }) => [success(bytes, { lifetime, epoch: Math.floor(client.now() / 1000) })])
  client.command({ type: "request", id: "web", request: TCP_8080, mode })
  return client
}

const kinds = (client: ReturnType<typeof scene>) => client.told("state").map(({ state }) => state.kind)

describe("once", () => {
  test("one answer, no renewal, and its end", () => {
    const client = asked({ kind: "once" })
    client.run(700_000)
    assert.equal(client.sent.length, 1)
    assert.deepEqual(kinds(client), ["requested", "starting", "running", "expired"])
    assert.equal(client.timed().at(-1)?.at, 600_010)
    assert.equal(client.wake(), undefined)
    // The id is free again.
    client.command({ type: "request", id: "web", request: TCP_8080 })
    assert.equal(client.told("refused").length, 0)
  })

  test("an error is the end of it", () => {
    const client = scene()
    client.respond(({ bytes }) => [failure(bytes, 10, 30)])
    client.command({ type: "request", id: "web", request: TCP_8080, mode: { kind: "once" } })
    client.run(700_000)
    assert.equal(client.sent.length, 1)
    assert.deepEqual(client.told("state").at(-1)?.state, {
      kind: "error",
      failure: { kind: "result", code: 10, lifetime: 30 },
      retryAt: undefined,
    })
    assert.equal(client.wake(), undefined)
  })

  test("C-55: it is made again after a loss of state, for what is left of it (RFC 6887 section 16.3.2)", () => {
    const client = asked({ kind: "once" })
    client.run(400_000)
    client.datagram(announcement(0))
    client.respond(({ bytes }) => [success(bytes, { epoch: 3 })])
    client.run(6000)
    assert.equal(client.sent.length, 2)
    const lifetime = new DataView(client.sent[1].bytes.buffer).getUint32(4)
    assert.equal(lifetime, Math.ceil((600_010 - client.sent[1].at) / 1000))
    client.run(300_000)
    assert.equal(client.sent.length, 2)
    assert.deepEqual(kinds(client).at(-1), "expired")
  })
})

describe("repeat", () => {
  test("so many renewals, and then its end", () => {
    for (const times of [0, 1, 3]) {
      const client = asked({ kind: "repeat", times })
      client.run(5_000_000)
      assert.equal(client.sent.length, 1 + times)
      assert.equal(client.told("renewed").length, times)
      assert.equal(kinds(client).at(-1), "expired")
      assert.equal(client.wake(), undefined)
    }
  })

  test("what expired and is made again counts as one of them", () => {
    const client = scene()
    // Renewals are lost, requests are not.
    client.respond(({ bytes }) => {
      const kind = client.told("state").at(-1)?.state.kind
      return kind === "running" || kind === "updating"
        ? []
        : [success(bytes, { lifetime: 600, epoch: Math.floor(client.now() / 1000) })]
    })
    client.command({ type: "request", id: "web", request: TCP_8080, mode: { kind: "repeat", times: 2 } })
    client.run(20_000_000)
    assert.equal(client.told("assigned").length, 3)
    assert.equal(client.wake(), undefined)
  })

  test("what a loss of state took is made good without counting", () => {
    const client = asked({ kind: "repeat", times: 1 })
    client.run(100_000)
    client.datagram(announcement(0))
    client.respond(({ bytes }) => [
      success(bytes, { lifetime: 600, epoch: Math.floor((client.now() - 100_000) / 1000) }),
    ])
    client.run(5_000_000)
    assert.equal(client.sent.length, 3)
  })
})

describe("keep", () => {
  test("is what a request is without a mode, and goes on after errors and expiry", () => {
    const client = scene()
    let works = false
    client.respond(({ bytes }) => [
      works
        ? success(bytes, { epoch: Math.floor(client.now() / 1000) })
        : failure(bytes, 7, 60, Math.floor(client.now() / 1000)),
    ])
    client.command({ type: "request", id: "web", request: TCP_8080 })
    client.run(200_000)
    assert.equal(client.sent.length, 4)
    works = true
    client.run(60_000)
    assert.deepEqual(client.states(), ["router running"])
  })

  test("a grant of 0 s is none: it is asked for again when an error would be over", () => {
    const client = scene()
    client.respond(({ bytes }) => [success(bytes, { lifetime: 0, externalPort: 80 })])
    client.command({ type: "request", id: "web", request: TCP_8080 })
    client.run(119_000)
    assert.equal(client.sent.length, 4)
    const once = scene()
    once.respond(({ bytes }) => [success(bytes, { lifetime: 0, externalPort: 80 })])
    once.command({ type: "request", id: "web", request: TCP_8080, mode: { kind: "repeat", times: 0 } })
    once.run(119_000)
    assert.equal(once.sent.length, 1)
    assert.equal(once.wake(), undefined)
  })
})
