/** External ends that depend on the remote peer (RFC 4787 section 4.1, RFC 5382 section 4.1), or not. */
import assert from "node:assert/strict"
import { test } from "node:test"
import {
  type CgnSettings,
  type Change,
  listMappings,
  memoryCgn,
  revoke,
  TRANSLATION_DEFAULTS,
} from "../../../../core/cgn/index.ts"
import { ip4, sctp } from "../packet/build.ts"
import { address, cgnWith, host, lines, map, met } from "../scene.ts"
import {
  ACK,
  EXTERNAL,
  echo4,
  ends,
  error4,
  HOST,
  isPacket,
  network,
  OTHER_HOST,
  REMOTE,
  RST,
  reason,
  STRANGER,
  SYN,
  said,
  sent,
  sourceOf,
  tcp4,
  text,
  udp4,
} from "./scene.ts"

type Translation = NonNullable<CgnSettings["translation"]>
const cgnOf = (translation: Translation, settings: Partial<CgnSettings> = {}) =>
  network(cgnWith({ ...settings, translation }))

const BEHAVIOURS = ["endpoint-independent", "address-dependent", "address-and-port-dependent"] as const
const DEPENDENT = ["address-dependent", "address-and-port-dependent"] as const

/** Y1:y1, then the same address with another port, then another address. */
const PEERS = [
  [REMOTE, 53],
  [REMOTE, 54],
  [STRANGER, 53],
] as const

/** Which of some things are the first of all that are equal to them. */
const classes = (values: readonly unknown[]): number[] => values.map((value) => values.indexOf(value))

const EXPECTED = {
  "endpoint-independent": [0, 0, 0],
  "address-dependent": [0, 0, 2],
  "address-and-port-dependent": [0, 1, 2],
} as const

test("NAT-4787-REQ-1 NAT-5382-REQ-1 one external end for all remote peers by default, and by setting one for each address, or address and port", () => {
  assert.equal(TRANSLATION_DEFAULTS.mapping, "endpoint-independent")
  for (const mapping of BEHAVIOURS) {
    const cgn = cgnOf({ mapping })
    const packets = [
      (at: ReturnType<typeof ends>, ttl?: number) => udp4(at, ttl),
      (at: ReturnType<typeof ends>, ttl?: number) => tcp4(at, SYN, ttl),
    ]
    for (const packet of packets) {
      const out = () => PEERS.map(([to, port]) => sent(cgn.out(packet(ends(HOST, 5000, to, port))), "outside"))
      const first = out()
      assert.deepEqual(classes(first.map((bytes) => sourceOf(bytes).port)), [...EXPECTED[mapping]], mapping)
      // And again: a mapping that is there is used again.
      assert.deepEqual(out(), first)
      for (const [i, [from, port]] of PEERS.entries()) {
        const at = sourceOf(first[i])
        assert.equal(at.address, EXTERNAL, "RFC 4787 REQ-2: one address for one host")
        isPacket(first[i], packet(ends(EXTERNAL, at.port, from, port), 63))
        isPacket(
          sent(cgn.in(packet(ends(from, port, EXTERNAL, at.port))), "inside"),
          packet(ends(from, port, HOST, 5000), 63),
        )
      }
    }
  }
})

test("ICMP queries have an external identifier for each remote address, and their answers come back", () => {
  for (const filtering of BEHAVIOURS)
    for (const mapping of BEHAVIOURS) {
      const cgn = cgnOf({ mapping, filtering })
      const seen = [REMOTE, STRANGER].map((to) => {
        const { port } = sourceOf(sent(cgn.out(echo4(8, HOST, to, 7)), "outside"))
        isPacket(sent(cgn.in(echo4(0, to, EXTERNAL, port)), "inside"), echo4(0, to, HOST, 7, 63))
        return port
      })
      assert.deepEqual(classes(seen), mapping === "endpoint-independent" ? [0, 0] : [0, 1])
    }
})

test("SCTP, whose ports are not rewritten, has one end for all remote peers", () => {
  const cgn = cgnOf({ mapping: "address-and-port-dependent" }, { otherProtocols: true })
  const packet = (source: string, destination: string, ttl = 64) =>
    ip4({ source, destination, protocol: 132, ttl }, sctp(5000, 5001))
  for (const to of [REMOTE, STRANGER]) isPacket(sent(cgn.out(packet(HOST, to)), "outside"), packet(EXTERNAL, to, 63))
  const [made, ...more] = listMappings(cgn.state, 0, 0, 10).mappings
  assert.deepEqual([made.remote, made.dependence, more], [undefined, undefined, []])
})

test("every implicit mapping names its remote peer when it is made, renewed, listed and ends; each has a time of its own", () => {
  for (const mapping of DEPENDENT) {
    const cgn = cgnOf({ mapping })
    const names = (changes: readonly Change[]): string[] =>
      changes.map((change) => {
        assert.ok("mapping" in change, change.type)
        const { remote, remotePort, dependence } = change.mapping
        assert.ok(remote !== undefined)
        assert.equal(dependence, mapping)
        return `${change.type} ${change.mapping.kind} ${text(remote)} ${remotePort}`
      })
    const port = mapping === "address-dependent" ? 0 : 53
    cgn.out(udp4(ends(HOST, 5000, REMOTE, 53)), 0)
    cgn.out(udp4(ends(HOST, 5000, STRANGER, 53)), 100_000)
    assert.deepEqual(names(cgn.changes()), [
      `created implicit ${REMOTE} ${port}`,
      `created implicit ${STRANGER} ${port}`,
    ])
    cgn.out(udp4(ends(HOST, 5000, STRANGER, 53)), 200_000)
    assert.deepEqual(names(cgn.changes()), [`renewed implicit ${STRANGER} ${port}`])
    assert.deepEqual(
      listMappings(cgn.state, 200_000, 0, 10).mappings.map(({ remote, remotePort, expires }) => [
        text(remote ?? address("::")),
        remotePort,
        expires,
      ]),
      [
        [REMOTE, port, 300_000],
        [STRANGER, port, 500_000],
      ],
    )
    cgn.expire(300_000)
    assert.deepEqual(names(cgn.changes()), [`expired implicit ${REMOTE} ${port}`])
    // Not yet swept, it is over all the same, and gives way to the next.
    cgn.out(udp4(ends(HOST, 5000, STRANGER, 53)), 500_000)
    assert.deepEqual(names(cgn.changes()), [
      `expired implicit ${STRANGER} ${port}`,
      `created implicit ${STRANGER} ${port}`,
    ])
    cgn.expire(900_000)
    assert.deepEqual(lines(cgn.state, 900_000), [])
    assert.equal(memoryCgn.expire(cgn.state, 900_000, 10).next, undefined)
  }
})

test("the ports of one internal end are no run that could be guessed on, and keep its parity, or are its own, where the settings say so", () => {
  const portsOf = (translation: Translation): number[] => {
    const cgn = cgnOf({ ...translation, mapping: "address-and-port-dependent" })
    return Array.from(
      { length: 50 },
      (_, i) => sourceOf(sent(cgn.out(udp4(ends(HOST, 5001, REMOTE, i + 1))), "outside")).port,
    )
  }
  const steps = portsOf({}).map((port, i, all) => Math.abs(port - (all[i - 1] ?? 0)))
  assert.ok(steps.filter((step) => step < 50).length < 5, `${steps}`)
  assert.deepEqual(new Set(portsOf({ ports: "parity" }).map((port) => port & 1)), new Set([1]))
  assert.deepEqual(portsOf({ ports: "preserve" }).indexOf(5001), 0)
})

test("filtering beside it: who comes in by the mapping for a remote peer", () => {
  const who = {
    "endpoint-independent": ["same", "same address", "stranger"],
    "address-dependent": ["same", "same address"],
    "address-and-port-dependent": ["same"],
  } as const
  for (const mapping of DEPENDENT)
    for (const filtering of BEHAVIOURS) {
      const cgn = cgnOf({ mapping, filtering })
      const { port } = sourceOf(sent(cgn.out(udp4(ends(HOST, 5000, REMOTE, 53))), "outside"))
      // Whoever decides by himself who comes in needs no memory of whom the host sent to.
      const remembers = mapping === "address-dependent" && filtering === "address-and-port-dependent"
      assert.deepEqual(said(cgn.changes()), remembers ? ["created implicit", "session open"] : ["created implicit"])
      const came = ["same", "same address", "stranger"].filter(
        (_, i) => cgn.in(udp4(ends(PEERS[i][0], PEERS[i][1], EXTERNAL, port))).kind === "forwarded",
      )
      assert.deepEqual(came, [...who[filtering]], `${mapping} ${filtering}`)
      const tcp = sourceOf(sent(cgn.out(tcp4(ends(HOST, 5000, REMOTE, 53), SYN)), "outside"))
      const opened = ["same", "same address", "stranger"].filter(
        (_, i) => cgn.in(tcp4(ends(PEERS[i][0], PEERS[i][1], EXTERNAL, tcp.port), SYN)).kind === "forwarded",
      )
      assert.deepEqual(opened, [...who[filtering]], `${mapping} ${filtering}`)
    }
})

test("TCP: the end of one connection ends its mapping and no other", () => {
  const cgn = cgnOf({ mapping: "address-and-port-dependent", filtering: "address-and-port-dependent" })
  const at = [REMOTE, STRANGER].map((to) => {
    const { port } = sourceOf(sent(cgn.out(tcp4(ends(HOST, 5000, to, 80), SYN)), "outside"))
    sent(cgn.in(tcp4(ends(to, 80, EXTERNAL, port), SYN | ACK)), "inside")
    sent(cgn.out(tcp4(ends(HOST, 5000, to, 80), ACK)), "outside")
    return port
  })
  const until = () => listMappings(cgn.state, 0, 0, 10).mappings.map(({ expires }) => Math.floor(expires / 1_000_000))
  assert.deepEqual(until(), [7, 7])
  sent(cgn.in(tcp4(ends(REMOTE, 80, EXTERNAL, at[0]), RST)), "inside")
  assert.deepEqual(until(), [0, 7])
  // A port that is used again towards the same peer within that time is the same outside.
  assert.equal(sourceOf(sent(cgn.out(tcp4(ends(HOST, 5000, REMOTE, 80), SYN)), "outside")).port, at[0])
  cgn.expire(1_000_000)
  assert.deepEqual(lines(cgn.state, 1_000_000).length, 1)
  isPacket(
    sent(cgn.in(tcp4(ends(STRANGER, 80, EXTERNAL, at[1]), ACK), 1_000_000), "inside"),
    tcp4(ends(STRANGER, 80, HOST, 5000), ACK, 63),
  )
  assert.equal(reason(cgn.out(tcp4(ends(HOST, 5000, REMOTE, 80), ACK), 1_000_000)), "no-connection")
})

test("ICMP errors go by the mapping of the packet in them, in both directions", () => {
  for (const mapping of DEPENDENT) {
    const cgn = cgnOf({ mapping, filtering: mapping })
    for (const to of [REMOTE, STRANGER]) {
      const out = sent(cgn.out(udp4(ends(HOST, 5000, to, 53))), "outside")
      const { port } = sourceOf(out)
      isPacket(
        sent(cgn.in(error4(11, 0, "192.0.2.1", EXTERNAL, out)), "inside"),
        error4(11, 0, "192.0.2.1", HOST, udp4(ends(HOST, 5000, to, 53), 63), 63),
      )
      isPacket(
        sent(cgn.out(error4(3, 3, HOST, to, udp4(ends(to, 53, HOST, 5000), 50))), "outside"),
        error4(3, 3, EXTERNAL, to, udp4(ends(to, 53, EXTERNAL, port), 50), 63),
      )
    }
    const none = error4(3, 3, HOST, "192.0.2.50", udp4(ends("192.0.2.50", 53, HOST, 5000)))
    assert.equal(reason(cgn.out(none)), "no-flow")
  }
})

test("hosts reach each other by external ends, and answers take the same way back", () => {
  for (const mapping of DEPENDENT) {
    const made = met(map(cgnWith({ translation: { mapping, filtering: mapping } }), { internal: address(OTHER_HOST) }))
    const cgn = network(made.state)
    const there = made.externalPort
    const turned = sent(cgn.out(udp4(ends(HOST, 5000, EXTERNAL, there))), "inside")
    const { address: from, port } = sourceOf(turned)
    assert.equal(from, EXTERNAL)
    isPacket(turned, udp4(ends(EXTERNAL, port, OTHER_HOST, 4000), 63))
    isPacket(
      sent(cgn.out(udp4(ends(OTHER_HOST, 4000, EXTERNAL, port))), "inside"),
      udp4(ends(EXTERNAL, there, HOST, 5000), 63),
    )
    assert.notEqual(sourceOf(sent(cgn.out(udp4(ends(HOST, 5000, REMOTE, 53))), "outside")).port, port)
  }
})

test("revoking an address ends them all, and neither counts them to a quota nor leaves anything behind", () => {
  const cgn = cgnOf({ mapping: "address-and-port-dependent" }, { quota: 1 })
  for (let port = 1; port <= 20; port++) sent(cgn.out(udp4(ends(HOST, 4000, REMOTE, port))), "outside")
  cgn.set(met(map(cgn.state, { internalPort: 9 })).state)
  sent(cgn.out(udp4(ends(OTHER_HOST, 4000, REMOTE, 1))), "outside")
  const { state, changes } = revoke(cgn.state, host(1), undefined, 0)
  assert.equal(changes.filter(({ type }) => type === "deleted").length, 21)
  assert.equal(lines(state).length, 1)
  assert.deepEqual(lines(memoryCgn.apply(cgn.state, changes)), lines(state))
})

test("what a host may not have is refused: a port of the pool for each remote peer, and no more than there are", () => {
  const settings = { ports: { first: 2000, last: 2003 } }
  const cgn = cgnOf({ mapping: "address-and-port-dependent" }, settings)
  const outs = [1, 2, 3, 4, 5].map((port) => cgn.out(udp4(ends(HOST, 4000, REMOTE, port))))
  assert.equal(new Set(outs.slice(0, 4).map((out) => sourceOf(sent(out, "outside")).port)).size, 4)
  assert.equal(reason(outs[4]), "no-resources")
})
