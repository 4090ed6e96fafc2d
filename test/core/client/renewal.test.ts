import assert from "node:assert/strict"
import { Buffer } from "node:buffer"
import { describe, test } from "node:test"
import fc from "fast-check"
import { success } from "./answer.ts"
import { scene, TCP_8080 } from "./scene.ts"

/** A mapping granted at 10 ms for so many seconds, and then silence: when it was sent again, as parts of the lifetime. */
const unanswered = (lifetime: number, seed: number, until: number = lifetime) => {
  const client = scene({ seed: new Uint8Array(32).fill(seed) })
  let answers = 1
  client.respond(({ bytes }) => (answers-- > 0 ? [success(bytes, { lifetime })] : []))
  client.command({ type: "request", id: "web", request: { ...TCP_8080, lifetime } })
  client.run(until * 1000 + 9)
  return { client, parts: client.sent.slice(1).map(({ at }) => (at - 10) / (lifetime * 1000)) }
}

const gapsOf = ({ sent }: ReturnType<typeof scene>): readonly number[] =>
  sent.slice(1).map(({ at }, index) => at - sent[index].at)

describe("renewal (RFC 6887 section 11.2.1)", () => {
  test("C-130: one datagram in each slot: 1/2 to 5/8, 3/4 to 13/16, 7/8 to 29/32, and so on", () => {
    fc.assert(
      fc.property(fc.nat(255), fc.integer({ min: 600, max: 86_400 }), (seed, lifetime) => {
        const { client, parts } = unanswered(lifetime, seed)
        // The slots of the RFC, as it writes them.
        const slots = [
          [1 / 2, 5 / 8],
          [3 / 4, 3 / 4 + 1 / 16],
          [7 / 8, 7 / 8 + 1 / 32],
          [15 / 16, 15 / 16 + 1 / 64],
        ]
        for (const [index, [from, to]] of slots.entries()) {
          const part = parts[index] ?? 0
          assert.ok(part >= from - 1e-6 && part <= to + 1e-6, `${index}: ${part}`)
        }
        for (const gap of gapsOf(client)) assert.ok(gap >= 4000)
        assert.ok(parts.every((part) => part < 1))
      }),
      { numRuns: 60 },
    )
  })

  test("the times are spread over the slots", () => {
    const firsts = Array.from({ length: 100 }, (_, seed) => unanswered(3600, seed, 2300).parts[0] ?? 0)
    const [least, most] = [Math.min(...firsts), Math.max(...firsts)]
    assert.ok(least < 0.51 && most > 0.615, `${least} to ${most}`)
    const mean = firsts.reduce((sum, part) => sum + part, 0) / firsts.length
    assert.ok(Math.abs(mean - 9 / 16) < 0.012, `${mean}`)
  })

  test("never less than 4 s apart, however short the lifetime", () => {
    for (const lifetime of [1, 2, 3, 4, 5, 7, 9, 16, 30, 60, 119]) {
      const client = scene({ settings: { mappingBudget: { perSecond: 1000, burst: 1000 } } })
      client.respond(({ bytes }) => [success(bytes, { lifetime })])
      client.command({ type: "request", id: "web", request: TCP_8080 })
      client.run(600_000)
      for (const gap of gapsOf(client)) assert.ok(gap >= 4000, `${lifetime} s`)
      assert.ok(client.sent.length > 3)
      // It is renewed before its end wherever four seconds allow that.
      if (lifetime > 8) assert.equal(client.told("state").filter(({ state }) => state.kind === "expired").length, 0)
    }
  })

  test("by the granted lifetime, not the requested one; each renewal begins anew", () => {
    const client = scene()
    client.respond(({ bytes }) => [success(bytes, { lifetime: 60 })])
    client.command({ type: "request", id: "web", request: { ...TCP_8080, lifetime: 7200 } })
    client.run(600_000)
    for (const gap of gapsOf(client)) assert.ok(gap >= 30_010 && gap <= 37_510, `${gap}`)
    // The wire still says what is wanted.
    assert.ok(client.sent.every(({ bytes }) => new DataView(bytes.buffer).getUint32(4) === 7200))
  })

  test("C-131: an absurd lifetime counts as 24 hours", () => {
    const client = scene()
    client.respond(({ bytes }) => [success(bytes, { lifetime: 0xffffffff })])
    client.command({ type: "request", id: "web", request: TCP_8080 })
    client.run(86_400_000)
    const [{ at }] = client.sent.slice(1)
    assert.ok(at >= 43_200_000 && at <= 54_000_100, `${at}`)
    const [{ mapping }] = client.told("assigned")
    assert.equal(mapping.lifetime, 0xffffffff)
    assert.equal(mapping.until, 86_400_010)
  })

  test("C-131: and so where the caller believes more or less", () => {
    const client = scene({ settings: { lifetimeCeiling: 1000 } })
    client.respond(({ bytes }) => [success(bytes, { lifetime: 5000 })])
    client.command({ type: "request", id: "web", request: TCP_8080 })
    client.run(700_000)
    assert.equal(client.sent.length, 2)
  })

  test("C-130: without an answer it expires, is said to, and is asked for anew with what it was", () => {
    const { client } = unanswered(600, 3, 700)
    const expired = client.timed().find(({ event }) => event.type === "state" && event.state.kind === "expired")
    assert.equal(expired?.at, 600_010)
    const after = client.sent.filter(({ at }) => at >= 600_010)
    assert.ok(after.length >= 3)
    // The external end that it had is suggested.
    assert.deepEqual(
      [...after[0].bytes.subarray(42, 60)],
      [0x1f, 0x90, ...Buffer.from("00000000000000000000ffffcb007107", "hex")],
    )
  })

  test("a client that slept through slots renews once, and does not make up for them", () => {
    const client = scene()
    let silent = false
    client.respond(({ bytes }) => (silent ? [] : [success(bytes, { lifetime: 3600 })]))
    client.command({ type: "request", id: "web", request: TCP_8080 })
    client.run(1000)
    silent = true
    // From here on as if the machine slept: the wake-up at half the lifetime comes at 0.92 of it.
    client.give({ type: "tick", now: 3_312_000 })
    assert.equal(client.sent.length, 2)
    const wake = client.wake() ?? 0
    assert.ok(wake >= 10 + 3600_000 * (15 / 16) && wake <= 10 + 3600_000 * (15 / 16 + 1 / 64), `${wake}`)
  })

  test("C-05: the suggested end is not granted: what is assigned counts, and is what renewals suggest", () => {
    const client = scene()
    client.respond(({ bytes }) => [success(bytes, { lifetime: 600, externalPort: 50_000 })])
    client.command({ type: "request", id: "web", request: { ...TCP_8080, externalPort: 80 } })
    client.run(400_000)
    assert.equal(client.told("assigned")[0].mapping.externalPort, 50_000)
    assert.deepEqual(
      client.sent.map(({ bytes }) => bytes[42] * 256 + bytes[43]),
      [80, 50_000],
    )
    assert.equal(client.told("quirk").at(0)?.quirk, "other-port")
    assert.equal(client.told("refused").length, 0)
  })

  test("a change of the external end is an assignment, the same one a renewal", () => {
    const client = scene()
    let externalPort = 9000
    client.respond(({ bytes }) => [success(bytes, { lifetime: 600, externalPort })])
    client.command({ type: "request", id: "web", request: TCP_8080 })
    client.run(400_000)
    externalPort = 9001
    client.run(400_000)
    assert.deepEqual(
      client.events().flatMap((event) => ("mapping" in event ? [`${event.type} ${event.mapping.externalPort}`] : [])),
      ["assigned 9000", "renewed 9000", "assigned 9001"],
    )
  })
})

describe("renewing on demand", () => {
  const granted = () => {
    const client = scene()
    client.respond(({ bytes }) => [success(bytes)])
    client.command({ type: "request", id: "web", request: TCP_8080 })
    client.run(10_000)
    return client
  }

  test("at once, with another lifetime from then on", () => {
    const client = granted()
    client.command({ type: "renew", id: "web", lifetime: 7200 })
    assert.equal(client.sent.length, 2)
    client.run(5000)
    assert.equal(client.told("renewed").at(-1)?.mapping.lifetime, 7200)
    client.run(5_000_000)
    assert.ok(client.sent.slice(1).every(({ bytes }) => new DataView(bytes.buffer).getUint32(4) === 7200))
  })

  test("not within 4 s of the last datagram, however often it is asked for", () => {
    const client = granted()
    for (let times = 0; times < 20; times++) {
      client.command({ type: "renew", id: "web" })
      client.run(200)
    }
    client.run(10_000)
    for (const gap of gapsOf(client)) assert.ok(gap >= 4000)
    assert.equal(client.sent.length, 3)
  })

  test("until it is answered, as RFC 6887 section 8.1.1 has it", () => {
    const client = granted()
    client.respond(() => [])
    client.command({ type: "renew", id: "web" })
    client.run(25_000)
    assert.equal(client.sent.length, 5)
    assert.deepEqual(client.told("state").at(-1)?.state, { kind: "updating", retransmissions: 3 })
  })
})
