/** What holds of any packets, whatever they are. */
import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import {
  type CgnSettings,
  type CgnState,
  type Change,
  listMappings,
  memoryCgn,
  restoreCgn,
  saveCgn,
  translate,
} from "../../../../core/cgn/index.ts"
import { octets } from "../packet/build.ts"
import { address, BASE, cgnWith, lines, map, peer, TCP } from "../scene.ts"
import {
  ACK,
  EXTERNAL,
  echo4,
  ends,
  error4,
  FIN,
  isPacket,
  network,
  REMOTE,
  RST,
  STRANGER,
  SYN,
  sent,
  sourceOf,
  tcp4,
  udp4,
} from "./scene.ts"

const RUNS = { numRuns: 60 }

const settings: readonly Partial<CgnSettings>[] = [
  {},
  {
    ports: { first: 300, last: 330 },
    external: [EXTERNAL, "203.0.113.2"].map(address),
    translation: { filtering: "address-and-port-dependent", refresh: "both", sessions: 3, filteredErrors: true },
  },
  { translation: { filtering: "address-dependent", ports: "preserve" }, idleTimeout: { udp: 5, tcp: 9 } },
  {
    ports: { first: 300, last: 330 },
    recycleDelay: { udp: 3, tcp: 3 },
    translation: { mapping: "address-and-port-dependent", filtering: "address-dependent", ports: "parity" },
  },
  {
    translation: {
      mapping: "address-dependent",
      filtering: "address-and-port-dependent",
      refresh: "both",
      sessions: 3,
    },
    idleTimeout: { udp: 5, tcp: 9 },
  },
  // All ICMP of a host may be mapped, beside its queries of single identifiers.
  {
    external: [EXTERNAL, "203.0.113.2"].map(address),
    otherProtocols: true,
    port0: true,
    translation: { filtering: "address-and-port-dependent", sessions: 3 },
  },
]

/** One thing that happens: a packet of some kind, or a MAP request. */
const happening = fc.record({
  kind: fc.constantFrom(
    "udp",
    "tcp",
    "echo",
    "in-udp",
    "in-tcp",
    "in-echo",
    "hairpin",
    "error",
    "in-error",
    "in-echo-error",
    "map",
    "map-icmp",
    "peer",
    "expire",
    "junk",
  ),
  host: fc.integer({ min: 1, max: 3 }),
  port: fc.integer({ min: 1000, max: 1003 }),
  /** Of an echo. */
  identifier: fc.constantFrom(0, 0, 1000, 1001),
  remote: fc.constantFrom(REMOTE, STRANGER),
  remotePort: fc.integer({ min: 1, max: 2 }),
  flags: fc.constantFrom(SYN, SYN | ACK, ACK, FIN | ACK, RST),
  /** Which of the external ends that are in use. */
  choice: fc.nat(20),
  realm: fc.constantFrom(undefined, address("::1"), address("::2")),
  later: fc.constantFrom(0, 10, 1000, 4000, 90_000),
  bytes: fc.uint8Array({ maxLength: 80 }),
})
type Happening = typeof happening extends fc.Arbitrary<infer T> ? T : never

/** What comes of one, from a state. */
const happen = (
  state: CgnState,
  one: Happening,
  now: number,
): { readonly state: CgnState; readonly changes: readonly Change[] } => {
  const { kind, port, identifier, remote, remotePort, flags, realm } = one
  const host = `10.0.0.${one.host}`
  const live = listMappings(state, now, 0, 1000).mappings
  const at = live[one.choice % Math.max(1, live.length)]
  const external =
    at === undefined
      ? EXTERNAL
      : [...Array(4).keys()].map((i) => (at.external.charCodeAt(6 + (i >> 1)) >> (i % 2 === 0 ? 8 : 0)) & 255).join(".")
  const externalPort = at?.externalPort ?? 1
  const inside = (bytes: Uint8Array) => translate(state, { bytes, now, side: "inside", realm })
  const outside = (bytes: Uint8Array) => translate(state, { bytes, now, side: "outside" })
  switch (kind) {
    case "udp":
      return inside(udp4(ends(host, port, remote, remotePort)))
    case "tcp":
      return inside(tcp4(ends(host, port, remote, remotePort), flags))
    case "echo":
      return inside(echo4(8, host, remote, identifier))
    case "hairpin":
      return inside(udp4(ends(host, port, external, externalPort)))
    case "error":
      return inside(error4(3, 3, host, remote, udp4(ends(remote, remotePort, host, port))))
    case "in-udp":
      return outside(udp4(ends(remote, remotePort, external, externalPort)))
    case "in-tcp":
      return outside(tcp4(ends(remote, remotePort, external, externalPort), flags))
    case "in-echo":
      return outside(echo4(0, remote, external, externalPort))
    case "in-error":
      return outside(error4(11, 0, remote, external, udp4(ends(external, externalPort, remote, remotePort))))
    case "in-echo-error":
      return outside(error4(11, 0, remote, external, echo4(8, external, remote, externalPort)))
    case "junk":
      return inside(one.bytes)
    case "expire":
      return memoryCgn.expire(state, now, 100)
    case "map-icmp": {
      const end = { protocol: 1, internal: address(host), internalPort: 0, realm, lifetime: 100 }
      const made = map(state, end, now)
      if (made.outcome === "refused") return { state, changes: [] }
      // With a filter, so that it remembers whom its host sends to.
      const filters = [{ remote: address(STRANGER), prefixLength: 128, remotePort: 0 }]
      const kept = memoryCgn.filter(made.state, { ...end, deleteFilters: true, filters }, now)
      assert.ok(kept.outcome !== "refused")
      return { state: kept.state, changes: [...made.changes, ...kept.changes] }
    }
    case "map":
    case "peer": {
      const end = { protocol: TCP, internal: address(host), internalPort: port, realm, lifetime: 100 }
      const result =
        kind === "map" ? map(state, end, now) : peer(state, { ...end, remote: address(remote), remotePort }, now)
      return result.outcome === "refused" ? { state, changes: [] } : result
    }
  }
}

test("the changes, folded over the first state, give the last; and the last goes on like it", () => {
  for (const given of settings)
    fc.assert(
      fc.property(fc.array(happening, { maxLength: 60 }), (happenings) => {
        const first = cgnWith(given)
        let state = first
        let replica = first
        let now = 0
        for (const one of happenings) {
          now += one.later
          const result = happen(state, one, now)
          // One state after the other, as they are one table's: opening each in turn walks the log to and fro.
          state = result.state
          replica = memoryCgn.apply(replica, result.changes)
        }
        assert.deepEqual(listMappings(replica, now, 0, 1000), listMappings(state, now, 0, 1000))
        for (const one of happenings.slice(0, 10))
          assert.deepEqual(happen(replica, one, now).changes, happen(state, one, now).changes)
      }),
      RUNS,
    )
})

test("a snapshot has all of it, and goes on like what it was made of", () => {
  for (const given of settings)
    fc.assert(
      fc.property(fc.array(happening, { maxLength: 60 }), (happenings) => {
        let state = cgnWith(given)
        let now = 0
        for (const one of happenings) {
          now += one.later
          state = happen(state, one, now).state
        }
        const saved = octets(...saveCgn(state, now))
        const restored = restoreCgn(saved, { ...BASE, ...given }, { now, elapsed: 0, lost: false })
        assert.ok(restored.ok)
        assert.deepEqual(listMappings(restored.state, now, 0, 1000), listMappings(state, now, 0, 1000))
        let [here, there] = [restored.state, state]
        for (const one of happenings.slice(0, 10)) {
          now += one.later
          const [own, its] = [happen(here, one, now), happen(there, one, now)]
          assert.deepEqual(own.changes, its.changes)
          here = own.state
          there = its.state
        }
      }),
      RUNS,
    )
})

test("no two live mappings of different internal ends, or of one towards different peers, have one external end", () => {
  for (const given of settings)
    fc.assert(
      fc.property(fc.array(happening, { maxLength: 80 }), (happenings) => {
        let state = cgnWith(given)
        let now = 0
        for (const one of happenings) {
          now += one.later
          state = happen(state, one, now).state
        }
        const owners = new Map<string, string>()
        for (const m of listMappings(state, now, 0, 1000).mappings) {
          const end = `${m.protocol} ${m.external} ${m.externalPort}`
          const port = m.dependence === "address-and-port-dependent" ? m.remotePort : 0
          const of = m.dependence === undefined ? "" : `${m.remote} ${port}`
          const owner = `${m.internal} ${m.internalPort} ${m.identifier} ${m.realm} ${of}`
          assert.equal(owners.get(end) ?? owner, owner)
          owners.set(end, owner)
        }
      }),
      RUNS,
    )
})

test("a packet out, then its answer in, gives back the ends that it had, and its realm", () => {
  const realm = fc.constantFrom(undefined, address("::1"), address("::2"))
  const behaviour = fc.constantFrom(
    "endpoint-independent" as const,
    "address-dependent" as const,
    "address-and-port-dependent" as const,
  )
  fc.assert(
    fc.property(
      fc.array(
        fc.tuple(
          fc.constantFrom("udp", "tcp", "echo"),
          fc.integer({ min: 1, max: 3 }),
          fc.oneof(fc.integer({ min: 1, max: 65535 }), fc.constant(0)),
          realm,
          fc.constantFrom(REMOTE, STRANGER),
        ),
        {
          minLength: 1,
          maxLength: 30,
        },
      ),
      fc.integer({ min: 1, max: 65535 }),
      behaviour,
      behaviour,
      (flows, remotePort, mapping, filtering) => {
        const cgn = network(cgnWith({ translation: { mapping, filtering } }))
        const answers = flows.map(([kind, n, number, of, remote]) => {
          // There is no port 0.
          const port = kind === "echo" ? number : Math.max(1, number)
          const host = `10.0.0.${n}`
          const there = ends(host, port, remote, remotePort)
          const out = kind === "udp" ? udp4(there) : kind === "tcp" ? tcp4(there, SYN) : echo4(8, host, remote, port)
          const { address: external, port: seen } = sourceOf(sent(cgn.out(out, 0, of), "outside"))
          const back = ends(remote, remotePort, external, seen)
          const home = ends(remote, remotePort, host, port)
          return kind === "udp"
            ? ([udp4(back), udp4(home, 63), of] as const)
            : kind === "tcp"
              ? ([tcp4(back, SYN | ACK), tcp4(home, SYN | ACK, 63), of] as const)
              : ([echo4(0, remote, external, seen), echo4(0, remote, host, port, 63), of] as const)
        })
        for (const [answer, expected, of] of answers) {
          const out = cgn.in(answer)
          isPacket(sent(out, "inside"), expected)
          assert.ok(out.kind === "forwarded" && out.realm === of)
        }
      },
    ),
    RUNS,
  )
})

test("random octets, and packets with an octet changed, never throw; what is dropped changes nothing", () => {
  const inside = [
    { inside: { kind: "ipv4" } },
    { inside: { kind: "nat64", prefix: { address: address("2001:db8:64::"), prefixLength: 96 } } },
    { inside: { kind: "dslite", aftr: address("2001:db8:a::1") } },
  ] as const
  const packets = [
    udp4(ends("10.0.0.1", 5000, REMOTE, 53)),
    tcp4(ends("10.0.0.1", 5000, REMOTE, 53), SYN),
    echo4(8, "10.0.0.1", REMOTE, 5),
    error4(3, 3, "10.0.0.1", REMOTE, udp4(ends(REMOTE, 53, "10.0.0.1", 5000))),
  ]
  const changed = fc
    .tuple(fc.constantFrom(...packets), fc.nat(120), fc.integer({ min: 0, max: 255 }))
    .map(([packet, at, value]) => packet.with(at % packet.length, value))
  const versioned = fc
    .tuple(fc.constantFrom(0x45, 0x60, 0x46), fc.uint8Array({ maxLength: 100 }))
    .map(([first, rest]) => octets(first, rest))
  for (const translation of inside) {
    const first = cgnWith({ translation, internalFamily: "any" })
    fc.assert(
      fc.property(
        fc.array(
          fc.tuple(
            fc.oneof(changed, versioned, fc.uint8Array({ maxLength: 60 })),
            fc.constantFrom("inside", "outside"),
          ),
          { maxLength: 20 },
        ),
        (passages) => {
          let state = first
          for (const [bytes, side] of passages) {
            const before = state
            const passed = translate(state, { bytes, now: 0, side })
            state = passed.state
            if (passed.out.kind === "dropped" || passed.out.kind === "returned") {
              assert.deepEqual(
                passed.changes.map(({ type }) => type),
                ["counted"],
              )
              assert.deepEqual(lines(state), lines(before))
            }
          }
        },
      ),
      { numRuns: 200 },
    )
  }
})
