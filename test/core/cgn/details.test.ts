import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { apply } from "../../../core/cgn/apply.ts"
import { type CgnState, listFilters, listMappings, memoryCgn, noteOutbound } from "../../../core/cgn/index.ts"
import { DETAILS, TEXT } from "../../../core/cgn/layout.ts"
import { open, rowCount } from "../../../core/table/index.ts"
import { ResultCode } from "../../../core/wire/index.ts"
import { cgnWith, host, lines, map, met, peer, refusal, remove, types, UDP } from "./scene.ts"

const only = (state: CgnState, now = 0) => {
  const { mappings } = listMappings(state, now, 0, 10)
  assert.equal(mappings.length, 1)
  return mappings[0]
}

const rowsLeft = (state: CgnState) => [DETAILS, TEXT].map((family) => rowCount(open(state.version), family))

test("S-90 who asked last is kept, port and THIRD_PARTY alike, for updates to go to", () => {
  const done = met(map(cgnWith(), { clientPort: 65535, requester: host(9), thirdPartyId: "00ff10" }))
  assert.equal(only(done.state).clientPort, 65535)
  const details = { preferFailure: false, requester: host(9), thirdPartyId: "00ff10", description: undefined }
  assert.deepEqual(only(done.state).details, details)
  const again = met(map(done.state, { clientPort: 1 }))
  assert.deepEqual([only(again.state).clientPort, only(again.state).details], [1, undefined])
  assert.deepEqual(rowsLeft(again.state), [0, 0])
  const plain = met(map(again.state, { clientPort: 40000 }))
  assert.equal(only(plain.state).clientPort, 40000)
  assert.equal(plain.changes[0].type === "renewed" && plain.changes[0].mapping.clientPort, 40000)
  const outbound = met(peer(cgnWith(), { clientPort: 5353, requester: host(9) }))
  assert.deepEqual([only(outbound.state).clientPort, only(outbound.state).details?.requester], [5353, host(9)])
})

test("RFC 7220 section 3: a description is stored and echoed, left, changed and erased", () => {
  const done = met(map(cgnWith(), { description: "café" }))
  assert.equal(done.description, "café")
  const left = met(map(done.state, {}))
  assert.deepEqual([left.description, only(left.state).details?.description], [undefined, "café"])
  const changed = met(map(left.state, { description: "other" }))
  assert.deepEqual([changed.description, only(changed.state).details?.description], ["other", "other"])
  const erased = met(map(changed.state, { description: "" }))
  assert.deepEqual([erased.description, only(erased.state).details], ["", undefined])
  assert.deepEqual(rowsLeft(erased.state), [0, 0])
  // The old states still have theirs.
  assert.equal(only(changed.state).details?.description, "other")
  const outbound = met(peer(cgnWith(), { description: "game" }))
  assert.deepEqual([outbound.description, only(outbound.state).details?.description], ["game", "game"])
})

test("RFC 7220 section 3: any description is stored as its longest start of whole characters within 128 octets", () => {
  const empty = cgnWith()
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 200 }), fc.boolean(), (description, inbound) => {
      const done = met(inbound ? map(empty, { description }) : peer(empty, { description }))
      const stored = done.description ?? ""
      assert.ok(description.startsWith(stored))
      const size = (text: string) => new TextEncoder().encode(text).length
      assert.ok(size(stored) <= 128)
      const next = [...description.slice(stored.length)][0]
      if (next !== undefined) assert.ok(size(stored + next) > 128)
      assert.equal(only(done.state).details?.description ?? "", stored)
      const replica = apply(empty, JSON.parse(JSON.stringify(done.changes)))
      assert.equal(only(replica).details?.description ?? "", stored)
      assert.deepEqual(rowsLeft(memoryCgn.expire(done.state, 1e9, 10).state), [0, 0])
    }),
  )
})

test("an identifier of any length is kept octet by octet, with a mapping that lives and no longer", () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 1016 }), (octets) => {
      const thirdPartyId = Array.from(octets, (octet) => octet.toString(16).padStart(2, "0")).join("")
      const { state } = met(map(cgnWith(), { thirdPartyId, description: "x" }))
      assert.equal(only(state).details?.thirdPartyId, thirdPartyId)
      assert.deepEqual(rowsLeft(met(remove(state)).state), [0, 0])
    }),
    { numRuns: 50 },
  )
})

test("S-91 PREFER_FAILURE is remembered of the latest request", () => {
  const exact = met(map(cgnWith(), { suggestedPort: 5000, preferFailure: true }))
  assert.equal(only(exact.state).details?.preferFailure, true)
  assert.equal(only(met(map(exact.state, { suggestedPort: 5000 })).state).details, undefined)
})

const end = { protocol: UDP, internal: host(1), internalPort: 4000 }
const filters = [{ remote: host(77), prefixLength: 128, remotePort: 0 }]

test("a mapping made locked is told of and listed only when its filters unlock it (RFC 6887 section 7.3)", () => {
  const locked = met(map(cgnWith(), { createAsLocked: true, suggestedPort: 5000 }))
  assert.deepEqual([locked.outcome, locked.changes, lines(locked.state)], ["new", [], []])
  const taken = { internal: host(2), suggestedPort: 5000, preferFailure: true }
  assert.equal(refusal(map(locked.state, taken)), ResultCode.CANNOT_PROVIDE_EXTERNAL)
  const ask = { ...end, deleteFilters: false, filters, unlockOnSuccess: true }
  const open = met(memoryCgn.filter(locked.state, ask, 0))
  assert.deepEqual([types(open.changes), lines(open.state).length], [["created", "filtered"], 1])
  const replica = apply(cgnWith(), open.changes)
  assert.deepEqual([lines(replica), listFilters(replica, end)], [lines(open.state), filters])
})

test("a locked mapping whose filters failed leaves nothing: neither in the state before nor, for long, in its own", () => {
  const before = cgnWith({ filterLimit: 1 })
  const locked = met(map(before, { createAsLocked: true }))
  const many = [...filters, { ...filters[0], remotePort: 1 }]
  const failed = memoryCgn.filter(
    locked.state,
    { ...end, deleteFilters: false, filters: many, unlockOnSuccess: true },
    0,
  )
  assert.equal(refusal(failed), ResultCode.EXCESSIVE_REMOTE_PEERS)
  assert.deepEqual(lines(before), [])
  // Whoever went on from the state with it has it taken away by whatever asks for its internal end next.
  for (const next of [
    met(map(locked.state, {})).state,
    met(peer(locked.state, {})).state,
    noteOutbound(locked.state, end, 0).state,
    met(remove(locked.state)).state,
  ])
    assert.ok(lines(next).length <= 1)
  assert.equal(met(remove(locked.state)).lifetime, 0)
  assert.equal(memoryCgn.expire(locked.state, 600_000, 10).next, undefined)
  const existing = met(map(before, {}))
  assert.equal(met(map(existing.state, { createAsLocked: true })).outcome, "ok")
  assert.equal(lines(met(map(existing.state, { createAsLocked: true })).state).length, 1)
})
