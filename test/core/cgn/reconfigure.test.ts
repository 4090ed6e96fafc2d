import assert from "node:assert/strict"
import { test } from "node:test"
import { apply } from "../../../core/cgn/apply.ts"
import {
  adoptCgnSettings,
  type CgnChangeable,
  type CgnState,
  mappingCounts,
  memoryCgn,
  noteOutbound,
  reconfigureCgn,
} from "../../../core/cgn/index.ts"
import { formatAddress, ResultCode } from "../../../core/wire/index.ts"
import { address, BASE, cgnWith, host, lines, map, met, peer, refusal, remove, TCP, types, UDP } from "./scene.ts"

const [A, B, C] = ["203.0.113.1", "203.0.113.2", "203.0.113.3"].map(address)

const turned = (state: CgnState, settings: Partial<CgnChangeable>, now = 0) => {
  const done = reconfigureCgn(state, { ...BASE, ...settings }, now)
  assert.ok(done.ok, done.ok ? "" : done.error.text)
  // A replica takes the settings, and then the changes.
  const replica = adoptCgnSettings(state, { ...BASE, ...settings }, now)
  assert.ok(replica.ok)
  const again = apply(replica.state, JSON.parse(JSON.stringify(done.changes)))
  assert.deepEqual(lines(again, now), lines(done.state, now))
  assert.deepEqual(mappingCounts(again), mappingCounts(done.state))
  return done
}

test("settings that touch no mapping change none, and bad ones are refused with the state as it was", () => {
  const { state } = met(map(cgnWith(), {}))
  const done = turned(state, { quota: 1, filterLimit: 2, rules: [{ allow: false }] })
  assert.deepEqual([done.changes, done.moved, lines(done.state)], [[], [], lines(state)])
  assert.equal(refusal(map(done.state, { internalPort: 1 })), ResultCode.USER_EX_QUOTA)
  assert.equal(memoryCgn.authorize(done.state, Uint8Array.of(0, 0), host(1), 0), ResultCode.NOT_AUTHORIZED)
  assert.equal(memoryCgn.authorize(state, Uint8Array.of(0, 0), host(1), 0), ResultCode.SUCCESS)
  const bad = reconfigureCgn(state, { ...BASE, external: [] }, 0)
  assert.ok(!bad.ok)
  assert.equal(bad.error.code, "empty-pool")
})

test("S-90 mappings of an address that left the pool move to one in it, with the port if it can be had, peers and traffic with them", () => {
  let state = cgnWith({ external: [A, B] })
  state = met(map(state, { suggested: A, suggestedPort: 5000 })).state
  state = met(peer(state, {})).state
  state = noteOutbound(state, { protocol: UDP, internal: host(1), internalPort: 4000 }, 0).state
  state = met(map(state, { internal: host(2), suggested: B, suggestedPort: 6000 })).state
  const done = turned(state, { external: [C, B] })
  assert.deepEqual(types(done.changes), ["moved", "moved", "moved"])
  assert.equal(done.moved.length, 3)
  for (const { external, externalPort, mapping } of done.moved) {
    assert.deepEqual([external, externalPort, mapping.externalPort], [A, 5000, 5000])
    assert.ok(mapping.external === B || mapping.external === C)
  }
  const to = formatAddress(done.moved[0].mapping.external)
  assert.deepEqual(lines(done.state), [
    `implicit 17 10.0.0.1:4000 ${to}:5000`,
    `map 17 10.0.0.1:4000 ${to}:5000`,
    "map 17 10.0.0.2:4000 203.0.113.2:6000",
    `peer 17 10.0.0.1:4000 ${to}:5000`,
  ])
  // The old state is what it was, and both answer.
  assert.equal(met(map(state, {})).at, "203.0.113.1:5000")
  assert.equal(met(map(done.state, {})).at, `${to}:5000`)
  assert.equal(met(map(done.state, { internal: host(3), suggested: A })).outcome, "new")
  assert.notEqual(met(map(done.state, { internal: host(3), suggested: A })).external, A)
})

test("S-91 what PREFER_FAILURE made is deleted rather than moved, and so is what finds no room", () => {
  const exact = met(map(cgnWith(), { suggestedPort: 5000, preferFailure: true })).state
  const gone = turned(exact, { external: [B] })
  assert.deepEqual([types(gone.changes), lines(gone.state)], [["deleted"], []])
  let state = cgnWith()
  for (let n = 1; n <= 10; n++) state = met(map(state, { internal: host(n) })).state
  const few = turned(state, { external: [B], ports: { first: 2000, last: 2003 } })
  assert.deepEqual(types(few.changes).sort(), [...new Array(6).fill("deleted"), ...new Array(4).fill("moved")])
  assert.equal(lines(few.state).length, 4)
})

test("ports out of the new range move into it, and held ones are free", () => {
  let state = cgnWith({ recycleDelay: { udp: 120, tcp: 120 } })
  state = met(map(state, { suggestedPort: 5000 })).state
  state = met(remove(met(map(state, { internalPort: 1, suggestedPort: 5001 })).state, { internalPort: 1 })).state
  const done = turned(state, { ports: { first: 6000, last: 6001 } })
  assert.deepEqual(types(done.changes).sort(), ["freed", "moved"])
  assert.equal(mappingCounts(done.state).held, 0)
  assert.match(lines(done.state)[0], /:600[01]$/)
  assert.equal(met(map(done.state, { internal: host(2) })).outcome, "new")
  const full = met(map(done.state, { internal: host(2) })).state
  assert.equal(refusal(map(full, { internal: host(3) })), ResultCode.NO_RESOURCES)
  // And back.
  const back = turned(full, {})
  assert.deepEqual(back.changes, [])
  assert.equal(met(map(back.state, { internal: host(3), suggestedPort: 5000 })).externalPort, 5000)
})

const fixed = { protocol: UDP, internal: host(1), internalPort: 4000, external: A, externalPort: 5000 }

test("a new static mapping has its end: who had it moves, its host's own MAP goes, its PEER and traffic come along", () => {
  let state = cgnWith({ external: [A, B] })
  state = met(map(state, { internal: host(2), suggested: A, suggestedPort: 5000 })).state
  state = met(map(state, { suggested: B, suggestedPort: 7000 })).state
  state = met(peer(state, {})).state
  const done = turned(state, { external: [A, B], staticMappings: [fixed] })
  const ends = lines(done.state)
  assert.ok(ends.includes("static 17 10.0.0.1:4000 203.0.113.1:5000"))
  assert.ok(ends.includes("peer 17 10.0.0.1:4000 203.0.113.1:5000"))
  assert.equal(ends.length, 3)
  assert.equal(ends.filter((line) => line.startsWith("map 17 10.0.0.2:4000")).length, 1)
  assert.deepEqual(types(done.changes).sort(), ["created", "deleted", "moved", "moved"])
  assert.equal(met(map(done.state, { nonce: undefined, origin: "nat-pmp" })).at, "203.0.113.1:5000")
  // It stays through other changes, and its removal leaves the peer where it may be.
  const later = turned(done.state, { external: [B], staticMappings: [fixed] })
  assert.ok(lines(later.state).includes("static 17 10.0.0.1:4000 203.0.113.1:5000"))
  const removed = turned(later.state, { external: [B] })
  assert.equal(removed.changes[0].type, "deleted")
  assert.ok(lines(removed.state).every((line) => !line.startsWith("static") && line.includes("203.0.113.2")))
  assert.equal(lines(removed.state).length, 2)
})

test("a static mapping may change its end, take a held one, or come to an address of its own", () => {
  const before = cgnWith({ staticMappings: [fixed], recycleDelay: { udp: 120, tcp: 120 } })
  const held = met(
    remove(met(map(before, { internal: host(2), suggestedPort: 6000 })).state, { internal: host(2) }),
  ).state
  assert.equal(mappingCounts(held).held, 1)
  const other = turned(held, { staticMappings: [{ ...fixed, externalPort: 6000 }] })
  assert.deepEqual(lines(other.state), ["static 17 10.0.0.1:4000 203.0.113.1:6000"])
  assert.equal(mappingCounts(other.state).held, 0)
  const away = turned(other.state, { staticMappings: [{ ...fixed, external: C, externalPort: 80 }] })
  assert.deepEqual(lines(away.state), ["static 17 10.0.0.1:4000 203.0.113.3:80"])
  assert.equal(met(map(away.state, { internal: host(3) })).external, A)
})

test("a protocol that is switched off loses its mappings, and a static whole protocol its address's others", () => {
  const on = { otherProtocols: true, port0: true }
  let state = cgnWith(on)
  state = met(map(state, { protocol: 132 })).state
  state = met(map(state, { protocol: 47, internalPort: 0 })).state
  state = met(map(state, { protocol: TCP })).state
  assert.equal(lines(state).length, 3)
  assert.deepEqual(
    lines(turned(state, {}).state),
    lines(state).filter((line) => line.startsWith("map 6 ")),
  )
  const whole = [{ protocol: TCP, internal: host(9), internalPort: 0, external: A, externalPort: 0 }]
  const taken = turned(state, { ...on, external: [A, B], staticMappings: whole })
  assert.ok(taken.moved.some(({ mapping }) => mapping.protocol === TCP && mapping.external === B))
  assert.ok(lines(taken.state).includes("static 6 10.0.0.9:0 203.0.113.1:0"))
})

test("pools that change a hundred times keep every mapping in them, and the numbers of addresses do not run out", () => {
  let state = cgnWith({ external: [A], ports: { first: 2000, last: 2099 } })
  for (let n = 1; n <= 60; n++) state = met(map(state, { internal: host(n), lifetime: 86400 })).state
  for (let n = 0; n < 100; n++) {
    const external = [0, 1].map((i) => address(`198.18.${n}.${i}`))
    const done = turned(state, { external, ports: { first: 2000, last: 2099 } })
    assert.equal(done.moved.length, 60)
    state = done.state
    assert.ok(lines(state).every((line) => line.includes(` 198.18.${n}.`)))
  }
  assert.ok(state.config.addresses.length <= 4)
  assert.equal(new Set(lines(state).map((line) => line.split(" ")[3])).size, 60)
})
