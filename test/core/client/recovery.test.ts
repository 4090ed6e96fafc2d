import assert from "node:assert/strict"
import { Buffer } from "node:buffer"
import { describe, test } from "node:test"
import { announcement, success } from "./answer.ts"
import { address, EXTERNAL, ROUTER, realServer, router, scene, TCP_8080 } from "./scene.ts"

const GROUP = address("224.0.0.1")
const UDP_53 = { ...TCP_8080, protocol: 17, internalPort: 53 }

/** Two mappings at a server that is as old as the client; 1000 s later. */
const granted = (seed = 7) => {
  const client = scene({ seed: new Uint8Array(32).fill(seed) })
  let born = 0
  client.respond(({ bytes }) => [success(bytes, { lifetime: 7200, epoch: Math.floor((client.now() - born) / 1000) })])
  client.command({ type: "request", id: "web", request: TCP_8080 })
  client.command({ type: "request", id: "dns", request: UDP_53 })
  client.run(1_000_000)
  return {
    client,
    restart: () => {
      born = client.now()
    },
  }
}

describe("rapid recovery (RFC 6887 sections 8.5, 14.1.3 and 16.3.1)", () => {
  test("C-55: after an announcement all mappings are asked for again, 0 to 5 s later, with the end that they had", () => {
    const waits: number[] = []
    for (let seed = 0; seed < 60; seed++) {
      const { client, restart } = granted(seed)
      restart()
      client.datagram(announcement(0))
      const [{ recoverAt }] = client.told("state-lost")
      client.run(10_000)
      const renewals = client.sent.slice(2)
      assert.equal(renewals.length, 2)
      for (const { at, bytes } of renewals) {
        assert.equal(at, recoverAt)
        waits.push(at - 1_000_000)
        // Suggested external port and address, which are the assigned ones; the nonce is the same.
        assert.deepEqual(bytes.subarray(42, 44), bytes.subarray(40, 42))
        assert.deepEqual([...bytes.subarray(56, 60)], [203, 0, 113, 7])
        assert.ok(
          client.sent
            .slice(0, 2)
            .some((one) => Buffer.compare(one.bytes.subarray(24, 42), bytes.subarray(24, 42)) === 0),
        )
      }
      assert.equal(client.told("state-lost").length, 1)
      assert.deepEqual(client.told("renewed").length, 2)
    }
    assert.ok(Math.min(...waits) >= 0 && Math.max(...waits) <= 5000)
    assert.ok(Math.min(...waits) < 500 && Math.max(...waits) > 4500)
    const mean = waits.reduce((sum, wait) => sum + wait, 0) / waits.length
    assert.ok(Math.abs(mean - 2500) < 600, `${mean}`)
  })

  test("C-54, C-55: announcements come to the group and to the client's own port", () => {
    for (const local of [GROUP, undefined, address("192.168.1.10")]) {
      const { client } = granted()
      client.give({
        type: "datagram",
        now: client.now(),
        bytes: announcement(0),
        source: ROUTER,
        sourcePort: 5351,
        local,
      })
      assert.equal(client.told("state-lost").length, 1)
      assert.deepEqual(client.told("announced"), [
        { type: "announced", id: undefined, server: "router", protocol: "pcp", epoch: 0, result: 0 },
      ])
    }
  })

  test("C-55: from another address, or another port, they say nothing", () => {
    const { client } = granted()
    client.datagram(announcement(0), address("192.168.1.2"))
    client.datagram(announcement(0), ROUTER, 5350)
    assert.equal(client.told("state-lost").length, 0)
    assert.deepEqual(
      client.told("ignored").map(({ reason }) => reason),
      ["source", "source"],
    )
  })

  test("C-55: of a server that another server's address is not: only its own mappings", () => {
    const other = address("192.168.1.2")
    const client = scene({
      servers: [router(), router({ name: "other", ends: [{ address: other, client: address("192.168.1.10") }] })],
    })
    client.respond(({ bytes }) => [success(bytes, { epoch: Math.floor(client.now() / 1000) })])
    client.command({ type: "request", id: "web", request: TCP_8080 })
    client.run(100_000)
    client.datagram(announcement(0), other)
    client.respond(({ bytes, to }) => [success(bytes, { epoch: to === other ? 1 : 102 })])
    client.run(10_000)
    assert.deepEqual(
      client.sent.slice(2).map(({ to }) => to),
      [other],
    )
  })

  test("C-55: an announcement with the expected epoch is none of a loss", () => {
    const { client } = granted()
    for (const epoch of [999, 1000, 1001, 1002]) client.datagram(announcement(epoch))
    client.run(10_000)
    assert.equal(client.sent.length, 2)
    assert.equal(client.told("announced").length, 4)
  })

  test("C-55: ten announcements of one restart are one loss", () => {
    const { client, restart } = granted()
    restart()
    let wait = 250
    for (let times = 0; times < 10; times++) {
      client.datagram(announcement(Math.floor((client.now() - 1_000_000) / 1000)))
      client.run(wait)
      wait *= 2
    }
    assert.equal(client.told("state-lost").length, 1)
    assert.equal(client.sent.length, 4)
  })

  test("the epoch of any answer tells of a loss: the mapping that it is for is good, the others are made again", () => {
    const { client, restart } = granted()
    restart()
    client.run(3_500_000)
    // The first renewal's answer says so.
    assert.equal(client.told("state-lost").length, 1)
    const [first, second] = client.sent.slice(2)
    assert.notEqual(first.bytes[36], second.bytes[36])
    assert.ok(second.at - first.at <= 5010)
  })

  test("a recovery that is not answered goes on, as RFC 6887 section 8.1.1 has it, until it is", () => {
    const { client, restart } = granted()
    restart()
    client.datagram(announcement(0))
    client.respond(() => [])
    client.run(40_000)
    assert.ok(client.sent.length >= 2 + 2 * 3)
    client.respond(({ bytes }) => [success(bytes, { epoch: Math.floor((client.now() - 1_000_000) / 1000) })])
    client.run(60_000)
    assert.deepEqual(client.states(), ["router running", "router running"])
  })

  test("a server that loses its state time and again is waited for longer", () => {
    const { client } = granted()
    client.respond(() => [])
    const waits: number[] = []
    for (let times = 0; times < 8; times++) {
      client.datagram(announcement(times % 2 === 0 ? 0 : 100_000))
      waits.push((client.told("state-lost").at(-1)?.recoverAt ?? 0) - client.now())
      client.run(1000)
    }
    assert.ok(waits[0] <= 5000)
    waits.forEach((wait, index) => {
      const penalty = index === 0 ? 0 : Math.min(640_000, 10_000 * 2 ** (index - 1))
      assert.ok(wait >= penalty && wait <= penalty + 5000, `${index}: ${wait}`)
    })
    // After a quiet time it is as before.
    client.run(2_000_000)
    client.datagram(announcement(0))
    assert.ok((client.told("state-lost").at(-1)?.recoverAt ?? 0) - client.now() <= 5000)
  })

  test("C-05, C-55: against a real server that restarts: the same external end, within seconds", () => {
    const client = scene()
    const server = realServer()
    client.respond(server.respond)
    client.command({ type: "request", id: "web", request: TCP_8080 })
    client.run(1_000_000)
    const [{ mapping }] = client.told("assigned")
    server.restart(client.now())
    client.datagram(announcement(0))
    client.run(6000)
    assert.deepEqual(client.told("assigned").length, 1)
    const renewed = client.told("renewed").at(-1)?.mapping
    assert.deepEqual([renewed?.external, renewed?.externalPort], [EXTERNAL, mapping.externalPort])
    // Had it come back with another address, that would have been told as an assignment.
    const changed = address("203.0.113.99")
    const moved = realServer([changed])
    moved.restart(client.now())
    client.respond(moved.respond)
    client.datagram(announcement(0))
    client.run(60_000)
    assert.equal(client.told("assigned").at(-1)?.mapping.external, changed)
  })

  test("a server that was silent, and announces itself, is asked again within seconds, not after a quarter of an hour", () => {
    const client = scene({ settings: { retransmissionCount: 2 } })
    client.command({ type: "request", id: "web", request: TCP_8080 })
    client.run(100_000)
    assert.equal(client.told("exhausted").length, 1)
    client.respond(({ bytes }) => [success(bytes, { epoch: 1 })])
    client.datagram(announcement(0))
    client.run(6000)
    assert.deepEqual(client.states(), ["router running"])
  })
})
