import assert from "node:assert/strict"
import { test } from "node:test"
import { memoryCgn, noteOutbound } from "../../../core/cgn/index.ts"
import { ResultCode } from "../../../core/wire/index.ts"
import { cgnWith, host, map, met, peer, refusal, TCP, UDP } from "./scene.ts"

/** The companion rule of RFC 6886 section 3.3: who has a port by NAT-PMP has the other protocol's to itself. */
const ports = { first: 2000, last: 2001 }
const exact = { suggestedPort: 2000, preferFailure: true } as const

test("a NAT-PMP mapping holds the other protocol's port for its own host (N-03)", () => {
  const { state } = met(map(cgnWith({ ports }), { origin: "nat-pmp", protocol: TCP, suggestedPort: 2000 }))
  assert.equal(refusal(map(state, { ...exact, internal: host(2) })), ResultCode.CANNOT_PROVIDE_EXTERNAL)
  assert.equal(met(map(state, { ...exact })).externalPort, 2000)
  assert.equal(met(map(state, { origin: "nat-pmp", suggestedPort: 2000 })).externalPort, 2000)
  // Others are led past it.
  const other = met(map(state, { internal: host(2), suggestedPort: 2000 }))
  assert.equal(other.externalPort, 2001)
  assert.equal(refusal(map(other.state, { internal: host(3) })), ResultCode.NO_RESOURCES)
  const traffic = noteOutbound(other.state, { protocol: UDP, internal: host(3), internalPort: 1 }, 0)
  assert.deepEqual(traffic.changes, [])
})

test("a NAT-PMP mapping is given no port whose companion somebody else has (N-03)", () => {
  const { state } = met(map(cgnWith({ ports }), { protocol: TCP, suggestedPort: 2000 }))
  const done = met(map(state, { internal: host(2), origin: "nat-pmp", suggestedPort: 2000 }))
  assert.equal(done.externalPort, 2001)
  assert.equal(refusal(map(done.state, { internal: host(3), origin: "nat-pmp" })), ResultCode.NO_RESOURCES)
  // PCP reserves nothing: another host may have the same port of the other protocol.
  assert.equal(met(map(state, { ...exact, internal: host(2) })).externalPort, 2000)
})

test("the companion is free again when the lease ends, although PEER or traffic keep the port, swept or not", () => {
  for (const keeper of ["peer", "traffic"]) {
    const lease = met(map(cgnWith({ ports }), { origin: "nat-pmp", protocol: TCP, suggestedPort: 2000, lifetime: 60 }))
    const end = { protocol: TCP, internal: host(1), internalPort: 4000 }
    const kept =
      keeper === "peer"
        ? met(peer(lease.state, { ...end, lifetime: 6000 })).state
        : noteOutbound(lease.state, end, 0).state
    const stranger = { ...exact, internal: host(2) }
    assert.equal(refusal(map(kept, stranger, 59_999)), ResultCode.CANNOT_PROVIDE_EXTERNAL)
    assert.equal(met(map(kept, stranger, 60_000)).externalPort, 2000)
    const swept = memoryCgn.expire(kept, 60_000, 100).state
    assert.equal(met(map(swept, stranger, 60_000)).externalPort, 2000)
    // The TCP port itself is still held.
    assert.equal(refusal(map(swept, { ...stranger, protocol: TCP }, 60_000)), ResultCode.CANNOT_PROVIDE_EXTERNAL)
  }
})

test("the companion is free again when PCP takes the lease over with its nonce", () => {
  const lease = met(map(cgnWith({ ports }), { origin: "nat-pmp", protocol: TCP, suggestedPort: 2000 }))
  const taken = met(map(lease.state, { protocol: TCP }))
  assert.equal(taken.externalPort, 2000)
  assert.equal(met(map(taken.state, { ...exact, internal: host(2) })).externalPort, 2000)
  // And the old state still reserves it.
  assert.equal(refusal(map(lease.state, { ...exact, internal: host(2) })), ResultCode.CANNOT_PROVIDE_EXTERNAL)
})
