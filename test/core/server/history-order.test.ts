import assert from "node:assert/strict"
import { env } from "node:process"
import { test } from "node:test"
import { noteOutbound } from "../../../core/cgn/index.ts"
import { advance, process, type ServerState } from "../../../core/server/index.ts"
import { type Random, randomFrom, seedOf } from "../../fuzz/random.ts"
import { hexAt, put16, put32, putAddress, word16 } from "./model-message.ts"
import { type Move, randomMove } from "./model-moves.ts"
import { address, moveText, randomPlace } from "./model-run.ts"
import type { ModelSettings } from "./model-state.ts"
import { realmOf } from "./model-text.ts"

const seed = seedOf(20130403, env.SALLYPORT_SEED)

/** One move; the code, the lifetime and, where it was not the server's to choose, the whole reply. */
const step = (state: ServerState, move: Move, whole: boolean): readonly [ServerState, string] => {
  if (move.type === "advance") return [advance(state, move.now)[0], ""]
  if (move.type === "restore") return [state, ""]
  if (move.type === "outbound") {
    const { protocol, internalPort } = move
    const end = { protocol, internal: address(move.internal), internalPort, realm: realmOf(move.realm) }
    const done = noteOutbound(state.cgnState, end, move.now)
    return [{ ...state, cgnState: done.state }, ""]
  }
  const { bytes, now, source, outside } = move
  const side = outside ? "outside" : "inside"
  const request = { bytes, now, source: address(source), sourcePort: 5350, side, realm: realmOf(move.realm) } as const
  const [after, { reply }] = process(state, request)
  if (reply === undefined) return [after, "dropped"]
  // Which external end was chosen may differ, and a copy of the request says nothing of the server.
  const natPmp = reply[0] === 0
  const shown = whole ? reply.length : natPmp ? 8 : Math.min(24, reply.length)
  return [after, hexAt(reply, 0, shown) + (natPmp && reply.length === 16 ? hexAt(reply, 12, 16) : "")]
}

/** Plays the moves on a server that never advances and on one that does after every move, and compares each answer. */
const compare = (
  runSeed: number,
  next: (random: Random, settings: ModelSettings, now: number) => Move,
  whole: boolean,
) => {
  const random = randomFrom(runSeed)
  const { settings, place } = randomPlace(random)
  let lazy = place.server
  // Made anew: two branches of one history would be walked back and forth between at every move.
  let eager = randomPlace(randomFrom(runSeed)).place.server
  let { now } = place
  const met = { success: 0, refused: 0 }
  for (let n = 0; n < 1200; n++) {
    const move = next(random, settings, now)
    now = move.now
    let late: string
    let early: string
    ;[lazy, late] = step(lazy, move, whole)
    eager = advance(eager, now)[0]
    ;[eager, early] = step(eager, move, whole)
    assert.equal(late, early, `seed ${runSeed}, move ${n}: ${moveText(move)}`)
    if (late.startsWith("028") && late.slice(6, 8) === "00") met.success++
    else met.refused++
  }
  return met
}

/** Any request, but an external end is had as suggested or not at all: MAP with PREFER_FAILURE, PEER, and no NAT-PMP mapping. */
const exactMove = (random: Random, settings: ModelSettings, before: number): Move => {
  for (;;) {
    const move = randomMove(random, settings, before, 0)
    if (move.type !== "request" || move.bytes[0] !== 2 || move.bytes.length < 60) continue
    const bytes = new Uint8Array(move.bytes.length + (move.bytes[1] === 1 ? 4 : 0))
    bytes.set(move.bytes)
    if (word16(bytes, 42) === 0) put16(bytes, 42, settings.ports.first + random.below(6))
    putAddress(bytes, 44, random.pick(settings.pool))
    if (bytes[1] === 1 && (bytes[4] | bytes[5] | bytes[6] | bytes[7]) !== 0) {
      bytes.copyWithin(64, 60, move.bytes.length)
      bytes.set([2, 0, 0, 0], 60)
      return { ...move, bytes }
    }
    return { ...move, bytes: bytes.subarray(0, move.bytes.length) }
  }
}

/** May a request have a PORT_SET (RFC 7753)? How many ports it gets depends on which ones are taken. */
const hasPortSet = (bytes: Uint8Array): boolean => bytes[1] === 1 && bytes.subarray(60).includes(130)

/** PCP and traffic of one transport without suggestions: whether there is room does not depend on which ports are taken. */
const unsuggestedMove = (random: Random, settings: ModelSettings, before: number): Move => {
  for (;;) {
    const move = randomMove(random, settings, before, 0)
    if (move.type === "outbound" && move.protocol === 17) return move
    if (move.type !== "request" || move.bytes[0] !== 2 || hasPortSet(move.bytes)) continue
    const bytes = move.bytes.slice()
    if (bytes.length >= 60) {
      bytes[36] = 17
      put16(bytes, 42, 0)
      putAddress(bytes, 44, "0.0.0.0")
      if (random.once(3)) put32(bytes, 4, 1 + random.below(400))
    }
    return { ...move, bytes }
  }
}

test("how far advance came changes no result code and no lifetime, where ends are suggested: the replies are the same octet by octet", () => {
  let success = 0
  let refused = 0
  for (let run = 0; run < 20; run++) {
    const met = compare(seed + run, exactMove, true)
    success += met.success
    refused += met.refused
  }
  assert.ok(success > 500 && refused > 500, `${success} ${refused}`)
})

test("how far advance came changes no result code and no lifetime, where the server chooses in a pool that is often full", () => {
  let success = 0
  let refused = 0
  for (let run = 0; run < 20; run++) {
    const met = compare(seed + 100 + run, unsuggestedMove, false)
    success += met.success
    refused += met.refused
  }
  assert.ok(success > 500 && refused > 500, `${success} ${refused}`)
})
