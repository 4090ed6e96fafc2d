import assert from "node:assert/strict"
import { test } from "node:test"
import { fuzz } from "./run.ts"

test("a client with mappings under way takes any octets: it never throws or hangs, keeps its budget, and its old states stay valid", async () => {
  assert.equal(await fuzz("client", 6886), undefined)
})
