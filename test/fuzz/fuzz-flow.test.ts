import assert from "node:assert/strict"
import { test } from "node:test"
import { fuzz } from "./run.ts"

test("datagrams of flows, of both forms, from anybody: none throws, leaks or makes a layer send what cannot be", async () => {
  assert.equal(await fuzz("flow", 3435), undefined)
})
