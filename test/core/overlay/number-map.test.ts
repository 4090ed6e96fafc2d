import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import {
  emptyNumbers,
  type NumberMap,
  numberAt,
  numberFrom,
  numbersFrom,
  withNumber,
  withoutNumber,
} from "../../../core/overlay/number-map.ts"

const key: fc.Arbitrary<number> = fc.oneof(
  fc.nat(70),
  fc.constantFrom(0, 31, 32, 1023, 1024, 2 ** 31 - 1, 2 ** 32, 2 ** 48 - 1, 2 ** 50 - 1),
  fc.maxSafeNat().map((number) => number % 2 ** 48),
)

test("changes in any order: what a Map has, in the order of keys, and each map before stays as it was", () => {
  const change = fc.tuple(fc.boolean(), key, fc.nat(9))
  fc.assert(
    fc.property(fc.array(change, { maxLength: 120 }), key, (changes, from) => {
      const model = new Map<number, number>()
      let map: NumberMap<number> = emptyNumbers()
      const states: (readonly [NumberMap<number>, string])[] = []
      for (const [isPut, key, value] of changes) {
        if (isPut) model.set(key, value)
        else model.delete(key)
        map = isPut ? withNumber(map, key, value) : withoutNumber(map, key)
        states.push([map, JSON.stringify([...model].sort(([one], [other]) => one - other))])
        assert.equal(numberAt(map, key), model.get(key))
      }
      for (const [state, text] of states) {
        const entries = [...numbersFrom(state)]
        assert.equal(JSON.stringify(entries), text)
        assert.equal(state.size, entries.length)
        const after = entries.filter(([key]) => key >= from)
        assert.deepEqual([...numbersFrom(state, from)], after)
        assert.deepEqual(numberFrom(state, from), after[0])
        assert.equal(numberAt(state, from), new Map(entries).get(from))
      }
    }),
    { numRuns: 500 },
  )
})
