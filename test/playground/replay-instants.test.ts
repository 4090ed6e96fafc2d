/** What is told of an instant of a session: lifetimes, held ends, subscribers; and that going there computes nothing anew. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import fc from "fast-check"
import { formatAddress } from "../../core/wire/index.ts"
import { fork, hostOrder, play, type Replay, viewAt } from "../../playground/model/replay/index.ts"
import { PRESETS, type Session, type SessionStep } from "../../playground/model/session/index.ts"
import { mapStep, sessionOf } from "./sessions.ts"

const played = (session: Session): Replay => {
  const made = play(session)
  return made.ok ? made.value : assert.fail(made.text)
}

const results = ({ moments }: Replay): readonly (number | undefined)[] =>
  moments.filter(({ cause }) => cause.type === "step").map(({ reply }) => reply?.[3])

/** A step whose octets count how often they are read: nothing is processed without reading them. */
const counted = (step: Extract<SessionStep, { type: "datagram" }>, count: { reads: number }): SessionStep => ({
  type: "datagram",
  at: step.at,
  side: step.side,
  source: step.source,
  get bytes() {
    count.reads++
    return step.bytes
  },
})

describe("going to an instant", () => {
  test("processes nothing again, whichever way and however far", () => {
    const count = { reads: 0 }
    const steps = Array.from({ length: 500 }, (_, i) =>
      counted(
        mapStep(i * 1000, `10.0.0.${1 + (i % 20)}`, {
          internalPort: `${5000 + i}`,
          lifetime: "120",
          nonce: i.toString(16).padStart(24, "0"),
        }),
        count,
      ),
    )
    const replay = played(sessionOf(steps, { configuration: { ...PRESETS.nat444, quota: 0 } }))
    const ofPlaying = count.reads
    assert.ok(ofPlaying >= 500)
    const forwards = new Map<number, string>()
    const seen = (at: number): string =>
      JSON.stringify(viewAt(replay, at), (_, value) => (value === Number.POSITIVE_INFINITY ? "for ever" : value))
    for (let at = 0; at <= 1_100_000; at += 9000) forwards.set(at, seen(at))
    for (const [at, before] of [...forwards].toReversed()) assert.equal(seen(at), before, `at ${at}`)
    fc.assert(
      fc.property(fc.constantFrom(...forwards.keys()), (at) => assert.equal(seen(at), forwards.get(at))),
      { numRuns: 50 },
    )
    assert.equal(count.reads, ofPlaying)
  })

  test("what ran out and what was renewed since: lifetimes are those of then", () => {
    const replay = played(
      sessionOf([
        mapStep(0, "10.0.0.1", { lifetime: "200" }),
        mapStep(100_000, "10.0.0.1", { lifetime: "400" }),
        mapStep(150_000, "10.0.0.1", { lifetime: "300" }),
      ]),
    )
    const rows = (at: number) => viewAt(replay, at).mappings.map(({ left, fraction }) => [left, fraction])
    for (let turn = 0; turn < 2; turn++) {
      assert.deepEqual(rows(50_000), [[150, 0.75]])
      assert.deepEqual(rows(300_000), [[150, 0.5]])
      assert.deepEqual(rows(120_000), [[380, 0.95]])
      assert.deepEqual(rows(451_000), [])
    }
  })
})

describe("held ends", () => {
  const session = sessionOf([
    mapStep(0, "10.0.0.1", { lifetime: "600", externalPort: "41000" }),
    mapStep(10_000, "10.0.0.1", { lifetime: "0" }),
    mapStep(40_000, "10.0.0.1", { lifetime: "600", externalPort: "41000" }),
    mapStep(50_000, "10.0.0.1", { lifetime: "0" }),
  ])
  const held = (replay: Replay, at: number) =>
    (viewAt(replay, at).held ?? []).map(({ external, externalPort, internal, until }) => [
      `${formatAddress(external)}:${externalPort} ${formatAddress(internal)}`,
      until,
    ])

  test("an end that was freed waits for its former owner, until it is asked for again or its time is over (S-136)", () => {
    const replay = played(session)
    // Two minutes of TCP (RFC 6887 section 15).
    assert.deepEqual(held(replay, 20_000), [["203.0.113.1:41000 10.0.0.1", 130_000]])
    assert.deepEqual(held(replay, 45_000), [])
    assert.deepEqual(held(replay, 169_999), [["203.0.113.1:41000 10.0.0.1", 170_000]])
    assert.deepEqual(held(replay, 170_000), [])
    assert.deepEqual(held(replay, 5000), [])
  })

  test("another future has its own", () => {
    const replay = played(session)
    const branch = fork(replay, 20_000, { type: "announce", at: 20_000 }, "nothing")
    assert.deepEqual(held(branch, 45_000), [["203.0.113.1:41000 10.0.0.1", 130_000]])
    assert.deepEqual(held(replay, 45_000), [])
  })

  test("a host keeps its number, whoever comes later", () => {
    const replay = played(sessionOf([mapStep(5, "10.0.0.9"), mapStep(9, "10.0.0.1")]))
    assert.deepEqual(
      [...hostOrder(replay)].map(([host, i]) => [formatAddress(host), i]),
      [
        ["10.0.0.9", 0],
        ["10.0.0.1", 1],
      ],
    )
  })
})

describe("subscribers", () => {
  test("hosts of one prefix share a quota: the third mapping of both is USER_EX_QUOTA (S-52, RFC 6887 section 17.2)", () => {
    const steps = ["10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.9"].map((client, i) => mapStep(1000 * i, client))
    const configuration = { ...PRESETS.nat444, subscriberQuota: 2, subscriberPrefix: { ipv4: 29, ipv6: 64 } }
    const replay = played(sessionOf(steps, { configuration }))
    assert.deepEqual(results(replay), [0, 0, 10, 0])
    assert.deepEqual(viewAt(replay, 3000).groups, [
      { name: "10.0.0.0/29", hosts: 2, explicit: 2, quota: 2 },
      { name: "10.0.0.8/29", hosts: 1, explicit: 1, quota: 2 },
    ])
  })

  test("IPv6 hosts of one prefix of 64 bits", () => {
    const steps = ["2001:db8:1::1", "2001:db8:1::2", "2001:db8:1:1::1"].map((client, i) => mapStep(1000 * i, client))
    const replay = played(sessionOf(steps, { configuration: { ...PRESETS.nat64, subscriberQuota: 1 } }))
    assert.deepEqual(results(replay), [0, 10, 0])
    assert.deepEqual(
      viewAt(replay, 3000).groups?.map(({ name }) => name),
      ["2001:db8:1::/64", "2001:db8:1:1::/64"],
    )
    assert.deepEqual(viewAt(played(sessionOf(steps)), 3000).groups, [])
  })
})
