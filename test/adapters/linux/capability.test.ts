import assert from "node:assert/strict"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, describe, it } from "node:test"
import { hasNetAdmin } from "../../../adapters/linux/index.ts"

describe("CAP_NET_ADMIN", () => {
  const folder = mkdtempSync(join(tmpdir(), "sallyport-capability-"))
  after(() => rmSync(folder, { recursive: true, force: true }))

  it("is bit 12 of the effective set (linux/capability.h), whatever the others are", () => {
    const status = join(folder, "status")
    for (const [set, has] of [
      ["0000000000001000", true],
      ["000001ffffffffff", true],
      ["000001ffffffefff", false],
      ["0000000000000000", false],
    ] as const) {
      writeFileSync(status, `Name:\tnode\nCapInh:\t0000000000001000\nCapEff:\t${set}\nCapBnd:\t0000000000001000\n`)
      assert.equal(hasNetAdmin(status), has, set)
    }
  })

  it("is not known where the system does not say", () => {
    assert.equal(hasNetAdmin(join(folder, "nowhere")), undefined)
    writeFileSync(join(folder, "other"), "Name:\tnode\n")
    assert.equal(hasNetAdmin(join(folder, "other")), undefined)
  })
})
