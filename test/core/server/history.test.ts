import assert from "node:assert/strict"
import { env } from "node:process"
import { test } from "node:test"
import { randomFrom, seedOf } from "../../fuzz/random.ts"
import { type Move, randomMove, randomTurn, type Turn } from "./model-moves.ts"
import { difference, movesOf, type Place, play, randomPlace, report } from "./model-run.ts"

/**
 * Random histories that branch: hundreds of old states are kept, and any of them may be gone on from at any time. In some
 * the administrator changes the settings and revokes hosts now and then.
 */
const RUNS = 40
const STEPS = 2600
const KEPT = 300

const runHistory = (seed: number): void => {
  const random = randomFrom(seed)
  const { settings, place: start } = randomPlace(random)
  const kept: Place[] = [start]
  const check = (place: Place, why: string | undefined) => {
    if (why !== undefined) assert.fail(report(seed, settings, start, movesOf(place), why))
  }
  let place = start
  const advances = random.pick([0, 4, 12, 12, 40])
  const turns = random.pick([0, 30, 200])
  const restores = random.pick([0, 20, 100])
  for (let step = 0; step < STEPS; step++) {
    if (random.once(12)) place = random.pick(kept)
    if (random.once(4))
      if (kept.length < KEPT) kept.push(place)
      else kept[random.below(KEPT)] = place
    const next = (): Move | Turn => {
      if (turns !== 0 && random.once(turns)) return randomTurn(random, place.now)
      if (restores !== 0 && random.once(restores)) return { type: "restore", now: place.now }
      return randomMove(random, place.model.settings ?? settings, place.now, advances)
    }
    const move = next()
    const played = play(settings, place, move)
    if (typeof played === "string") {
      check({ ...place, moves: { move, before: place.moves } }, played)
      return
    }
    place = played.place
    if (step % 4 === 0) check(place, difference(place, step % 16 === 0))
  }
  for (const old of kept) check(old, difference(old, true))
}

test("any history, forked and gone on from any old state, answers as the model does and lists the same (S-03 S-07 S-08 S-09 S-10 S-44 S-47 S-48 S-49 S-50 S-51 S-52 S-64 S-66 S-69 S-121 S-124 S-130 S-131 S-133 S-134 S-136 S-137 S-45 S-53 N-02 N-03 N-04 N-05)", () => {
  const seed = seedOf(20130401, env.SALLYPORT_SEED)
  for (let run = 0; run < RUNS; run++) runHistory(seed + run)
})
