import assert from "node:assert/strict"
import { describe, test } from "node:test"
import fc from "fast-check"
import { CGN_KINDS } from "../../core/cgn/index.ts"
import { readPackets } from "../../playground/model/capture/index.ts"
import { directionOf, type OpenedPacket } from "../../playground/model/open/index.ts"
import { compareAnswers, play } from "../../playground/model/replay/index.ts"
import {
  endOf,
  PRESETS,
  readSession,
  type Session,
  type SessionRead,
  sessionFromCapture,
  withStep,
  writeSession,
} from "../../playground/model/session/index.ts"
import { address as anyAddress, anyBytes } from "../core/wire/arbitrary.ts"
import { address, MAP_REQUEST, MAP_RESPONSE } from "./packets.ts"
import { dataStep, mapStep, sessionOf } from "./sessions.ts"

const session = (read: SessionRead): Session => (read.ok ? read.session : assert.fail(JSON.stringify(read.faults)))

describe("a session file", () => {
  test("comes back as it was written, of every kind and every step", () => {
    for (const kind of CGN_KINDS) {
      const given = sessionOf(
        [
          { ...mapStep(0, "10.0.0.1"), answer: MAP_RESPONSE },
          dataStep(1.5, "outside", ["198.51.100.7", 53], ["203.0.113.1", 41000], { protocol: "tcp", flags: ["SYN"] }),
          {
            ...dataStep(2, "inside", ["10.0.0.1", 1], ["198.51.100.7", 2], { b4: address("2001:db8:b4::1") }),
            realm: address("fd00::1"),
          },
          { type: "announce", at: 3 },
          { type: "revoke", at: 4, internal: address("10.0.0.1") },
        ],
        {
          until: 5000,
          configuration: {
            ...PRESETS[kind],
            flags: { map: false },
            quota: 3,
            subscriberPrefix: { ipv4: 24, ipv6: 56 },
            external: [address("203.0.113.7")],
            assignment: { kind: "blocks", size: 64, limit: 2 },
            inside: [{ address: address("192.0.2.0"), prefixLength: 120 }],
          },
        },
      )
      assert.deepEqual(session(readSession(writeSession(given))), given)
    }
  })

  test("what was tried over it comes back, each under the future that it leaves", () => {
    const given = sessionOf([mapStep(0, "10.0.0.1")], {
      tries: [
        { of: 0, name: "gone", step: { type: "revoke", at: 5, internal: address("10.0.0.1") }, after: "rest" },
        { of: 1, name: "again", step: mapStep(6, "10.0.0.1"), after: "nothing" },
      ],
    })
    assert.deepEqual(session(readSession(writeSession(given))), given)
    const later = writeSession(given).replace('"of": 0', '"of": 1')
    const read = readSession(later)
    assert.ok(!read.ok)
    assert.deepEqual(
      read.faults.map(({ path }) => path),
      ["tries[0].of"],
    )
    const many = readSession(JSON.stringify({ ...JSON.parse(later), tries: new Array(33).fill({}) }))
    assert.ok(!many.ok && many.faults.some(({ path, text }) => path === "tries" && /at most 32/.test(text)))
  })

  test("what is left out is the kind's preset", () => {
    const text = '{"format":"sallyport-session","version":1,"configuration":{"kind":"nat64"}}'
    assert.deepEqual(session(readSession(text)), { title: "", note: "", configuration: PRESETS.nat64, steps: [] })
  })

  test("says what is wrong, and where", () => {
    const read = readSession(
      JSON.stringify({
        format: "sallyport-session",
        version: 1,
        configuration: { kind: "nat444", quota: -1, external: ["203.0.113.1", "nowhere"], colour: 1 },
        steps: [
          { type: "datagram", at: 0, source: { address: "10.0.0.1", port: 99999 }, bytes: "zz" },
          { type: "dance", at: 0 },
          {
            type: "packet",
            at: 0,
            packet: {
              protocol: "udp",
              source: { address: "10.0.0.1", port: 1 },
              destination: { address: "::1", port: 1 },
            },
          },
        ],
      }),
    )
    assert.ok(!read.ok)
    assert.deepEqual(
      read.faults.map(({ path }) => path),
      [
        "steps[0].bytes",
        "steps[0].source.port",
        "steps[1].type",
        "steps[2].packet",
        "configuration",
        "configuration.external[1]",
        "configuration.quota",
      ],
    )
  })

  test("newer versions, other files and no JSON are told apart", () => {
    const why = (text: string) => {
      const read = readSession(text)
      return read.ok ? assert.fail("read") : read.faults.map((one) => one.text).join()
    }
    assert.match(why('{"format":"sallyport-session","version":9}'), /newer/)
    assert.match(why('{"format":"pcap","version":1}'), /one of sallyport-session/)
    assert.match(why("{"), /no JSON/)
    assert.match(why("[]"), /an object is expected/)
    assert.match(why("null"), /an object is expected/)
  })

  test("hostile files: depth, prototypes and thousands of faults", () => {
    assert.ok(!readSession("[".repeat(200_000)).ok)
    const polluted = readSession(
      '{"format":"sallyport-session","version":1,"configuration":{"kind":"nat444"},"__proto__":{"steps":[]}}',
    )
    assert.ok(!polluted.ok)
    const many = readSession(
      JSON.stringify({
        format: "sallyport-session",
        version: 1,
        configuration: { kind: "nat444" },
        steps: new Array(5000).fill(0),
      }),
    )
    assert.ok(!many.ok && many.faults.length === 20)
  })

  test("any JSON gives a session that can be written, or faults", () => {
    const plausible = fc.record(
      {
        format: fc.constantFrom("sallyport-session", "x"),
        version: fc.constantFrom(1, 2, "1"),
        configuration: fc.record(
          { kind: fc.constantFrom(...CGN_KINDS), quota: fc.jsonValue(), ports: fc.jsonValue() },
          { requiredKeys: ["kind"] },
        ),
        steps: fc.array(
          fc.oneof(fc.jsonValue(), fc.record({ type: fc.constantFrom("announce", "datagram"), at: fc.double() })),
          { maxLength: 4 },
        ),
      },
      { requiredKeys: ["format", "version", "configuration"] },
    )
    fc.assert(
      fc.property(
        fc.oneof(
          fc.json(),
          fc.string(),
          plausible.map((value) => JSON.stringify(value)),
        ),
        (text) => {
          const read = readSession(text)
          if (read.ok) assert.deepEqual(session(readSession(writeSession(read.session))), read.session)
          else assert.ok(read.faults.length > 0 && read.faults.every((one) => one.text !== ""))
        },
      ),
    )
  })

  test("any datagrams come back", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(anyBytes, anyAddress, fc.nat({ max: 65535 })), { maxLength: 5 }), (some) => {
        const given = sessionOf(
          some.map(([bytes, source, port], at) => ({
            type: "datagram",
            at,
            side: "inside",
            source: { address: source, port },
            bytes,
          })),
        )
        assert.deepEqual(session(readSession(writeSession(given))), given)
      }),
    )
  })

  test("a step goes to its place, and a session ends after its last one", () => {
    const given = sessionOf([mapStep(0, "10.0.0.1"), mapStep(100, "10.0.0.1")])
    assert.deepEqual(
      withStep(given, { type: "announce", at: 50 }).steps.map(({ at }) => at),
      [0, 50, 100],
    )
    assert.deepEqual(
      withStep(given, { type: "announce", at: 100 }).steps.map(({ type }) => type),
      ["datagram", "datagram", "announce"],
    )
    assert.equal(endOf(given), 600_100)
    assert.equal(endOf({ ...given, until: 50 }), 100)
  })
})

describe("a session from a capture", () => {
  const end = (text: string, port: number) => ({ address: address(text), port })
  const at = (milliseconds: number, bytes: Uint8Array): OpenedPacket => {
    const direction = directionOf(bytes)
    const [source, destination] = [end("10.0.0.1", 40000), end("10.0.0.254", 5351)]
    const ends = direction === "request" ? { source, destination } : { source: destination, destination: source }
    return { bytes, direction, at: { seconds: 5, nanoseconds: milliseconds * 1e6 }, ...ends }
  }

  test("requests in their time, each with the answer that it got, against the pool that was assigned", () => {
    const capture = readPackets([at(10, MAP_REQUEST), at(20, MAP_RESPONSE), at(500, MAP_REQUEST)])
    const { session: made, notes } = sessionFromCapture(capture, "from a capture")
    assert.deepEqual(
      made.steps.map((step) => [step.at, step.type === "datagram" ? step.answer?.length : 0]),
      [
        [0, 60],
        [490, undefined],
      ],
    )
    assert.equal(made.configuration.kind, "nat444")
    assert.deepEqual(made.configuration.external, [address("203.0.113.5")])
    assert.match(notes.join(), /taken for nat444/)
    const replay = play(made)
    assert.ok(replay.ok)
    const compared = compareAnswers(replay.value.moments[1])
    assert.equal(compared?.outcome, "different", "the lifetime that was granted")
    assert.deepEqual(
      compared?.differences
        .map(({ pair, weight }) => [pair.path, weight])
        .filter(([, weight]) => weight !== "difference"),
      [
        ["Epoch Time", "clock"],
        ["Assigned External Port", "choice"],
      ],
    )
  })

  test("a capture whose clock leaps by fifty years is a session that can be saved; a short one ends soon", () => {
    const seconds = (value: number, bytes: Uint8Array): OpenedPacket => ({
      ...at(0, bytes),
      at: { seconds: value, nanoseconds: 0 },
    })
    const leaping = sessionFromCapture(
      readPackets([seconds(0, MAP_REQUEST), seconds(1.6e9, MAP_REQUEST)]),
      "x".repeat(999),
    )
    assert.deepEqual(session(readSession(writeSession(leaping.session))), leaping.session)
    assert.match(leaping.notes.join(), /its clock leaps/)
    const short = sessionFromCapture(readPackets([seconds(10, MAP_REQUEST), seconds(12, MAP_REQUEST)]), "")
    assert.equal(endOf(short.session), 32_000)
  })

  test("any capture is a session that plays", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(anyBytes, fc.nat({ max: 999 })), { maxLength: 10 }), (some) => {
        const made = sessionFromCapture(readPackets(some.map(([bytes, when]) => at(when, bytes))), "")
        const replay = play(made.session)
        assert.ok(replay.ok, replay.ok ? "" : replay.text)
        assert.deepEqual(session(readSession(writeSession(made.session))), made.session)
      }),
    )
  })

  test("an empty capture is a session without steps", () => {
    assert.deepEqual(sessionFromCapture(readPackets([]), "").session.steps, [])
  })
})
