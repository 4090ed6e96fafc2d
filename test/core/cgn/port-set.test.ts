import assert from "node:assert/strict"
import { test } from "node:test"
import { apply } from "../../../core/cgn/apply.ts"
import { listMappings, memoryCgn } from "../../../core/cgn/index.ts"
import { ResultCode } from "../../../core/wire/index.ts"
import { cgnWith, host, lines, map, met, OTHER, refusal, remove, types } from "./scene.ts"

const set = (size: number, parity = false) => ({ portSet: { size, parity } })
const ports = { first: 2000, last: 2063 }

/** Internal port to external port, of all that a host has. */
const pairs = (state: Parameters<typeof lines>[0], now = 0) =>
  listMappings(state, now, 0, 1000)
    .mappings.map(({ internalPort, externalPort }) => [internalPort, externalPort])
    .sort((a, b) => a[0] - b[0])

test("RFC 7753 section 4.2: a set is a run of internal ports on a run of external ports, each a mapping of its own", () => {
  const done = met(map(cgnWith(), set(100)))
  assert.deepEqual([done.outcome, done.ports], ["new", 100])
  assert.deepEqual(
    pairs(done.state),
    Array.from({ length: 100 }, (_, i) => [4000 + i, done.externalPort + i]),
  )
  assert.deepEqual(types(done.changes), new Array(100).fill("created"))
  assert.deepEqual(lines(apply(cgnWith(), JSON.parse(JSON.stringify(done.changes)))), lines(done.state))
})

test("the suggested run is taken where it is free, and one of the wanted parity where that is asked for", () => {
  assert.equal(met(map(cgnWith(), { ...set(10), suggestedPort: 30000 })).externalPort, 30000)
  for (const suggestedPort of [30000, 30001])
    for (const internalPort of [4000, 4001]) {
      const done = met(map(cgnWith(), { ...set(10, true), internalPort, suggestedPort }))
      assert.equal(done.externalPort % 2, internalPort % 2)
      assert.equal(done.ports, 10)
    }
})

test("RFC 7753 section 4.2: as many ports as there are, at least one, and never more than asked", () => {
  const done = met(map(cgnWith({ ports }), set(65535)))
  assert.deepEqual([done.ports, done.externalPort], [64, 2000])
  assert.equal(refusal(map(done.state, { internal: host(2), ...set(2) })), ResultCode.NO_RESOURCES)
  // Every second port is somebody's: runs of one are all that is left.
  let state = cgnWith({ ports })
  for (let port = 2000; port < 2064; port += 2)
    state = met(map(state, { internal: host(2), internalPort: port, suggestedPort: port })).state
  const one = met(map(state, set(5)))
  assert.equal(one.ports, 1)
  // A gap of ten among them is found.
  for (let port = 2020; port < 2030; port += 2)
    state = met(remove(state, { internal: host(2), internalPort: port })).state
  const run = met(map(state, set(5)))
  assert.deepEqual([run.ports, run.externalPort], [5, 2019])
})

test("a set stays within the quota, and within the ports that there are inside", () => {
  assert.equal(met(map(cgnWith({ quota: 7 }), set(10))).ports, 7)
  const full = met(map(cgnWith({ quota: 7 }), set(7))).state
  assert.equal(refusal(map(full, { ...set(3), internalPort: 9000 })), ResultCode.USER_EX_QUOTA)
  assert.equal(met(map(cgnWith(), { ...set(10), internalPort: 65530 })).ports, 6)
  assert.equal(met(map(cgnWith(), set(65535))).ports, 1024)
})

test("RFC 7753 section 4.4: the same request renews the set as one, and one with the option deletes it", () => {
  const done = met(map(cgnWith(), set(10)))
  const renewed = met(map(done.state, { ...set(10), lifetime: 900, suggestedPort: done.externalPort }, 1000))
  assert.deepEqual([renewed.outcome, renewed.ports, renewed.at, renewed.lifetime], ["ok", 10, done.at, 900])
  assert.deepEqual(types(renewed.changes), new Array(10).fill("renewed"))
  assert.ok(listMappings(renewed.state, 1000, 0, 100).mappings.every(({ expires }) => expires === 901_000))
  const gone = met(remove(renewed.state, set(10), 1000))
  assert.deepEqual([lines(gone.state, 1000), types(gone.changes)], [[], new Array(10).fill("deleted")])
  assert.equal(lines(met(remove(renewed.state, {}, 1000)).state, 1000).length, 9)
})

test("RFC 7753 section 4.4.1: what is mapped already in the range is refreshed, each as if asked for alone", () => {
  // 4003 is there, elsewhere: the run ends before it, and it is renewed where it is.
  const single = met(map(cgnWith(), { internalPort: 4003, suggestedPort: 50000 })).state
  const done = met(map(single, { ...set(6), suggestedPort: 30000, lifetime: 900 }))
  assert.deepEqual([done.ports, done.externalPort], [3, 30000])
  assert.deepEqual(types(done.changes), ["created", "created", "created", "renewed"])
  assert.deepEqual(pairs(done.state), [
    [4000, 30000],
    [4001, 30001],
    [4002, 30002],
    [4003, 50000],
  ])
  // Another's by its nonce stays as it is.
  const theirs = met(map(cgnWith(), { internalPort: 4003, nonce: OTHER })).state
  assert.deepEqual(types(met(map(theirs, set(6))).changes), ["created", "created", "created"])
  // The first is there: the run goes on from its external end, and becomes longer than it was.
  const short = met(map(cgnWith(), { ...set(3), suggestedPort: 30000 })).state
  const long = met(map(short, set(5)))
  assert.deepEqual([long.ports, long.externalPort, long.outcome], [5, 30000, "new"])
  assert.equal(refusal(map(short, { ...set(5), nonce: OTHER })), ResultCode.NOT_AUTHORIZED)
})

test("filters go on every port of a locked set, and unlock them all", () => {
  const done = met(map(cgnWith(), { ...set(4), createAsLocked: true }))
  assert.deepEqual([done.changes, lines(done.state)], [[], []])
  let { state } = done
  const filters = [{ remote: host(77), prefixLength: 128, remotePort: 0 }]
  for (let i = 0; i < 4; i++) {
    const end = { protocol: 17, internal: host(1), internalPort: 4000 + i }
    const ask = { ...end, deleteFilters: false, filters, unlockOnSuccess: true }
    const filtered = met(memoryCgn.filter(state, ask, 0))
    assert.deepEqual(types(filtered.changes), ["created", "filtered"])
    state = filtered.state
  }
  assert.equal(lines(state).length, 4)
})
