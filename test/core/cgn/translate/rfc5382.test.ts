/** Requirements of RFC 5382 (TCP) that no other test is about. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { type CgnSettings, type Side, sendLate } from "../../../../core/cgn/index.ts"
import { icmp4, ip4 } from "../packet/build.ts"
import { address, cgnWith, lines, map, met, TCP } from "../scene.ts"
import {
  ACK,
  EXTERNAL,
  ends,
  error4,
  FIN,
  HOST,
  isPacket,
  network,
  OTHER_HOST,
  REMOTE,
  RST,
  reason,
  STRANGER,
  SYN,
  sent,
  sourceOf,
  tcp4,
  udp4,
} from "./scene.ts"

type Translation = NonNullable<CgnSettings["translation"]>
const cgnOf = (translation: Translation, settings: Partial<CgnSettings> = {}) =>
  network(cgnWith({ ...settings, translation }))
type Network = ReturnType<typeof network>

const FILTERING = ["endpoint-independent", "address-dependent", "address-and-port-dependent"] as const

/** Who gets in by a mapping that went to REMOTE:53: that end, its address, or anybody. */
const letsIn = (cgn: Network, packet: (source: string, port: number) => Uint8Array): string =>
  [
    ["p", REMOTE, 53],
    ["a", REMOTE, 54],
    ["e", STRANGER, 53],
  ]
    .filter(([, source, port]) => cgn.in(packet(String(source), Number(port))).kind === "forwarded")
    .map(([name]) => name)
    .join("")

const LETS_IN = { "endpoint-independent": "pae", "address-dependent": "pa", "address-and-port-dependent": "p" } as const

const openBoth = (cgn: Network) => ({
  udp: sourceOf(sent(cgn.out(udp4(ends(HOST, 5000, REMOTE, 53))), "outside")).port,
  tcp: sourceOf(sent(cgn.out(tcp4(ends(HOST, 5000, REMOTE, 53), SYN)), "outside")).port,
})

describe("filtering", () => {
  test("NAT-5382-REQ-3: connections come in from anybody by default", () => {
    const cgn = cgnOf({})
    const { tcp } = openBoth(cgn)
    assert.equal(
      letsIn(cgn, (source, port) => tcp4(ends(source, port, EXTERNAL, tcp), SYN)),
      "pae",
    )
  })

  test("NAT-5382-REQ-3a: who comes in is set, as it is for UDP", () => {
    for (const filtering of FILTERING) {
      const cgn = cgnOf({ filtering })
      const { udp, tcp } = openBoth(cgn)
      assert.equal(
        letsIn(cgn, (source, port) => udp4(ends(source, port, EXTERNAL, udp))),
        LETS_IN[filtering],
      )
      assert.equal(
        letsIn(cgn, (source, port) => tcp4(ends(source, port, EXTERNAL, tcp), SYN)),
        LETS_IN[filtering],
      )
    }
  })

  test("NAT-5382-REQ-3b: TCP's filtering may be another than UDP's", () => {
    for (const filtering of FILTERING)
      for (const tcpFiltering of FILTERING) {
        const cgn = cgnOf({ filtering, tcpFiltering })
        const { udp, tcp } = openBoth(cgn)
        assert.equal(
          letsIn(cgn, (source, port) => udp4(ends(source, port, EXTERNAL, udp))),
          LETS_IN[filtering],
        )
        assert.equal(
          letsIn(cgn, (source, port) => tcp4(ends(source, port, EXTERNAL, tcp), SYN)),
          LETS_IN[tcpFiltering],
        )
        // Nor does a segment that opens nothing, which goes another way through the code.
        assert.equal(
          letsIn(cgn, (source, port) => tcp4(ends(source, port, EXTERNAL, tcp), ACK)),
          LETS_IN[tcpFiltering],
        )
      }
  })
})

/** What is sent by itself at an instant, and when there is more to come. */
const late = (cgn: Network, now: number) => {
  const { state, packets, next } = sendLate(cgn.state, now)
  cgn.set(state)
  return { packets, next }
}

/** RFC 792: what a router at `from` tells of a packet: type 3, the code, and as much of the packet as there is of these. */
const unreachable = (from: string, to: string, code: number, about: Uint8Array): Uint8Array =>
  ip4({ source: from, destination: to, protocol: 1, id: 0, flags: 2 }, icmp4(3, code, [0, 0, 0, 0], about))

const isAlone = (packets: readonly { readonly side: Side; readonly packet: Uint8Array }[], expected: Uint8Array) => {
  assert.deepEqual(
    packets.map(({ side }) => side),
    ["outside"],
  )
  isPacket(packets[0].packet, expected)
}

describe("an unsolicited SYN", () => {
  const syn = tcp4(ends(REMOTE, 80, EXTERNAL, 2000), SYN)

  test("NAT-5382-REQ-4: no answer for 6 seconds, then ICMP Port Unreachable for the SYN, once", () => {
    const cgn = cgnOf({ filteredErrors: true })
    const before = cgn.state
    assert.deepEqual(cgn.in(syn, 1000), { kind: "dropped", reason: "no-mapping" })
    // It came again after 1 and 3 seconds, as TCP does (RFC 6298).
    assert.deepEqual(cgn.in(syn, 2000), { kind: "dropped", reason: "no-mapping" })
    assert.deepEqual(cgn.in(syn, 4000), { kind: "dropped", reason: "no-mapping" })
    assert.deepEqual(late(cgn, 6999), { packets: [], next: 7000 })
    const state = cgn.state
    const answer = late(cgn, 7000)
    isAlone(answer.packets, unreachable(EXTERNAL, REMOTE, 3, syn))
    assert.equal(answer.next, undefined)
    assert.deepEqual(late(cgn, 7000).packets, [])
    // Old states stay what they were.
    isAlone(sendLate(state, 7000).packets, unreachable(EXTERNAL, REMOTE, 3, syn))
    assert.deepEqual(sendLate(before, 7000).packets, [])
    assert.deepEqual(lines(cgn.state, 7000), [])
  })

  test("NAT-5382-REQ-4: it is told when to come back", () => {
    const cgn = cgnOf({ filteredErrors: true })
    cgn.in(syn, 1000)
    assert.deepEqual(late(cgn, 1000).next, 7000)
    cgn.in(tcp4(ends(REMOTE, 81, EXTERNAL, 2000), SYN), 3000)
    assert.equal(late(cgn, 3000).next, 7000)
    assert.deepEqual([late(cgn, 7000)].map(({ packets, next }) => [packets.length, next])[0], [1, 9000])
    assert.equal(late(cgn, 9000).packets.length, 1)
  })

  test("NAT-5382-REQ-4: the host opens the connection meanwhile: never an answer, and simultaneous open succeeds", () => {
    const cgn = cgnOf({ filteredErrors: true, ports: "preserve", filtering: "address-and-port-dependent" })
    const came = (flags: number, now: number) => cgn.in(tcp4(ends(REMOTE, 80, EXTERNAL, 5000), flags), now)
    assert.equal(reason(came(SYN, 0)), "no-mapping")
    isPacket(
      sent(cgn.out(tcp4(ends(HOST, 5000, REMOTE, 80), SYN), 5999), "outside"),
      tcp4(ends(EXTERNAL, 5000, REMOTE, 80), SYN, 63),
    )
    // The remote peer's retransmission comes in, and both have what they need (RFC 9293 figure 8).
    isPacket(sent(came(SYN, 6100), "inside"), tcp4(ends(REMOTE, 80, HOST, 5000), SYN, 63))
    sent(cgn.out(tcp4(ends(HOST, 5000, REMOTE, 80), SYN | ACK), 6200), "outside")
    sent(came(SYN | ACK, 6200), "inside")
    assert.deepEqual(late(cgn, 100_000).packets, [])
  })

  test("NAT-5382-REQ-4: a connection to elsewhere, or another packet of the host's, takes no answer back", () => {
    const cgn = cgnOf({ filteredErrors: true, ports: "preserve", filtering: "address-and-port-dependent" })
    const came = tcp4(ends(REMOTE, 80, EXTERNAL, 5000), SYN)
    cgn.in(came, 0)
    sent(cgn.out(tcp4(ends(HOST, 5000, STRANGER, 80), SYN), 1000), "outside")
    sent(cgn.out(tcp4(ends(HOST, 5000, REMOTE, 81), SYN), 1000), "outside")
    sent(cgn.out(tcp4(ends(OTHER_HOST, 5001, REMOTE, 80), SYN), 1000), "outside")
    sent(cgn.out(udp4(ends(HOST, 5000, REMOTE, 80)), 1000), "outside")
    isAlone(late(cgn, 6000).packets, unreachable(EXTERNAL, REMOTE, 3, came))
  })

  test("NAT-5382-REQ-4: one that filtering keeps out waits as well; what opens nothing is answered at once", () => {
    const cgn = cgnOf({ filteredErrors: true, ports: "preserve", filtering: "address-dependent" })
    sent(cgn.out(tcp4(ends(HOST, 5000, REMOTE, 80), SYN)), "outside")
    const came = tcp4(ends(STRANGER, 80, EXTERNAL, 5000), SYN)
    assert.deepEqual(cgn.in(came, 0), { kind: "dropped", reason: "filtered" })
    isAlone(late(cgn, 6000).packets, unreachable(EXTERNAL, STRANGER, 3, came))
    assert.equal(cgn.in(tcp4(ends(STRANGER, 80, EXTERNAL, 5000), ACK)).kind, "returned")
  })

  test("NAT-5382-REQ-4a: silently dropped where the settings answer no one, that side least of all", () => {
    for (const translation of [{}, { filteredErrors: true, ownErrors: { inside: true, outside: false } }]) {
      const cgn = cgnOf(translation)
      assert.deepEqual(cgn.in(syn, 0), { kind: "dropped", reason: "no-mapping" })
      assert.deepEqual(late(cgn, 6000).packets, [])
    }
  })

  test("NAT-5382-REQ-4a: under attack only so many wait, and no more are answered than the rate allows", () => {
    const flood = (cgn: Network) => {
      for (let port = 1; port <= 100; port++) cgn.in(tcp4(ends(STRANGER, port, EXTERNAL, 2000), SYN), port)
      return late(cgn, 10_000)
    }
    assert.equal(flood(cgnOf({ filteredErrors: true, lateErrors: 8 })).packets.length, 8)
    const limited = cgnOf({ filteredErrors: true, errorRate: { perSecond: 1, burst: 3 } })
    const { packets, next } = flood(limited)
    assert.deepEqual([packets.length, next], [3, undefined])
  })

  test("NAT-5382-REQ-4: a MAP mapping is permission: the SYN goes in at once", () => {
    const asked = map(cgnWith({ translation: { filteredErrors: true } }), { protocol: 6, internalPort: 80 })
    assert.ok(asked.outcome !== "refused")
    const cgn = network(asked.state)
    sent(cgn.in(tcp4(ends(REMOTE, 80, EXTERNAL, asked.externalPort), SYN)), "inside")
    assert.deepEqual(late(cgn, 6000), { packets: [], next: undefined })
  })
})

test("NAT-5382-REQ-7: two hosts' connections to one remote end have two external ends", () => {
  for (const ports of ["random", "preserve", "parity"] as const) {
    const cgn = cgnOf({ ports }, { ports: { first: 2000, last: 2049 } })
    const seen = new Set<number>()
    for (let n = 1; n <= 50; n++)
      seen.add(sourceOf(sent(cgn.out(tcp4(ends(`10.0.0.${n}`, 5000, REMOTE, 80), SYN)), "outside")).port)
    assert.equal(seen.size, 50)
    assert.equal(reason(cgn.out(tcp4(ends("10.0.0.99", 5000, REMOTE, 80), SYN))), "no-resources")
  }
})

describe("hairpinning", () => {
  test("NAT-5382-REQ-8: a connection between two hosts by their external ends, from SYN to FIN", () => {
    const cgn = cgnOf({})
    const { port } = sourceOf(sent(cgn.out(tcp4(ends(HOST, 80, REMOTE, 1), SYN)), "outside"))
    const first = sourceOf(sent(cgn.out(tcp4(ends(OTHER_HOST, 6000, EXTERNAL, port), SYN)), "inside"))
    const asks = (flags: number) =>
      isPacket(
        sent(cgn.out(tcp4(ends(OTHER_HOST, 6000, EXTERNAL, port), flags)), "inside"),
        tcp4(ends(EXTERNAL, first.port, HOST, 80), flags, 63),
      )
    const answers = (flags: number) =>
      isPacket(
        sent(cgn.out(tcp4(ends(HOST, 80, EXTERNAL, first.port), flags)), "inside"),
        tcp4(ends(EXTERNAL, port, OTHER_HOST, 6000), flags, 63),
      )
    asks(SYN)
    answers(SYN | ACK)
    asks(ACK)
    answers(ACK)
    asks(FIN | ACK)
    answers(FIN | ACK)
    asks(ACK)
  })

  test("NAT-5382-REQ-8a: the source that the other host sees is the external one, address and port", () => {
    const cgn = cgnOf({ filtering: "address-and-port-dependent" }, { external: [address(EXTERNAL)] })
    // Both open at once, as through any two NATs: the one's mapping is the other's remote peer.
    const one = sourceOf(sent(cgn.out(tcp4(ends(HOST, 5000, REMOTE, 1), SYN)), "outside"))
    const other = sourceOf(sent(cgn.out(tcp4(ends(OTHER_HOST, 6000, REMOTE, 1), SYN)), "outside"))
    assert.equal(reason(cgn.out(tcp4(ends(HOST, 5000, EXTERNAL, other.port), SYN))), "filtered")
    const there = sent(cgn.out(tcp4(ends(OTHER_HOST, 6000, EXTERNAL, one.port), SYN)), "inside")
    assert.deepEqual(sourceOf(there), { address: EXTERNAL, port: other.port })
  })
})

test("NAT-5382-REQ-9: ICMP Destination Unreachable about a connection is translated, out and in", () => {
  const cgn = cgnOf({})
  const { port } = sourceOf(sent(cgn.out(tcp4(ends(HOST, 5000, REMOTE, 80), SYN)), "outside"))
  for (const code of [0, 1, 2, 3, 4, 5, 13])
    isPacket(
      sent(cgn.in(error4(3, code, STRANGER, EXTERNAL, tcp4(ends(EXTERNAL, port, REMOTE, 80), SYN, 60))), "inside"),
      error4(3, code, STRANGER, HOST, tcp4(ends(HOST, 5000, REMOTE, 80), SYN, 60), 63),
    )
  const back = sent(cgn.in(tcp4(ends(REMOTE, 80, EXTERNAL, port), SYN | ACK)), "inside")
  isPacket(
    sent(cgn.out(error4(3, 3, HOST, REMOTE, back)), "outside"),
    error4(3, 3, EXTERNAL, REMOTE, tcp4(ends(REMOTE, 80, EXTERNAL, port), SYN | ACK, 63), 63),
  )
})

test("NAT-5382-REQ-10: no ICMP message ends a connection or its mapping, however it stands", () => {
  for (const flags of [[SYN], [SYN, ACK], [SYN, ACK, FIN | ACK], [SYN, ACK, RST]]) {
    const cgn = cgnOf({})
    const { port } = sourceOf(sent(cgn.out(tcp4(ends(HOST, 5000, REMOTE, 80), flags[0])), "outside"))
    if (flags.length > 1) cgn.in(tcp4(ends(REMOTE, 80, EXTERNAL, port), SYN | ACK))
    for (const one of flags.slice(1)) cgn.out(tcp4(ends(HOST, 5000, REMOTE, 80), one))
    const before = lines(cgn.state, 1000)
    cgn.changes()
    for (const [type, code] of [
      [3, 0],
      [3, 1],
      [3, 2],
      [3, 3],
      [3, 4],
      [3, 10],
      [3, 13],
      [11, 0],
      [12, 0],
    ])
      sent(
        cgn.in(error4(type, code, REMOTE, EXTERNAL, tcp4(ends(EXTERNAL, port, REMOTE, 80), ACK, 60)), 1000),
        "inside",
      )
    assert.deepEqual(cgn.changes(), [])
    assert.deepEqual(lines(cgn.state, 1000), before)
  }
})

describe("NAT-5382-REQ-2: valid sequences of segments pass, with the strictest filtering, and leave what they should", () => {
  type Segment = readonly [from: Side, flags: number]
  /** RFC 9293 figures 6 and 7: one side begins, or both at once, their SYNs crossing on either side of the CGN. */
  const OPENINGS: Readonly<Record<string, readonly Segment[]>> = {
    "from inside": [
      ["inside", SYN],
      ["outside", SYN | ACK],
      ["inside", ACK],
    ],
    "from both at once": [
      ["inside", SYN],
      ["outside", SYN],
      ["inside", SYN | ACK],
      ["outside", SYN | ACK],
      ["inside", ACK],
      ["outside", ACK],
    ],
    "from both, the SYNs sent again": [
      ["inside", SYN],
      ["inside", SYN],
      ["outside", SYN],
      ["outside", SYN],
      ["inside", SYN | ACK],
      ["outside", ACK],
    ],
  }
  /** RFC 9293 figures 12 and 13. */
  const CLOSINGS: Readonly<Record<string, readonly Segment[]>> = {
    "by the inside first": [
      ["inside", FIN | ACK],
      ["outside", ACK],
      ["outside", ACK],
      ["outside", FIN | ACK],
      ["inside", ACK],
    ],
    "by the outside first": [
      ["outside", FIN | ACK],
      ["inside", ACK],
      ["inside", FIN | ACK],
      ["outside", ACK],
    ],
    "by both at once": [
      ["inside", FIN | ACK],
      ["outside", FIN | ACK],
      ["inside", ACK],
      ["outside", ACK],
    ],
  }
  const run = (cgn: Network, segments: readonly Segment[], port: () => number, now: number): void => {
    for (const [from, flags] of segments)
      if (from === "inside") sent(cgn.out(tcp4(ends(HOST, 5000, REMOTE, 80), flags), now), "outside")
      else sent(cgn.in(tcp4(ends(REMOTE, 80, EXTERNAL, port()), flags), now), "inside")
  }
  const portOf = (cgn: Network): number => Number(/203\.0\.113\.1:(\d+)/.exec(lines(cgn.state).join())?.[1])

  for (const [opening, open] of Object.entries(OPENINGS)) {
    test(`NAT-5382-REQ-2: opened ${opening}, it lasts 7440 s without a segment, and a 64th more at most`, () => {
      const cgn = cgnOf({ filtering: "address-and-port-dependent" })
      run(cgn, open, () => portOf(cgn), 0)
      const port = portOf(cgn)
      const late = network(cgn.state)
      run(cgn, [["outside", ACK]], () => port, 7_439_000)
      assert.equal(reason(late.in(tcp4(ends(REMOTE, 80, EXTERNAL, port), ACK), 7_557_000)), "no-mapping")
    })
    for (const [closing, close] of Object.entries(CLOSINGS))
      test(`NAT-5382-REQ-2: opened ${opening}, closed ${closing}, it stays 240 s more`, () => {
        const cgn = cgnOf({ filtering: "address-and-port-dependent" })
        run(cgn, open, () => portOf(cgn), 0)
        run(cgn, close, () => portOf(cgn), 1000)
        const port = portOf(cgn)
        const late = network(cgn.state)
        // The last ACK was lost: the FIN comes again.
        run(cgn, [["outside", FIN | ACK]], () => port, 240_000)
        assert.equal(reason(late.in(tcp4(ends(REMOTE, 80, EXTERNAL, port), FIN | ACK), 242_000)), "no-mapping")
      })
  }

  test("NAT-5382-REQ-2: begun outside where a MAP mapping lets it in, by a SYN alone or with the host's crossing it", () => {
    for (const rest of [
      [
        ["inside", SYN | ACK],
        ["outside", ACK],
      ],
      [
        ["inside", SYN],
        ["outside", SYN | ACK],
        ["inside", SYN | ACK],
        ["outside", ACK],
      ],
    ] as const) {
      const asked = met(map(cgnWith({}), { protocol: TCP, internal: address(HOST), internalPort: 5000 }))
      const cgn = network(asked.state)
      const port = Number(asked.at.split(":")[1])
      run(cgn, [["outside", SYN], ...rest], () => port, 0)
      run(cgn, CLOSINGS["by the outside first"], () => port, 1000)
    }
  })
})
