import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { describe, it } from "node:test"
import { AMBIGUITIES, DOCUMENT, decided, document, REQUIREMENTS, shown } from "./requirements.ts"

describe("requirements", () => {
  it("every one that is not planned has a test that shows it", () => {
    const tests = shown()
    const missing = REQUIREMENTS.filter(({ id, planned }) => planned === undefined && !tests.has(id))
    assert.deepEqual(
      missing.map(({ id }) => id),
      [],
    )
  })

  it("no test shows a requirement that is not listed", () => {
    const listed = new Set(REQUIREMENTS.map(({ id }) => id))
    assert.deepEqual(
      [...shown().keys()].filter((id) => !listed.has(id)),
      [],
    )
  })

  it("every ambiguity is decided where the code says so, and the code names none that is not listed", () => {
    const files = decided()
    const open = AMBIGUITIES.filter(({ elsewhere, number }) => elsewhere === undefined && !files.has(number))
    assert.deepEqual(
      open.map(({ number }) => number),
      [],
    )
    const listed = new Set(AMBIGUITIES.map(({ number }) => number))
    assert.deepEqual(
      [...files.keys()].filter((number) => !listed.has(number)),
      [],
    )
  })

  it("test/requirements.md is what `node test/requirements.ts` writes", () => {
    assert.equal(readFileSync(DOCUMENT, "utf8"), document())
  })
})
