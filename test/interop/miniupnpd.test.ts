import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { describe, it } from "node:test"
import { document, missing, REPORT, runKit, version } from "./miniupnpd.ts"

const lack = missing()
if (lack !== undefined) assert.notEqual(process.env.CI, "true", lack)
const kept = readFileSync(REPORT, "utf8")

/** The first line of a report names the version that it is of. */
const isSameVersion = (): boolean => kept.startsWith(`# ${version()} `)

describe("the conformance kit against miniupnpd", { skip: lack ?? false }, () => {
  it("says what the kept report says, where the version is the report's", (context) => {
    if (!isSameVersion()) {
      context.skip(
        `the kept report is of another version than ${version()}: node test/interop/miniupnpd.ts writes it anew`,
      )
      return
    }
    assert.equal(document(runKit(), version()), kept)
  })
})
