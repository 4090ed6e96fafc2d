import assert from "node:assert/strict"
import { createHash } from "node:crypto"
import { test } from "node:test"
import fc from "fast-check"
import { advance, type Restored, restore, snapshot } from "../../../core/server/index.ts"
import { randomFrom } from "../../fuzz/random.ts"
import { act, busy, listed, optionsAt, SETTINGS, WALL } from "./snapshot-scene.ts"

const codeOf = (restored: Restored): string => (restored.ok ? "ok" : restored.error.code)

test("torn, truncated, foreign and damaged snapshots are told apart", () => {
  const { state, now } = busy(1, 60)
  const bytes = snapshot(state, { now, wallClock: WALL })
  const options = optionsAt(0, WALL)
  for (let length = 0; length < bytes.length; length += length < 200 ? 1 : 37)
    assert.equal(codeOf(restore(bytes.subarray(0, length), options)), "truncated", `${length} octets`)
  assert.equal(codeOf(restore(Uint8Array.of(...bytes, 0), options)), "truncated")
  const zeros = bytes.slice()
  zeros.fill(0, 4096)
  assert.equal(codeOf(restore(zeros, options)), "truncated", "a file whose end never reached the disk")
  const random = randomFrom(9)
  for (let run = 0; run < 300; run++) {
    const flipped = bytes.slice()
    flipped[random.below(bytes.length)] ^= 1 << random.below(8)
    assert.ok(["foreign", "format", "truncated", "damaged"].includes(codeOf(restore(flipped, options))))
  }
  assert.equal(codeOf(restore(new TextEncoder().encode('{"mappings": []}'.repeat(9)), options)), "foreign")
  const newer = bytes.slice()
  newer[8] = 2
  assert.equal(codeOf(restore(newer, options)), "format")
  assert.equal(codeOf(restore(bytes, { ...options, server: { maxLifetime: 0 } })), "bad-lifetime")
  assert.equal(codeOf(restore(bytes, { ...options, cgn: { ...SETTINGS, quota: -1 } })), "bad-quota")
})

test("any octets give a value, never a throw", () => {
  const head = [0x53, 0x41, 0x4c, 0x4c, 0x59, 13, 10, 26, 1, 0, 0, 0]
  const any = fc.oneof(
    fc.uint8Array({ maxLength: 400 }),
    fc.uint8Array({ maxLength: 400 }).map((rest) => Uint8Array.of(...head, ...rest)),
    fc.uint8Array({ maxLength: 400 }).map((rest) => sealed(Uint8Array.of(...head, ...rest, ...new Uint8Array(80)))),
  )
  fc.assert(
    fc.property(any, (bytes) => {
      assert.equal(restore(bytes, optionsAt(0, WALL)).ok, false)
    }),
    { numRuns: 500 },
  )
})

/** The same octets with the length and digest that they should have: what only a forger writes. */
const sealed = (bytes: Uint8Array): Uint8Array => {
  new DataView(bytes.buffer).setFloat64(bytes.length - 40, bytes.length, true)
  const digest = createHash("sha256")
    .update(bytes.subarray(0, bytes.length - 32))
    .digest()
  bytes.set(digest, bytes.length - 32)
  return bytes
}

test("a forged snapshot is refused, or gives a server that serves, lists and expires without a throw", () => {
  let refused = 0
  let taken = 0
  for (let seed = 1; seed <= 6; seed++) {
    const { state, now } = busy(seed, 150)
    const bytes = snapshot(state, { now, wallClock: WALL, final: true })
    const random = randomFrom(seed)
    for (let run = 0; run < 150; run++) {
      const changed = bytes.slice()
      const view = new DataView(changed.buffer)
      for (let n = 1 + random.below(2); n > 0; n--) {
        // Mostly where the rows are, few of which are in these octets' first half.
        const at = 4 * random.below((bytes.length - 40) >> 2)
        const was = view.getInt32(at, true)
        if (was === 0 && !random.once(4)) continue
        view.setInt32(at, random.pick([0, 1, -1, was + 1, was ^ (1 << random.below(32)), random.below(70)]), true)
      }
      const restored = restore(sealed(changed), optionsAt(now, WALL))
      if (!restored.ok) {
        refused++
        continue
      }
      taken++
      let after = restored.state
      for (let step = 0; step < 30; step++) after = act(after, random, now + 5000 * step).state
      listed(after, now)
      for (let n = 0; n < 20; n++) [after] = advance(after, now + 1e9)
    }
  }
  assert.ok(refused > 100 && taken > 300, `${refused} refused, ${taken} taken`)
})
