import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { failure, success } from "./answer.ts"
import { scene, TCP_8080 } from "./scene.ts"

const OTHER = { ...TCP_8080, internalPort: 81 }

/** A client that is answered with one result code always, and when it sent. */
const refused = (code: number, lifetime: number, for_: number) => {
  const client = scene()
  client.respond(({ bytes }) => [failure(bytes, code, lifetime, Math.floor(client.now() / 1000))])
  client.command({ type: "request", id: "web", request: TCP_8080 })
  client.run(for_)
  return client
}

/** A client with a mapping for an hour. */
const granted = () => {
  const client = scene()
  client.respond(({ bytes }) => [success(bytes, { epoch: Math.floor(client.now() / 1000) })])
  client.command({ type: "request", id: "web", request: TCP_8080 })
  client.run(1000)
  return client
}

const epochOf = (client: ReturnType<typeof scene>): number => Math.floor(client.now() / 1000)

describe("error lifetimes (RFC 6887 sections 7.4, 8.3 and 11.4)", () => {
  test("C-52: not again within the lifetime, for every code", () => {
    for (let code = 2; code <= 26; code++) {
      const client = refused(code, 300, 299_000)
      assert.equal(client.sent.length, 1, `${code}`)
      assert.deepEqual(client.told("state").at(-1)?.state, {
        kind: "error",
        failure: { kind: "result", code, lifetime: 300 },
        retryAt: 300_010,
      })
      client.run(1100)
      assert.equal(client.sent.length, 2, `${code}`)
    }
  })

  test("C-53: ADDRESS_MISMATCH is an error like another", () => {
    assert.equal(refused(12, 1800, 1_790_000).sent.length, 1)
  })

  test("C-52: a lifetime of 0 counts as what RFC 6887 section 7.4 recommends: 30 s or 30 min", () => {
    // Section 7.4: the short ones are 7, 8 and 10.
    for (const [code, seconds] of [
      [2, 1800],
      [3, 1800],
      [4, 1800],
      [5, 1800],
      [6, 1800],
      [7, 30],
      [8, 30],
      [9, 1800],
      [10, 30],
      [11, 30],
      [12, 1800],
      [13, 1800],
      [24, 1800],
      [200, 30],
    ] as const) {
      const client = refused(code, 0, seconds * 1000 - 1000)
      assert.equal(client.sent.length, 1, `${code}`)
      assert.equal(client.told("quirk").at(0)?.quirk, "error-lifetime-0")
      client.run(2000)
      assert.equal(client.sent.length, 2, `${code}`)
    }
  })

  test("C-52: lifetimes are believed from 30 s to 24 h", () => {
    assert.equal(refused(2, 1, 29_000).sent.length, 1)
    assert.equal(refused(2, 1, 31_000).sent.length, 2)
    assert.equal(refused(2, 0xffffffff, 86_399_000).sent.length, 1)
    assert.equal(refused(2, 0xffffffff, 86_401_000).sent.length, 2)
  })

  test("C-52: NO_RESOURCES on a request holds back all new mappings there, and no renewal", () => {
    const client = granted()
    client.respond(({ bytes }) => [
      bytes[41] === 81 ? failure(bytes, 8, 4000, epochOf(client)) : success(bytes, { epoch: epochOf(client) }),
    ])
    client.command({ type: "request", id: "other", request: OTHER })
    client.run(1000)
    client.command({ type: "request", id: "third", request: { ...TCP_8080, internalPort: 82 } })
    client.run(3_990_000)
    const ports = client.sent.map(({ bytes }) => bytes[41])
    assert.deepEqual(ports.slice(0, 3), [0x90, 81, 0x90])
    assert.ok(!ports.slice(2).includes(81) && !ports.includes(82))
    client.run(20_000)
    assert.ok(client.sent.some(({ bytes }) => bytes[41] === 82))
    // Any other error is that mapping's own.
    const quota = granted()
    quota.respond(({ bytes }) => [failure(bytes, 10, 4000, epochOf(quota))])
    quota.command({ type: "request", id: "other", request: OTHER })
    quota.run(1000)
    quota.command({ type: "request", id: "third", request: { ...TCP_8080, internalPort: 82 } })
    assert.equal(quota.sent.length, 3)
  })

  test("C-52: NO_RESOURCES on a deletion holds back everything there", () => {
    const client = granted()
    client.command({ type: "request", id: "other", request: OTHER })
    client.run(1000)
    client.respond(({ bytes }) => [failure(bytes, 8, 2500, epochOf(client))])
    client.command({ type: "revoke", id: "other" })
    client.run(1000)
    assert.deepEqual(client.told("state").at(-1)?.state.kind, "error")
    assert.equal(client.told("quirk").at(-1)?.quirk, "delete-no-resources")
    client.command({ type: "request", id: "third", request: { ...TCP_8080, internalPort: 82 } })
    client.command({ type: "announce", id: "there" })
    client.command({ type: "revoke", id: "web" })
    client.run(2_490_000)
    assert.equal(client.sent.length, 3)
    client.run(20_000)
    assert.ok(client.sent.length > 3)
  })

  test("C-52: a refused renewal leaves the mapping; it is renewed when the error is over, and not before", () => {
    const client = granted()
    client.run(2_300_000)
    const before = client.sent.length
    assert.equal(before, 2)
    client.respond(({ bytes }) => [failure(bytes, 10, 600, epochOf(client))])
    client.run(1_700_000)
    const [refusal] = client.timed().filter(({ event }) => event.type === "renewal-refused")
    assert.ok(refusal?.event.type === "renewal-refused")
    assert.deepEqual(refusal.event.failure, { kind: "result", code: 10, lifetime: 600 })
    assert.equal(refusal.event.retryAt, refusal.at + 600_000)
    assert.deepEqual(client.states(), ["router running"])
    for (const [index, { at }] of client.sent.slice(before + 1).entries())
      assert.ok(at >= client.sent[before + index].at + 600_000)
    client.respond(({ bytes }) => [success(bytes, { epoch: epochOf(client) })])
    client.run(600_000)
    assert.ok(client.told("renewed").length >= 2)
    assert.equal(client.told("assigned").length, 1)
  })

  test("an error that outlasts the mapping: it expires, and is asked for again when the error is over", () => {
    const client = granted()
    client.respond(({ bytes }) => [failure(bytes, 2, 86_400, epochOf(client))])
    client.run(10_000_000)
    assert.equal(client.sent.length, 2)
    assert.ok(client.told("state").some(({ state }) => state.kind === "expired"))
    client.run(86_400_000)
    assert.equal(client.sent.length, 3)
  })

  test("C-52: renewing on demand waits for the error, too", () => {
    const client = granted()
    client.respond(({ bytes }) => [failure(bytes, 10, 600, epochOf(client))])
    client.run(10_000)
    client.command({ type: "renew", id: "web" })
    client.run(100)
    client.command({ type: "renew", id: "web" })
    client.run(590_000)
    assert.equal(client.sent.length, 2)
    client.run(20_000)
    assert.equal(client.sent.length, 3)
  })

  test("C-50: an error is matched like a success", () => {
    const client = scene()
    client.command({ type: "request", id: "web", request: TCP_8080 })
    const bytes = failure(client.sent[0].bytes, 2)
    bytes[30] ^= 1
    client.datagram(bytes)
    assert.equal(client.told("ignored").at(-1)?.reason, "mismatch")
    assert.deepEqual(client.states(), ["router starting"])
  })

  test("a probe that is refused says that somebody is there", () => {
    const client = scene()
    client.respond(({ bytes }) => [failure(bytes, 2, 0)])
    client.command({ type: "announce", id: "there" })
    client.run(100)
    assert.deepEqual(client.told("announced"), [
      { type: "announced", id: "there", server: "router", protocol: "pcp", epoch: 100, result: 2 },
    ])
    assert.equal(client.wake(), undefined)
  })
})
