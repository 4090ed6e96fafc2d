import assert from "node:assert/strict"
import { describe, test } from "node:test"
import fc from "fast-check"
import { CGN_KINDS } from "../../core/cgn/index.ts"
import type { ClientEvent, MappingRequest } from "../../core/client/index.ts"
import { toHex } from "../../core/wire/text/index.ts"
import {
  type Act,
  eventWords,
  GOOD_LINK,
  type Run,
  runScenario,
  type Scenario,
  timingsOf,
} from "../../playground/model/network/index.ts"
import { machine } from "../../playground/model/replay/index.ts"
import { PRESETS } from "../../playground/model/session/index.ts"

const WEB: MappingRequest = { kind: "inbound", protocol: 6, internalPort: 8080, lifetime: 600 }
const ASK: Act = { at: 0, type: "request", id: "web", request: WEB }

const run = (more: Partial<Scenario> = {}): Run => {
  const made = runScenario({
    configuration: PRESETS.nat444,
    link: GOOD_LINK,
    acts: [ASK],
    until: 3_600_000,
    protocol: "pcp",
    ...more,
  })
  return made.ok ? made.value : assert.fail(made.text)
}

const eventsOf = ({ marks }: Run): readonly (ClientEvent & { readonly at: number })[] =>
  marks.flatMap((mark) => (mark.type === "event" ? [{ ...mark.event, at: mark.at }] : []))

const sentBy = ({ flights }: Run, from: "client" | "server") => flights.filter((flight) => flight.from === from)

describe("the built-in client", () => {
  test("over a good network: one datagram each way, then renewals from half of the lifetime on", () => {
    const result = run()
    const [first, second] = sentBy(result, "client")
    assert.deepEqual([first.sent, first.arrived, first.transmission], [0, 10, 1])
    assert.equal(eventsOf(result).find(({ type }) => type === "assigned")?.at, 20)
    // RFC 6887 section 11.2.1: the first renewal between 1/2 and 5/8 of the lifetime.
    assert.ok(second.sent >= 300_000 && second.sent <= 375_020, `${second.sent}`)
    assert.equal(result.cut, false)
    assert.ok(
      sentBy(result, "client").every(({ transmission }) => transmission === 1),
      "renewals are no retransmissions",
    )
  })

  test("when all is lost, it asks again by RFC 6887 section 8.1.1, with the same nonce (C-03)", () => {
    const result = run({ link: { ...GOOD_LINK, loss: 1 }, until: 60_000 })
    const sent = sentBy(result, "client")
    assert.ok(sent.every(({ arrived }) => arrived === undefined))
    assert.deepEqual(
      sent.map(({ transmission }) => transmission),
      sent.map((_, i) => i + 1),
    )
    let [least, most] = [2700, 3300]
    for (const [i, { sent: at }] of sent.entries()) {
      if (i === 0) continue
      const gap = at - sent[i - 1].sent
      assert.ok(gap >= least - 1 && gap <= most + 1, `gap ${i} of ${gap} ms, not ${least} to ${most}`)
      ;[least, most] = [least * 2 * 0.9, most * 2 * 1.1]
    }
    assert.ok(sent.length >= 4)
    assert.equal(new Set(sent.map(({ bytes }) => toHex(bytes))).size, 1)
    assert.deepEqual(
      timingsOf(result).map(({ at, kind, number, waited }) => [at, kind, number, waited]),
      sent.slice(1).map(({ sent: at }, i) => [at, "retransmission", i + 1, at - sent[i].sent]),
    )
  })

  test("whatever the network, every wait is one that sections 8.1.1 and 11.2.1 allow (C-03, C-130)", () => {
    const link = fc.record({
      loss: fc.double({ min: 0, max: 0.7, noNaN: true }),
      delay: fc.nat({ max: 400 }),
      jitter: fc.nat({ max: 100 }),
      reordering: fc.constant(0),
      seed: fc.integer(),
    })
    const what = fc.constantFrom<readonly Act[]>(
      [],
      [{ at: 900_000, type: "restart" }],
      [{ at: 450_000, type: "outage", until: 900_000 }],
    )
    fc.assert(
      fc.property(link, what, (settings, acts) => {
        const timings = timingsOf(run({ link: settings, acts: [ASK, ...acts], until: 1_800_000 }))
        for (const { kind, number, waited, least, most } of timings) {
          assert.ok(waited >= least - 1 && waited <= most + 1, `${kind} ${number}: ${waited}, not ${least} to ${most}`)
          // Slots of 600 s: 1/2 to 5/8, 3/4 to 13/16, 7/8 to 29/32; the first retransmission after 3 s, a tenth more or less.
          if (kind === "renewal" && number <= 3) assert.equal(most, [375_000, 487_500, 543_750][number - 1])
          if (kind === "retransmission" && number === 1) assert.ok(least === 2700 && Math.abs(most - 3300) < 1e-6)
        }
      }),
      { numRuns: 60 },
    )
  })

  test("a restart is heard, and lost mappings are made again", () => {
    const result = run({ acts: [ASK, { at: 60_000, type: "restart" }], until: 120_000 })
    const lost = eventsOf(result).find(({ type }) => type === "state-lost")
    assert.ok(lost !== undefined && lost.at >= 60_000 && lost.at < 61_000)
    const { mappings } = machine.mappingsOf(result.states[result.states.length - 1].machine, 120_000, 10)
    assert.equal(mappings.length, 1)
    assert.ok(sentBy(result, "server").length > 10, "the ten announcements of section 14.1.3")
  })

  test("an outage: datagrams find nobody, and the client goes on when it is over", () => {
    const result = run({ acts: [{ at: 0, type: "outage", until: 20_000 }, ASK], until: 60_000 })
    const sent = sentBy(result, "client")
    assert.ok(sent.filter(({ sent: at }) => at < 19_000).every(({ arrived }) => arrived === undefined))
    const assigned = eventsOf(result).find(({ type }) => type === "assigned")
    assert.ok(assigned !== undefined && assigned.at > 20_000)
  })

  test("a server of NAT-PMP alone is spoken to in NAT-PMP", () => {
    const result = run({ configuration: { ...PRESETS.nat444, pcp: false }, protocol: "auto", until: 30_000 })
    const assigned = eventsOf(result).find(({ type }) => type === "assigned")
    assert.ok(assigned?.type === "assigned" && assigned.mapping.protocol === "nat-pmp")
  })

  test("revoking deletes at the server", () => {
    const result = run({ acts: [ASK, { at: 5000, type: "revoke", id: "web" }], until: 10_000 })
    const { mappings } = machine.mappingsOf(result.states[result.states.length - 1].machine, 10_000, 10)
    assert.equal(mappings.length, 0)
    assert.ok(eventsOf(result).some((event) => eventWords(event) === "web: deleted"))
  })

  test("reordering lets later datagrams overtake earlier ones", () => {
    const acts = Array.from(
      { length: 40 },
      (_, i): Act => ({ at: i, type: "request", id: `m${i}`, request: { ...WEB, internalPort: 1000 + i } }),
    )
    const { flights } = run({ acts, link: { ...GOOD_LINK, delay: 20, reordering: 0.3 }, until: 1000 })
    const there = flights.filter(({ from, arrived }) => from === "client" && arrived !== undefined)
    assert.ok(there.some(({ arrived = 0 }, i) => i > 0 && arrived < (there[i - 1].arrived ?? 0)))
    assert.ok(flights.some(({ heldBack }) => heldBack))
  })

  test("the same scenario is the same run; another seed is another", () => {
    const link = { ...GOOD_LINK, loss: 0.4, jitter: 30 }
    assert.deepEqual(run({ link }).marks, run({ link }).marks)
    assert.notDeepEqual(run({ link }).flights, run({ link: { ...link, seed: 2 } }).flights)
  })

  test("any network and any kind: a run in order, with words for each event", () => {
    const link = fc.record({
      loss: fc.double({ min: 0, max: 1, noNaN: true }),
      delay: fc.oneof(fc.nat({ max: 5000 }), fc.double()),
      jitter: fc.nat({ max: 5000 }),
      reordering: fc.double({ min: 0, max: 1, noNaN: true }),
      seed: fc.integer(),
    })
    fc.assert(
      fc.property(link, fc.constantFrom(...CGN_KINDS), fc.nat({ max: 100_000 }), (settings, kind, at) => {
        const acts: readonly Act[] = [ASK, { at, type: "restart" }]
        const result = run({ link: settings, configuration: PRESETS[kind], acts, until: 200_000, protocol: "auto" })
        assert.ok(result.marks.every((mark, i) => i === 0 || mark.at >= result.marks[i - 1].at))
        for (const event of eventsOf(result)) assert.ok(eventWords(event).length > 3)
        for (const { sent, arrived } of result.flights) assert.ok(arrived === undefined || arrived >= sent)
      }),
      { numRuns: 40 },
    )
  })
})
