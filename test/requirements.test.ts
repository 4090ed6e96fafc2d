import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { describe, it } from "node:test"
import { DOCUMENT, document, REQUIREMENTS, shown } from "./requirements.ts"

describe("requirements", () => {
  it("every one that is not planned has a test that shows it", () => {
    const tests = shown()
    const missing = REQUIREMENTS.filter(({ id, planned }) => planned === undefined && !tests.has(id))
    assert.deepEqual(
      missing.map(({ id }) => id),
      [],
    )
  })

  it("no test shows a server requirement that is not listed", () => {
    const listed = new Set(REQUIREMENTS.map(({ id }) => id))
    assert.deepEqual(
      [...shown().keys()].filter((id) => !listed.has(id)),
      [],
    )
  })

  it("test/requirements.md is what `node test/requirements.ts` writes", () => {
    assert.equal(readFileSync(DOCUMENT, "utf8"), document())
  })
})
