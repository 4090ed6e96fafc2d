import assert from "node:assert/strict"
import { test } from "node:test"
import { listMappings, mappingCount, memoryCgn, noteOutbound } from "../../../core/cgn/index.ts"
import { ResultCode } from "../../../core/wire/index.ts"
import { cgnWith, host, map, met, peer, refusal, types, UDP } from "./scene.ts"

test("what is wanted for ever is still rid of what else wants it when that runs out", () => {
  // A deadline past 2^32 - 2 seconds is none: the mapping stays, and must not take its peer off the clock.
  const forPeer = met(peer(cgnWith(), { lifetime: 120 })).state
  const { state } = met(map(forPeer, { lifetime: 0xfffffffe }, 2000))
  assert.equal(listMappings(state, 2000, 0, 10).mappings.length, 2)
  const due = memoryCgn.expire(state, 119_999, 10)
  assert.deepEqual(due.changes, [])
  assert.equal(due.next, 120_000)
  const done = memoryCgn.expire(due.state, 120_000, 10)
  assert.deepEqual(
    done.changes.map((change) => (change.type === "expired" ? change.mapping.kind : change.type)),
    ["peer"],
  )
  assert.equal(done.next, undefined)
  assert.deepEqual(
    listMappings(done.state, (2 ** 32 - 2) * 1000, 0, 10).mappings.map(({ kind, expires }) => `${kind} ${expires}`),
    ["map Infinity"],
  )
})

test("expiry in small bites takes everything away once, says when to come back, and leaves the old state as it was", () => {
  let state = cgnWith()
  for (let n = 0; n < 300; n++) state = met(map(state, { internal: host(n), lifetime: 120 + (n % 3) })).state
  const before = state
  let taken = 0
  let calls = 0
  for (let now = 120_000; now <= 122_000; calls++) {
    const { changes, next, state: after } = memoryCgn.expire(state, now, 7)
    assert.ok(changes.length <= 7)
    taken += changes.length
    state = after
    if (next === undefined) break
    assert.ok(next >= now)
    now = next
  }
  assert.equal(taken, 300)
  assert.ok(calls >= 300 / 7)
  assert.equal(mappingCount(state), 0)
  assert.equal(mappingCount(before), 300)
  assert.equal(listMappings(before, 119_999, 0, 1000).mappings.length, 300)
})

test("an outbound packet keeps a mapping for the idle time to the second, and refreshes it at most once a second", () => {
  const end = { protocol: UDP, internal: host(1), internalPort: 1 }
  const first = noteOutbound(cgnWith(), end, 0)
  assert.equal(first.changes.length, 1)
  const again = noteOutbound(first.state, end, 0)
  assert.deepEqual(again.changes, [])
  const busy = noteOutbound(noteOutbound(first.state, end, 1).state, end, 999)
  assert.deepEqual(busy.changes, [])
  const later = noteOutbound(busy.state, end, 1001)
  assert.equal(later.changes.length, 1)
  assert.equal(listMappings(later.state, 301_999, 0, 10).mappings.length, 1)
  assert.equal(listMappings(later.state, 302_000, 0, 10).mappings.length, 0)
})

test("a request to a full pool does not walk over all rows that come up, and is met once expire has", () => {
  // 6000 rows on the clock for one second, all renewed since but the first made, which comes up last: whoever sweeps
  // until something is free goes over all of them, again at each request, since a refusal keeps nothing of it.
  const size = 6000
  let state = cgnWith({ ports: { first: 10_000, last: 10_000 + size - 1 } })
  for (let n = 0; n < size; n++) state = met(map(state, { internal: host(n), lifetime: 120 })).state
  for (let n = 1; n < size; n++) state = met(map(state, { internal: host(n), lifetime: 120 }, 60_000)).state
  const stranger = { internal: host(size), lifetime: 120 }
  assert.equal(refusal(map(state, stranger, 120_000)), ResultCode.NO_RESOURCES)
  const swept = memoryCgn.expire(state, 120_000, size)
  assert.equal(swept.changes.length, 1)
  assert.equal(met(map(swept.state, stranger, 120_000)).outcome, "new")
})

test("on a clock with fractions a mapping ends at the instant that was told of it, for a replica too", () => {
  let seed = 1
  const random = (): number => {
    seed = (seed * 48271) % 0x7fffffff
    return seed / 0x7fffffff
  }
  for (let n = 0; n < 800; n++) {
    const start = (n % 2 === 0 ? 1e5 : 1.7e12) * (1 + random())
    const empty = cgnWith({ now: start })
    const made = met(map(empty, { lifetime: 120 + (n % 300) }, start))
    const now = start + 1000 * Math.floor(90 * random())
    const { state, changes } = met(map(made.state, { lifetime: 120 + Math.floor(1e5 * random()) }, now))
    const told = changes.map((change) => (change.type === "renewed" ? change.mapping.expires : change.type))
    const why = `from ${start} at ${now}`
    for (const one of [state, memoryCgn.apply(memoryCgn.apply(empty, made.changes), changes)])
      assert.deepEqual(
        listMappings(one, now, 0, 10).mappings.map(({ expires }) => expires),
        told,
        why,
      )
    let { next, state: after } = memoryCgn.expire(state, now, 10)
    for (let calls = 0; next !== undefined && calls < 3; calls++)
      ({ next, state: after } = memoryCgn.expire(after, next, 10))
    assert.equal(next, undefined, `${why}: it comes back at its own instant for ever`)
    assert.equal(mappingCount(after), 0, why)
  }
})

test("an instant that is none, or beyond all seconds, breaks nothing", () => {
  const { state } = met(map(cgnWith(), { lifetime: 120 }))
  for (const now of [Number.NaN, -Infinity, -500_000]) {
    assert.deepEqual(memoryCgn.expire(state, now, 10).changes, [])
    const end = { protocol: UDP, internal: host(2), internalPort: 1 }
    const noted = noteOutbound(state, end, now)
    assert.deepEqual(types(noted.changes), ["created"])
    // Not one that seems to be of the far future.
    assert.deepEqual(types(memoryCgn.expire(noted.state, 301_000, 10).changes), ["expired", "expired"])
  }
  for (const now of [Infinity, 2 ** 53, 2 ** 32 * 1000])
    assert.deepEqual(types(memoryCgn.expire(state, now, 10).changes), ["expired"])
})
