/** ICMP queries with the identifier 0, which as an internal port would mean all of ICMP: they pass like any others. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import {
  type CgnSettings,
  type CgnState,
  type Change,
  type Holder,
  type LogRecord,
  listMappings,
  type Mapping,
  mappingCounts,
  memoryCgn,
  reconfigureCgn,
  restoreCgn,
  revoke,
  saveCgn,
  translate,
  whoHad,
} from "../../../../core/cgn/index.ts"
import type { Address } from "../../../../core/wire/index.ts"
import { icmp4, ip4, octets } from "../packet/build.ts"
import { address, BASE, cgnWith, host, lines, map, met, remove } from "../scene.ts"
import { errorOf, fromHost, KINDS, packetOf, settingsOf, subscriberRealm, toHost } from "./kinds.ts"
import {
  EXTERNAL,
  echo4,
  ends,
  error4,
  HOST,
  isPacket,
  network,
  OTHER_HOST,
  REMOTE,
  reason,
  STRANGER,
  said,
  sent,
  sourceOf,
  text,
} from "./scene.ts"

const ICMP = 1
const BEHAVIOURS = ["endpoint-independent", "address-dependent", "address-and-port-dependent"] as const
type Network = ReturnType<typeof network>

/** The external end that a query of the first host leaves from. */
const asks = (cgn: Network, identifier: number, to = REMOTE) =>
  sourceOf(sent(cgn.out(echo4(8, HOST, to, identifier)), "outside"))

/** The answer reaches the first host. */
const isAnswered = (cgn: Network, external: string, seen: number, identifier: number, from = REMOTE): void =>
  isPacket(sent(cgn.in(echo4(0, from, external, seen)), "inside"), echo4(0, from, HOST, identifier, 63))

describe("ICMP queries with the identifier 0", () => {
  test("NAT-5508-REQ-1: they go out from an identifier of their own and are answered, behind each kind of NAT", () => {
    for (const kind of KINDS) {
      let state = cgnWith(settingsOf(kind))
      const seen = new Set<number>()
      for (const host of kind.hosts)
        for (const identifier of [0, 1, 0]) {
          const out = translate(state, {
            bytes: fromHost(kind, host, "echo", identifier, 0),
            now: 0,
            side: "inside",
            realm: kind.comesWith(host),
          })
          const { address: external, port } = sourceOf(sent(out.out, "outside"))
          assert.equal(external, EXTERNAL)
          assert.ok(port >= 256, "below are whole protocols")
          seen.add(port)
          const back = packetOf("reply", ends(REMOTE, 0, external, port), port)
          const into = translate(out.state, { bytes: back, now: 0, side: "outside" })
          isPacket(sent(into.out, "inside"), toHost(kind, host, "reply", identifier, 0))
          assert.ok(into.out.kind === "forwarded" && into.out.realm === subscriberRealm(host))
          state = into.state
        }
      assert.equal(seen.size, 2 * kind.hosts.length, kind.name)
    }
  })

  test("NAT-5508-REQ-1: whatever their mappings and filters depend on, and however ports are chosen", () => {
    const internal = [{ address: host(0), prefixLength: 124 }]
    const assignments: readonly Partial<CgnSettings>[] = [
      {},
      { assignment: { kind: "blocks", size: 64, limit: 1 } },
      { assignment: { kind: "deterministic", internal } },
    ]
    for (const mapping of BEHAVIOURS)
      for (const filtering of BEHAVIOURS)
        for (const ports of ["random", "preserve", "parity"] as const)
          for (const assignment of assignments) {
            const cgn = network(cgnWith({ ...assignment, translation: { mapping, filtering, ports } }))
            const own = [REMOTE, STRANGER].map((to) => {
              const { address: external, port } = asks(cgn, 0, to)
              isAnswered(cgn, external, port, 0, to)
              // Whose block it will be is not looked at before he has one.
              if (ports === "parity" && assignment.assignment?.kind !== "blocks") assert.equal(port & 1, 0)
              return port
            })
            assert.equal(own[0] === own[1], mapping === "endpoint-independent")
            assert.equal(asks(cgn, 0).port, own[0], "a mapping that is there is used again")
            assert.ok(!own.includes(asks(cgn, 5).port))
            // A stranger is answered to by whom he was asked, or anybody, as filters have it.
            const other = cgn.in(echo4(0, "192.0.2.77", EXTERNAL, own[0]))
            assert.equal(other.kind === "forwarded", filtering === "endpoint-independent")
          }
  })

  test("by setting an even one, while there is any", () => {
    const cgn = network(cgnWith({ ports: { first: 300, last: 309 }, translation: { ports: "parity" } }))
    const seen = [1, 2, 3, 4, 5, 6].map(
      (n) => sourceOf(sent(cgn.out(echo4(8, `10.0.0.${n}`, REMOTE, 0)), "outside")).port,
    )
    assert.deepEqual(
      seen.slice(0, 5).sort((a, b) => a - b),
      [300, 302, 304, 306, 308],
    )
    assert.equal(seen[5] & 1, 1)
  })

  test("NAT-5508-REQ-1 NAT-5508-REQ-2: for 60 seconds; timestamps and address masks as well", () => {
    const query = (type: number, source: string, destination: string, identifier: number, ttl = 64) =>
      ip4(
        { source, destination, protocol: ICMP, ttl },
        icmp4(type, 0, [identifier >> 8, identifier & 255, 0, 1], Array(12).fill(0)),
      )
    for (const [request, answer] of [
      [8, 0],
      [13, 14],
      [17, 18],
    ]) {
      const cgn = network(cgnWith())
      assert.equal(reason(cgn.out(query(answer, HOST, REMOTE, 0))), "not-translatable", "an answer to nobody")
      const { port } = sourceOf(sent(cgn.out(query(request, HOST, REMOTE, 0)), "outside"))
      const back = query(answer, REMOTE, EXTERNAL, port)
      isPacket(sent(cgn.in(back, 59_000), "inside"), query(answer, REMOTE, HOST, 0, 63))
      assert.equal(reason(cgn.in(back, 60_000)), "no-mapping")
      cgn.expire(60_000)
      assert.deepEqual(said(cgn.changes()), ["counted", "created implicit", "counted", "expired implicit"])
      assert.deepEqual(mappingCounts(cgn.state), { map: 0, peer: 0, implicit: 0, static: 0, held: 0 })
    }
  })

  test("NAT-5508-REQ-4 NAT-5508-REQ-5: errors about them, in and out, behind each kind of NAT", () => {
    for (const kind of KINDS) {
      const [host] = kind.hosts
      const realm = kind.comesWith(host)
      let state = cgnWith(settingsOf(kind))
      const inside = (bytes: Uint8Array) => {
        const passed = translate(state, { bytes, now: 0, side: "inside", realm })
        state = passed.state
        return passed.out
      }
      const { port } = sourceOf(sent(inside(fromHost(kind, host, "echo", 0, 0)), "outside"))
      const remote = kind.remote(REMOTE)
      const asked = packetOf("echo", ends(EXTERNAL, 0, REMOTE, 0), port, 2, 60)
      const told = translate(state, { bytes: errorOf(11, REMOTE, EXTERNAL, asked), now: 0, side: "outside" })
      const mine = packetOf("echo", ends(host.address, 0, remote, 0), 0, 2, 60)
      const expected = kind.gets(host, errorOf(11, remote, host.address, mine, 63))
      const got = sent(told.out, "inside")
      isPacket(got, expected)
      const answer = packetOf("reply", ends(remote, 0, host.address, 0), 0)
      const out = sent(inside(kind.sends(host, errorOf(3, host.address, remote, answer))), "outside")
      assert.deepEqual([...out.subarray(52, 54)], [port >> 8, port & 255], kind.name)
      assert.equal(out.subarray(12, 20).join("."), `${EXTERNAL}.${REMOTE}`)
    }
  })

  test("only queries are of such a mapping: no redirect, and no error about one", () => {
    const redirect = (source: string, destination: string) =>
      ip4({ source, destination, protocol: ICMP }, icmp4(5, 1, [10, 0, 0, 9], echo4(8, destination, source, 0)))
    for (const mapping of BEHAVIOURS) {
      const cgn = network(cgnWith({ translation: { mapping } }))
      const { port } = asks(cgn, 0)
      const before = lines(cgn.state)
      assert.equal(reason(cgn.out(redirect(HOST, REMOTE))), "not-translatable")
      assert.equal(reason(cgn.out(error4(3, 3, HOST, REMOTE, redirect(REMOTE, HOST)))), "no-flow")
      assert.equal(reason(cgn.in(error4(3, 3, REMOTE, EXTERNAL, redirect(EXTERNAL, REMOTE)))), "no-flow")
      // Outside, nobody has the identifier 0.
      assert.equal(reason(cgn.in(echo4(0, REMOTE, EXTERNAL, 0))), "no-mapping")
      assert.equal(reason(cgn.in(error4(3, 3, REMOTE, EXTERNAL, echo4(8, EXTERNAL, REMOTE, 0)))), "no-flow")
      assert.deepEqual(lines(cgn.state), before)
      isAnswered(cgn, EXTERNAL, port, 0)
    }
  })

  test("NAT-5508-REQ-7: hairpinned, a query comes to its sender, who has its external identifier, and so does an error about it", () => {
    const cgn = network(cgnWith())
    const { port } = asks(cgn, 0)
    // An echo comes to whoever has its own external identifier, which is its sender.
    const turned = sent(cgn.out(echo4(8, HOST, EXTERNAL, 0)), "inside")
    isPacket(turned, echo4(8, EXTERNAL, HOST, 0, 63))
    const told = cgn.out(error4(3, 3, HOST, EXTERNAL, turned))
    isPacket(sent(told, "inside"), error4(3, 3, EXTERNAL, HOST, echo4(8, HOST, EXTERNAL, 0, 63), 63))
    const other = sourceOf(sent(cgn.out(echo4(8, OTHER_HOST, REMOTE, 0)), "outside"))
    assert.notEqual(other.port, port)
  })

  test("NAT-6888-REQ-4: they count to the limit of their subscriber, and a revoked address has none left", () => {
    const cgn = network(cgnWith({ translation: { limits: { udp: 0, tcp: 0, icmp: 2 } } }))
    asks(cgn, 0)
    asks(cgn, 1)
    assert.equal(reason(cgn.out(echo4(8, HOST, REMOTE, 2))), "over-quota")
    asks(cgn, 0)
    const { state, changes } = revoke(cgn.state, address(HOST), undefined, 0)
    assert.deepEqual(lines(state), [])
    assert.deepEqual(lines(memoryCgn.apply(cgn.state, changes)), [])
    cgn.set(state)
    asks(cgn, 0)
    asks(cgn, 1)
    assert.equal(reason(cgn.out(echo4(8, HOST, REMOTE, 2))), "over-quota")
  })
})

const pool = [EXTERNAL, "203.0.113.2"].map(address)
const WHOLE = { external: pool, otherProtocols: true, port0: true, oneToOne: true } as const
const wholeIcmp = { protocol: ICMP, internalPort: 0 } as const

const listed = (state: CgnState, now = 0): readonly Mapping[] => listMappings(state, now, 0, 1000).mappings

/** Both, and how each is seen: a query is answered by its own identifier, and what else is for the other address comes as it is. */
const areBoth = (cgn: Network, own: { readonly address: string; readonly port: number }, whole: string): void => {
  assert.deepEqual(asks(cgn, 0), own, "the flow stays where it is")
  assert.deepEqual(asks(cgn, 77), { address: whole, port: 77 }, "the rest goes by all of ICMP")
  isAnswered(cgn, own.address, own.port, 0)
  isAnswered(cgn, whole, 77, 77)
  const asked = echo4(8, STRANGER, whole, 0)
  isPacket(sent(cgn.in(asked), "inside"), echo4(8, STRANGER, HOST, 0, 63))
}

describe("identifier 0 and all of ICMP", () => {
  test("NAT-5508-REQ-1 NAT-4787-REQ-9: a query is hairpinned to a host that has all of ICMP, and its answer back", () => {
    const made = met(map(cgnWith(WHOLE), { ...wholeIcmp, internal: address(OTHER_HOST) }))
    const cgn = network(made.state)
    const [there, here] = [text(made.external), made.external === pool[0] ? "203.0.113.2" : EXTERNAL]
    const asked = sent(cgn.out(echo4(8, HOST, there, 0)), "inside")
    const { address: from, port } = sourceOf(asked)
    assert.equal(from, here)
    isPacket(asked, echo4(8, here, OTHER_HOST, port, 63))
    isPacket(sent(cgn.out(echo4(0, OTHER_HOST, here, port)), "inside"), echo4(0, there, HOST, 0, 63))
  })

  test("NAT-5508-REQ-1 S-43: a host that has all of ICMP, or everything, asks by that, and keeps its identifier", () => {
    for (const protocol of [ICMP, 0]) {
      const made = met(map(cgnWith(WHOLE), { protocol, internalPort: 0 }))
      const cgn = network(made.state)
      const external = sourceOf(sent(cgn.out(echo4(8, HOST, REMOTE, 7)), "outside")).address
      for (const identifier of [0, 1, 300])
        assert.deepEqual(asks(cgn, identifier), { address: external, port: identifier })
      isAnswered(cgn, external, 0, 0)
      isPacket(
        sent(cgn.in(error4(11, 0, STRANGER, external, echo4(8, external, REMOTE, 0, 60))), "inside"),
        error4(11, 0, STRANGER, HOST, echo4(8, HOST, REMOTE, 0, 60), 63),
      )
      for (const one of listed(cgn.state)) assert.deepEqual([one.externalPort, one.identifier], [0, undefined])
    }
  })

  test("NAT-5508-REQ-1 S-43: a mapping of identifier 0 and one of all of ICMP are two, of one host or of two, and go one by one", () => {
    for (const mapping of BEHAVIOURS)
      for (const filtering of BEHAVIOURS) {
        const first = cgnWith({ ...WHOLE, translation: { mapping, filtering } })
        const cgn = network(first)
        const changes: Change[] = []
        const own = asks(cgn, 0)
        const made = met(map(cgn.state, wholeIcmp))
        changes.push(...cgn.changes(), ...made.changes)
        assert.notEqual(
          made.external,
          address(own.address),
          "no address has all of ICMP free that has some of it in use",
        )
        assert.equal(made.externalPort, 0)
        cgn.set(made.state)
        const whole = own.address === EXTERNAL ? "203.0.113.2" : EXTERNAL
        areBoth(cgn, own, whole)
        changes.push(...cgn.changes())
        const kinds = (state: CgnState) =>
          listed(state)
            .map(({ kind, identifier, externalPort }) => `${kind} ${identifier} ${externalPort}`)
            .sort()
        const both = [`implicit 0 ${own.port}`, "implicit undefined 0", "map undefined 0"].sort()
        assert.deepEqual(kinds(cgn.state), both)

        const saved = restoreCgn(
          octets(...saveCgn(cgn.state, 0)),
          { ...BASE, ...WHOLE, translation: { mapping, filtering } },
          { now: 0, elapsed: 0, lost: false },
        )
        assert.ok(saved.ok)
        for (const state of [memoryCgn.apply(first, changes), saved.state]) {
          assert.deepEqual(listed(state), listed(cgn.state))
          areBoth(network(state), own, whole)
        }
        // Each ends without the other: the MAP by its client, the query by its time.
        const without = network(met(remove(cgn.state, wholeIcmp)).state)
        assert.deepEqual(asks(without, 0), own)
        isAnswered(without, own.address, own.port, 0)
        cgn.expire(60_000)
        assert.deepEqual(kinds(cgn.state), ["map undefined 0"])
        assert.deepEqual(asks(cgn, 0), { address: whole, port: 0 })
      }
  })

  test("sessions of the one are not the other's, in a replica as well", () => {
    const filters = [{ remote: address("192.0.2.200"), prefixLength: 128, remotePort: 0 }]
    const first = cgnWith({ ...WHOLE, translation: { filtering: "address-and-port-dependent" } })
    const cgn = network(first)
    const own = asks(cgn, 0)
    const made = met(map(cgn.state, wholeIcmp))
    const kept = memoryCgn.filter(
      made.state,
      { ...wholeIcmp, internal: address(HOST), deleteFilters: false, filters },
      0,
    )
    assert.ok(kept.outcome !== "refused")
    cgn.set(kept.state)
    const whole = own.address === EXTERNAL ? "203.0.113.2" : EXTERNAL
    asks(cgn, 0, STRANGER)
    asks(cgn, 9)
    const changes = cgn.changes()
    const sessions = changes.flatMap((change) => (change.type === "session" ? [change.mapped.identifier] : []))
    assert.deepEqual(sessions, [0, 0, undefined])
    const replica = memoryCgn.apply(first, [changes.slice(0, 2), made.changes, kept.changes, changes.slice(2)].flat())
    for (const state of [cgn.state, replica]) {
      const one = network(state)
      isAnswered(one, own.address, own.port, 0, STRANGER)
      isAnswered(one, whole, 9, 9)
      // It has sent to him from the other alone.
      assert.equal(reason(one.in(echo4(0, STRANGER, whole, 9))), "filtered")
      assert.equal(reason(one.in(echo4(8, STRANGER, whole, 0))), "filtered")
    }
  })

  test("the administrator's whole ICMP comes to the address of a query of its host's, and goes again", () => {
    const cgn = network(cgnWith())
    const own = asks(cgn, 0)
    assert.equal(own.address, EXTERNAL)
    const staticMappings = [{ ...wholeIcmp, internal: address(HOST), external: address(EXTERNAL), externalPort: 0 }]
    const done = reconfigureCgn(cgn.state, { ...BASE, staticMappings }, 0)
    assert.ok(done.ok)
    assert.deepEqual(said(done.changes), ["created static"])
    cgn.set(done.state)
    areBoth(cgn, own, EXTERNAL)
    const back = reconfigureCgn(cgn.state, BASE, 0)
    assert.ok(back.ok)
    cgn.set(back.state)
    assert.deepEqual(asks(cgn, 0), own)
    // Another host's takes the address from it.
    const others = [{ ...staticMappings[0], internal: address(OTHER_HOST) }]
    const taken = reconfigureCgn(cgn.state, { ...BASE, staticMappings: others }, 0)
    assert.ok(taken.ok)
    cgn.set(taken.state)
    assert.deepEqual(
      lines(cgn.state).filter((line) => line.includes(`${HOST}:`)),
      [],
    )
    assert.equal(reason(cgn.out(echo4(8, HOST, REMOTE, 0))), "no-resources")
  })

  test("its address leaves the pool: it ends like those of other identifiers, and whole ICMP moves", () => {
    const cgn = network(cgnWith(WHOLE))
    const own = asks(cgn, 0)
    asks(cgn, 5)
    cgn.set(met(map(cgn.state, wholeIcmp)).state)
    const settings = { ...BASE, ...WHOLE, external: [address("203.0.113.9")] }
    const done = reconfigureCgn(cgn.state, settings, 0)
    assert.ok(done.ok)
    assert.deepEqual(said(done.changes).sort(), ["deleted implicit", "deleted implicit", "moved map"])
    assert.deepEqual(lines(done.state), ["map 1 10.0.0.1:0 203.0.113.9:0"])
    assert.equal(reason(network(done.state).in(echo4(0, REMOTE, own.address, own.port))), "no-mapping")
  })
})

test("NAT-6888-REQ-14: a log tells whose an external identifier was, of identifier 0 as of others, beside all of ICMP", () => {
  const cgn = network(cgnWith(WHOLE))
  const own = asks(cgn, 0)
  const made = met(map(cgn.state, wholeIcmp, 10))
  cgn.set(made.state)
  const log: LogRecord[] = [
    ...cgn.changes().map((change) => ({ at: 0, change })),
    ...made.changes.map((change) => ({ at: 10, change })),
  ]
  cgn.expire(60_000)
  log.push(...cgn.changes().map((change) => ({ at: 60_000, change })))
  const who = (external: Address, port: number, at: number): Holder | undefined =>
    whoHad({ external, protocol: ICMP, port, at }, log)
  const held = (since: number, identifier?: 0): Holder => ({
    by: "mapping",
    of: "internal",
    subscriber: { address: address(HOST), prefixLength: 128 },
    realm: undefined,
    internalPort: 0,
    ...(identifier === undefined ? {} : { identifier }),
    since,
  })
  assert.deepEqual(who(address(own.address), own.port, 20), held(0, 0))
  assert.equal(who(address(own.address), own.port === 65535 ? 65534 : own.port + 1, 20), undefined)
  assert.equal(who(address(own.address), own.port, 60_000), undefined)
  // The administrator's, of the same address, was there before.
  const fixed: Mapping = {
    ...made.changes.flatMap((one) => (one.type === "created" ? [one.mapping] : []))[0],
    kind: "static",
  }
  log.unshift({ at: -5, change: { type: "created", mapping: { ...fixed, external: address(own.address) } } })
  assert.deepEqual(who(address(own.address), own.port, 20), held(0, 0))
  assert.deepEqual(who(address(own.address), 300, 20), held(-5))
  for (const port of [0, 300, own.port]) assert.deepEqual(who(made.external, port, 20), held(10))
})

test("a change that no CGN says of itself is passed over", () => {
  const cgn = network(cgnWith(WHOLE))
  asks(cgn, 0)
  const [{ mapping }] = cgn.changes().flatMap((change) => (change.type === "created" ? [change] : []))
  const first = cgnWith(WHOLE)
  const put = (given: Partial<Mapping>): readonly string[] =>
    lines(memoryCgn.apply(first, [{ type: "created", mapping: { ...mapping, ...given } }]))
  assert.deepEqual(put({}), [`implicit 1 ${HOST}:0 ${text(mapping.external)}:${mapping.externalPort}`])
  for (const externalPort of [0, 6, 255]) assert.deepEqual(put({ externalPort }), [])
  const { external, externalPort } = mapping
  const moved: Change = { type: "moved", mapping: { ...mapping, externalPort: 6 }, external, externalPort }
  assert.deepEqual(lines(memoryCgn.apply(cgn.state, [moved])), lines(cgn.state))
  // Of ports it means nothing, nor of what else has internal port 0.
  assert.deepEqual(put({ protocol: 17, internalPort: 5, externalPort: 2000 }), [
    `implicit 17 ${HOST}:5 ${text(mapping.external)}:2000`,
  ])
  assert.deepEqual(put({ protocol: 47, externalPort: 2000 }), [`implicit 47 ${HOST}:0 ${text(mapping.external)}:0`])
})
