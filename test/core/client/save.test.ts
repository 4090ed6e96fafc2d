import assert from "node:assert/strict"
import { Buffer } from "node:buffer"
import { describe, test } from "node:test"
import { saveMappings } from "../../../core/client/index.ts"
import { failure, natPmpGateway } from "./answer.ts"
import { address, CLIENT, realServer, router, type Sent, scene, TCP_8080 } from "./scene.ts"

const nonce = ({ bytes }: Sent): string => Buffer.from(bytes.subarray(24, 36)).toString("hex")

describe("a program that starts again", () => {
  test("C-03: goes on with what it had: renews and deletes with the same nonce, at a real server", () => {
    const server = realServer()
    const before = scene()
    before.respond(server.respond)
    before.command({ type: "request", id: "web", request: TCP_8080 })
    before.run(600_000)
    const [saved] = saveMappings(before.state(), before.now())
    assert.equal(saved.id, "web")
    assert.deepEqual(saved.mode, { kind: "keep" })
    assert.equal(saved.leases[0]?.remaining, 3000)

    // Another seed: nothing but what was saved connects the two.
    const after = scene({ seed: new Uint8Array(32).fill(99), now: 700_000 })
    after.respond(server.respond)
    const { id, request, mode, leases } = structuredClone(saved)
    after.command({ type: "request", id, request, mode, resume: leases })
    assert.equal(after.sent.length, 1)
    assert.equal(nonce(after.sent[0]), nonce(before.sent[0]))
    after.run(1000)
    // The program that started knows of no assignment yet: it is told one.
    assert.equal(after.told("assigned").length, 1)
    assert.equal(after.told("assigned")[0].mapping.externalPort, before.told("assigned")[0].mapping.externalPort)
    after.command({ type: "revoke", id })
    after.run(1000)
    assert.deepEqual(after.told("state").at(-1)?.state, { kind: "revoked", answered: true })
    assert.equal(nonce(after.sent[1]), nonce(before.sent[0]))
  })

  test("without what was saved, a real server refuses to renew (RFC 6887 section 11.3)", () => {
    const server = realServer()
    const before = scene()
    before.respond(server.respond)
    before.command({ type: "request", id: "web", request: TCP_8080 })
    before.run(1000)
    const after = scene({ seed: new Uint8Array(32).fill(99), now: 2000 })
    after.respond(server.respond)
    after.command({ type: "request", id: "web", request: TCP_8080, mode: { kind: "once" } })
    after.run(1000)
    const { state } = after.told("state").at(-1) ?? {}
    assert.ok(state?.kind === "error" && state.failure.kind === "result" && state.failure.code === 2)
  })

  test("can delete at once what it had", () => {
    const server = realServer()
    const before = scene()
    before.respond(server.respond)
    before.command({ type: "request", id: "web", request: TCP_8080 })
    before.run(1000)
    const [{ id, request, leases }] = saveMappings(before.state(), before.now())
    const after = scene({ seed: new Uint8Array(32).fill(99), now: 2000 })
    after.command({ type: "request", id, request, resume: leases })
    after.respond(server.respond)
    after.command({ type: "stop", revoke: true })
    after.run(30_000)
    assert.ok(
      after.events().some((event) => event.type === "state" && event.state.kind === "revoked" && event.state.answered),
    )
    assert.equal(after.told("stopped").length, 1)
  })

  test("is not told a mapping before the server says that it is still there", () => {
    const before = scene()
    before.respond(realServer().respond)
    before.command({ type: "request", id: "web", request: TCP_8080 })
    before.run(1000)
    const [{ id, request, leases }] = saveMappings(before.state(), before.now())
    const after = scene()
    after.respond(({ bytes }) => [failure(bytes, 2, 600)])
    after.command({ type: "request", id, request, mode: { kind: "once" }, resume: leases })
    after.run(1000)
    assert.equal(after.told("assigned").length + after.told("renewed").length, 0)
    // What is left of it was asked for.
    assert.equal(new DataView(after.sent[0].bytes.buffer).getUint32(4), 3599)
  })

  test("what ran out meanwhile is suggested", () => {
    const before = scene()
    before.respond(realServer().respond)
    before.command({ type: "request", id: "web", request: TCP_8080 })
    before.run(1000)
    const [{ id, request, leases }] = saveMappings(before.state(), before.now() + 5_000_000)
    assert.equal(leases[0]?.remaining, 0)
    const after = scene({ seed: new Uint8Array(32).fill(99) })
    after.command({ type: "request", id, request, resume: leases })
    assert.deepEqual(
      after.sent[0].bytes.subarray(42, 60),
      before.sent[0].bytes.length === 60 ? endOf(before) : undefined,
    )
    assert.equal(nonce(after.sent[0]), nonce(before.sent[0]))
  })

  test("NAT-PMP goes on in what answers", () => {
    const before = scene({ servers: [router({ protocol: "nat-pmp" })] })
    before.respond(natPmpGateway({ externalPort: 4321 }))
    before.command({ type: "request", id: "web", request: TCP_8080 })
    before.run(1000)
    const [{ id, request, leases }] = saveMappings(before.state(), before.now())
    const after = scene({ servers: [router({ protocol: "nat-pmp" })] })
    after.respond(natPmpGateway({ externalPort: 4321 }))
    after.command({ type: "request", id, request, resume: leases })
    after.run(1000)
    assert.deepEqual([...after.sent[0].bytes.subarray(4, 8)], [31, 144, 4321 >> 8, 4321 & 255])
    assert.equal(after.told("assigned").length, 1)
  })

  test("a state file that cannot be is refused", () => {
    const before = scene()
    before.command({ type: "request", id: "web", request: TCP_8080 })
    const [{ id, request, leases }] = saveMappings(before.state(), 0)
    for (const wrong of [{ externalPort: 70_000 }, { externalPort: -1 }, { remaining: Number.NaN }]) {
      const after = scene()
      after.command({ type: "request", id, request, resume: leases.map((lease) => ({ ...lease, ...wrong })) })
      assert.equal(after.told("refused").at(-1)?.error.code, "range")
    }
  })

  test("what is being deleted is not saved; what waits for a network is", () => {
    const client = scene()
    client.respond(realServer().respond)
    client.command({ type: "request", id: "web", request: TCP_8080 })
    client.command({ type: "request", id: "two", request: { ...TCP_8080, internalPort: 81 } })
    client.run(1000)
    client.respond(() => [])
    client.command({ type: "revoke", id: "two" })
    assert.deepEqual(
      saveMappings(client.state(), client.now()).map(({ id }) => id),
      ["web"],
    )
    client.command({ type: "network-changed", servers: [] })
    assert.deepEqual(saveMappings(client.state(), client.now()), [
      { id: "web", request: TCP_8080, mode: { kind: "keep" }, leases: [] },
    ])
  })
})

/** What the server assigned, in octets: port and address of the answer, which is what the mapping says. */
const endOf = (client: ReturnType<typeof scene>): Uint8Array => {
  const [{ mapping }] = client.told("assigned")
  return Uint8Array.from([
    mapping.externalPort >> 8,
    mapping.externalPort & 255,
    ...new Array(10).fill(0),
    ...[255, 255, 203, 0, 113, 7],
  ])
}

describe("nonces", () => {
  const nonces = (seed: number, mode: "random" | "deterministic", count = 3): readonly string[] => {
    const client = scene({ seed: new Uint8Array(32).fill(seed), settings: { nonces: mode } })
    for (let index = 0; index < count; index++)
      client.command({ type: "request", id: `${index}`, request: { ...TCP_8080, internalPort: 8080 + index } })
    return client.sent.map(nonce)
  }

  test("C-03: one a mapping, and others with another seed", () => {
    const all = [1, 2, 3, 4].flatMap((seed) => [...nonces(seed, "random"), ...nonces(seed, "deterministic")])
    assert.equal(new Set(all).size, all.length)
  })

  test("C-03: deterministic ones are the mapping's, whatever was asked before", () => {
    const many = nonces(5, "deterministic", 3)
    const client = scene({ seed: new Uint8Array(32).fill(5), settings: { nonces: "deterministic" } })
    client.command({ type: "request", id: "last", request: { ...TCP_8080, internalPort: 8082 } })
    assert.equal(nonce(client.sent[0]), many[2])
    // Random ones are in the order of the requests.
    const random = scene({ seed: new Uint8Array(32).fill(5) })
    random.command({ type: "request", id: "last", request: { ...TCP_8080, internalPort: 8082 } })
    assert.notEqual(nonce(random.sent[0]), nonces(5, "random", 3)[2])
  })

  test("C-03: deterministic ones differ by whatever tells mappings apart", () => {
    const seen = new Set<string>()
    const add = (change: object, servers = [router()]): void => {
      const client = scene({ servers, settings: { nonces: "deterministic" } })
      client.command({ type: "request", id: "x", request: { ...TCP_8080, ...change } })
      const [sent] = client.sent
      seen.add(nonce(sent))
    }
    const peer = { kind: "outbound", remotePort: 443, remote: router().ends[0].address }
    add({})
    add({ protocol: 17 })
    add({ internalPort: 8081 })
    add({ internalPort: 8080 + 256 })
    add({ thirdParty: router().ends[0].address })
    add({ thirdParty: router().ends[0].address, thirdPartyId: Uint8Array.of(1) })
    add({ thirdParty: router().ends[0].address, thirdPartyId: Uint8Array.of(1, 0) })
    add(peer)
    add({ ...peer, remotePort: 444 })
    add({ ...peer, remote: CLIENT })
    add({}, [router({ name: "other" })])
    add({}, [router({ ends: [{ ...router().ends[0], client: address("192.168.1.11") }] })])
    assert.equal(seen.size, 12)
    // What does not tell them apart does not matter.
    add({ lifetime: 7, externalPort: 9, description: "x" })
    assert.equal(seen.size, 12)
  })

  test("C-03: a deterministic nonce renews and deletes without a state file", () => {
    const server = realServer()
    const options = { settings: { nonces: "deterministic" } } as const
    const before = scene(options)
    before.respond(server.respond)
    before.command({ type: "request", id: "web", request: TCP_8080 })
    before.run(1000)
    const after = scene({ ...options, now: 2000 })
    after.respond(server.respond)
    after.command({ type: "request", id: "web", request: TCP_8080 })
    after.run(1000)
    assert.deepEqual(after.states(), ["router running"])
  })
})
