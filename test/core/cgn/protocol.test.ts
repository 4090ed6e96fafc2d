import assert from "node:assert/strict"
import { test } from "node:test"
import { apply } from "../../../core/cgn/apply.ts"
import { createCgn, memoryCgn, noteOutbound } from "../../../core/cgn/index.ts"
import { ResultCode } from "../../../core/wire/index.ts"
import { address, BASE, cgnWith, host, lines, map, met, peer, refusal, remove, TCP, UDP } from "./scene.ts"

const SCTP = 132
const GRE = 47
const pool = ["203.0.113.1", "203.0.113.2"].map(address)
const all = { external: pool, otherProtocols: true, port0: true, oneToOne: true }

test("S-43 what can be mapped follows the switches, which build on each other", () => {
  const asked = [
    [UDP, 1],
    [SCTP, 1],
    [33, 1],
    [UDP, 0],
    [GRE, 0],
    [0, 0],
  ] as const
  const said = (settings: object) =>
    asked.map(([protocol, port]) => memoryCgn.supports(cgnWith(settings), protocol, port))
  assert.deepEqual(said({}), [true, false, false, false, false, false])
  assert.deepEqual(said({ otherProtocols: true }), [true, true, false, false, false, false])
  assert.deepEqual(said({ otherProtocols: true, port0: true }), [true, true, false, true, true, false])
  assert.deepEqual(said(all), [true, true, false, true, true, true])
  for (const bad of [{ port0: true }, { oneToOne: true, otherProtocols: true }])
    assert.ok(!createCgn({ ...BASE, ...bad }).ok)
})

test("S-54 SCTP keeps its port, on whichever address has it free, or is CANNOT_PROVIDE_EXTERNAL", () => {
  let state = cgnWith(all)
  const asked = (n: number) => ({ protocol: SCTP, internal: host(n), internalPort: 5000, suggestedPort: 6000 })
  const ends = new Set<string>()
  for (const n of [1, 2]) {
    const done = met(map(state, asked(n)))
    assert.equal(done.externalPort, 5000)
    ends.add(done.at)
    state = done.state
  }
  assert.equal(ends.size, 2)
  assert.equal(refusal(map(state, asked(3))), ResultCode.CANNOT_PROVIDE_EXTERNAL)
  assert.equal(refusal(map(state, { ...asked(3), internalPort: 80 })), ResultCode.CANNOT_PROVIDE_EXTERNAL)
  assert.equal(refusal(map(cgnWith(all), { ...asked(3), preferFailure: true })), ResultCode.CANNOT_PROVIDE_EXTERNAL)
  const named = { ...asked(3), suggested: pool[1], suggestedPort: 5000, preferFailure: true }
  assert.equal(met(map(cgnWith(all), named)).at, "203.0.113.2:5000")
  // TCP's and UDP's 5000 are others.
  assert.equal(met(map(state, { internal: host(3), suggestedPort: 5000 })).externalPort, 5000)
  const dynamic = met(peer(cgnWith(all), { protocol: SCTP, internalPort: 5000 }))
  assert.equal(dynamic.externalPort, 5000)
  assert.equal(noteOutbound(cgnWith(all), { ...asked(1) }, 0).changes.length, 1)
})

test("S-43 all ports of a protocol are had on an address where nobody has one of them, and then nobody gets one there", () => {
  const wild = { protocol: UDP, internalPort: 0 }
  const first = met(map(cgnWith(all), wild))
  assert.equal(first.externalPort, 0)
  const other = met(map(first.state, { ...wild, internal: host(2) }))
  assert.notEqual(other.external, first.external)
  // Both addresses are taken in UDP: for others there is none left, of TCP there is.
  const third = { internal: host(3) }
  assert.equal(refusal(map(other.state, { ...wild, ...third })), ResultCode.UNSUPP_PROTOCOL)
  assert.equal(refusal(map(other.state, third)), ResultCode.NO_RESOURCES)
  assert.equal(met(map(other.state, { ...third, protocol: TCP })).outcome, "new")
  assert.deepEqual(noteOutbound(other.state, { ...third, protocol: UDP, internalPort: 9 }, 0).changes, [])
  // The host itself may have ports of its own beside it.
  assert.equal(met(map(other.state, {})).external, first.external)
  // S-132: it is deleted as what it is, and then there is room.
  const freed = met(remove(other.state, wild)).state
  assert.equal(met(map(freed, third)).external, first.external)
  assert.equal(met(map(freed, { ...wild, ...third })).external, first.external)
})

test("S-43 a protocol is not had in its entirety where somebody has a port of it", () => {
  let state = cgnWith(all)
  for (const suggested of pool)
    state = met(map(state, { internal: host(2), internalPort: suggested.charCodeAt(7), suggested })).state
  assert.equal(refusal(map(state, { internalPort: 0 })), ResultCode.UNSUPP_PROTOCOL)
  assert.equal(refusal(map(state, { protocol: 0, internalPort: 0 })), ResultCode.UNSUPP_PROTOCOL)
  // GRE has no ports to be had.
  assert.equal(met(map(state, { protocol: GRE, internalPort: 0 })).externalPort, 0)
  const gone = memoryCgn.expire(state, 600_000, 10).state
  assert.equal(met(map(gone, { internalPort: 0 }, 600_000)).outcome, "new")
  // Also before anybody swept.
  assert.equal(met(map(gone, { protocol: 0, internalPort: 0 }, 600_000)).outcome, "new")
})

test("S-43 a DMZ host has an address to itself, but for what it maps beside", () => {
  const done = met(map(cgnWith(all), { protocol: 0, internalPort: 0, nonce: undefined, origin: "pcp" }))
  const stranger = { internal: host(2), suggested: done.external, preferFailure: true, suggestedPort: 5000 }
  for (const protocol of [UDP, TCP])
    assert.equal(refusal(map(done.state, { ...stranger, protocol })), ResultCode.CANNOT_PROVIDE_EXTERNAL)
  const led = met(map(done.state, { internal: host(2), suggested: done.external }))
  assert.notEqual(led.external, done.external)
  assert.equal(met(map(done.state, { protocol: TCP })).external, done.external)
  assert.equal(met(map(done.state, { protocol: GRE, internalPort: 0 })).external, done.external)
  const replica = apply(cgnWith(all), JSON.parse(JSON.stringify(done.changes)))
  assert.deepEqual(lines(replica), [`map 0 10.0.0.1:0 ${done.at}`])
  assert.notEqual(met(map(replica, { internal: host(2), suggested: done.external })).external, done.external)
})

test("S-136 whole protocols are held as well", () => {
  const state = cgnWith({ ...all, external: [pool[0]], recycleDelay: { udp: 120, tcp: 240 } })
  const wild = { protocol: GRE, internalPort: 0 }
  const gone = met(remove(met(map(state, wild)).state, wild)).state
  assert.equal(refusal(map(gone, { ...wild, internal: host(2) }, 239_999)), ResultCode.UNSUPP_PROTOCOL)
  assert.equal(met(map(gone, { ...wild, internal: host(2) }, 240_000)).outcome, "new")
  assert.equal(met(map(gone, wild)).outcome, "new")
})

test("a NAT64's hosts have IPv6 addresses, a NAT44's have not", () => {
  const six = address("2001:db8::1")
  const code = (internalFamily: "ipv4" | "ipv6" | "any", internal: typeof six) =>
    memoryCgn.getSubscriber(cgnWith({ internalFamily }), internal, undefined).code
  assert.deepEqual([code("ipv4", six), code("ipv4", host(1))], [ResultCode.NOT_AUTHORIZED, 0])
  assert.deepEqual([code("ipv6", six), code("ipv6", host(1))], [0, ResultCode.NOT_AUTHORIZED])
  assert.deepEqual([code("any", six), code("any", host(1))], [0, 0])
  for (const family of ["ipv4", "ipv6", "any"] as const)
    assert.equal(code(family, address("::")), ResultCode.NOT_AUTHORIZED)
  assert.match(met(map(cgnWith({ internalFamily: "ipv6" }), { internal: six })).at, /^203\.0\.113\.1:/)
})
