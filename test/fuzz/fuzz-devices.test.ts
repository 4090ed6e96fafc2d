import assert from "node:assert/strict"
import { test } from "node:test"
import { fuzz } from "./run.ts"

test("process over NPTv6 and firewalls takes any octets, and no mapping outlives its lifetime (S-10 S-12 S-46)", async () => {
  assert.equal(await fuzz("devices", 6296), undefined)
})
