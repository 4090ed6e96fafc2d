import assert from "node:assert/strict"
import { Buffer } from "node:buffer"
import { describe, test } from "node:test"
import { success } from "./answer.ts"
import { address, CLIENT, router, type Sent, scene, TCP_8080 } from "./scene.ts"

const ENDS = ["192.0.2.1", "192.0.2.2", "192.0.2.3"].map((text) => ({ address: address(text), client: CLIENT }))
const [FIRST, SECOND, THIRD] = ENDS.map((end) => end.address)

const several = (count = 3) => scene({ servers: [router({ ends: ENDS.slice(0, count) })] })

const targets = ({ sent }: ReturnType<typeof scene>): readonly number[] =>
  sent.map(({ to }) => 1 + ENDS.findIndex((end) => end.address === to))

const nonce = ({ bytes }: Sent): string => Buffer.from(bytes.subarray(24, 36)).toString("hex")

describe("a server with several addresses (RFC 7488 section 3)", () => {
  test("C-02, C-03: four transmissions to each, in order, with one nonce, by RFC 6887's times", () => {
    const client = several()
    client.command({ type: "request", id: "web", request: TCP_8080 })
    client.run(170_000)
    assert.deepEqual(targets(client), [1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3])
    assert.equal(new Set(client.sent.map(nonce)).size, 1)
    const gap = (index: number): number => client.sent[index].at - client.sent[index - 1].at
    for (const start of [0, 4, 8]) {
      assert.ok(gap(start + 1) >= 2700 && gap(start + 1) <= 3300)
      for (const index of [start + 2, start + 3]) {
        const ratio = gap(index) / gap(index - 1)
        assert.ok(ratio >= 1.8 - 1e-3 && ratio <= 2.2 + 1e-3, `${ratio}`)
      }
    }
    // The fourth one's time passes before the next address.
    assert.ok(gap(4) / gap(3) >= 1.8 - 1e-3)
    assert.deepEqual(
      client.told("failover").map(({ address: to }) => to),
      [SECOND, THIRD],
    )
  })

  test("all exhausted: again after 15 minutes, from the first one on, until it is answered", () => {
    const client = several(2)
    client.command({ type: "request", id: "web", request: TCP_8080 })
    client.run(2_100_000)
    const exhausted = client.timed().filter(({ event }) => event.type === "exhausted")
    assert.ok(exhausted.length >= 2)
    const [{ at, event }] = exhausted
    assert.deepEqual(event, { type: "exhausted", server: "router", retryAt: at + 900_000 })
    const next = client.sent.find((one) => one.at > at)
    assert.equal(next?.at, at + 900_000)
    assert.equal(next?.to, FIRST)
    client.respond(({ bytes, to }) => (to === SECOND ? [success(bytes, { epoch: 5 })] : []))
    client.run(1_000_000)
    assert.deepEqual(client.states(), ["router running"])
    // From then on it is asked there.
    client.run(2_000_000)
    assert.equal(client.sent.at(-1)?.to, SECOND)
  })

  test("all exhausted: nothing that waits goes on by itself", () => {
    const client = several(2)
    client.command({ type: "request", id: "web", request: TCP_8080 })
    client.run(20_000)
    client.command({ type: "request", id: "two", request: { ...TCP_8080, internalPort: 81 } })
    client.run(180_000)
    const { at } = client.timed().find(({ event }) => event.type === "exhausted") ?? { at: 0 }
    assert.ok(at > 0)
    assert.equal(client.sent.filter((one) => one.at > at).length, 0)
    assert.deepEqual(client.states(), ["router error", "router error"])
  })

  test("a hard ICMP error: the next address at once", () => {
    const client = several()
    client.command({ type: "request", id: "web", request: TCP_8080 })
    client.run(50)
    client.give({ type: "unreachable", now: 50, address: FIRST, port: 5351 })
    assert.deepEqual(targets(client), [1, 2])
    assert.equal(client.sent[1].at, 50)
    // Of an address that is not in use it says nothing.
    client.give({ type: "unreachable", now: 60, address: FIRST, port: 5351 })
    client.give({ type: "unreachable", now: 60, address: SECOND, port: 9 })
    assert.equal(client.sent.length, 2)
    client.give({ type: "unreachable", now: 70, address: SECOND, port: 5351 })
    client.give({ type: "unreachable", now: 80, address: THIRD, port: 5351 })
    assert.deepEqual(targets(client), [1, 2, 3])
    assert.equal(client.told("exhausted").length, 1)
    const { state } = client.told("state").at(-1) ?? {}
    assert.deepEqual(state, { kind: "error", failure: { kind: "unreachable" }, retryAt: 900_080 })
  })

  test("ICMP for one of several that wait: all of them go on to the next address", () => {
    const client = several(2)
    client.command({ type: "request", id: "web", request: TCP_8080 })
    client.command({ type: "request", id: "two", request: { ...TCP_8080, internalPort: 81 } })
    client.give({ type: "unreachable", now: 50, address: FIRST, port: 5351 })
    assert.deepEqual(targets(client), [1, 1, 2, 2])
    client.give({ type: "unreachable", now: 60, address: SECOND, port: 5351 })
    assert.deepEqual(client.states(), ["router error", "router error"])
  })

  test("an answer that comes late from an address that was given up is ignored", () => {
    const client = several(2)
    client.command({ type: "request", id: "web", request: TCP_8080 })
    client.run(60_000)
    assert.equal(client.sent.at(-1)?.to, SECOND)
    client.datagram(success(client.sent[0].bytes), FIRST)
    assert.equal(client.told("ignored").at(-1)?.reason, "source")
    assert.equal(client.told("assigned").length, 0)
    client.datagram(success(client.sent[0].bytes), SECOND)
    assert.equal(client.told("assigned").length, 1)
  })

  test("an address that answered and then no more: its mappings are asked for at the next one", () => {
    const client = several(2)
    client.respond(({ bytes, to }) => (to === FIRST ? [success(bytes, { lifetime: 3600, epoch: 1 })] : []))
    client.command({ type: "request", id: "web", request: TCP_8080 })
    client.run(60_000)
    client.respond(({ bytes, to }) => (to === SECOND ? [success(bytes, { lifetime: 3600, epoch: 77 })] : []))
    client.run(3_500_000)
    // Renewals in four slots went unanswered: 1/2, 3/4, 7/8, 15/16.
    assert.deepEqual(targets(client), [1, 1, 1, 1, 1, 2])
    assert.deepEqual(client.states(), ["router running"])
    // Another address, another epoch: that is no loss.
    assert.equal(client.told("state-lost").length, 0)
  })

  test("a mapping that is there outlives ICMP: its renewals go on in their slots", () => {
    const client = scene()
    client.respond(({ bytes }) => [success(bytes, { lifetime: 1200, epoch: Math.floor(client.now() / 1000) })])
    client.command({ type: "request", id: "web", request: TCP_8080 })
    client.run(1000)
    client.respond(() => [])
    client.run(800_000)
    const [, renewal] = client.sent
    client.give({ type: "unreachable", now: client.now(), address: renewal.to, port: 5351 })
    assert.deepEqual(client.states(), ["router running"])
    const [{ retryAt }] = client.told("renewal-refused")
    assert.ok(retryAt !== undefined && retryAt >= 900_010 && retryAt <= 975_010)
    client.respond(({ bytes }) => [success(bytes, { epoch: Math.floor(client.now() / 1000) })])
    client.run(200_000)
    assert.equal(client.told("renewed").length, 1)
  })

  test("the client's own address on the way is that of the address in use (C-01, C-06)", () => {
    const own = address("2001:db8::10")
    const client = scene({
      servers: [router({ ends: [ENDS[0], { address: address("2001:db8::1"), client: own }] })],
    })
    client.command({ type: "request", id: "web", request: TCP_8080 })
    client.give({ type: "unreachable", now: 50, address: FIRST, port: 5351 })
    const [, packet] = client.packets()
    assert.ok(packet.kind === "pcp-request" && packet.client === own)
    assert.equal(client.sent[1].from, own)
  })
})
