import assert from "node:assert/strict"
import { test } from "node:test"
import { apply } from "../../../core/cgn/apply.ts"
import {
  type CgnSettings,
  type CgnState,
  type Change,
  listMappings,
  mappingCount,
  mappingCounts,
  memoryCgn,
  noteOutbound,
  saveCgn,
} from "../../../core/cgn/index.ts"
import { MAPPING, MappingWord } from "../../../core/cgn/layout.ts"
import { restoreCgn } from "../../../core/cgn/restore.ts"
import { open, rowLimit, word } from "../../../core/table/index.ts"
import { ResultCode } from "../../../core/wire/index.ts"
import { BASE, cgnWith, host, map, met, OTHER, peer, refusal, remove, TCP, types, UDP } from "./scene.ts"

const held = (settings: Partial<CgnSettings> = {}): CgnState =>
  cgnWith({ recycleDelay: { udp: 120, tcp: 240 }, ...settings })
const at5000 = { suggestedPort: 5000, preferFailure: true } as const
const stranger = { ...at5000, internal: host(2) }

test("S-136 a deleted mapping's port waits two minutes for others, to the second, and an expired one's from its end on", () => {
  const made = met(map(held(), { ...at5000, lifetime: 600 })).state
  const gone = met(remove(made, {}, 10_000))
  assert.deepEqual(types(gone.changes), ["deleted", "held"])
  assert.equal(refusal(map(gone.state, stranger, 129_999)), ResultCode.CANNOT_PROVIDE_EXTERNAL)
  assert.equal(met(map(gone.state, stranger, 130_000)).externalPort, 5000)
  // However late it is noticed that it ran out.
  assert.equal(refusal(map(made, stranger, 719_999)), ResultCode.CANNOT_PROVIDE_EXTERNAL)
  assert.equal(met(map(made, stranger, 720_000)).externalPort, 5000)
  const swept = memoryCgn.expire(made, 650_000, 100)
  assert.deepEqual(types(swept.changes), ["expired", "held"])
  assert.equal(swept.next, 720_000)
  assert.equal(refusal(map(swept.state, stranger, 719_999)), ResultCode.CANNOT_PROVIDE_EXTERNAL)
  assert.equal(met(map(swept.state, stranger, 720_000)).externalPort, 5000)
  const freed = memoryCgn.expire(swept.state, 720_000, 100)
  assert.deepEqual([types(freed.changes), freed.next], [["freed"], undefined])
})

test("S-136 each transport has its own delay, and none is none", () => {
  for (const [protocol, delay] of [
    [UDP, 120],
    [TCP, 240],
  ] as const) {
    const made = met(map(held(), { ...at5000, protocol })).state
    const gone = met(remove(made, { protocol })).state
    const other = { ...stranger, protocol }
    assert.equal(refusal(map(gone, other, delay * 1000 - 1)), ResultCode.CANNOT_PROVIDE_EXTERNAL)
    assert.equal(met(map(gone, other, delay * 1000)).externalPort, 5000)
  }
  const gone = met(remove(met(map(cgnWith(), at5000)).state))
  assert.deepEqual(types(gone.changes), ["deleted"])
  assert.equal(met(map(gone.state, stranger)).externalPort, 5000)
})

test("S-136 the same internal end with the same nonce reclaims its port, whether it suggests it or not; others do not", () => {
  const first = met(map(held(), {}))
  const gone = met(remove(first.state)).state
  const again = met(map(gone, {}))
  assert.deepEqual([again.at, types(again.changes)], [first.at, ["freed", "created"]])
  const exact = { suggestedPort: first.externalPort, preferFailure: true } as const
  assert.equal(met(map(gone, exact)).at, first.at)
  for (const other of [
    { nonce: OTHER },
    { internalPort: 4001 },
    { protocol: UDP, internal: host(2) },
    { origin: "nat-pmp", nonce: undefined },
  ] as const)
    assert.equal(refusal(map(gone, { ...exact, ...other })), ResultCode.CANNOT_PROVIDE_EXTERNAL)
  // What NAT-PMP made has no nonce: its internal end is enough.
  const lease = met(map(held(), { origin: "nat-pmp", suggestedPort: 5000 })).state
  const over = met(remove(lease, { origin: "nat-pmp" })).state
  assert.equal(met(map(over, { origin: "nat-pmp", suggestedPort: 5000 })).externalPort, 5000)
  assert.equal(refusal(map(over, stranger)), ResultCode.CANNOT_PROVIDE_EXTERNAL)
})

test("S-136 a PEER mapping's port is held for its nonce, traffic's for nobody, and a port that is still in use not at all", () => {
  const outbound = met(peer(held(), { suggestedPort: 5000, lifetime: 600 })).state
  const over = memoryCgn.expire(outbound, 600_000, 100)
  assert.deepEqual(types(over.changes), ["expired", "held"])
  assert.equal(met(peer(over.state, { suggestedPort: 5000 }, 600_000)).externalPort, 5000)
  assert.equal(refusal(peer(over.state, { suggestedPort: 5000, nonce: OTHER }, 600_000)), 11)
  const end = { protocol: UDP, internal: host(1), internalPort: 4000 }
  const idle = memoryCgn.expire(noteOutbound(held(), end, 0).state, 300_000, 100)
  assert.deepEqual(types(idle.changes), ["expired"])
  // MAP ends, traffic goes on; what traffic leaves then is free at once, swept late or not.
  const both = noteOutbound(met(map(held(), { ...at5000, lifetime: 200 })).state, end, 0).state
  assert.deepEqual(types(memoryCgn.expire(both, 200_000, 100).changes), ["expired"])
  assert.deepEqual(types(memoryCgn.expire(both, 300_000, 100).changes), ["expired", "expired"])
})

test("held ends are in no listing and count to no quota, and a pool full of them is NO_RESOURCES", () => {
  let state = held({ ports: { first: 2000, last: 2003 }, quota: 4 })
  for (let port = 1; port <= 4; port++) {
    state = met(map(state, { internalPort: port })).state
    state = met(remove(state, { internalPort: port })).state
  }
  assert.deepEqual(listMappings(state, 0, 0, 100).mappings, [])
  assert.equal(mappingCount(state), 0)
  assert.deepEqual(mappingCounts(state), { map: 0, peer: 0, implicit: 0, static: 0, held: 4 })
  assert.equal(refusal(map(state, { internal: host(2) })), ResultCode.NO_RESOURCES)
  // The quota would let it; a held end of its own it may have.
  assert.equal(met(map(state, { internalPort: 3, suggestedPort: 0 })).outcome, "new")
})

test("N-03 a lease that is over reserves its companion port no longer, and NAT-PMP gets no port beside a held one", () => {
  const ports = { first: 2000, last: 2001 }
  const lease = met(map(held({ ports }), { origin: "nat-pmp", protocol: TCP, suggestedPort: 2000 })).state
  const over = met(remove(lease, { origin: "nat-pmp", protocol: TCP })).state
  assert.equal(met(map(over, { internal: host(2), suggestedPort: 2000 })).externalPort, 2000)
  assert.equal(met(map(over, { internal: host(2), origin: "nat-pmp", suggestedPort: 2000 })).externalPort, 2001)
})

test("the changes replayed give the same held ends, for as long and for the same host", () => {
  const state = held()
  const changes: Change[] = []
  let now = state
  const keep = (done: { readonly state: CgnState; readonly changes: readonly Change[] }): void => {
    now = done.state
    changes.push(...done.changes)
  }
  keep(met(map(now, at5000)))
  keep(met(map(now, { internalPort: 4001, protocol: TCP })))
  keep(met(remove(now)))
  keep(met(remove(now, { internalPort: 4001, protocol: TCP })))
  const replica = apply(state, JSON.parse(JSON.stringify(changes)))
  assert.deepEqual(mappingCounts(replica), mappingCounts(now))
  for (const ask of [stranger, at5000, { internalPort: 4001, protocol: TCP }])
    for (const at of [0, 119_999, 120_000]) assert.deepEqual(outcome(map(replica, ask, at)), outcome(map(now, ask, at)))
  assert.deepEqual(memoryCgn.expire(replica, 1e6, 9).changes.length, memoryCgn.expire(now, 1e6, 9).changes.length)
})

const outcome = (result: ReturnType<typeof map>) =>
  result.outcome === "refused" ? result.code : `${result.externalPort} ${types(result.changes)}`

test("S-136 a deleted mapping's port is held from then on, though a peer that ran out before it was not swept yet", () => {
  const mapped = met(map(held(), { ...at5000, lifetime: 600 })).state
  const both = met(peer(mapped, { lifetime: 120 })).state
  const gone = met(remove(both, {}, 300_000))
  assert.deepEqual(types(gone.changes), ["expired", "deleted", "held"])
  assert.equal(refusal(map(gone.state, stranger, 419_999)), ResultCode.CANNOT_PROVIDE_EXTERNAL)
  assert.equal(met(map(gone.state, stranger, 420_000)).externalPort, 5000)
})

/** A client that had these ports one after the other, and has none of them now. */
const hadPorts = (count: number): CgnState => {
  let state = held()
  for (let n = 0; n < count; n++) {
    const made = met(map(state, { suggestedPort: 6000 + n }))
    assert.equal(made.externalPort, 6000 + n)
    state = met(remove(made.state)).state
  }
  return state
}

test("S-136 several ports held for one client come through a snapshot, each for that client alone", () => {
  const state = hadPorts(3)
  const octets = Uint8Array.from(saveCgn(state, 1000).flatMap((part) => [...part]))
  const restored = restoreCgn(octets, BASE, { now: 1000, elapsed: 0, lost: false })
  assert.ok(restored.ok)
  for (const suggestedPort of [6000, 6001, 6002]) {
    const exact = { suggestedPort, preferFailure: true } as const
    assert.equal(
      refusal(map(restored.state, { ...exact, internal: host(2) }, 1000)),
      ResultCode.CANNOT_PROVIDE_EXTERNAL,
    )
    assert.equal(met(map(restored.state, exact, 1000)).externalPort, suggestedPort)
  }
})

test("S-136 a client that has a thousand ports held gets each back that it suggests, and makes no list to be walked over", () => {
  const state = hadPorts(1000)
  const table = open(state.version)
  const keys = new Map<number, number>()
  for (let row = 1; row < rowLimit(table, MAPPING); row++) {
    const key = word(table, MAPPING, row, MappingWord.INTERNAL)
    keys.set(key, (keys.get(key) ?? 0) + 1)
  }
  assert.equal(Math.max(...keys.values()), 64)
  for (const suggestedPort of [6000, 6063, 6064, 6999]) {
    const exact = { suggestedPort, preferFailure: true } as const
    assert.equal(refusal(map(state, { ...exact, internal: host(2) })), ResultCode.CANNOT_PROVIDE_EXTERNAL)
    assert.equal(met(map(state, exact)).externalPort, suggestedPort)
  }
  const back = met(map(state, {})).externalPort
  assert.ok(back >= 6000 && back < 7000)
})
