import assert from "node:assert/strict"
import { Buffer } from "node:buffer"
import { describe, test } from "node:test"
import type { ClientServer } from "../../../core/client/index.ts"
import { failure, natPmpGateway, success } from "./answer.ts"
import { address, CLIENT, realServer, router, type Sent, scene, TCP_8080 } from "./scene.ts"

const OTHER = address("10.0.0.1")
const other = (more: Partial<ClientServer> = {}): ClientServer =>
  router({ name: "other", ends: [{ address: OTHER, client: CLIENT }], ...more })

const nonce = ({ bytes }: Sent): string => Buffer.from(bytes.subarray(24, 36)).toString("hex")

const answering = (client: ReturnType<typeof scene>) =>
  client.respond(({ bytes }) => [success(bytes, { epoch: Math.floor(client.now() / 1000) })])

describe("several servers (RFC 7488 section 4)", () => {
  test("C-02, C-03: all are asked at once, each with its own nonce, and each has its own results", () => {
    const client = scene({ servers: [router(), other()] })
    client.respond(({ bytes, to }) => [to === OTHER ? failure(bytes, 2, 600) : success(bytes)])
    client.command({ type: "request", id: "web", request: TCP_8080 })
    assert.equal(client.sent.length, 2)
    assert.equal(client.sent[0].at, client.sent[1].at)
    assert.notEqual(nonce(client.sent[0]), nonce(client.sent[1]))
    client.run(100)
    assert.deepEqual(client.states(), ["router running", "other error"])
    assert.deepEqual(
      client.told("assigned").map(({ server }) => server),
      ["router"],
    )
  })

  test("C-02: a mapping for some of them alone", () => {
    const client = scene({ servers: [router(), other()] })
    client.command({ type: "request", id: "web", request: TCP_8080, servers: ["other", "other"] })
    assert.deepEqual(
      client.sent.map(({ to }) => to),
      [OTHER],
    )
  })

  test("one that refuses everything, or is silent, takes nothing from another", () => {
    const client = scene({ servers: [router(), other({ protocol: "nat-pmp" })] })
    const gateway = natPmpGateway()
    client.respond((sent) => (sent.to === OTHER ? gateway(sent) : []))
    client.command({ type: "request", id: "web", request: TCP_8080 })
    client.run(100_000)
    assert.deepEqual(client.states(), ["router starting", "other running"])
  })

  test("different error hold times at each", () => {
    const client = scene({ servers: [router(), other()] })
    client.respond(({ bytes, to }) => [failure(bytes, 8, to === OTHER ? 100 : 1000)])
    client.command({ type: "request", id: "web", request: TCP_8080 })
    client.run(500_000)
    assert.equal(client.sent.filter(({ to }) => to !== OTHER).length, 1)
    assert.equal(client.sent.filter(({ to }) => to === OTHER).length, 5)
  })

  test("two names for one address are two servers: each nonce finds its own", () => {
    const client = scene({ servers: [router(), router({ name: "again" })] })
    client.respond(({ bytes }) => [success(bytes)])
    client.command({ type: "request", id: "web", request: TCP_8080 })
    client.run(100)
    assert.deepEqual(client.states(), ["router running", "again running"])
  })
})

describe("another network", () => {
  const granted = () => {
    const client = scene()
    answering(client)
    client.command({ type: "request", id: "web", request: TCP_8080 })
    client.run(100_000)
    return client
  }

  test("the same servers: everything is renewed at once, with the same nonce", () => {
    const client = granted()
    client.command({ type: "network-changed", servers: [router()] })
    assert.equal(client.sent.length, 2)
    assert.equal(nonce(client.sent[0]), nonce(client.sent[1]))
    client.run(100)
    assert.deepEqual(client.states(), ["router running"])
    assert.equal(client.told("assigned").length, 1)
  })

  test("C-06: another address of one's own is another mapping, with another nonce, and the old end as suggestion", () => {
    const client = granted()
    const own = address("192.168.1.77")
    client.command({
      type: "network-changed",
      servers: [router({ ends: [{ address: client.sent[0].to, client: own }] })],
    })
    client.run(100)
    const [first, second] = client.packets()
    assert.ok(first.kind === "pcp-request" && second.kind === "pcp-request")
    assert.ok(first.body.kind === "map" && second.body.kind === "map")
    assert.equal(second.client, own)
    assert.notEqual(first.body.nonce, second.body.nonce)
    assert.equal(second.body.externalPort, 8080)
    assert.equal(client.told("assigned").length, 2)
    // It cannot be deleted with the old address, which nobody has.
    assert.equal(client.sent[1].from, own)
  })

  test("a server that is gone: dropped; a new one is asked for what is kept everywhere", () => {
    const client = granted()
    client.command({ type: "request", id: "here", request: { ...TCP_8080, internalPort: 81 }, servers: ["router"] })
    client.command({ type: "request", id: "one", request: { ...TCP_8080, internalPort: 82 }, mode: { kind: "once" } })
    client.run(1000)
    client.command({ type: "network-changed", servers: [other()] })
    client.run(100)
    assert.deepEqual(client.states(), ["other running"])
    assert.deepEqual(
      client
        .told("state")
        .filter(({ state }) => state.kind === "dropped")
        .map(({ id }) => id),
      ["web", "here", "one"],
    )
    assert.equal(client.told("assigned").at(-1)?.server, "other")
  })

  test("C-52: a newly found server is asked at once, whatever the last one said", () => {
    const client = scene()
    client.respond(({ bytes }) => [failure(bytes, 8, 86_400)])
    client.command({ type: "request", id: "web", request: TCP_8080 })
    client.run(10_000)
    answering(client)
    client.command({ type: "network-changed", servers: [other()] })
    client.run(100)
    assert.deepEqual(client.states(), ["other running"])
    // Also where it has the same name and address: it may be another one.
    const same = scene()
    same.respond(({ bytes }) => [failure(bytes, 8, 86_400)])
    same.command({ type: "request", id: "web", request: TCP_8080 })
    same.run(10_000)
    answering(same)
    same.command({ type: "network-changed", servers: [router()] })
    same.run(100)
    assert.deepEqual(same.states(), ["router running"])
  })

  test("no network for a while: what is kept comes back with the next one, unless it was revoked meanwhile", () => {
    const client = granted()
    client.command({ type: "request", id: "two", request: { ...TCP_8080, internalPort: 81 } })
    client.run(1000)
    client.command({ type: "network-changed", servers: [] })
    assert.equal(client.wake(), undefined)
    client.run(1_000_000)
    client.command({ type: "revoke", id: "two" })
    client.command({ type: "renew", id: "web", lifetime: 1234 })
    client.command({ type: "request", id: "web", request: TCP_8080 })
    assert.equal(client.told("refused").at(-1)?.error.code, "id")
    client.command({ type: "network-changed", servers: [router()] })
    client.run(100)
    assert.deepEqual(client.states(), ["router running"])
    assert.equal(client.told("assigned").at(-1)?.mapping.lifetime, 1234)
  })

  test("what was asked once of a server that is gone failed", () => {
    const client = scene()
    client.command({ type: "announce", id: "there" })
    client.command({ type: "network-changed", servers: [] })
    assert.deepEqual(client.told("failed"), [
      { type: "failed", id: "there", server: "router", failure: { kind: "unreachable" } },
    ])
  })

  test("C-100: a host that got the third party's address asks for it no more", () => {
    const third = address("192.168.1.20")
    const client = scene()
    answering(client)
    client.command({ type: "request", id: "web", request: { ...TCP_8080, thirdParty: third } })
    client.run(100)
    client.command({
      type: "network-changed",
      servers: [router({ ends: [{ address: client.sent[0].to, client: third }] })],
    })
    client.run(10_000)
    assert.equal(client.sent.length, 1)
    assert.deepEqual(client.told("state").at(-1)?.state, { kind: "dropped" })
  })

  test("servers that cannot be are refused, and nothing changes", () => {
    const client = granted()
    for (const servers of [
      [router(), router()],
      [router({ ends: [] })],
      [router({ ends: [{ address: OTHER, port: 0, client: CLIENT }] })],
    ]) {
      client.command({ type: "network-changed", servers })
      assert.equal(client.told("refused").at(-1)?.error.code, "server")
      assert.deepEqual(client.states(), ["router running"])
    }
  })

  test("what was learned of versions is forgotten", () => {
    const client = scene()
    client.respond(natPmpGateway())
    client.command({ type: "request", id: "web", request: TCP_8080 })
    client.run(1000)
    client.respond(realServer().respond)
    client.command({ type: "network-changed", servers: [router()] })
    client.run(1000)
    assert.equal(client.sent.at(-1)?.bytes[0], 2)
    assert.equal(client.told("renewed").at(-1)?.mapping.protocol, "pcp")
  })
})
