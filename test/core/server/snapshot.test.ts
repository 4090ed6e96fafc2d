import assert from "node:assert/strict"
import { createHash } from "node:crypto"
import { test } from "node:test"
import { type CgnSettings, reconfigureCgn } from "../../../core/cgn/index.ts"
import {
  adopt,
  advance,
  apply,
  announce as beginAnnouncing,
  counters,
  epochOf,
  process,
  restore,
  type ServerState,
  snapshot,
  snapshotParts,
} from "../../../core/server/index.ts"
import { formatAddress } from "../../../core/wire/index.ts"
import { randomFrom } from "../../fuzz/random.ts"
import { address, announce, read } from "./scene.ts"
import { act, busy, HOSTS, listed, optionsAt, PROFILE, SETTINGS, serverOf, stateOf, WALL } from "./snapshot-scene.ts"

test("mappings of every kind, filters, descriptions, realms, held ends and counters come back as they were", () => {
  const kinds = new Set<string>()
  for (let seed = 1; seed <= 6; seed++) {
    const { state, now } = busy(seed)
    const octetsOfIt = snapshot(state, { now, wallClock: WALL, final: true })
    const back = stateOf(restore(octetsOfIt, optionsAt(now, WALL)))
    const list = listed(state, now)
    assert.deepEqual(listed(back, now), list)
    assert.deepEqual(counters(back), counters(state))
    assert.equal(back.epochStart, state.epochStart)
    for (const { kind, origin, realm, details, filters } of list) {
      kinds.add(`${kind} ${origin}`)
      if (realm !== undefined) kinds.add("realm")
      if (filters.length > 0) kinds.add("filters")
      if (details?.description !== undefined) kinds.add("description")
    }
    // Both go on alike: what is held, whose quota is used up and which port is next is the same.
    let [here, there] = [state, back]
    for (let step = 0; step < 300; step++) {
      const later = now + 700 * step
      const wanted = act(here, randomFrom(1000 * seed + step), later)
      const got = act(there, randomFrom(1000 * seed + step), later)
      assert.equal(got.said, wanted.said, `seed ${seed}, step ${step}`)
      ;[here, there] = [wanted.state, got.state]
    }
    assert.deepEqual(snapshot(back, { now, wallClock: WALL, final: true }), octetsOfIt, "the restored state stays")
  }
  const all = ["static administrator", "map pcp", "map nat-pmp", "peer pcp", "implicit traffic", "realm", "filters"]
  for (const kind of [...all, "description"]) assert.ok(kinds.has(kind), kind)
})

test("S-140 Epoch Time goes on over a restart by the wall clock after a final snapshot, a subscriber's own too", () => {
  const settings = { ...SETTINGS, staticMappings: [] }
  const reset = { type: "subscriber-reset", internal: address("10.0.0.2"), realm: undefined, at: 35_000 } as const
  const state = apply(serverOf(settings), reset)
  const bytes = snapshot(state, { now: 65_000, wallClock: WALL, final: true })
  // The next run's clock is at 9 s when it starts, ten minutes later.
  const restored = restore(bytes, optionsAt(9_000, WALL + 600_000))
  assert.ok(restored.ok)
  assert.equal(restored.lost, false)
  assert.equal(restored.elapsed, 600_000)
  const epochs = (text: string) => epochOf(restored.state, address(text), undefined, 9_000)
  assert.equal(epochs("10.0.0.1"), 60 + 600)
  assert.equal(epochs("10.0.0.2"), 30 + 600)
  const [, { reply }] = process(restored.state, {
    bytes: Uint8Array.from(announce()),
    now: 10_000,
    source: address("10.0.0.1"),
    sourcePort: 5350,
  })
  assert.equal(read(reply ?? new Uint8Array(60)).epoch, 661)
})

test("S-140 N-06 after a snapshot that was not the last word, Epoch Time begins again and the mappings are there all the same", () => {
  const { state, now } = busy(3)
  const reset = { type: "subscriber-reset", internal: address("10.0.0.2"), realm: undefined, at: now - 5000 } as const
  const bytes = snapshot(apply(state, reset), { now, wallClock: WALL })
  const restored = restore(bytes, optionsAt(77, WALL))
  assert.ok(restored.ok)
  assert.equal(restored.lost, true)
  assert.equal(restored.state.epochStart, 77)
  for (const host of HOSTS) assert.equal(epochOf(restored.state, address(host), undefined, 5077), 5)
  assert.equal(listed(restored.state, 77).length, listed(state, now).length)
})

test("what ran out between two runs is gone; the rest ends at the same time of the wall clock", () => {
  const { state, now } = busy(2)
  const [swept] = advance(state, now)
  const before = listed(swept, now)
  const bytes = snapshot(state, { now, wallClock: WALL, final: true })
  const rest = 400_000
  const back = stateOf(restore(bytes, optionsAt(1_000, WALL + rest)))
  const [after, { changes }] = advance(back, 1_000)
  const left = before.filter(({ expires }) => expires > now + rest)
  assert.ok(left.length > 3 && left.length < before.length)
  const shift = 1_000 - now - rest
  assert.deepEqual(
    listed(after, 1_000),
    left.map((mapping) => ({ ...mapping, expires: mapping.expires + shift })),
  )
  const gone = changes.filter(({ type }) => type === "expired").length
  assert.ok(gone >= before.length - left.length)
})

test("a snapshot restored with other settings goes on with them as a server does that is told of them while it runs", () => {
  for (let seed = 1; seed <= 8; seed++) {
    const { state, now } = busy(seed)
    const random = randomFrom(seed)
    const other: CgnSettings = {
      ...SETTINGS,
      external: random
        .pick([["203.0.113.2", "203.0.113.3"], ["203.0.113.9"], ["203.0.113.2", "203.0.113.1"]])
        .map(address),
      ports: random.pick([SETTINGS.ports, { first: 2020, last: 2099 }]),
      subscriberPrefix: { ipv4: random.pick([16, 24, 32]), ipv6: 64 },
      subscriberQuota: random.pick([0, 60]),
      staticMappings: (SETTINGS.staticMappings ?? []).slice(random.below(3)),
    }
    const running = reconfigureCgn(state.cgnState, other, now)
    const bytes = snapshot(state, { now, wallClock: WALL, final: true })
    const back = stateOf(restore(bytes, { ...optionsAt(now, WALL), cgn: other }))
    assert.deepEqual(listed(back, now), listed(state, now), "not yet")
    const begun = reconfigureCgn(back.cgnState, other, now)
    assert.ok(running.ok && begun.ok)
    assert.deepEqual(begun.changes, running.changes)
    const [one, two] = [running, begun].map((done) => ({ ...state, cgnState: done.state }))
    assert.deepEqual(listed(two, now), listed(one, now))
    // What came of that is itself to be kept: numbers of addresses that are out of use among it.
    const later = snapshot(one, { now, wallClock: WALL, final: true })
    const again = stateOf(restore(later, { ...optionsAt(now, WALL), cgn: other }))
    assert.deepEqual(listed(again, now), listed(one, now))
    let [here, there] = [one, again]
    for (let step = 0; step < 60; step++) {
      const wanted = act(here, randomFrom(step), now + 500 * step)
      const got = act(there, randomFrom(step), now + 500 * step)
      assert.equal(got.said, wanted.said)
      ;[here, there] = [wanted.state, got.state]
    }
  }
})

/** All datagrams of a server's announcements and updates, each with its time before `shift`. */
const sentBy = (from: ServerState, now: number, shift: number): readonly string[] => {
  const lines: string[] = []
  let state = from
  for (let due: number | undefined = now, calls = 0; due !== undefined && calls < 200; calls++) {
    const at: number = due
    const [after, { send, next }] = advance(state, at)
    for (const { bytes, destination, port } of send)
      lines.push(`${at - shift} ${formatAddress(destination)} ${port} ${bytes.join()}`)
    state = after
    due = next === undefined || next > now + 120_000 ? undefined : next
  }
  return lines
}

test("S-84 S-92 announcements and updates under way go on after a restart, where the schedule had come to", () => {
  const { state, now } = busy(7)
  const moving = reconfigureCgn(state.cgnState, { ...SETTINGS, external: [address("203.0.113.5")] }, now)
  assert.ok(moving.ok && moving.moved.length > 4)
  const profile = { ...PROFILE, announceCallback: true, updateCallback: true }
  let before = adopt(
    { ...state, settings: { ...state.settings, profile } },
    { state: moving.state, changes: moving.changes, lost: true, readdressed: true },
    now,
  )[0]
  ;[before] = beginAnnouncing(before, now, { address: address("10.0.0.1"), port: 40001 })
  ;[before] = advance(before, now)
  const later = now + 300
  const bytes = snapshot(before, { now: later, wallClock: WALL, final: true })
  const back = stateOf(restore(bytes, { ...optionsAt(9, WALL), server: { profile } }))
  assert.deepEqual(snapshot(back, { now: 9, wallClock: WALL, final: true }).length, bytes.length)
  const wanted = sentBy(before, later, 0)
  assert.ok(wanted.length > 30)
  assert.deepEqual(sentBy(back, 9, 9 - later), wanted)
})

test("a wall clock that went back lets no time pass", () => {
  const { state, now } = busy(4)
  const bytes = snapshot(state, { now, wallClock: WALL, final: true })
  const restored = restore(bytes, optionsAt(now, WALL - 1e9))
  assert.ok(restored.ok)
  assert.equal(restored.elapsed, 0)
  assert.deepEqual(listed(restored.state, now), listed(state, now))
})

test("a snapshot is laid out as documented, its digest the SHA-256 of another implementation", () => {
  const bytes = snapshot(serverOf(SETTINGS), { now: 8_000, wallClock: WALL, final: true })
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  assert.deepEqual([...bytes.subarray(0, 16)], [0x53, 0x41, 0x4c, 0x4c, 0x59, 13, 10, 26, 1, 0, 0, 0, 1, 0, 0, 0])
  assert.equal(view.getFloat64(16, true), WALL)
  assert.equal(view.getFloat64(24, true), 3_000)
  assert.equal(view.getUint32(32, true), 0, "no counters")
  assert.deepEqual(
    [view.getUint32(36, true), view.getUint32(40, true), view.getUint32(44, true)],
    [8, 0, 0],
    "no pushes",
  )
  assert.equal(view.getUint32(48, true), 6, "the layout of the CGN's rows")
  assert.deepEqual([view.getFloat64(52, true), view.getFloat64(60, true)], [5_000, 8_000])
  assert.deepEqual([...bytes.subarray(68, 100)], [...SETTINGS.secret])
  const wordsFrom = (at: number, count: number) =>
    Array.from({ length: count }, (_, i) => view.getInt32(at + 4 * i, true))
  assert.deepEqual(wordsFrom(100, 9), [2000, 2060, 60, 24, 64, 0, 0, 0, 1 + 2 + 8])
  assert.deepEqual(wordsFrom(136, 6), [3, 0, 0, 0xffff, 0xcb007101 | 0, 1], "three addresses, one of them the static's")
  assert.equal(view.getFloat64(bytes.length - 40, true), bytes.length)
  const digest = createHash("sha256")
    .update(bytes.subarray(0, bytes.length - 32))
    .digest()
  assert.deepEqual([...bytes.subarray(bytes.length - 32)], [...digest])
  const hasher = () => createHash("sha256")
  const time = { now: 8_000, wallClock: WALL, final: true }
  assert.deepEqual(snapshot(serverOf(SETTINGS), time, hasher), bytes)
  assert.equal(restore(bytes, { ...optionsAt(0, WALL), hasher }).ok, true)
})

test("the parts of a snapshot are its octets, of the state as it was, whatever happens meanwhile", () => {
  const { state, now } = busy(5)
  const time = { now, wallClock: WALL }
  const whole = snapshot(state, time)
  const parts = snapshotParts(state, time)
  const met: number[] = []
  let after = state
  for (const part of parts) {
    met.push(...part)
    after = act(after, randomFrom(met.length), now).state
  }
  assert.deepEqual(met, [...whole])
  assert.notDeepEqual([...snapshot(after, time)], [...whole])
})

test("a snapshot at an instant that no clock can have said is taken as of the nearest that one can", () => {
  const { config } = serverOf(SETTINGS).cgnState
  for (const now of [-1e300, -1, Number.NaN, 2 ** 60, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])
    for (const wallClock of [WALL, Number.NaN, Number.POSITIVE_INFINITY]) {
      const state = serverOf(SETTINGS)
      const bytes = snapshot(state, { now, wallClock, final: true })
      const restored = restore(bytes, { cgn: config, server: state.settings, now: 0, wallClock: WALL + 1000 })
      assert.ok(restored.ok, `${now} ${wallClock}: ${restored.ok ? "" : restored.error.text}`)
      assert.ok(epochOf(restored.state, undefined, undefined, 0) >= 0)
    }
})
