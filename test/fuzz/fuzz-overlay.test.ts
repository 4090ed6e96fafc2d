import assert from "node:assert/strict"
import { test } from "node:test"
import { fuzz } from "./run.ts"

test("overlays' readers take any octets, write again what they read, and SVP's two ends take any stream", async () => {
  assert.equal(await fuzz("overlay", 7348), undefined)
})
