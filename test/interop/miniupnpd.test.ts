import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { describe, it } from "node:test"
import { document, missing, REPORT, runKit, version } from "./miniupnpd.ts"

const lack = missing()
if (lack !== undefined) assert.notEqual(process.env.CI, "true", lack)

describe("the conformance kit against miniupnpd", { skip: lack ?? false }, () => {
  it("says what the kept report says, or of another version that it was held to all that it offers", () => {
    const kept = readFileSync(REPORT, "utf8")
    const report = runKit()
    assert.equal(report.stopped, null)
    assert.equal(report.deletionsUnanswered, 0)
    assert.ok(Array.isArray(report.offers) && report.offers.includes("map") && report.offers.includes("nat-pmp"))
    const now = document(report, version())
    // The first line names the version; `node test/interop/miniupnpd.ts` writes a report of another one.
    if (kept.split("\n")[0] === now.split("\n")[0]) assert.equal(now, kept)
  })
})
