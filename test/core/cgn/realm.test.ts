import assert from "node:assert/strict"
import { test } from "node:test"
import { apply } from "../../../core/cgn/apply.ts"
import { type CgnState, type Change, listMappings, memoryCgn, noteOutbound, revoke } from "../../../core/cgn/index.ts"
import { REALM } from "../../../core/cgn/layout.ts"
import { open, rowCount } from "../../../core/table/index.ts"
import { ResultCode } from "../../../core/wire/index.ts"
import { address, cgnWith, host, lines, map, met, OTHER, peer, refusal, remove, TCP, types, UDP } from "./scene.ts"

const A = address("2001:db8::a")
const B = address("2001:db8::b")

test("equal internal addresses of different realms are different hosts, whose mappings do not meet (RFC 7843 section 3.4)", () => {
  const one = met(map(cgnWith(), { realm: A }))
  const two = met(map(one.state, { realm: B, nonce: OTHER }))
  const none = met(map(two.state, {}))
  assert.equal(new Set([one.at, two.at, none.at]).size, 3)
  assert.equal(refusal(map(none.state, { realm: A, nonce: OTHER })), ResultCode.NOT_AUTHORIZED)
  assert.equal(met(map(none.state, { realm: B, nonce: OTHER })).at, two.at)
  assert.deepEqual(
    listMappings(none.state, 0, 0, 10)
      .mappings.map(({ realm }) => realm)
      .sort(),
    [A, B, undefined].sort(),
  )
  const gone = met(remove(none.state, { realm: A })).state
  assert.equal(lines(gone).length, 2)
  assert.equal(met(remove(gone, { realm: A })).lifetime, 0)
  const all = memoryCgn.delMappings(met(map(gone, { realm: A, origin: "nat-pmp" })).state, host(1), A, UDP, 0)
  assert.deepEqual([all.complete, lines(all.state).length], [true, 2])
})

test("PEER, traffic, filters and what is held know their realm", () => {
  const state = cgnWith({ recycleDelay: { udp: 120, tcp: 120 } })
  const end = { protocol: UDP, internal: host(1), internalPort: 4000 }
  const mapped = met(map(state, { realm: A, suggestedPort: 5000 })).state
  assert.notEqual(met(peer(mapped, { realm: B })).externalPort, 5000)
  assert.equal(met(peer(mapped, { realm: A })).externalPort, 5000)
  const busy = noteOutbound(mapped, { ...end, realm: A }, 0)
  assert.equal(busy.changes.length, 1)
  assert.equal(lines(busy.state).length, 2)
  const ask = { ...end, deleteFilters: false, filters: [{ remote: host(9), prefixLength: 128, remotePort: 0 }] }
  assert.equal(refusal(memoryCgn.filter(mapped, ask, 0)), ResultCode.NO_RESOURCES)
  assert.equal(met(memoryCgn.filter(mapped, { ...ask, realm: A }, 0)).outcome, "ok")
  const gone = met(remove(mapped, { realm: A })).state
  const exact = { suggestedPort: 5000, preferFailure: true } as const
  assert.equal(refusal(map(gone, { ...exact, realm: B })), ResultCode.CANNOT_PROVIDE_EXTERNAL)
  assert.equal(refusal(map(gone, exact)), ResultCode.CANNOT_PROVIDE_EXTERNAL)
  assert.equal(met(map(gone, { ...exact, realm: A })).externalPort, 5000)
})

test("realms come and go with their hosts: a thousand of them leave nothing behind", () => {
  let state = cgnWith()
  const changes: Change[] = []
  const keep = (done: { readonly state: CgnState; readonly changes: readonly Change[] }): void => {
    state = done.state
    changes.push(...done.changes)
  }
  for (let n = 0; n < 1000; n++)
    keep(met(map(state, { realm: address(`2001:db8::${n.toString(16)}`), lifetime: 600 + (n % 5) })))
  assert.equal(lines(state).length, 1000)
  const replica = apply(cgnWith(), JSON.parse(JSON.stringify(changes)))
  assert.deepEqual(lines(replica), lines(state))
  for (const one of [state, replica]) {
    const swept = memoryCgn.expire(one, 1e6, 5000)
    assert.equal(swept.changes.length, 1000)
    assert.equal(swept.next, undefined)
    assert.equal(rowCount(open(swept.state.version), REALM), 0)
  }
})

test("S-137 revoke deletes all of a host's mappings, nobody else's, and starts its Epoch Time again", () => {
  const settings = { staticMappings: [] as const, recycleDelay: { udp: 0, tcp: 0 } }
  let state = cgnWith(settings)
  for (const ask of [{}, { internalPort: 1, origin: "nat-pmp" }, { protocol: TCP, internalPort: 2 }] as const)
    state = met(map(state, ask)).state
  state = met(peer(state, { internalPort: 3 })).state
  state = noteOutbound(state, { protocol: UDP, internal: host(1), internalPort: 3 }, 0).state
  state = met(map(state, { internal: host(2) })).state
  state = met(map(state, { realm: A })).state
  const gone = revoke(state, host(1), undefined, 5000)
  assert.deepEqual(types(gone.changes), [...new Array(5).fill("deleted"), "subscriber-reset"])
  assert.equal(lines(gone.state).length, 2)
  const start = (one: CgnState, internal = host(1), realm: typeof A | undefined = undefined) =>
    memoryCgn.getSubscriber(one, internal, realm).epochStart
  assert.deepEqual(
    [start(gone.state), start(gone.state, host(2)), start(gone.state, host(1), A)],
    [5000, undefined, undefined],
  )
  assert.equal(start(state), undefined)
  assert.equal(start(revoke(gone.state, host(1), undefined, 7000.25).state), 7000.25)
  assert.equal(start(revoke(gone.state, host(1), A, 9000).state, host(1), A), 9000)
  const replica = apply(state, JSON.parse(JSON.stringify(gone.changes)))
  assert.deepEqual([lines(replica), start(replica)], [lines(gone.state), 5000])
})

test("Epoch Times of their own are bounded: the oldest of 65536 gives way", () => {
  let state = cgnWith()
  for (let n = 0; n < 65_540; n++) state = revoke(state, host(n + 1), undefined, n).state
  const start = (n: number) => memoryCgn.getSubscriber(state, host(n), undefined).epochStart
  assert.deepEqual([1, 4, 5, 65_536, 65_540].map(start), [undefined, undefined, 4, 65_535, 65_539])
})
