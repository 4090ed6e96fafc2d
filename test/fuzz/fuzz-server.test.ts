import assert from "node:assert/strict"
import { test } from "node:test"
import { fuzz } from "./run.ts"

test("process takes any octets: it never throws or hangs, answers at most 1100 octets, and an error changes nothing (S-10 S-12)", async () => {
  assert.equal(await fuzz("server", 6886), undefined)
})
