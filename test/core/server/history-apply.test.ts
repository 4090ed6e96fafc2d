import assert from "node:assert/strict"
import { env } from "node:process"
import { test } from "node:test"
import { adoptCgnSettings, type Change } from "../../../core/cgn/index.ts"
import { advance, apply, mappingCount, process, type ServerState } from "../../../core/server/index.ts"
import { randomFrom, seedOf } from "../../fuzz/random.ts"
import { type Move, randomMove, randomTurn, type Turn } from "./model-moves.ts"
import { address, cgnSettingsOf, countersOf, listServer, moveText, type Place, play, randomPlace } from "./model-run.ts"
import { listModel } from "./model-state.ts"
import { realmOf } from "./model-text.ts"

const seed = seedOf(20130402, env.SALLYPORT_SEED)

/** Changes as a journal would hand them back: nothing of the objects that the server made. */
const copied = (changes: readonly Change[]): readonly Change[] =>
  changes.some((change) => "mapping" in change && change.mapping.expires === Number.POSITIVE_INFINITY)
    ? structuredClone(changes)
    : JSON.parse(JSON.stringify(changes))

const fold = (state: ServerState, changes: readonly Change[]): ServerState => changes.reduce(apply, state)

const assertAlike = (got: ServerState, wanted: ServerState, now: number, why: string): void => {
  assert.deepEqual(listServer(got, now, 7), listServer(wanted, now, 1000), why)
  assert.deepEqual(countersOf(got), countersOf(wanted), why)
  assert.equal(mappingCount(got), mappingCount(wanted), why)
  assert.equal(got.epochStart, wanted.epochStart, why)
}

/** The reply that a server which only ever heard of the changes gives to the next request. */
const replyOf = (state: ServerState, move: Move | Turn): Uint8Array | undefined => {
  if (move.type !== "request") return undefined
  const { bytes, now, source, outside } = move
  return process(state, {
    bytes,
    now,
    source: address(source),
    sourcePort: 5350,
    side: outside ? "outside" : "inside",
    realm: realmOf(move.realm),
  })[1].reply
}

/** Settings are in no change: a replica has to be told of them as the server is. */
const turned = (state: ServerState, move: Move | Turn): ServerState => {
  if (move.type !== "turn") return state
  const done = adoptCgnSettings(state.cgnState, cgnSettingsOf(move.settings), move.now)
  assert.ok(done.ok)
  return { ...state, cgnState: done.state }
}

interface Branch {
  readonly place: Place
  /** The server made from copies of all changes of the branch, one by one. */
  readonly replica: ServerState
}

test("folding apply over the changes of any run, or over copies of them, gives the run's last state, old states among them (S-10)", () => {
  for (let run = 0; run < 12; run++) {
    const random = randomFrom(seed + run)
    const { settings, place: start } = randomPlace(random)
    const kept: Branch[] = [{ place: start, replica: start.server }]
    const advances = random.pick([0, 4, 12, 40])
    let { place, replica } = kept[0]
    for (let step = 0; step < 800; step++) {
      if (random.once(20)) ({ place, replica } = random.pick(kept))
      const turn = random.once(60)
      const move = turn ? randomTurn(random, place.now) : randomMove(random, settings, place.now, advances)
      const why = `seed ${seed + run}, step ${step}: ${moveText(move)}`
      const played = play(settings, place, move)
      assert.ok(typeof played === "object", `${why}: ${played}`)
      if (step % 3 === 0) assert.deepEqual(replyOf(replica, move), replyOf(place.server, move), why)
      replica = turned(replica, move)
      place = played.place
      replica = fold(replica, copied(played.changes))
      if (step % 8 === 0) kept.push({ place, replica })
    }
    for (const branch of kept) {
      const { server, now } = branch.place
      assertAlike(branch.replica, server, now, `seed ${seed + run}`)
      const ended = advance(branch.replica, now + 90_000_000)[1]
        .changes.map((change) => JSON.stringify(change))
        .sort()
      const wanted = advance(server, now + 90_000_000)[1]
        .changes.map((change) => JSON.stringify(change))
        .sort()
      assert.deepEqual(ended, wanted, `seed ${seed + run}`)
    }
  }
})

test("the first state is still there after a run, and all of the run's changes at once lead from it to the last", () => {
  for (let run = 0; run < 6; run++) {
    const random = randomFrom(seed + 1000 + run)
    const { settings, place: start } = randomPlace(random)
    const changes: Change[] = []
    let place = start
    for (let step = 0; step < 1500; step++) {
      const played = play(settings, place, randomMove(random, settings, place.now, 10))
      assert.ok(typeof played === "object", `seed ${seed + 1000 + run}: ${played}`)
      place = played.place
      changes.push(...played.changes)
    }
    assert.deepEqual(listServer(start.server, start.now, 10), listModel(start.model, start.now))
    assertAlike(fold(start.server, changes), place.server, place.now, `seed ${seed + 1000 + run}`)
    assertAlike(fold(start.server, copied(changes)), place.server, place.now, `seed ${seed + 1000 + run}`)
  }
})

test("a change that does not fit is passed over: replayed twice or out of its turn, it breaks nothing", () => {
  for (let run = 0; run < 6; run++) {
    const random = randomFrom(seed + 2000 + run)
    const { settings, place: start } = randomPlace(random)
    const changes: Change[] = []
    let place = start
    for (let step = 0; step < 400; step++) {
      const played = play(settings, place, randomMove(random, settings, place.now, 10))
      assert.ok(typeof played === "object", `seed ${seed + 2000 + run}: ${played}`)
      place = played.place
      changes.push(...played.changes)
    }
    let replica = start.server
    for (let n = 0; n < 1200; n++) replica = apply(replica, random.pick(changes))
    const held = listServer(replica, place.now, 1000)
    // Whatever came of it, it answers requests and takes away what has run out.
    for (let n = 0; n < 50; n++) replyOf(replica, randomMove(random, settings, place.now, 0))
    const later = advance(replica, settings.start + (2 ** 32 - 2) * 1000)[0]
    const forever = held.filter((line) => line.includes(" Infinity "))
    assert.ok(mappingCount(later) <= forever.length, `seed ${seed + 2000 + run}`)
  }
})
