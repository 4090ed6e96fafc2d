/** What holds of every assignment of ports, whatever comes: requests, traffic, time, other settings. */
import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import {
  type Assignment,
  adoptCgnSettings,
  type CgnSettings,
  type CgnState,
  deterministicSubscriber,
  listBlocks,
  listMappings,
  memoryCgn,
  reconfigureCgn,
  restoreCgn,
  saveCgn,
} from "../../../core/cgn/index.ts"
import { addressFromIpv4, formatAddress, ipv4Value } from "../../../core/wire/index.ts"
import { ASSIGNMENTS, act, COMMON, external, move, type Stage } from "./moves.ts"
import { BASE, cgnWith, lines } from "./scene.ts"

/** Faults of a state: in words, so that a counterexample says what is wrong. */
const faults = (state: CgnState, now: number): string[] => {
  const { config } = state
  const { mappings } = listMappings(state, now, 0, 1e6)
  const { blocks } = listBlocks(state, 0, 1e6)
  const found: string[] = []
  const internalOf = new Map<string, string>()
  const ownerOf = (value: number) => value & ~1
  for (const { protocol, internal: from, internalPort, external: to, externalPort } of mappings) {
    const end = `${protocol} ${formatAddress(to)}:${externalPort}`
    const one = `${formatAddress(from)}:${internalPort}`
    if ((internalOf.get(end) ?? one) !== one) found.push(`${end} is ${one}'s and ${internalOf.get(end)}'s`)
    internalOf.set(end, one)
    const block = blocks.find((b) => b.external === to && b.firstPort <= externalPort && externalPort <= b.lastPort)
    const range = config.plan && deterministicSubscriber(config.plan, config.external.indexOf(to), externalPort)
    const whose = block?.internal ?? range?.subscriber.address
    if (whose === undefined || ipv4Value(whose) !== ownerOf(ipv4Value(from)))
      found.push(`${end} is not ${one}'s to have`)
  }
  const seen = new Set<string>()
  for (const { internal: whose, external: to, firstPort, lastPort } of blocks) {
    for (let port = firstPort; port <= lastPort; port++) {
      const end = `${formatAddress(to)}:${port}`
      if (seen.has(end)) found.push(`${end} is in two blocks`)
      seen.add(end)
    }
    const count = blocks.filter((block) => block.internal === whose).length
    if (count > (config.blocks?.limit ?? 0)) found.push(`${formatAddress(whose)} has ${count} blocks`)
  }
  return found
}

/** Another CGN, by way of a snapshot: a state of its own table. */
const copyOf = (state: CgnState): CgnState => {
  const { secret, now, ...changeable } = state.config
  const bytes = new Uint8Array(saveCgn(state, 0).flatMap((part) => [...part]))
  const restored = restoreCgn(bytes, changeable, { now: 0, elapsed: 0, lost: false })
  assert.ok(restored.ok)
  return restored.state
}

const shown = (state: CgnState, now: number): readonly string[] => [
  ...lines(state, now),
  ...listBlocks(state, 0, 1e6)
    .blocks.map((b) => `${formatAddress(b.internal)} ${formatAddress(b.external)}:${b.firstPort}-${b.lastPort}`)
    .sort(),
]

for (const assignment of ASSIGNMENTS)
  test(`NAT-6888-REQ-14 NAT-7422-2: nobody's ports but one's own, and replay, old states and snapshots agree: ${JSON.stringify({ ...assignment, internal: undefined })}`, () => {
    fc.assert(
      fc.property(fc.array(move, { minLength: 1, maxLength: 60 }), (moves) => {
        const first = cgnWith({ ...COMMON, assignment })
        let stage: Stage = { state: first, changes: [], now: 0 }
        let replica = first
        const kept: { state: CgnState; now: number; text: readonly string[] }[] = []
        for (const what of moves) {
          const before = stage
          stage = act(before, what)
          replica = memoryCgn.apply(replica, stage.changes)
          assert.deepEqual(faults(stage.state, stage.now), [])
          if (what.port % 7 === 0) kept.push({ ...before, text: shown(before.state, before.now) })
        }
        assert.deepEqual(shown(replica, stage.now), shown(stage.state, stage.now))
        for (const { state, now, text } of kept) assert.deepEqual(shown(state, now), text)
        const parts = saveCgn(stage.state, stage.now)
        const bytes = new Uint8Array(parts.flatMap((part) => [...part]))
        const { secret, now: _start, ...changeable }: CgnSettings = { ...BASE, ...COMMON, assignment }
        const restored = restoreCgn(bytes, changeable, { now: stage.now, elapsed: 0, lost: false })
        assert.ok(restored.ok)
        assert.deepEqual(shown(restored.state, stage.now), shown(stage.state, stage.now))
        // When all has run out no block is left.
        const end = memoryCgn.expire(stage.state, stage.now + 1e8, 1e6)
        assert.deepEqual(shown(end.state, stage.now + 1e8), [])
      }),
      { numRuns: 60 },
    )
  })

test("any assignment goes over into any other: what is kept lies where it may, and a replica is told all of it", () => {
  const all: readonly Assignment[] = [{ kind: "random" }, ...ASSIGNMENTS]
  fc.assert(
    fc.property(fc.array(move, { minLength: 5, maxLength: 60 }), fc.nat(4), (moves, start) => {
      const { secret, now: _now, ...base } = { ...BASE, ...COMMON }
      let assignment = all[start]
      let stage: Stage = { state: cgnWith({ ...COMMON, assignment }), changes: [], now: 0 }
      let replica = copyOf(stage.state)
      for (const what of moves) {
        if (what.kind !== "settings") {
          stage = act(stage, what)
          replica = memoryCgn.apply(replica, stage.changes)
          if (assignment.kind !== "random") assert.deepEqual(faults(stage.state, stage.now), [])
          continue
        }
        assignment = all[what.which]
        const pool = what.tcp ? external : [addressFromIpv4(0xcb007103), external[1]]
        const settings = { ...base, external: pool, assignment }
        const done = reconfigureCgn(stage.state, settings, stage.now)
        const adopted = adoptCgnSettings(replica, settings, stage.now)
        assert.ok(done.ok && adopted.ok)
        stage = { ...stage, state: done.state }
        replica = memoryCgn.apply(adopted.state, done.changes)
        if (assignment.kind === "random") assert.deepEqual(listBlocks(done.state, 0, 10).blocks, [])
        else assert.deepEqual(faults(done.state, stage.now), [])
      }
      assert.deepEqual(shown(replica, stage.now), shown(stage.state, stage.now))
    }),
    { numRuns: 60 },
  )
})
