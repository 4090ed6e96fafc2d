import assert from "node:assert/strict"
import { describe, test } from "node:test"
import fc from "fast-check"
import { CGN_KINDS } from "../../core/cgn/index.ts"
import { formatAddress, isIpv4, parse } from "../../core/wire/index.ts"
import {
  checkConfiguration,
  compareAnswers,
  compareFutures,
  drawPorts,
  externalAddresses,
  flagRows,
  fork,
  ipPacket,
  type Moment,
  play,
  type Replay,
  readIp,
  seek,
  viewAt,
  viewOf,
  withFlag,
} from "../../playground/model/replay/index.ts"
import { CLIENTS, PRESETS, type Session, type SessionStep } from "../../playground/model/session/index.ts"
import { anyBytes } from "../core/wire/arbitrary.ts"
import { address, hex } from "./packets.ts"
import { dataStep, mapStep, sessionOf } from "./sessions.ts"

const played = (session: Session): Replay => {
  const made = play(session)
  return made.ok ? made.value : assert.fail(made.text)
}

const resultOf = ({ reply }: Moment): string => {
  if (reply === undefined) return "no answer"
  const parsed = parse(reply)
  return parsed.ok && parsed.packet.kind === "pcp-response" ? `${parsed.packet.result}` : "?"
}

const externalPort = ({ reply }: Moment): number => {
  const parsed = reply === undefined ? undefined : parse(reply)
  const body = parsed?.ok === true && parsed.packet.kind === "pcp-response" ? parsed.packet.body : undefined
  return body?.kind === "map" ? body.externalPort : assert.fail("no MAP")
}

const texts = (replay: Replay, at: number) => viewAt(replay, at).mappings.map(({ text }) => text)

describe("playing a session", () => {
  const session = sessionOf(
    [
      mapStep(1000, "10.0.0.1", { lifetime: "200", externalPort: "41000" }),
      mapStep(61_000, "10.0.0.2", { lifetime: "600", internalPort: "80", nonce: "aaaaaaaaaaaaaaaaaaaaaaaa" }),
    ],
    { until: 900_000 },
  )

  test("mappings run out at their own moments, and lifetimes run down between them", () => {
    const replay = played(session)
    assert.deepEqual(
      replay.moments.map(({ at, cause }) => [at, cause.type]),
      [
        [0, "start"],
        [1000, "step"],
        [61_000, "step"],
        // Granted at 1 s for 200 s (RFC 6887 section 15); each freed port is then held for 120 s (section 15, S-136).
        [201_000, "due"],
        [321_000, "due"],
        [661_000, "due"],
        [781_000, "due"],
      ],
    )
    const view = viewAt(replay, 101_000)
    assert.equal(view.mappings.length, 2)
    assert.deepEqual([view.mappings[0].left, view.mappings[0].fraction], [100, 0.5])
    assert.equal(view.epoch, 101)
    assert.deepEqual(texts(replay, 201_000).length, 1)
    assert.deepEqual(texts(replay, 900_000), [])
    assert.match(
      viewAt(replay, 201_000)
        .changes.map(({ sign, text }) => sign + text)
        .join(),
      /−ran out TCP 10\.0\.0\.1:8080/,
    )
  })

  test("any moment is there at once, in any order, and the same each time", () => {
    const replay = played(session)
    const instants = [0, 1000, 60_999, 61_000, 200_999, 201_000, 899_999]
    const forwards = instants.map((at) => viewAt(replay, at))
    const backwards = instants.toReversed().map((at) => viewAt(replay, at))
    assert.deepEqual(backwards.reverse(), forwards)
    assert.equal(seek(replay, -5), 0)
    assert.deepEqual(viewOf(replay, 1), viewAt(replay, 1000))
    assert.deepEqual(viewOf(replay, 1, 60_999), forwards[2])
    assert.equal(seek(replay, 60_999), 1)
  })

  test("counters, subscribers and ports", () => {
    const replay = played(session)
    const { counters, subscribers, mappings } = viewAt(replay, 61_000)
    assert.deepEqual(
      counters.map(({ name, count, more }) => [name, count, more]),
      [
        ["PCP MAP", 2, 1],
        ["PCP SUCCESS", 2, 1],
      ],
    )
    assert.deepEqual(
      subscribers.map(({ internal, explicit, quota }) => [formatAddress(internal), explicit, quota]),
      [
        ["10.0.0.1", 1, 64],
        ["10.0.0.2", 1, 64],
      ],
    )
    const own = mappings.map(({ mapping }) => mapping)
    const [external] = externalAddresses(own)
    assert.equal(formatAddress(external), "203.0.113.1")
    const picture = drawPorts(own, external)
    assert.equal(picture.used, 2)
    assert.equal(formatAddress(picture.owners[picture.cells[41000] - 1]), "10.0.0.1")
    assert.equal(drawPorts(own, external, 17).used, 0)
  })

  test("the same session is played the same again; another seed chooses other ports", () => {
    const random = sessionOf([mapStep(0, "10.0.0.1", { externalPort: "0" })])
    const other = { ...random, configuration: { ...PRESETS.nat444, seed: "other" } }
    assert.equal(externalPort(played(random).moments[1]), externalPort(played(random).moments[1]))
    assert.notEqual(externalPort(played(random).moments[1]), externalPort(played(other).moments[1]))
  })

  test("a restart is announced ten times, each at its own moment (RFC 6887 section 14.1.3)", () => {
    const replay = played(sessionOf([{ type: "announce", at: 500 }], { until: 1_000_000 }))
    const sent = replay.moments.filter((one) => one.sent.length > 0).map(({ at }) => at)
    assert.equal(sent.length, 10)
    assert.deepEqual(sent.slice(0, 4), [500, 750, 1250, 2250])
  })

  test("a host that is gone has no mappings", () => {
    const replay = played(
      sessionOf([mapStep(0, "10.0.0.1"), { type: "revoke", at: 5000, internal: address("10.0.0.1") }]),
    )
    assert.equal(viewAt(replay, 4999).mappings.length, 1)
    assert.equal(viewAt(replay, 5000).mappings.length, 0)
  })

  test("what never ends is cut", () => {
    const steps = Array.from({ length: 50 }, (_, i) => mapStep(i, "10.0.0.1"))
    const made = play(sessionOf(steps), { moments: 10 })
    assert.ok(made.ok && made.value.cut && made.value.moments.length === 10)
  })
})

describe("forks", () => {
  const session = sessionOf([
    mapStep(0, "10.0.0.1", { externalPort: "41000" }),
    mapStep(10_000, "10.0.0.1", { lifetime: "0" }),
  ])

  test("a branch shares the past, and the first future stays what it was", () => {
    const replay = played(session)
    const before = texts(replay, 5000)
    const branch = fork(replay, 5000, mapStep(5000, "10.0.0.2", { externalPort: "41000", internalPort: "9" }))
    assert.equal(branch.moments[1], replay.moments[1])
    assert.equal(branch.forkedAt, 2)
    assert.equal(texts(branch, 5000).length, 2)
    assert.deepEqual(texts(replay, 5000), before)
    assert.notEqual(externalPort(branch.moments[2]), 41000)
    assert.equal(branch.session.steps.length, 3)
    assert.deepEqual(
      compareFutures(replay, branch).map(({ kind, side }) => [kind, side]),
      [
        ["event", "right"],
        ["mapping", "right"],
      ],
    )
  })

  test("another packet changes what later steps are answered: the comparison says so", () => {
    const replay = played(session)
    // Without the nonce, the deletion of another is refused: RFC 6887 section 11.3.
    const other = { ...mapStep(10_000, "10.0.0.1", { lifetime: "0", nonce: "000000000000000000000001" }) }
    const branch = fork(replay, 5000, other, "nothing")
    assert.equal(resultOf(branch.moments[2]), "2")
    const kinds = compareFutures(replay, branch)
    assert.ok(kinds.some(({ kind, side }) => kind === "mapping" && side === "right"))
    assert.deepEqual(compareFutures(replay, replay), [])
  })

  test("the same steps in two futures: what each answered otherwise", () => {
    const replay = played(sessionOf([mapStep(10_000, "10.0.0.1", { externalPort: "41000" })]))
    const branch = fork(replay, 0, mapStep(1000, "10.0.0.9", { externalPort: "41000", internalPort: "7" }))
    const answer = compareFutures(replay, branch).find(({ kind }) => kind === "answer")
    assert.match(answer?.text ?? "", /Assigned External Port: 41000, or \d+/)
  })
})

describe("captured answers beside ours", () => {
  const step = mapStep(1000, "10.0.0.1", { externalPort: "41000" })
  const answered = (answer: Uint8Array) => {
    const moment = played(sessionOf([{ ...step, answer }])).moments[1]
    return compareAnswers(moment) ?? assert.fail("nothing to compare")
  }
  const ours = played(sessionOf([step])).moments[1].reply ?? assert.fail("no reply")

  test("clock and choices are not differences, results are", () => {
    assert.deepEqual(answered(ours).differences, [])
    const later = ours.slice()
    later.set([0, 1, 0, 0], 8)
    later.set([1, 2], 42)
    const free = answered(later)
    assert.deepEqual(
      free.differences.map(({ weight, pair }) => [weight, pair.path]),
      [
        ["clock", "Epoch Time"],
        ["choice", "Assigned External Port"],
      ],
    )
    assert.equal(free.outcome, "same")
    assert.equal(answered(ours.with(3, 8)).outcome, "different")
    assert.equal(compareAnswers(played(sessionOf([step])).moments[1]), undefined)
  })

  test("an answer to what we drop is missing on our side", () => {
    const moment = played(sessionOf([{ ...step, bytes: hex("02"), answer: ours }])).moments[1]
    assert.equal(compareAnswers(moment)?.outcome, "missing")
  })
})

describe("packets of data", () => {
  const map = mapStep(0, "10.0.0.1", { protocol: "udp", internalPort: "5000", externalPort: "41000" }, [
    { kind: "FILTER", values: { prefix: "198.51.100.0/24" } },
  ])
  const verdicts = (steps: readonly SessionStep[], configuration = PRESETS.nat444) =>
    played(sessionOf(steps, { configuration })).moments.flatMap(({ verdict }) =>
      verdict === undefined ? [] : [verdict],
    )

  test("translated, filtered, dropped, hairpinned (RFC 4787, RFC 6887 section 13.3)", () => {
    const [out, back, other, nobody, hairpin] = verdicts([
      map,
      dataStep(10, "inside", ["10.0.0.1", 5000], ["198.51.100.7", 53]),
      dataStep(20, "outside", ["198.51.100.7", 53], ["203.0.113.1", 41000]),
      dataStep(30, "outside", ["192.0.2.99", 53], ["203.0.113.1", 41000]),
      dataStep(40, "outside", ["192.0.2.99", 53], ["203.0.113.1", 50]),
      dataStep(50, "inside", ["10.0.0.2", 6000], ["203.0.113.1", 41000]),
    ])
    assert.deepEqual([out.kind, out.left[0].text], ["translated", "UDP 203.0.113.1:41000 → 198.51.100.7:53"])
    assert.deepEqual([back.kind, back.left[0].text], ["translated", "UDP 198.51.100.7:53 → 10.0.0.1:5000"])
    assert.deepEqual([other.kind, other.reason], ["filtered", "filtered"])
    assert.deepEqual([nobody.kind, nobody.reason], ["dropped", "no-mapping"])
    // The hairpinned packet comes from 203.0.113.1, which the filter does not let in.
    assert.equal(hairpin.kind, "filtered")
    const [free] = verdicts([
      mapStep(0, "10.0.0.1", { protocol: "udp", internalPort: "5000", externalPort: "41000" }),
      dataStep(50, "inside", ["10.0.0.2", 6000], ["203.0.113.1", 41000]),
    ])
    assert.equal(free.kind, "hairpinned")
    assert.match(free.left[0].text, /^UDP 203\.0\.113\.1:\d+ → 10\.0\.0\.1:5000$/)
    assert.match(nobody.clause ?? "", /RFC 4787/)
  })

  test("each kind carries packets in its own way", () => {
    const remote4: readonly [string, number] = ["198.51.100.7", 53]
    const remote6: readonly [string, number] = ["2001:db8:99::7", 53]
    const out = (kind: (typeof CGN_KINDS)[number], destination: readonly [string, number], more = {}) => {
      const client = formatAddress(CLIENTS[kind])
      return verdicts([dataStep(0, "inside", [client, 5000], destination, more)], PRESETS[kind])[0]
    }
    assert.match(out("nat444", remote4).text, /becomes UDP 203\.0\.113\.1:\d+ → 198\.51\.100\.7:53$/)
    assert.match(out("l2dslite", remote4).text, /becomes UDP 203\.0\.113\.1/)
    assert.match(
      out("nat64", ["2001:db8:64::c633:6407", 53]).text,
      /becomes UDP 203\.0\.113\.1:\d+ → 198\.51\.100\.7:53$/,
    )
    assert.match(out("nat46", remote4).text, /becomes UDP \[2001:db8:46::1\]:5000 → \[2001:db8:64::c633:6407\]:53$/)
    assert.match(out("nptv6", remote6).text, /becomes UDP \[2001:db8:2:/)
    assert.equal(out("firewall4", remote4).kind, "passed")
    assert.equal(out("firewall6", remote6).kind, "passed")
    const dslite = verdicts(
      [dataStep(0, "inside", ["10.0.0.1", 5000], remote4, { b4: address("2001:db8:b4::1") })],
      PRESETS.dslite,
    )[0]
    assert.match(dslite.text, /in a softwire becomes UDP 203\.0\.113\.1:\d+ → 198\.51\.100\.7:53$/)
  })

  test("TCP opens with SYN, ICMP echoes are translated by identifier", () => {
    const [syn, stray, ping] = verdicts([
      dataStep(0, "inside", ["10.0.0.1", 1000], ["198.51.100.7", 80], { protocol: "tcp", flags: ["SYN"] }),
      dataStep(1, "inside", ["10.0.0.1", 1001], ["198.51.100.7", 80], { protocol: "tcp", flags: ["ACK"] }),
      dataStep(2, "inside", ["10.0.0.1", 77], ["198.51.100.7", 0], { protocol: "icmp" }),
    ])
    assert.equal(syn.kind, "translated")
    assert.equal(stray.reason, "no-connection")
    assert.equal(ping.kind, "translated")
    assert.match(ping.text, /identifier 77 becomes ICMP type 8/)
  })

  test("the octets of a packet have valid checksums, computed another way", () => {
    const sum = (octets: Uint8Array): number => {
      let total = 0
      for (let i = 0; i < octets.length; i += 2) total += octets[i] * 256 + (octets[i + 1] ?? 0)
      return total % 65535
    }
    const bytes = ipPacket(
      dataStep(0, "inside", ["10.0.0.1", 5000], ["198.51.100.7", 53], { payload: 5 }).packet,
      address("::1"),
    )
    assert.equal(sum(bytes.subarray(0, 20)), 0, "IPv4 header")
    const udp = bytes.subarray(20)
    assert.equal((sum(udp) + sum(bytes.subarray(12, 20)) + 17 + udp.length) % 65535, 0, "UDP")
    assert.equal(readIp(bytes)?.text, "UDP 10.0.0.1:5000 → 198.51.100.7:53")
    assert.equal(readIp(hex("45")), undefined)
  })
})

describe("kinds and flags", () => {
  test("every preset is sound and serves its client", () => {
    for (const kind of CGN_KINDS) {
      assert.equal(checkConfiguration(PRESETS[kind]), undefined, kind)
      const client = formatAddress(CLIENTS[kind])
      const external = ["nat46", "nptv6", "firewall6"].includes(kind) ? "::" : "0.0.0.0"
      const replay = played(sessionOf([mapStep(0, client, { external })], { configuration: PRESETS[kind] }))
      // A B4 asks for a host behind it: its own IPv6 address has no IPv4 mapping (RFC 6333).
      const wanted = kind === "dslite" ? resultOf(replay.moments[1]) : "0"
      assert.equal(resultOf(replay.moments[1]), wanted, kind)
    }
  })

  test("a flag turned changes the answer as its sentence says", () => {
    const off = withFlag(PRESETS.nat444, "map", false)
    assert.deepEqual(off.flags, { map: false })
    assert.equal(resultOf(played(sessionOf([mapStep(0, "10.0.0.1")], { configuration: off })).moments[1]), "4")
    assert.deepEqual(withFlag(off, "map", true).flags, {})
    const rows = flagRows(PRESETS.nat444)
    assert.equal(rows.length, 17)
    assert.match(rows.find(({ flag }) => flag === "map")?.turned ?? "", /UNSUPP_OPCODE/)
    assert.match(rows.find(({ flag }) => flag === "port0")?.bar ?? "", /otherProtocols/)
  })

  test("a configuration that cannot be says why", () => {
    const { nat444, nptv6 } = PRESETS
    for (const bad of [
      { ...nat444, external: [] },
      { ...nat444, ports: { first: 5, last: 1 } },
      { ...nat444, maxLifetime: 1 },
      { ...nat444, flags: { port0: true } },
      { ...nptv6, prefixPairs: [] },
    ]) {
      const made = play(sessionOf([], { configuration: bad }))
      assert.ok(!made.ok && made.text.length > 10)
    }
  })

  test("any octets from anywhere, on every kind: a moment each, and views of all", () => {
    const source = fc.constantFrom(...Object.values(CLIENTS), address("::"), address("255.255.255.255"))
    const steps = fc.array(fc.tuple(anyBytes, source, fc.nat({ max: 100_000 }), fc.nat({ max: 65535 })), {
      maxLength: 8,
    })
    fc.assert(
      fc.property(fc.constantFrom(...CGN_KINDS), steps, (kind, some) => {
        const list = some.map(
          ([bytes, from, at, port]): SessionStep => ({
            type: "datagram",
            at,
            side: "inside",
            source: { address: from, port },
            bytes,
          }),
        )
        const replay = played(
          sessionOf(
            list.sort((a, b) => a.at - b.at),
            { configuration: PRESETS[kind] },
          ),
        )
        for (const { at } of replay.moments) assert.ok(viewAt(replay, at).counters.length >= 0)
        assert.equal(replay.moments.filter(({ cause }) => cause.type === "step").length, some.length)
        assert.ok(replay.moments.every(({ at }, i) => i === 0 || at >= replay.moments[i - 1].at))
        assert.ok(isIpv4(CLIENTS.nat444))
      }),
      { numRuns: 60 },
    )
  })
})

test("ten thousand requests: played in steps, every moment kept, and far jumps are cheap enough to scrub", () => {
  const steps: SessionStep[] = []
  for (let i = 0; i < 10_000; i++) {
    const client = `10.0.${i % 200}.${1 + (i % 50)}`
    steps.push(
      mapStep(i * 100, client, {
        internalPort: `${1024 + (i % 3000)}`,
        lifetime: "300",
        nonce: i.toString(16).padStart(24, "0"),
      }),
    )
  }
  const replay = played(sessionOf(steps))
  assert.ok(replay.moments.length > 10_000)
  let seen = 0
  for (let i = 0; i < 40; i++) seen += viewAt(replay, (i * 7919 * 100) % 1_000_000).mappings.length
  assert.ok(seen > 0)
})
