import assert from "node:assert/strict"
import { test } from "node:test"
import { listMappings } from "../../../core/cgn/index.ts"
import { ResultCode } from "../../../core/wire/index.ts"
import { cgnWith, map, met, NONCE, OTHER, peer, refusal, remove } from "./scene.ts"

const NO = ResultCode.NOT_AUTHORIZED
const natPmp = { origin: "nat-pmp", nonce: undefined } as const

test("S-44 rfc: another nonce touches nothing, NAT-PMP learns of PCP's mapping, PCP takes NAT-PMP's over", () => {
  const made = met(map(cgnWith(), {}))
  assert.equal(refusal(map(made.state, { nonce: OTHER })), NO)
  assert.equal(refusal(remove(made.state, { nonce: OTHER })), NO)
  assert.equal(refusal(remove(made.state, natPmp)), NO)
  const learnt = met(map(made.state, { ...natPmp, lifetime: 9999 }, 100_000))
  assert.deepEqual([learnt.at, learnt.lifetime, learnt.changes], [made.at, 500, []])
  const lease = met(map(cgnWith(), natPmp)).state
  assert.equal(met(map(lease, {})).outcome, "ok")
  assert.equal(met(remove(lease, { nonce: OTHER })).changes.length, 1)
})

test("strict: NAT-PMP does not learn of PCP's mappings, and PCP does not touch NAT-PMP's", () => {
  const strict = cgnWith({ noncePolicy: "strict" })
  const made = met(map(strict, {})).state
  for (const refused of [map(made, natPmp), remove(made, natPmp), map(made, { nonce: OTHER })])
    assert.equal(refusal(refused), NO)
  assert.equal(met(map(made, {})).outcome, "ok")
  const lease = met(map(strict, natPmp)).state
  for (const refused of [map(lease, {}), remove(lease, {})]) {
    assert.equal(refusal(refused), NO)
    assert.equal(refused.outcome === "refused" && refused.lifetime, 600)
  }
  assert.equal(met(map(lease, natPmp)).outcome, "ok")
  assert.equal(met(remove(lease, natPmp)).changes.length, 1)
})

test("off: nonces are not compared, and the latest is kept", () => {
  const off = cgnWith({ noncePolicy: "off", recycleDelay: { udp: 120, tcp: 120 } })
  const made = met(map(off, {}))
  const renewed = met(map(made.state, { nonce: OTHER, lifetime: 900 }))
  assert.deepEqual([renewed.outcome, renewed.at, renewed.lifetime], ["ok", made.at, 900])
  assert.equal(listMappings(renewed.state, 0, 0, 1).mappings[0].nonce, OTHER)
  assert.equal(met(remove(made.state, { nonce: OTHER })).changes.length, 2)
  assert.equal(met(remove(made.state, natPmp)).changes.length, 2)
  const gone = met(remove(made.state)).state
  const again = { suggestedPort: made.externalPort, preferFailure: true, nonce: OTHER }
  assert.equal(met(map(gone, again)).at, made.at)
  const outbound = met(peer(off, {})).state
  assert.equal(met(peer(outbound, { nonce: OTHER, remotePort: 444 })).outcome, "new")
  assert.equal(refusal(peer(met(peer(cgnWith(), { nonce: NONCE })).state, { nonce: OTHER })), NO)
})
