import assert from "node:assert/strict"
import { test } from "node:test"
import { noteOutbound } from "../../../core/cgn/index.ts"
import { cgnWith, host, map, met, peer, TCP, UDP } from "./scene.ts"

const end = { protocol: UDP, internal: host(1), internalPort: 4000 }

test("S-131 PEER is told no less than traffic alone gives, asked for little, nothing or again", () => {
  const made = met(peer(cgnWith(), { lifetime: 120 })).state
  const busy = noteOutbound(made, end, 100_000).state
  // Traffic keeps it until 400 s.
  for (const lifetime of [0, 1, 20]) assert.equal(met(peer(busy, { lifetime }, 100_000)).lifetime, 300)
  assert.equal(met(peer(busy, { lifetime: 500 }, 100_000)).lifetime, 500)
})

test("N-04 NAT-PMP is promised no more than it asked for, though traffic keeps the mapping longer", () => {
  const natPmp = { origin: "nat-pmp", nonce: undefined, lifetime: 100 } as const
  const made = met(map(cgnWith(), natPmp)).state
  const busy = noteOutbound(made, end, 50_000).state
  assert.equal(met(map(busy, natPmp, 50_000)).lifetime, 100)
  // PCP is: no lifetime goes below what traffic keeps.
  assert.equal(met(map(busy, { lifetime: 100 }, 50_000)).lifetime, 300)
})

test("S-50 the last port there is, beside the host's own NAT-PMP lease, is given to that host unasked", () => {
  const ports = { first: 2000, last: 2000 }
  const lease = met(map(cgnWith({ ports }), { origin: "nat-pmp", nonce: undefined, protocol: TCP })).state
  for (const ask of [{}, { origin: "nat-pmp", nonce: undefined }] as const)
    assert.equal(met(map(lease, ask)).externalPort, 2000)
  assert.equal(met(peer(lease, {})).externalPort, 2000)
  assert.equal(noteOutbound(lease, end, 0).changes.length, 1)
  assert.equal(map(lease, { internal: host(2) }).outcome, "refused")
})

test("RFC 4787 REQ-2: mappings that have all run out decide no address", () => {
  const pool = cgnWith({ external: [host(0x5000), host(0x5001)] })
  const paired = met(map(pool, {})).external
  const other = paired === host(0x5000) ? host(0x5001) : host(0x5000)
  // Led elsewhere by its suggestion, for as long as that mapping is there.
  const away = met(map(pool, { suggested: other, lifetime: 120 })).state
  assert.equal(met(map(away, { internalPort: 1 }, 119_999)).external, other)
  assert.equal(met(map(away, { internalPort: 1 }, 120_000)).external, paired)
})
