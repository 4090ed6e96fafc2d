import assert from "node:assert/strict"
import { describe, test } from "node:test"
import fc from "fast-check"
import { encode, type Packet, parseNonce, ZERO_NONCE } from "../../core/wire/index.ts"
import {
  captureInSteps,
  factsOf,
  openCaptureInSteps,
  type Row,
  readFilter,
  readPackets,
  summaryOf,
} from "../../playground/model/capture/index.ts"
import { exportCapture } from "../../playground/model/export/index.ts"
import { directionOf, type OpenedPacket } from "../../playground/model/open/index.ts"
import { anyBytes } from "../core/wire/arbitrary.ts"
import { address, hex, MAP_REQUEST, MAP_RESPONSE, NATPMP_MAP_REQUEST, NATPMP_MAP_RESPONSE } from "./packets.ts"

const CLIENT = { address: address("10.0.0.1"), port: 49152 }
const OTHER = { address: address("10.0.0.2"), port: 49152 }
const SERVER = { address: address("10.0.0.254"), port: 5351 }

/** A packet at so many milliseconds, on its way between client and server. */
const at = (milliseconds: number, bytes: Uint8Array, client = CLIENT, server = SERVER): OpenedPacket => {
  const direction = directionOf(bytes)
  const [source, destination] = direction === "response" ? [server, client] : [client, server]
  const nanoseconds = (milliseconds % 1000) * 1e6
  return { bytes, direction, at: { seconds: 1000 + Math.floor(milliseconds / 1000), nanoseconds }, source, destination }
}

const encoded = (packet: Packet): Uint8Array => {
  const done = encode(packet)
  return done.ok ? done.bytes : assert.fail(done.error.text)
}

const announce = (epoch: number, result = 0): Uint8Array =>
  encoded({
    kind: "pcp-response",
    result,
    lifetime: 0,
    epoch,
    clientTail: undefined,
    body: { kind: "announce" },
    options: [],
  })

const parts = (packets: readonly OpenedPacket[]) =>
  readPackets(packets).rows.map(({ part, exchange }) => `${part} ${exchange}`)

describe("a capture's rows", () => {
  test("requests and responses are paired by nonce, with latency and retransmissions", () => {
    const packets = [
      at(0, MAP_REQUEST),
      at(3000, MAP_REQUEST),
      at(3020, MAP_RESPONSE),
      at(3025, MAP_RESPONSE),
      at(10000, MAP_REQUEST),
    ]
    assert.deepEqual(parts(packets), ["request 0", "retransmission 0", "answer 0", "repeated answer 0", "request 1"])
    const [first, second] = readPackets(packets).exchanges
    assert.equal(first.latency, 3020)
    assert.equal(first.sinceLast, 20)
    // RFC 6887 section 8.1.1: RT = (1 + RAND) * IRT, RAND between -0.1 and +0.1.
    assert.deepEqual(first.gaps, [{ milliseconds: 3000, least: 2700, most: 3300.0000000000005 }])
    assert.equal(second.latency, undefined)
  })

  test("another nonce is another exchange, whatever order the answers come in", () => {
    const withNonce = (bytes: Uint8Array, last: number) => bytes.with(35, last)
    const packets = [
      at(0, withNonce(MAP_REQUEST, 1)),
      at(1, withNonce(MAP_REQUEST, 2)),
      at(2, withNonce(MAP_RESPONSE, 2)),
      at(3, withNonce(MAP_RESPONSE, 1)),
      at(4, withNonce(MAP_RESPONSE, 3)),
    ]
    assert.deepEqual(parts(packets), ["request 0", "request 1", "answer 1", "answer 0", "unsolicited -1"])
  })

  test("NAT-PMP is paired by ends, opcode and port", () => {
    const packets = [
      at(0, NATPMP_MAP_REQUEST),
      at(1, NATPMP_MAP_REQUEST, OTHER),
      at(2, NATPMP_MAP_RESPONSE, OTHER),
      at(250, NATPMP_MAP_REQUEST),
      at(260, NATPMP_MAP_RESPONSE),
    ]
    assert.deepEqual(parts(packets), ["request 0", "request 1", "answer 1", "retransmission 0", "answer 0"])
    assert.deepEqual(readPackets(packets).exchanges[0].gaps, [{ milliseconds: 250, least: 250, most: 250 }])
  })

  test("a version error answers whatever its client asked last (RFC 6887 section 9, RFC 6886 section 3.5)", () => {
    assert.deepEqual(parts([at(0, MAP_REQUEST), at(1, hex("00 00 00 01 00 00 00 2a"))]), ["request 0", "answer 0"])
  })

  test("an answer from another address is told", () => {
    const router = { address: address("10.0.0.253"), port: 5351 }
    const { exchanges } = readPackets([at(0, MAP_REQUEST), at(1, MAP_RESPONSE, CLIENT, router)])
    assert.equal(exchanges[0].answeredElsewhere, true)
  })

  test("packets without times or ends are paired all the same", () => {
    const bare = (bytes: Uint8Array): OpenedPacket => ({ bytes, direction: directionOf(bytes) })
    const { rows, exchanges, epochs } = readPackets([bare(MAP_REQUEST), bare(MAP_RESPONSE)])
    assert.deepEqual(
      rows.map(({ part }) => part),
      ["request", "answer"],
    )
    assert.equal(exchanges[0].latency, undefined)
    assert.deepEqual(epochs, [])
  })

  test("summaries", () => {
    assert.equal(summaryOf(factsOf(MAP_REQUEST)), "MAP request, UDP 4242 → 40000, 7200 s")
    assert.equal(summaryOf(factsOf(MAP_RESPONSE)), "MAP response, SUCCESS, UDP 4242 → 40001, 3600 s")
    assert.equal(summaryOf(factsOf(NATPMP_MAP_REQUEST)), "NAT-PMP map UDP request, UDP 4242 → 40000, 3600 s")
    assert.equal(summaryOf(factsOf(hex("02"))), "unknown request")
    const gone = MAP_REQUEST.slice()
    gone.fill(0, 4, 8)
    assert.match(summaryOf(factsOf(gone)), /delete$/)
  })

  test("a source that is not the client's address is a finding", () => {
    const [own, foreign] = readPackets([at(0, MAP_REQUEST), at(1, MAP_REQUEST, OTHER)]).rows
    assert.notEqual(own.worst, "error")
    assert.equal(foreign.worst, "error")
  })
})

describe("epoch times (RFC 6887 section 8.5)", () => {
  test("a clock that keeps time is valid, and its drift is told", () => {
    const { epochs } = readPackets([at(0, announce(100)), at(60000, announce(161)), at(120000, announce(220))])
    assert.deepEqual(
      epochs[0].points.map(({ valid, drift }) => [valid, drift]),
      [
        [true, 0],
        [true, 1],
        [true, 0],
      ],
    )
    assert.equal(epochs[0].losses, 0)
  })

  test("an epoch that goes back is a loss of state, after which drift begins anew", () => {
    const { epochs } = readPackets([at(0, announce(1000)), at(60000, announce(5)), at(70000, announce(15))])
    assert.deepEqual(
      epochs[0].points.map(({ valid, drift }) => [valid, drift]),
      [
        [true, 0],
        [false, 0],
        [true, 0],
      ],
    )
    assert.equal(epochs[0].losses, 1)
  })

  test("client_delta + 2 < server_delta - server_delta/16: the server's clock is too fast", () => {
    // 100 s by the client; by the server 109 (109 - 6 = 103 > 102, invalid) and 108 (108 - 6 = 102, valid).
    const [fast] = readPackets([at(0, announce(0)), at(100000, announce(109))]).epochs
    assert.equal(fast.points[1].valid, false)
    const [fine] = readPackets([at(0, announce(0)), at(100000, announce(108))]).epochs
    assert.equal(fine.points[1].valid, true)
  })

  test("each server and each protocol has a series of its own", () => {
    const second = { address: address("10.0.0.253"), port: 5351 }
    const { epochs } = readPackets([
      at(0, announce(10)),
      at(1, announce(900), CLIENT, second),
      at(2, NATPMP_MAP_RESPONSE),
      at(3, announce(10)),
    ])
    assert.deepEqual(
      epochs.map(({ protocol, points }) => [protocol, points.length]),
      [
        ["PCP", 2],
        ["PCP", 1],
        ["NAT-PMP", 1],
      ],
    )
  })
})

describe("the filter", () => {
  const packets = [
    at(0, MAP_REQUEST),
    at(5, MAP_RESPONSE),
    at(10, NATPMP_MAP_REQUEST, OTHER),
    at(20, announce(7)),
    at(30, MAP_RESPONSE.with(3, 8)),
  ]
  const { rows, exchanges } = readPackets(packets)
  const found = (text: string) => {
    const { test: fits } = readFilter(text, exchanges)
    return rows.filter(fits).map(({ index }) => index)
  }

  test("words must all fit; or and not", () => {
    assert.deepEqual(found(""), [0, 1, 2, 3, 4])
    assert.deepEqual(found("map"), [0, 1, 2, 4])
    assert.deepEqual(found("pcp map request"), [0])
    assert.deepEqual(found("map not request"), [1, 4])
    assert.deepEqual(found("-map"), [3])
    assert.deepEqual(found("announce or nat-pmp"), [2, 3])
    assert.deepEqual(found("NO_RESOURCES"), [4])
    assert.deepEqual(found("refused or request"), [0, 2, 4])
    assert.deepEqual(found("unanswered"), [2])
    assert.deepEqual(found("unsolicited"), [3])
  })

  test("addresses, prefixes, ports, nonces", () => {
    assert.deepEqual(found("10.0.0.2"), [2])
    assert.deepEqual(found("10.0.0.0/30"), [0, 1, 2, 3, 4])
    assert.deepEqual(found("203.0.113.0/24"), [0, 1, 4])
    assert.deepEqual(found("port 40001"), [1, 4])
    assert.deepEqual(found(":40000"), [0, 2])
    assert.deepEqual(found("nonce a1b2"), [0, 1, 4])
    assert.deepEqual(found("a1b2c3"), [0, 1, 4])
    assert.deepEqual(found("description"), [0])
  })

  test("what is not understood is said, and the rest holds", () => {
    const filter = readFilter("map frobnicate request 10.0.0.0/99", exchanges)
    assert.deepEqual(filter.unknown, [
      { text: "frobnicate", offset: 4 },
      { text: "10.0.0.0/99", offset: 23 },
    ])
    assert.deepEqual(
      filter.terms.map(({ meaning }) => meaning),
      ["opcode MAP", "requests"],
    )
    assert.deepEqual(found("map frobnicate request"), [0, 2])
    assert.deepEqual(found("frobnicate"), [0, 1, 2, 3, 4])
  })

  test("any text and any packets give a list", () => {
    const words = fc.constantFrom(
      "map",
      "not",
      "or",
      "-",
      "port",
      "nonce",
      "10.0.0.0/8",
      "::/0",
      ":",
      "unanswered",
      "!",
    )
    const texts = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.array(words).map((list) => list.join(" ")),
    )
    fc.assert(
      fc.property(texts, fc.array(fc.tuple(anyBytes, fc.nat({ max: 5000 })), { maxLength: 12 }), (text, some) => {
        const capture = readPackets(some.map(([bytes, when]) => at(when, bytes)))
        assert.equal(capture.rows.length, some.length)
        const { test: fits } = readFilter(text, capture.exchanges)
        for (const row of capture.rows) {
          assert.equal(typeof fits(row), "boolean")
          const own = capture.exchanges[row.exchange]
          if (row.exchange >= 0) assert.ok([...own.requests, ...own.answers].includes(row.index))
          assert.ok(summaryOf(row.facts).length > 0)
        }
      }),
    )
  })
})

test("100,000 packets: paired in steps, each once", () => {
  const packets: OpenedPacket[] = []
  for (let i = 0; i < 50000; i++) {
    const words = parseNonce(i.toString(16).padStart(24, "0")) ?? ZERO_NONCE
    const body = { kind: "map", nonce: words, protocol: 17, internalPort: 1000 + (i % 5000), externalPort: 0 } as const
    const external = address("0.0.0.0")
    const request = encoded({
      kind: "pcp-request",
      lifetime: 3600,
      client: CLIENT.address,
      body: { ...body, external },
      options: [],
    })
    const response = encoded({
      kind: "pcp-response",
      result: 0,
      lifetime: 3600,
      epoch: i,
      clientTail: undefined,
      body: { ...body, external: address("203.0.113.1"), externalPort: 2000 },
      options: [],
    })
    packets.push(at(1000 * i, request), at(1000 * i + 5, response))
  }
  const steps = captureInSteps(packets)
  let count = 0
  let step = steps.next()
  for (; step.done !== true; step = steps.next()) count++
  assert.equal(count, Math.floor(100000 / 1024))
  const { rows, exchanges, epochs } = step.value
  assert.ok(rows.every(({ part }: Row, i) => part === (i % 2 === 0 ? "request" : "answer")))
  assert.ok(exchanges.every(({ latency }) => latency !== undefined && Math.abs(latency - 5) < 0.001))
  assert.equal(epochs[0].points.length, 50000)
})

test("a file is opened and listed in one go of steps, whose progress and result a Web Worker can post", () => {
  const file = exportCapture(Array.from({ length: 9000 }, (_, i) => at(i, i % 2 === 0 ? MAP_REQUEST : MAP_RESPONSE)))
  const steps = openCaptureInSteps(file)
  const fractions: number[] = []
  let step = steps.next()
  for (; step.done !== true; step = steps.next()) fractions.push(structuredClone(step.value).fraction)
  assert.ok(fractions.length >= 4)
  assert.ok(fractions.every((fraction, i) => fraction <= 1 && fraction >= (fractions[i - 1] ?? 0)))
  assert.deepEqual(structuredClone(step.value), step.value)
  assert.equal(step.value.capture.rows.length, 9000)
  assert.equal(step.value.opened.packets.length, 9000)
})
