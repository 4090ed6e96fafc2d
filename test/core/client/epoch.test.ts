import assert from "node:assert/strict"
import { describe, test } from "node:test"
import fc from "fast-check"
import { isNatPmpEpochValid, isPcpEpochValid, step } from "../../../core/client/index.ts"
import { announcement, success } from "./answer.ts"
import { scene, TCP_8080 } from "./scene.ts"

/** Seconds: client then and now, server then and now, and the verdict by hand of RFC 6887 section 8.5. */
const TABLE: readonly (readonly [number, number, number, number, boolean])[] = [
  // Nothing passed.
  [0, 0, 0, 0, true],
  [100, 100, 100, 100, true],
  // Backwards by one second is reordering, by two it is a loss.
  [100, 100, 100, 99, true],
  [100, 101, 100, 99, true],
  [100, 102, 100, 99, true],
  [100, 100, 100, 98, false],
  [100, 100, 5, 0, false],
  // client_delta 3: 3 - 0 = 3 > 0 + 2.
  [100, 103, 100, 100, false],
  [100, 102, 100, 100, true],
  // client_delta 32: 32 - 2 = 30 <= 28 + 2, but not 27 + 2.
  [0, 32, 0, 28, true],
  [0, 32, 0, 27, false],
  // server_delta 36: 36 - 2 = 34 <= 32 + 2; 37 - 2 = 35 is more.
  [0, 32, 0, 36, true],
  [0, 32, 0, 37, false],
  // An hour: 3600 - 225 = 3375 <= 3373 + 2.
  [0, 3600, 0, 3373, true],
  [0, 3600, 0, 3372, false],
  // 3842 - 240 = 3602 <= 3600 + 2; 3843 - 240 = 3603 is more.
  [0, 3600, 0, 3842, true],
  [0, 3600, 0, 3843, false],
  // The whole of 32 bits.
  [0, 10, 0xfffffff0, 0xfffffffa, true],
  [0, 10, 0xfffffff0, 5, false],
  [0, 4294967295, 0, 4294967295, true],
]

/** RFC 6887 section 8.5, in 64-bit integers; what it computes unsigned is never under 0 (ambiguity 15). */
const oracle = (c0: bigint, c1: bigint, s0: bigint, s1: bigint): boolean => {
  if (s1 + 1n < s0) return false
  const client = BigInt.asUintN(64, c1 - c0)
  const server = s1 < s0 ? 0n : BigInt.asUintN(64, s1 - s0)
  return !(client + 2n < server - server / 16n || server + 2n < client - client / 16n)
}

describe("Epoch Time of PCP", () => {
  test("C-140: what RFC 6887 section 8.5 says, by hand", () => {
    for (const [c0, c1, s0, s1, valid] of TABLE)
      assert.equal(isPcpEpochValid({ server: s0, client: c0 }, s1, c1), valid, `${c0} ${c1} ${s0} ${s1}`)
    // The first response is necessarily valid.
    assert.ok(isPcpEpochValid(undefined, 4294967295, 0))
  })

  test("C-140: for any times, what 64-bit integers give", () => {
    const time = fc.oneof(fc.nat(100), fc.nat(100_000), fc.nat(0xffffffff))
    fc.assert(
      fc.property(time, time, time, fc.integer({ min: -300, max: 300 }), (c0, delta, s0, drift) => {
        const c1 = c0 + delta
        for (const s1 of [Math.max(0, s0 + delta + drift), Math.max(0, s0 + drift), delta].map((s) => s % 2 ** 32)) {
          const expected = oracle(BigInt(c0), BigInt(c1), BigInt(s0), BigInt(s1))
          assert.equal(isPcpEpochValid({ server: s0, client: c0 }, s1, c1), expected)
        }
      }),
      { numRuns: 2000 },
    )
  })

  test("a server whose clock is up to 3 % off is never taken for one that lost its state", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 100_000 }), { minLength: 1, maxLength: 50 }),
        fc.double({ min: 0.97, max: 1.03, noNaN: true }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (waits, speed, phase) => {
          let now = 0
          let mark: { readonly server: number; readonly client: number } | undefined
          for (const wait of waits) {
            now += wait
            const server = Math.floor((now / 1000) * speed + phase)
            const client = Math.floor(now / 1000)
            assert.ok(isPcpEpochValid(mark, server, client))
            mark = { server, client }
          }
        },
      ),
    )
  })

  test("C-140: each response is remembered, the first and an invalid one too", () => {
    const client = scene()
    client.respond(({ bytes }) => [success(bytes, { epoch: 1000 })])
    client.command({ type: "request", id: "web", request: TCP_8080 })
    client.run(1000)
    client.datagram(announcement(5))
    assert.equal(client.told("state-lost").length, 1)
    client.run(1000)
    client.respond(({ bytes }) => [success(bytes, { epoch: 5 + Math.floor((client.now() - 1000) / 1000) })])
    client.datagram(announcement(6))
    client.run(10_000)
    assert.equal(client.told("state-lost").length, 1)
  })

  test("C-141: an input of an earlier instant is one of now", () => {
    const client = scene({ now: 1_000_000 })
    client.respond(({ bytes }) => [success(bytes, { epoch: 500 })])
    client.command({ type: "request", id: "web", request: TCP_8080 })
    client.run(100)
    const [after] = step(client.state(), { type: "tick", now: 3 })
    assert.equal(after.now, client.state().now)
    const [later, effects] = step(after, {
      type: "datagram",
      now: 5,
      bytes: announcement(500),
      source: client.sent[0].to,
      sourcePort: 5351,
    })
    assert.equal(later.now, client.state().now)
    assert.ok(!effects.some((effect) => effect.type === "event" && effect.event.type === "state-lost"))
    for (const now of [Number.NaN, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY])
      assert.equal(step(client.state(), { type: "tick", now })[0].now, client.state().now)
  })
})

describe("Epoch Time of NAT-PMP", () => {
  test("N-22: not more than 2 s under the last one and 7/8 of the time since (RFC 6886 section 3.6)", () => {
    const rows: readonly (readonly [number, number, number, boolean])[] = [
      // Time since, epoch then, epoch now.
      [0, 100, 100, true],
      [0, 100, 98, true],
      [0, 100, 97, false],
      [80, 100, 168, true],
      [80, 100, 167, false],
      [8, 0, 5, true],
      [8, 0, 4, false],
      // It has no upper bound.
      [8, 0, 100_000, true],
      [100, 1000, 0, false],
    ]
    for (const [since, then, now, valid] of rows)
      assert.equal(isNatPmpEpochValid({ server: then, client: 50 }, now, 50 + since), valid, `${since} ${then} ${now}`)
    assert.ok(isNatPmpEpochValid(undefined, 0, 0))
  })

  test("N-22: for any times, the fraction in integers", () => {
    fc.assert(
      fc.property(fc.nat(1_000_000), fc.nat(1_000_000), fc.nat(2_000_000), (since, then, now) => {
        // 8 * now >= 8 * then + 7 * since - 16
        const expected = 8n * BigInt(now) >= 8n * BigInt(then) + 7n * BigInt(since) - 16n
        assert.equal(isNatPmpEpochValid({ server: then, client: 0 }, now, since), expected)
      }),
    )
  })
})
