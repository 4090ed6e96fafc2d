import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { failure, success } from "./answer.ts"
import { address, PEER, realServer, router, scene, TCP_8080 } from "./scene.ts"

const granted = () => {
  const client = scene()
  client.respond(({ bytes }) => [success(bytes, { epoch: Math.floor(client.now() / 1000) })])
  client.command({ type: "request", id: "web", request: TCP_8080 })
  client.command({ type: "request", id: "two", request: { ...TCP_8080, internalPort: 81 } })
  client.run(10_000)
  return client
}

const lifetimeOf = (bytes: Uint8Array): number => new DataView(bytes.buffer).getUint32(4)

describe("stopping", () => {
  test("with deletions: all mappings are deleted, and then it is over", () => {
    const client = granted()
    client.command({ type: "announce", id: "there" })
    client.command({ type: "stop", revoke: true })
    assert.equal(client.told("stopped").length, 0)
    client.run(1000)
    assert.deepEqual(client.events().at(-1), { type: "stopped" })
    assert.equal(client.wake(), undefined)
    assert.deepEqual(
      client.sent.slice(-2).map(({ bytes }) => lifetimeOf(bytes)),
      [0, 0],
    )
    // It may begin again.
    client.command({ type: "request", id: "web", request: TCP_8080 })
    client.run(100)
    assert.deepEqual(client.states(), ["router running"])
  })

  test("with deletions that nobody answers: three tries, and then it is over", () => {
    const client = granted()
    client.respond(() => [])
    client.command({ type: "stop", revoke: true })
    client.run(100_000)
    assert.equal(client.sent.length, 2 + 2 * 3)
    assert.deepEqual(client.events().at(-1), { type: "stopped" })
    assert.ok(
      client
        .told("state")
        .slice(-2)
        .every(({ state }) => state.kind === "revoked" && !state.answered),
    )
  })

  test("without: nothing is sent, and it is over at once", () => {
    const client = granted()
    client.command({ type: "stop", revoke: false })
    assert.equal(client.sent.length, 2)
    assert.deepEqual(client.events().at(-1), { type: "stopped" })
    assert.deepEqual(client.told("state").at(-1)?.state, { kind: "dropped" })
    assert.equal(client.wake(), undefined)
  })

  test("nothing to stop", () => {
    const client = scene()
    client.command({ type: "stop", revoke: true })
    assert.deepEqual(client.events(), [{ type: "stopped" }])
  })
})

describe("deleting", () => {
  test("C-132: a real server deletes it", () => {
    const client = scene()
    const server = realServer()
    client.respond(server.respond)
    client.command({ type: "request", id: "web", request: TCP_8080 })
    client.run(1000)
    client.command({ type: "revoke", id: "web" })
    client.run(1000)
    assert.deepEqual(client.told("state").at(-1)?.state, { kind: "revoked", answered: true })
    // Deleted indeed: whoever comes next, with another nonce, may have it.
    const next = scene({ seed: new Uint8Array(32).fill(1), now: 2000 })
    next.respond(server.respond)
    next.command({ type: "request", id: "web", request: TCP_8080 })
    next.run(1000)
    assert.deepEqual(next.states(), ["router running"])
  })

  test("a late answer to the request is no answer to the deletion", () => {
    const client = scene()
    client.command({ type: "request", id: "web", request: TCP_8080 })
    client.run(100)
    client.command({ type: "revoke", id: "web" })
    client.datagram(success(client.sent[0].bytes))
    assert.equal(client.told("assigned").length, 0)
    assert.deepEqual(
      client.told("state").filter(({ state }) => state.kind === "revoked"),
      [],
    )
    client.datagram(success(client.sent[1].bytes))
    assert.deepEqual(client.told("state").at(-1)?.state, { kind: "revoked", answered: true })
  })

  test("a deletion's answer may have a lifetime, where traffic keeps the mapping (RFC 6887 section 15)", () => {
    const client = granted()
    client.respond(() => [])
    client.command({ type: "revoke", id: "web" })
    client.datagram(success(client.sent[2].bytes, { lifetime: 90 }))
    assert.deepEqual(client.told("state").at(-1)?.state, { kind: "revoked", answered: true, lifetime: 90 })
  })

  test("what was never asked for, or refused, needs no datagram", () => {
    const never = scene({ settings: { serverBudget: { perSecond: 0.001, burst: 1 } } })
    never.command({ type: "announce", id: "there" })
    never.command({ type: "request", id: "web", request: TCP_8080 })
    never.command({ type: "revoke", id: "web" })
    assert.equal(never.sent.length, 1)
    const refused = scene()
    refused.respond(({ bytes }) => [failure(bytes, 2)])
    refused.command({ type: "request", id: "web", request: TCP_8080 })
    refused.run(100)
    refused.command({ type: "revoke", id: "web" })
    assert.equal(refused.sent.length, 1)
    for (const client of [never, refused])
      assert.deepEqual(client.told("state").at(-1)?.state, { kind: "revoked", answered: false })
  })

  test("what was refused a deletion is told, and over", () => {
    const client = granted()
    client.respond(({ bytes }) => [failure(bytes, 2, 600)])
    client.command({ type: "revoke", id: "web" })
    client.run(100)
    assert.deepEqual(client.told("state").at(-1), {
      type: "state",
      id: "web",
      server: "router",
      state: { kind: "error", failure: { kind: "result", code: 2, lifetime: 600 }, retryAt: undefined },
    })
    assert.deepEqual(client.states(), ["router running"])
  })

  test("twice is once; dropping sends nothing", () => {
    const client = granted()
    client.respond(() => [])
    client.command({ type: "revoke", id: "web" })
    client.command({ type: "revoke", id: "web" })
    assert.equal(client.sent.length, 3)
    client.command({ type: "drop", id: "two" })
    assert.equal(client.sent.length, 3)
    assert.deepEqual(client.told("state").at(-1)?.state, { kind: "dropped" })
  })

  test("at every server that it is at", () => {
    const servers = [
      router(),
      router({ name: "other", ends: [{ address: address("10.0.0.1"), client: address("10.0.0.9") }] }),
    ]
    const client = scene({ servers })
    client.respond(({ bytes }) => [success(bytes)])
    client.command({ type: "request", id: "web", request: TCP_8080 })
    client.run(100)
    client.command({ type: "revoke", id: "web" })
    assert.equal(client.sent.length, 4)
  })
})

describe("PEER (RFC 6887 section 12)", () => {
  test("C-05: a real server assigns an end; it is renewed, and never deleted", () => {
    const client = scene()
    client.respond(realServer().respond)
    client.command({ type: "request", id: "out", request: PEER })
    client.run(2_000_000)
    assert.equal(client.told("assigned").length, 1)
    assert.ok(client.told("renewed").length >= 4)
    client.command({ type: "revoke", id: "out" })
    assert.ok(client.sent.every(({ bytes }) => bytes[1] === 2 && lifetimeOf(bytes) === 600))
    assert.deepEqual(client.told("state").at(-1)?.state, { kind: "dropped" })
    assert.equal(client.wake(), undefined)
  })

  test("two peers of one port are two mappings; each answer finds its own", () => {
    const client = scene()
    client.command({ type: "request", id: "one", request: PEER })
    client.command({ type: "request", id: "two", request: { ...PEER, remotePort: 8443 } })
    client.datagram(success(client.sent[1].bytes, { externalPort: 7000 }))
    assert.deepEqual(
      client.told("assigned").map(({ id }) => id),
      ["two"],
    )
    client.datagram(success(client.sent[0].bytes, { externalPort: 7000 }))
    assert.deepEqual(
      client.told("assigned").map(({ id }) => id),
      ["two", "one"],
    )
  })
})
