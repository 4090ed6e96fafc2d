import assert from "node:assert/strict"
import { Buffer } from "node:buffer"
import { describe, test } from "node:test"
import fc from "fast-check"
import type { ClientSettings } from "../../../core/client/index.ts"
import { failure, success } from "./answer.ts"
import { router, scene, TCP_8080 } from "./scene.ts"

const seedOf = (value: number): Uint8Array => new Uint8Array(32).fill(value)

/** Instants of a request that nobody answers, milliseconds. */
const silence = (settings: Partial<ClientSettings>, for_: number, seed = 7): readonly number[] => {
  const client = scene({ settings, seed: seedOf(seed) })
  client.command({ type: "request", id: "web", request: TCP_8080 })
  client.run(for_)
  return client.sent.map(({ at }) => at)
}

const gaps = (instants: readonly number[]): readonly number[] =>
  instants.slice(1).map((instant, index) => instant - instants[index])

describe("retransmission (RFC 6887 section 8.1.1)", () => {
  test("C-03: each time is within a tenth of twice the last one, from 3 s to 1024 s, whatever the seed; the nonce stays", () => {
    fc.assert(
      fc.property(fc.nat(255), (seed) => {
        const client = scene({ seed: seedOf(seed) })
        client.command({ type: "request", id: "web", request: TCP_8080 })
        client.run(20_000_000)
        const times = gaps(client.sent.map(({ at }) => at)).map((gap) => gap / 1000)
        // Half a millisecond for the clock's own steps.
        times.forEach((time, index) => {
          const base = index === 0 ? 3 : Math.min(2 * times[index - 1], 1024)
          assert.ok(time >= 0.9 * base - 0.001 && time <= 1.1 * base + 0.001, `${index}: ${time} of ${base}`)
        })
        assert.ok(times.length > 20)
        assert.equal(new Set(client.sent.map(({ bytes }) => Buffer.from(bytes).toString("hex"))).size, 1)
      }),
      { numRuns: 50 },
    )
  })

  test("on the average it is 3, 6, 12, 24, 48 s", () => {
    const runs = Array.from({ length: 200 }, (_, seed) => gaps(silence({}, 120_000, seed)))
    for (const [index, nominal] of [3, 6, 12, 24, 48].entries()) {
      const mean = runs.reduce((sum, times) => sum + (times[index] ?? 0), 0) / runs.length / 1000
      assert.ok(Math.abs(mean - nominal) < nominal * 0.03, `${index}: ${mean}`)
    }
  })

  test("another seed, other times; the same seed, the same", () => {
    assert.deepEqual(silence({}, 1_000_000, 1), silence({}, 1_000_000, 1))
    assert.notDeepEqual(silence({}, 1_000_000, 1), silence({}, 1_000_000, 2))
  })

  test("IRT and MRT are settings, and MRT 0 is none", () => {
    const times = gaps(
      silence({ initialRetransmission: 1, retransmissionTime: 2, mappingBudget: { perSecond: 10, burst: 10 } }, 60_000),
    )
    assert.ok(times[0] >= 900 && times[0] <= 1100)
    for (const time of times.slice(2)) assert.ok(time >= 1800 && time <= 2200, `${time}`)
    const free = gaps(silence({ retransmissionTime: 0 }, 20_000_000))
    assert.ok((free.at(-1) ?? 0) > 1_200_000)
  })

  test("MRC: after so many transmissions, and the time of the last, it failed", () => {
    const client = scene({ settings: { retransmissionCount: 3 } })
    client.command({ type: "request", id: "web", request: TCP_8080, mode: { kind: "once" } })
    client.run(100_000)
    assert.equal(client.sent.length, 3)
    const [failed] = client.timed().filter(({ event }) => event.type === "state" && event.state.kind === "error")
    assert.deepEqual(failed?.event, {
      type: "state",
      id: "web",
      server: "router",
      state: { kind: "error", failure: { kind: "no-answer", sent: 3 }, retryAt: undefined },
    })
    const last = client.sent[2].at - client.sent[1].at
    const wait = (failed?.at ?? 0) - client.sent[2].at
    assert.ok(wait >= 1.8 * last - 1 && wait <= 2.2 * last + 1)
    assert.equal(client.wake(), undefined)
  })

  test("MRD: so many seconds after the first transmission it failed, between two of them too", () => {
    const client = scene({ settings: { retransmissionDuration: 20 } })
    client.command({ type: "request", id: "web", request: TCP_8080, mode: { kind: "once" } })
    client.run(100_000)
    // At 0, about 3 and about 9 s.
    assert.equal(client.sent.length, 3)
    const [failed] = client.timed().filter(({ event }) => event.type === "state" && event.state.kind === "error")
    assert.equal(failed?.at, 20_000)
  })

  test("both: whichever is first", () => {
    const fails = (settings: Partial<ClientSettings>): number => silence(settings, 800_000).length
    assert.equal(fails({ retransmissionCount: 2, retransmissionDuration: 100 }), 2)
    assert.equal(fails({ retransmissionCount: 9, retransmissionDuration: 5 }), 2)
  })

  test("a mapping that is kept is asked for again after a quarter of an hour", () => {
    const instants = silence({ retransmissionCount: 2 }, 1_200_000)
    assert.equal(instants.length, 4)
    assert.ok(instants[2] - instants[1] >= 900_000)
  })

  test("an answer ends it, an error too", () => {
    for (const answer of [success, (bytes: Uint8Array) => failure(bytes, 8, 1000)]) {
      const client = scene()
      client.command({ type: "request", id: "web", request: TCP_8080 })
      client.run(3500)
      assert.equal(client.sent.length, 2)
      client.respond(() => [])
      client.datagram(answer(client.sent[0].bytes))
      client.run(900_000)
      assert.equal(client.sent.length, 2)
    }
  })

  test("the states tell how often it was sent again", () => {
    const client = scene()
    client.command({ type: "request", id: "web", request: TCP_8080 })
    client.run(10_000)
    assert.deepEqual(
      client.told("state").map(({ state }) => state),
      [{ kind: "requested" }, ...[0, 1, 2].map((retransmissions) => ({ kind: "starting", retransmissions }))],
    )
  })

  test("a probe is sent as often as its caller wants, and its silence says nothing of mappings", () => {
    const client = scene({ servers: [router()] })
    client.command({ type: "request", id: "web", request: TCP_8080 })
    client.command({ type: "announce", id: "there", tries: 2 })
    client.run(60_000)
    assert.deepEqual(client.told("failed"), [
      { type: "failed", id: "there", server: "router", failure: { kind: "no-answer", sent: 2 } },
    ])
    assert.equal(client.told("exhausted").length, 0)
    assert.deepEqual(client.states(), ["router starting"])
  })
})
