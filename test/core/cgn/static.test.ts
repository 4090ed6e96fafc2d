import assert from "node:assert/strict"
import { test } from "node:test"
import { createCgn, memoryCgn, noteOutbound } from "../../../core/cgn/index.ts"
import { ResultCode } from "../../../core/wire/index.ts"
import { address, BASE, cgnWith, host, lines, map, met, OTHER, peer, refusal, remove, TCP, UDP } from "./scene.ts"

const end = { protocol: TCP, internal: host(1), internalPort: 80 }
const staticMappings = [{ ...end, external: address("203.0.113.2"), externalPort: 8080 }]
const external = [address("203.0.113.1"), address("203.0.113.2"), address("203.0.113.3")]
const scene = () => cgnWith({ external, staticMappings })

test("S-45 S-47 a request for a static mapping is told its external end and 2^32-1 seconds, and leaves no trace", () => {
  const state = scene()
  for (const nonce of [OTHER, undefined]) {
    const origin = nonce === undefined ? "nat-pmp" : "pcp"
    const done = met(map(state, { ...end, origin, nonce, suggestedPort: 5000, lifetime: 120 }))
    // RFC 6886 section 3.3 has no lifetime above what was asked.
    assert.deepEqual([done.outcome, done.at, done.lifetime], ["static", "203.0.113.2:8080", nonce ? 0xffffffff : 120])
    assert.deepEqual(done.changes, [])
    assert.equal(done.state.version, state.version)
  }
  assert.deepEqual(lines(state), ["static 6 10.0.0.1:80 203.0.113.2:8080"])
})

test("S-47 PREFER_FAILURE is CANNOT_PROVIDE_EXTERNAL unless it suggests the static mapping's own end", () => {
  const exact = { ...end, preferFailure: true }
  assert.equal(refusal(map(scene(), { ...exact, suggestedPort: 8081 })), ResultCode.CANNOT_PROVIDE_EXTERNAL)
  assert.equal(met(map(scene(), { ...exact, suggestedPort: 8080 })).outcome, "static")
  const elsewhere = { ...exact, suggested: external[0], suggestedPort: 8080 }
  assert.equal(refusal(map(scene(), elsewhere)), ResultCode.CANNOT_PROVIDE_EXTERNAL)
})

test("S-134 N-05 nobody deletes a static mapping: NOT_AUTHORIZED, and deleting all is not complete", () => {
  assert.equal(refusal(remove(scene(), end)), ResultCode.NOT_AUTHORIZED)
  assert.equal(refusal(remove(scene(), { ...end, origin: "nat-pmp" })), ResultCode.NOT_AUTHORIZED)
  const lease = met(map(scene(), { protocol: TCP, origin: "nat-pmp" })).state
  const all = memoryCgn.delMappings(lease, host(1), undefined, TCP, 0)
  assert.equal(all.complete, false)
  assert.deepEqual(lines(all.state), ["static 6 10.0.0.1:80 203.0.113.2:8080"])
  assert.equal(memoryCgn.delMappings(lease, host(1), undefined, UDP, 0).complete, true)
})

test("S-48 nobody else gets a static mapping's external end, and it never runs out", () => {
  const thief = { internal: host(2), protocol: TCP, suggested: external[1], suggestedPort: 8080 }
  assert.notEqual(met(map(scene(), thief)).at, "203.0.113.2:8080")
  assert.equal(refusal(map(scene(), { ...thief, preferFailure: true })), ResultCode.CANNOT_PROVIDE_EXTERNAL)
  const late = memoryCgn.expire(scene(), 4_000_000_000_000, 100)
  assert.deepEqual([late.changes, late.next, lines(late.state, 4e12).length], [[], undefined, 1])
})

test("S-53 a host with a static mapping gets its external address for its other mappings", () => {
  for (let port = 1; port < 20; port++) {
    assert.equal(met(map(scene(), { internalPort: port })).external, external[1])
    assert.equal(met(peer(scene(), { internalPort: port })).external, external[1])
  }
  assert.equal(memoryCgn.externalAddress(scene(), host(1), undefined, 0), external[1])
})

test("PEER and traffic on a static mapping's internal end share its external end, and go without it", () => {
  const state = met(peer(scene(), end)).state
  const busy = noteOutbound(state, end, 0).state
  assert.deepEqual(lines(busy), [
    "implicit 6 10.0.0.1:80 203.0.113.2:8080",
    "peer 6 10.0.0.1:80 203.0.113.2:8080",
    "static 6 10.0.0.1:80 203.0.113.2:8080",
  ])
  assert.deepEqual(lines(memoryCgn.expire(busy, 1e9, 100).state, 1e9), ["static 6 10.0.0.1:80 203.0.113.2:8080"])
})

test("static mappings count to no quota, take no filters, and may be out of the pool and of the range of ports", () => {
  const outside = [{ ...end, external: address("198.51.100.9"), externalPort: 80 }]
  const state = cgnWith({ external, staticMappings: outside, quota: 1 })
  assert.equal(met(map(state, end)).at, "198.51.100.9:80")
  assert.equal(met(map(state, {})).outcome, "new")
  // The pool has not grown by it.
  const chosen = met(map(state, { internal: host(9), suggested: address("198.51.100.9") }))
  assert.notEqual(chosen.external, address("198.51.100.9"))
  const filters = [{ remote: host(77), prefixLength: 128, remotePort: 0 }]
  const asked = memoryCgn.filter(state, { ...end, deleteFilters: false, filters }, 0)
  assert.equal(refusal(asked), ResultCode.NOT_AUTHORIZED)
})

for (const [why, bad] of [
  ["the same internal end twice", { externalPort: 81 }],
  ["the same external end twice", { internalPort: 81 }],
  ["a protocol without ports", { protocol: 47, internalPort: 82 }],
  ["half a whole protocol", { internalPort: 0 }],
  ["SCTP with other ports", { protocol: 132, internalPort: 83 }],
  ["PCP's own port", { protocol: UDP, externalPort: 5351 }],
  ["an IPv6 external address", { internalPort: 84, external: address("2001:db8::1") }],
] as const)
  test(`settings are refused with ${why}`, () => {
    const made = createCgn({ ...BASE, staticMappings: [...staticMappings, { ...staticMappings[0], ...bad }] })
    assert.ok(!made.ok)
    assert.equal(made.error.code, "bad-static")
  })
