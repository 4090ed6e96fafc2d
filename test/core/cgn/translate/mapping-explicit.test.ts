/** Explicit mappings where the external ends of traffic depend on the remote peer (RFC 6887 sections 11, 12 and 15.1). */
import assert from "node:assert/strict"
import { test } from "node:test"
import { type CgnSettings, type Change, listMappings, memoryCgn } from "../../../../core/cgn/index.ts"
import { ResultCode } from "../../../../core/wire/index.ts"
import { address, cgnWith, host, lines, map, met, NONCE, OTHER, peer, refusal, remove, UDP } from "../scene.ts"
import { EXTERNAL, ends, HOST, isPacket, network, REMOTE, STRANGER, sent, sourceOf, udp4 } from "./scene.ts"

type Translation = NonNullable<CgnSettings["translation"]>
const cgnOf = (translation: Translation, settings: Partial<CgnSettings> = {}) =>
  network(cgnWith({ ...settings, translation }))

const DEPENDENT = ["address-dependent", "address-and-port-dependent"] as const

test("S-55 S-56 an internal end with a MAP or static mapping has that for all remote peers; a flow of before goes on where it is", () => {
  for (const mapping of DEPENDENT) {
    const cgn = cgnOf({ mapping })
    const before = sourceOf(sent(cgn.out(udp4(ends(HOST, 4000, REMOTE, 53))), "outside"))
    const made = met(map(cgn.state, {}))
    assert.notEqual(made.externalPort, before.port)
    cgn.set(made.state)
    for (const [to, port] of [
      [STRANGER, 53],
      ["192.0.2.1", 9],
    ] as const)
      isPacket(
        sent(cgn.out(udp4(ends(HOST, 4000, to, port))), "outside"),
        udp4(ends(EXTERNAL, made.externalPort, to, port), 63),
      )
    assert.deepEqual(sourceOf(sent(cgn.out(udp4(ends(HOST, 4000, REMOTE, 53))), "outside")), before)
    isPacket(
      sent(cgn.in(udp4(ends(REMOTE, 53, EXTERNAL, made.externalPort))), "inside"),
      udp4(ends(REMOTE, 53, HOST, 4000), 63),
    )
    // Once that flow has been quiet for its time, it too leaves by the MAP mapping.
    assert.equal(
      sourceOf(sent(cgn.out(udp4(ends(HOST, 4000, REMOTE, 53)), 400_000), "outside")).port,
      made.externalPort,
    )
  }
  const external = address("203.0.113.2")
  const staticMappings = [{ protocol: UDP, internal: host(1), internalPort: 80, external, externalPort: 8080 }]
  const cgn = cgnOf({ mapping: "address-and-port-dependent" }, { staticMappings })
  for (const [to, port] of [
    [REMOTE, 53],
    [STRANGER, 53],
  ] as const)
    isPacket(sent(cgn.out(udp4(ends(HOST, 80, to, port))), "outside"), udp4(ends("203.0.113.2", 8080, to, port), 63))
  assert.equal(lines(cgn.state).length, 1)
})

test("PEER gives the external end that packets to its peer have, or will have; each peer has a nonce and a quota of its own", () => {
  for (const mapping of DEPENDENT) {
    const cgn = cgnOf({ mapping }, { quota: 2 })
    const ask = { remote: address(REMOTE), remotePort: 53, lifetime: 1000 }
    // Before the first packet.
    const made = met(peer(cgn.state, ask))
    assert.equal(made.outcome, "new")
    cgn.set(made.state)
    const out = sent(cgn.out(udp4(ends(HOST, 4000, REMOTE, 53))), "outside")
    assert.equal(sourceOf(out).port, made.externalPort)
    const [of] = made.changes.flatMap((change) => ("mapping" in change ? [change.mapping] : []))
    assert.deepEqual([of.kind, of.remotePort, of.dependence], ["peer", 53, mapping])
    // After it, and with another nonce, as another mapping has none yet.
    const { port } = sourceOf(sent(cgn.out(udp4(ends(HOST, 4000, STRANGER, 53))), "outside"))
    assert.notEqual(port, made.externalPort)
    const other = { ...ask, remote: address(STRANGER), nonce: OTHER }
    const second = met(peer(cgn.state, other))
    assert.equal(second.externalPort, port)
    cgn.set(second.state)
    assert.equal(refusal(peer(cgn.state, { ...other, nonce: NONCE })), ResultCode.NOT_AUTHORIZED)
    assert.equal(refusal(peer(cgn.state, { ...other, remote: address("192.0.2.1") })), ResultCode.USER_EX_QUOTA)
    // A renewal keeps it.
    assert.equal(met(peer(cgn.state, { ...other, lifetime: 2000 }, 1000)).externalPort, port)
    // Asked with lifetime 0, it tells.
    const told = met(peer(cgn.state, { ...other, lifetime: 0 }, 1000))
    assert.deepEqual([told.externalPort, told.lifetime], [port, 999])
    // It outlives the traffic, and traffic outlives it.
    cgn.expire(900_000)
    assert.deepEqual(lines(cgn.state, 900_000).length, 2)
    assert.equal(
      sourceOf(sent(cgn.out(udp4(ends(HOST, 4000, REMOTE, 53)), 900_000), "outside")).port,
      made.externalPort,
    )
    cgn.expire(1_001_000)
    assert.deepEqual(
      listMappings(cgn.state, 1_001_000, 0, 9).mappings.map(({ kind, externalPort }) => [kind, externalPort]),
      [["implicit", made.externalPort]],
    )
  }
})

test("a replica has each PEER at the external end of its peer, whatever made that", () => {
  for (const mapping of DEPENDENT) {
    const first = cgnWith({ translation: { mapping } })
    const cgn = network(first)
    sent(cgn.out(udp4(ends(HOST, 4000, REMOTE, 53))), "outside")
    const changes = [...cgn.changes()]
    for (const ask of [
      { remote: address(REMOTE), remotePort: 53 },
      { remote: address(REMOTE), remotePort: 54 },
      { remote: address(STRANGER), remotePort: 53 },
      { remote: address(STRANGER), remotePort: 53, lifetime: 900 },
    ]) {
      const made = met(peer(cgn.state, ask))
      changes.push(...made.changes)
      cgn.set(made.state)
    }
    const replica = memoryCgn.apply(first, changes)
    assert.deepEqual(listMappings(replica, 0, 0, 10), listMappings(cgn.state, 0, 0, 10))
    assert.equal(listMappings(replica, 0, 0, 10).mappings.length, 4)
  }
})

test("what has run out makes way for its successor, be it another PEER or traffic, though nothing has swept it", () => {
  for (const successor of ["peer", "traffic"] as const) {
    const cgn = cgnOf({ mapping: "address-dependent" })
    sent(cgn.out(udp4(ends(HOST, 4000, REMOTE, 53))), "outside")
    // Newer and alive, so that nobody looks past it at what its host had before.
    sent(cgn.out(udp4(ends(HOST, 4001, REMOTE, 53)), 200_000), "outside")
    cgn.changes()
    const changes: Change[] = []
    if (successor === "traffic") {
      sent(cgn.out(udp4(ends(HOST, 4000, REMOTE, 53)), 300_000), "outside")
      changes.push(...cgn.changes())
    } else {
      const made = met(peer(cgn.state, { remote: address(REMOTE) }, 300_000))
      changes.push(...made.changes)
      cgn.set(made.state)
    }
    assert.deepEqual(
      changes.map(({ type }) => type),
      ["expired", "created"],
    )
    assert.equal(lines(cgn.state, 300_000).length, 2)
    cgn.expire(1e9)
    assert.equal(lines(cgn.state, 1e9).length, 0)
  }
})

test("PEER of an internal end that has a MAP mapping shares its external end, and suggests one only where there is none", () => {
  const translation: Translation = { mapping: "address-and-port-dependent" }
  const mapped = met(map(cgnWith({ translation }), {}))
  const ask = { remote: address(REMOTE), remotePort: 53 }
  const made = met(peer(mapped.state, ask))
  assert.equal(made.at, mapped.at)
  assert.ok(made.changes.every((change) => !("mapping" in change) || change.mapping.dependence === undefined))
  const fresh = cgnWith({ translation })
  assert.equal(met(peer(fresh, { ...ask, suggestedPort: 2222 })).externalPort, 2222)
  assert.equal(
    refusal(peer(mapped.state, { ...ask, internalPort: 9, suggestedPort: mapped.externalPort })),
    ResultCode.CANNOT_PROVIDE_EXTERNAL,
  )
})

test("an address-dependent mapping has PEERs of several ports, and one nonce", () => {
  const first = met(peer(cgnWith({ translation: { mapping: "address-dependent" } }), {}))
  const second = met(peer(first.state, { remotePort: 444, lifetime: 700 }))
  assert.equal(second.at, first.at)
  assert.equal(refusal(peer(second.state, { remotePort: 445, nonce: OTHER })), ResultCode.NOT_AUTHORIZED)
  const third = met(peer(second.state, { remote: address(STRANGER), nonce: OTHER }))
  assert.notEqual(third.at, first.at)
  const end = memoryCgn.expire(third.state, 600_000, 100)
  assert.deepEqual(
    end.changes.map(({ type }) => type),
    ["expired", "expired"],
  )
  assert.equal(met(peer(end.state, { remotePort: 444, lifetime: 0 }, 600_000)).at, first.at)
})

test("a PEER's external end is held for its host when it has run out, and had again", () => {
  const settings = { recycleDelay: { udp: 120, tcp: 120 }, translation: { mapping: "address-dependent" } } as const
  const first = met(peer(cgnWith(settings), { lifetime: 100 }))
  const { state, changes } = memoryCgn.expire(first.state, 100_000, 10)
  assert.deepEqual(
    changes.map(({ type }) => type),
    ["expired", "held"],
  )
  assert.equal(met(peer(state, {}, 101_000)).at, first.at)
  assert.notEqual(met(peer(state, { nonce: OTHER }, 101_000)).at, first.at)
})

test("no MAP request deletes the mappings of single remote peers: NOT_AUTHORIZED while there are any (RFC 6887 section 15.1)", () => {
  const cgn = cgnOf({ mapping: "address-dependent" })
  sent(cgn.out(udp4(ends(HOST, 4000, REMOTE, 53))), "outside")
  assert.equal(refusal(remove(cgn.state)), ResultCode.NOT_AUTHORIZED)
  assert.equal(refusal(remove(cgn.state, { portSet: { size: 4, parity: false } })), ResultCode.NOT_AUTHORIZED)
  assert.equal(met(remove(cgn.state, { internalPort: 4001 })).lifetime, 0)
  assert.equal(met(remove(cgn.state, { origin: "nat-pmp" })).lifetime, 0)
  assert.equal(met(remove(cgn.state, {}, 300_000)).lifetime, 0)
})
