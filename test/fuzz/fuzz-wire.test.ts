import assert from "node:assert/strict"
import { test } from "node:test"
import { fuzz } from "./run.ts"

test("parse, dissect and validate take any octets: none throws, hangs or points outside of them", async () => {
  assert.equal(await fuzz("wire", 6887), undefined)
})
