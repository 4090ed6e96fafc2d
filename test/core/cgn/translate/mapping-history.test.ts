/** Mappings of single remote peers over other settings, snapshots, replicas and old states. */
import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import {
  adoptCgnSettings,
  type CgnSettings,
  type CgnState,
  listMappings,
  mappingCounts,
  memoryCgn,
  reconfigureCgn,
  restoreCgn,
  saveCgn,
  translate,
} from "../../../../core/cgn/index.ts"
import { randomFrom } from "../../../fuzz/random.ts"
import { ip6, type PortEnds, udp } from "../packet/build.ts"
import { address, BASE, cgnWith, lines, map, met, NONCE, peer, TCP } from "../scene.ts"
import {
  ACK,
  EXTERNAL,
  echo4,
  ends,
  HOST,
  isPacket,
  network,
  REMOTE,
  STRANGER,
  SYN,
  sent,
  sourceOf,
  tcp4,
  udp4,
} from "./scene.ts"

type Translation = NonNullable<CgnSettings["translation"]>
type Behaviour = NonNullable<Translation["mapping"]>

const DEPENDENT = ["address-dependent", "address-and-port-dependent"] as const
const settingsOf = (mapping: Behaviour): CgnSettings => ({ ...BASE, translation: { mapping } })

const concat = (parts: readonly Uint8Array[]): Uint8Array => {
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return bytes
}

/** The external port that a packet of 10.0.0.1's UDP port 5000 leaves from. */
const portOf = (cgn: ReturnType<typeof network>, to: string, port: number, now = 0): number =>
  sourceOf(sent(cgn.out(udp4(ends(HOST, 5000, to, port)), now), "outside")).port

test("other settings: each flow stays where it is, and what is new goes by them", () => {
  for (const before of ["endpoint-independent", ...DEPENDENT] as const)
    for (const after of ["endpoint-independent", ...DEPENDENT] as const) {
      const cgn = network(cgnWith(settingsOf(before)))
      const first = [portOf(cgn, REMOTE, 53), portOf(cgn, REMOTE, 54), portOf(cgn, STRANGER, 53)]
      const done = reconfigureCgn(cgn.state, settingsOf(after), 1000)
      assert.ok(done.ok)
      assert.deepEqual(done.changes, [])
      cgn.set(done.state)
      assert.deepEqual(
        [portOf(cgn, REMOTE, 53, 1000), portOf(cgn, REMOTE, 54, 1000), portOf(cgn, STRANGER, 53, 1000)],
        first,
      )
      for (const [i, [from, port]] of [[REMOTE, 53] as const, [REMOTE, 54] as const, [STRANGER, 53] as const].entries())
        isPacket(
          sent(cgn.in(udp4(ends(from, port, EXTERNAL, first[i])), 1000), "inside"),
          udp4(ends(from, port, HOST, 5000), 63),
        )
      // When all of before has been quiet for its time, only the new settings count.
      const late = [
        portOf(cgn, REMOTE, 53, 400_000),
        portOf(cgn, REMOTE, 54, 400_000),
        portOf(cgn, STRANGER, 53, 400_000),
      ]
      const same = { "endpoint-independent": 1, "address-dependent": 2, "address-and-port-dependent": 3 }
      assert.equal(new Set(late).size, same[after], `${before} ${after}`)
      cgn.expire(400_000)
      assert.equal(lines(cgn.state, 400_000).length, same[after])
    }
})

test("an external address leaves the pool: every mapping moves by itself, and a replica follows", () => {
  const cgn = network(cgnWith(settingsOf("address-and-port-dependent")))
  for (let port = 1; port <= 20; port++) portOf(cgn, REMOTE, port)
  cgn.set(met(peer(cgn.state, { internalPort: 5000, remote: address(REMOTE), remotePort: 7 })).state)
  const settings = { ...settingsOf("address-and-port-dependent"), external: [address("203.0.113.9")] }
  const done = reconfigureCgn(cgn.state, settings, 1000)
  assert.ok(done.ok)
  assert.equal(done.moved.length, 21)
  const replica = adoptCgnSettings(cgn.state, settings, 1000)
  assert.ok(replica.ok)
  assert.deepEqual(lines(memoryCgn.apply(replica.state, done.changes), 1000), lines(done.state, 1000))
  cgn.set(done.state)
  const seen = new Set<number>()
  for (let port = 1; port <= 20; port++) {
    const at = sourceOf(sent(cgn.out(udp4(ends(HOST, 5000, REMOTE, port)), 1000), "outside"))
    assert.equal(at.address, "203.0.113.9")
    seen.add(at.port)
    isPacket(
      sent(cgn.in(udp4(ends(REMOTE, port, at.address, at.port)), 1000), "inside"),
      udp4(ends(REMOTE, port, HOST, 5000), 63),
    )
  }
  assert.equal(seen.size, 20)
})

test("a replica with settings of its own finds what it was told of", () => {
  const cgn = network(cgnWith(settingsOf("address-and-port-dependent")))
  const ports = [1, 2, 3].map((port) => portOf(cgn, REMOTE, port))
  const replica = network(memoryCgn.apply(cgnWith(settingsOf("endpoint-independent")), cgn.changes()))
  assert.deepEqual(lines(replica.state), lines(cgn.state))
  assert.deepEqual(
    [1, 2, 3].map((port) => portOf(replica, REMOTE, port)),
    ports,
  )
})

test("a snapshot has them all, and goes on under whatever settings come then", () => {
  for (const mapping of DEPENDENT)
    for (const after of ["endpoint-independent", mapping] as const) {
      const cgn = network(cgnWith(settingsOf(mapping)))
      const port = portOf(cgn, REMOTE, 53)
      const tcp = sourceOf(sent(cgn.out(tcp4(ends(HOST, 5000, REMOTE, 80), SYN)), "outside")).port
      sent(cgn.in(tcp4(ends(REMOTE, 80, EXTERNAL, tcp), SYN | ACK)), "inside")
      const made = met(peer(cgn.state, { remote: address(STRANGER), lifetime: 7200 }))
      const time = { now: 50_000, elapsed: 10_000, lost: false }
      const restored = restoreCgn(concat(saveCgn(made.state, 0)), settingsOf(after), time)
      assert.ok(restored.ok)
      assert.deepEqual(
        listMappings(restored.state, 50_000, 0, 9).mappings,
        listMappings(made.state, 0, 0, 9).mappings.map((one) => ({ ...one, expires: one.expires + 40_000 })),
      )
      assert.deepEqual(mappingCounts(restored.state), { map: 0, peer: 1, implicit: 2, static: 0, held: 0 })
      const next = network(restored.state)
      assert.equal(portOf(next, REMOTE, 53, 50_000), port)
      assert.equal(sourceOf(sent(next.out(tcp4(ends(HOST, 5000, REMOTE, 80), ACK), 50_000), "outside")).port, tcp)
      assert.equal(met(peer(next.state, { remote: address(STRANGER), nonce: NONCE }, 50_000)).at, made.at)
      next.expire(1e9)
      assert.deepEqual(lines(next.state, 1e9), [])
    }
})

test("a forged snapshot is refused, or gives a CGN that carries packets, lists and expires without a throw", () => {
  const random = randomFrom(5)
  let refused = 0
  let taken = 0
  const cgn = network(cgnWith(settingsOf("address-and-port-dependent")))
  for (let port = 1; port <= 6; port++) portOf(cgn, REMOTE, port)
  for (let port = 1; port <= 3; port++) sent(cgn.out(tcp4(ends(HOST, 5000, REMOTE, port), SYN)), "outside")
  for (const to of [REMOTE, STRANGER]) sent(cgn.out(echo4(8, HOST, to, 0)), "outside")
  cgn.set(met(peer(met(map(cgn.state, {})).state, { internalPort: 7 })).state)
  const bytes = concat(saveCgn(cgn.state, 0))
  const restore = (octets: Uint8Array) =>
    restoreCgn(octets, settingsOf("address-dependent"), { now: 0, elapsed: 0, lost: false })
  // A mapping row that names the remote peer of another, none, or one that is not there.
  const words = new DataView(bytes.buffer)
  const named = Array.from({ length: bytes.length >> 2 }, (_, i) => 4 * i).filter(
    (at) => words.getUint32(at, true) === 0x80000001,
  )
  assert.ok(named.length > 0)
  for (const other of [0x80000000, 0x80000002, 0x80000077, 0xffffffff])
    for (const at of named) {
      const changed = bytes.slice()
      new DataView(changed.buffer).setUint32(at, other, true)
      const restored = restore(changed)
      assert.equal(restored.ok ? "ok" : restored.code, "contents")
    }
  // The row of 198.51.100.7's port 1, which names the mapping row of another, or none.
  const port = Array.from({ length: bytes.length >> 2 }, (_, i) => 4 * i).filter(
    (at) => at > 0 && words.getUint32(at - 4, true) === 0xc6336407 && words.getUint32(at, true) === 0x10001,
  )
  assert.ok(port.length > 0)
  for (const other of [0, 5, 0x77777777])
    for (const at of port) {
      const changed = bytes.slice()
      new DataView(changed.buffer).setUint32(at + 4, other, true)
      const restored = restore(changed)
      assert.equal(restored.ok ? "ok" : restored.code, "contents")
    }
  for (let run = 0; run < 400; run++) {
    const changed = bytes.slice()
    const view = new DataView(changed.buffer)
    for (let n = 1 + random.below(2); n > 0; n--) {
      let at = 4 * random.below(bytes.length >> 2)
      // Nearly all words are 0: of those few are forged.
      while (view.getInt32(at, true) === 0 && !random.once(40)) at = 4 * random.below(bytes.length >> 2)
      const was = view.getInt32(at, true)
      view.setInt32(at, random.pick([0, 1, -1, was + 1, was ^ (1 << 31), was ^ (1 << random.below(32)), 7]), true)
    }
    const restored = restore(changed)
    if (!restored.ok) {
      refused++
      continue
    }
    taken++
    let { state } = restored
    for (let port = 1; port <= 8; port++) {
      state = translate(state, { bytes: udp4(ends(HOST, 5000, REMOTE, port)), now: 0, side: "inside" }).state
      state = translate(state, { bytes: tcp4(ends(HOST, 5000, REMOTE, port), ACK), now: 0, side: "inside" }).state
    }
    for (const to of [REMOTE, STRANGER])
      state = translate(state, { bytes: echo4(8, HOST, to, 0), now: 0, side: "inside" }).state
    listMappings(state, 0, 0, 100)
    memoryCgn.expire(state, 1e9, 1000)
  }
  assert.ok(refused > 40 && taken > 100, `${refused} refused, ${taken} taken`)
})

test("every old state goes on as it did, whatever came to be after it", () => {
  const happening = fc.record({
    kind: fc.constantFrom("udp", "tcp", "echo", "in", "peer", "map", "expire"),
    port: fc.integer({ min: 1, max: 3 }),
    remote: fc.constantFrom(REMOTE, STRANGER),
    remotePort: fc.integer({ min: 1, max: 3 }),
    later: fc.constantFrom(0, 1000, 200_000),
  })
  const happen = (state: CgnState, one: typeof happening extends fc.Arbitrary<infer T> ? T : never, now: number) => {
    const { kind, port, remote, remotePort } = one
    const there = ends(HOST, port, remote, remotePort)
    const ask = { protocol: TCP, internalPort: port, remote: address(remote), remotePort }
    switch (kind) {
      case "udp":
        return translate(state, { bytes: udp4(there), now, side: "inside" })
      case "tcp":
        return translate(state, { bytes: tcp4(there, SYN), now, side: "inside" })
      case "echo":
        return translate(state, { bytes: echo4(8, HOST, remote, port - 1), now, side: "inside" })
      case "in": {
        const at = listMappings(state, now, 0, 100).mappings[port]?.externalPort ?? 1
        return translate(state, { bytes: udp4(ends(remote, remotePort, EXTERNAL, at)), now, side: "outside" })
      }
      case "peer":
      case "map": {
        const done = kind === "map" ? map(state, ask, now) : peer(state, ask, now)
        return done.outcome === "refused" ? { state, out: done, changes: [] } : { ...done, out: done.externalPort }
      }
      case "expire":
        return { ...memoryCgn.expire(state, now, 100), out: 0 }
    }
  }
  for (const mapping of DEPENDENT)
    fc.assert(
      fc.property(fc.array(happening, { maxLength: 30 }), fc.infiniteStream(fc.nat(29)), (happenings, choices) => {
        const runs: { readonly state: CgnState; readonly now: number; readonly after: readonly unknown[] }[] = []
        let state = cgnWith({ ...settingsOf(mapping), recycleDelay: { udp: 60, tcp: 60 } })
        let now = 0
        for (const one of happenings) {
          now += one.later
          const done = happen(state, one, now)
          runs.push({ state, now, after: [done.out, done.changes, lines(done.state, now)] })
          state = done.state
        }
        // Again from some of them, in any order.
        for (const n of choices.take(10)) {
          const run = runs[n % Math.max(1, runs.length)]
          if (run === undefined) return
          const done = happen(run.state, happenings[runs.indexOf(run)], run.now)
          assert.deepEqual([done.out, done.changes, lines(done.state, run.now)], run.after)
        }
      }),
      { numRuns: 60 },
    )
})

test("the remote peer is the one that the inside knows: NAT64's in IPv6; overlapping hosts have mappings of their own", () => {
  const prefix = { address: address("2001:db8:64::"), prefixLength: 96 }
  const udp6 = (at: PortEnds, hopLimit = 64): Uint8Array => ip6({ ...at, protocol: 17, hopLimit }, udp(at))
  for (const mapping of DEPENDENT) {
    const settings: Partial<CgnSettings> = {
      internalFamily: "ipv6",
      translation: { mapping, filtering: mapping, inside: { kind: "nat64", prefix } },
    }
    const cgn = network(cgnWith(settings))
    const seen = ["2001:db8:64::c633:6407", "2001:db8:64::c633:6408"].map((remote, i) => {
      const out = sent(cgn.out(udp6(ends("2001:db8:1::10", 5000, remote, 53))), "outside")
      const { port } = sourceOf(out)
      isPacket(
        sent(cgn.in(udp4(ends(`198.51.100.${7 + i}`, 53, EXTERNAL, port))), "inside"),
        udp6(ends(remote, 53, "2001:db8:1::10", 5000), 63),
      )
      assert.equal(listMappings(cgn.state, 0, 0, 9).mappings[i].remote, address(remote))
      return port
    })
    assert.notEqual(seen[0], seen[1])
    const overlapping = network(cgnWith({ translation: { mapping, filtering: mapping } }))
    const realms = [address("2001:db8::a"), address("2001:db8::b")]
    const ports = realms.map(
      (realm) => sourceOf(sent(overlapping.out(udp4(ends(HOST, 5000, REMOTE, 53)), 0, realm), "outside")).port,
    )
    for (const [i, realm] of realms.entries()) {
      const out = overlapping.in(udp4(ends(REMOTE, 53, EXTERNAL, ports[i])))
      isPacket(sent(out, "inside"), udp4(ends(REMOTE, 53, HOST, 5000), 63))
      assert.ok(out.kind === "forwarded" && out.realm === realm)
    }
  }
})
