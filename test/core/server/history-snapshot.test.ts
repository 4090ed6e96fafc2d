import assert from "node:assert/strict"
import { env } from "node:process"
import { test } from "node:test"
import { noteOutbound } from "../../../core/cgn/index.ts"
import { advance, epochTime, process, restore, type ServerState, snapshot } from "../../../core/server/index.ts"
import { type Random, randomFrom, seedOf } from "../../fuzz/random.ts"
import { type Move, randomMove } from "./model-moves.ts"
import {
  address,
  countersOf,
  difference,
  listServer,
  movesOf,
  moveText,
  play,
  randomPlace,
  report,
} from "./model-run.ts"
import { realmOf } from "./model-text.ts"

const seed = seedOf(20130404, env.SALLYPORT_SEED)

/** The server that its snapshot gives, which must be the same octets when written again. */
const again = (server: ServerState, now: number, then: number, rest: number): ServerState => {
  const written = snapshot(server, { now, wallClock: 1e12 + now, final: true })
  const { config } = server.cgnState
  const restored = restore(written, { cgn: config, server: server.settings, now: then, wallClock: 1e12 + now + rest })
  assert.ok(restored.ok, restored.ok ? "" : restored.error.text)
  assert.equal(restored.lost, false)
  assert.equal(restored.elapsed, rest)
  if (then === now && rest === 0)
    assert.deepEqual(snapshot(restored.state, { now, wallClock: 1e12 + now, final: true }), written)
  return restored.state
}

test("a history with a snapshot and a restore anywhere in it answers as the model does", () => {
  for (let run = 0; run < 10; run++) {
    const random = randomFrom(seed + run)
    const { settings, place: start } = randomPlace(random)
    const advances = random.pick([0, 4, 12, 40])
    const often = random.pick([3, 20, 100])
    let place = start
    for (let step = 0; step < 900; step++) {
      if (random.once(often)) place = { ...place, server: again(place.server, place.now, place.now, 0) }
      const move = randomMove(random, settings, place.now, advances)
      const played = play(settings, place, move)
      const moves = typeof played === "string" ? [...movesOf(place), move] : movesOf(played.place)
      const why = typeof played === "string" ? played : difference(played.place, step % 16 === 0)
      if (why !== undefined) assert.fail(report(seed + run, settings, start, moves, `after restoring: ${why}`))
      if (typeof played === "object") place = played.place
    }
  }
})

interface Answer {
  readonly state: ServerState
  readonly text: string
}

/** Makes a move `shift` milliseconds later and says all that is seen of it, as of a clock that is not. */
const answer = (state: ServerState, move: Move, shift: number): Answer => {
  const now = move.now + shift
  const json = (value: unknown): string =>
    JSON.stringify(value, (key, one) => (key === "expires" || key === "until" || key === "next" ? one - shift : one))
  if (move.type === "advance") {
    const [after, { changes, next }] = advance(state, now)
    return { state: after, text: json({ changes, next: next === undefined ? shift : next }) }
  }
  if (move.type === "restore") return { state, text: "" }
  if (move.type === "outbound") {
    const { protocol, internalPort } = move
    const end = { protocol, internal: address(move.internal), internalPort, realm: realmOf(move.realm) }
    const done = noteOutbound(state.cgnState, end, now)
    return { state: { ...state, cgnState: done.state }, text: json(done.changes) }
  }
  const side = move.outside ? "outside" : "inside"
  const realm = realmOf(move.realm)
  const request = { bytes: move.bytes, now, source: address(move.source), sourcePort: 5350, side, realm } as const
  const [after, { reply, dropped, changes }] = process(state, request)
  return { state: after, text: json({ reply: [...(reply ?? [])], dropped, changes }) }
}

/** Plays the same moves on both, the second one's clock `shift` ahead, and compares all octets and changes. */
const compare = (random: Random, one: ServerState, other: ServerState, shift: number, moves: readonly Move[]): void => {
  let [here, there] = [one, other]
  for (const move of moves) {
    const wanted = answer(here, move, 0)
    const got = answer(there, move, shift)
    assert.equal(got.text, wanted.text, moveText(move))
    ;[here, there] = [wanted.state, got.state]
    if (!random.once(16)) continue
    assert.equal(epochTime(there, move.now + shift), epochTime(here, move.now))
    assert.equal(listServer(there, move.now + shift, 100).length, listServer(here, move.now, 100).length)
    assert.deepEqual(countersOf(there), countersOf(here))
  }
}

test("a restored server on another clock gives the same replies octet by octet, chosen ports and epochs among them", () => {
  for (let run = 0; run < 24; run++) {
    const random = randomFrom(seed + 1000 + run)
    const { settings, place } = randomPlace(random)
    const state = place.server
    let { now } = place
    const next = (): Move => {
      const move = randomMove(random, settings, now, 12)
      now = move.now
      return move
    }
    let here = state
    for (let step = 0; step < 300; step++) here = answer(here, next(), 0).state
    // The new process starts at any instant of its own, some time after the old one stopped.
    const rest = random.pick([0, 1000, 250_000, 90_000_000])
    const then = random.pick([0, 1234.5, 2 ** 40])
    const there = again(here, now, then, rest)
    const shift = then - now - rest
    now += rest
    compare(random, here, there, shift, Array.from({ length: 300 }, next))
  }
})
