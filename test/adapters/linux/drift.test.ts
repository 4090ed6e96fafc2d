import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { driftOf } from "../../../adapters/linux/index.ts"

type Listing = Parameters<typeof driftOf>[1]
type Wanted = Parameters<typeof driftOf>[0] extends ReadonlyMap<string, infer W> ? W : never

const KEY = "17 . 203.0.113.7 . 5000"
const DATA = "10.0.0.2 . 80"

const wanted = (left: number | undefined, set = "inbound"): Wanted => ({
  element: { set, key: KEY, data: set === "inbound" ? DATA : undefined },
  left,
})
/** What is found where something else, or nothing, is wanted: how many are put in and taken out. */
const drift = (
  want: Wanted | undefined,
  found: { readonly left: number | undefined; readonly data?: string | undefined } | undefined,
  took = 0,
): readonly [number, number] => {
  const set = want?.element.set ?? "inbound"
  const all = new Map(want === undefined ? [] : [[`${set} ${KEY}`, want]])
  const listing: Listing = new Map(
    found === undefined ? [] : [[`${set} ${KEY}`, { set, key: KEY, data: DATA, ...found }]],
  )
  const { put, gone } = driftOf(all, listing, took)
  for (const one of put) assert.equal(one, want)
  for (const one of gone) assert.deepEqual(one, listing.get(`${set} ${KEY}`))
  return [put.length, gone.length]
}

describe("what a table has otherwise than the server", () => {
  it("is what is not there, unless it is about to end: within 5 s that is chance", () => {
    assert.deepEqual(drift(wanted(5001), undefined), [1, 0])
    assert.deepEqual(drift(wanted(5000), undefined), [0, 0])
    assert.deepEqual(drift(wanted(undefined), undefined), [1, 0])
  })

  it("is what is nobody's, with the same exception", () => {
    assert.deepEqual(drift(undefined, { left: 5001 }), [0, 1])
    assert.deepEqual(drift(undefined, { left: 5000 }), [0, 0])
    assert.deepEqual(drift(undefined, { left: undefined }), [0, 1])
  })

  it("is other data for the same key", () => {
    assert.deepEqual(drift(wanted(60_000), { left: 60_000, data: "10.0.0.3 . 80" }), [1, 1])
    assert.deepEqual(drift(wanted(60_000), { left: 60_000 }), [0, 0])
  })

  it("is an end at another time, by more than 5 s and what the listing took", () => {
    for (const [found, took, isOther] of [
      [65_000, 0, false],
      [65_001, 0, true],
      [55_000, 0, false],
      [54_999, 0, true],
      [50_000, 5000, false],
      [49_999, 5000, true],
      [undefined, 0, true],
    ] as const)
      assert.deepEqual(drift(wanted(60_000), { left: found }, took), isOther ? [1, 1] : [0, 0], `${found} ${took}`)
    assert.deepEqual(drift(wanted(undefined), { left: undefined }), [0, 0])
    assert.deepEqual(drift(wanted(undefined), { left: 60_000 }), [1, 1])
  })

  it("of FILTERs' elements no time is looked at, as they go with their mapping", () => {
    for (const set of ["filtered", "permitted", "filtered-port", "permitted-host"])
      assert.deepEqual(drift(wanted(60_000, set), { left: undefined, data: undefined }), [0, 0], set)
    assert.deepEqual(drift(wanted(60_000, "unfiltered"), { left: undefined, data: undefined }), [1, 1])
  })
})
