import assert from "node:assert/strict"
import { test } from "node:test"
import { memoryCgn, reconfigureCgn } from "../../../core/cgn/index.ts"
import { ResultCode } from "../../../core/wire/index.ts"
import { address, BASE, cgnWith, host, map, met, peer, refusal, remove, TCP, UDP } from "./scene.ts"

const QUOTA = ResultCode.USER_EX_QUOTA

test("S-52 a subscriber's quota is one for all addresses of its prefix, MAP and PEER together, beside that of each host", () => {
  const settings = { quota: 2, subscriberQuota: 3, subscriberPrefix: { ipv4: 24, ipv6: 56 } }
  let state = cgnWith(settings)
  const inside = (n: number) => address(`10.1.1.${n}`)
  state = met(map(state, { internal: inside(1) })).state
  state = met(peer(state, { internal: inside(1), internalPort: 1 })).state
  assert.equal(refusal(map(state, { internal: inside(1), internalPort: 2 })), QUOTA)
  state = met(map(state, { internal: inside(2) })).state
  assert.equal(refusal(map(state, { internal: inside(3) })), QUOTA)
  assert.equal(refusal(peer(state, { internal: inside(2), internalPort: 7 })), QUOTA)
  assert.equal(met(map(state, { internal: address("10.1.2.1") })).outcome, "new")
  // A renewal is no new mapping; one that goes makes room, also by running out.
  assert.equal(met(map(state, { internal: inside(2) })).outcome, "ok")
  const less = met(remove(state, { internal: inside(2) })).state
  assert.equal(met(map(less, { internal: inside(3) })).outcome, "new")
  assert.equal(met(map(state, { internal: inside(3) }, 600_000)).outcome, "new")
})

test("S-52 a realm is one subscriber, whatever its addresses", () => {
  const realm = address("2001:db8::1")
  let state = cgnWith({ subscriberQuota: 2 })
  for (const n of [1, 2]) state = met(map(state, { internal: host(n), realm })).state
  assert.equal(refusal(map(state, { internal: host(3), realm })), QUOTA)
  assert.equal(met(map(state, { internal: host(3) })).outcome, "new")
  assert.equal(met(map(state, { internal: host(3), realm: address("2001:db8::2") })).outcome, "new")
})

test("IPv6 hosts share the quota of their prefix", () => {
  let state = cgnWith({ internalFamily: "ipv6", subscriberQuota: 1 })
  state = met(map(state, { internal: address("2001:db8:0:1::1") })).state
  assert.equal(refusal(map(state, { internal: address("2001:db8:0:1:ffff::2") })), QUOTA)
  assert.equal(met(map(state, { internal: address("2001:db8:0:2::1") })).outcome, "new")
})

test("a subscriber quota that comes, changes its prefix or goes counts what is there", () => {
  let state = cgnWith()
  for (const n of [1, 2, 3]) state = met(map(state, { internal: host(n) })).state
  const turned = (settings: Partial<typeof BASE>) => {
    const done = reconfigureCgn(state, { ...BASE, ...settings }, 0)
    assert.ok(done.ok)
    assert.deepEqual(done.changes, [])
    return done.state
  }
  const another = { internal: host(4) }
  assert.equal(refusal(map(turned({ subscriberQuota: 3, subscriberPrefix: { ipv4: 8, ipv6: 64 } }), another)), QUOTA)
  assert.equal(
    met(map(turned({ subscriberQuota: 3, subscriberPrefix: { ipv4: 32, ipv6: 64 } }), another)).outcome,
    "new",
  )
  assert.equal(met(map(turned({}), another)).outcome, "new")
})

test("an over-quota host that has thousands of mappings waits for expire once, and then is told at once", () => {
  // More than one request looks at; the newest do not run out.
  const size = 3000
  let state = cgnWith({ quota: size })
  for (let n = 0; n < size; n++) state = met(map(state, { internalPort: 1 + n, lifetime: n < 100 ? 120 : 6000 })).state
  assert.equal(refusal(map(state, { internalPort: 60_000 })), QUOTA)
  const swept = memoryCgn.expire(state, 120_000, 100_000)
  assert.equal(swept.changes.length, 100)
  assert.equal(met(map(swept.state, { internalPort: 60_000 }, 120_000)).outcome, "new")
})

test("N-05 deleting all of a protocol takes what NAT-PMP made of it, however much else there is, and says what stays", () => {
  let state = cgnWith()
  for (let n = 1; n <= 600; n++) state = met(map(state, { internalPort: n, protocol: TCP })).state
  for (let n = 1; n <= 300; n++) state = met(map(state, { internalPort: 1000 + n, origin: "nat-pmp" })).state
  for (let n = 1; n <= 300; n++) state = met(map(state, { internalPort: n, protocol: UDP, lifetime: 120 })).state
  const udp = memoryCgn.delMappings(state, host(1), undefined, UDP, 0)
  assert.deepEqual([udp.complete, udp.changes.length], [false, 300])
  const tcp = memoryCgn.delMappings(state, host(1), undefined, TCP, 0)
  assert.deepEqual([tcp.complete, tcp.changes.length], [false, 0])
  // PCP's of UDP are over: nothing is in the way any more, known for sure once they are swept.
  const swept = memoryCgn.expire(udp.state, 120_000, 10_000).state
  assert.equal(memoryCgn.delMappings(swept, host(1), undefined, UDP, 120_000).complete, true)
})
