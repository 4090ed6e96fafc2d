import assert from "node:assert/strict"
import { execFileSync } from "node:child_process"
import { test } from "node:test"
import { fileURLToPath } from "node:url"

/** Flags that make this runtime run a file with `gc()`. */
const flags = (): readonly string[] => {
  if ("Deno" in globalThis) return ["run", "-A", "--v8-flags=--expose-gc"]
  return ["--expose-gc"]
}

test("the collector takes the log of versions that nobody keeps, and only that", () => {
  const file = fileURLToPath(new URL("./garbage.ts", import.meta.url))
  const report = execFileSync(process.execPath, [...flags(), file], { encoding: "utf8" })
  // The present's own chunk is left, and another may be that the runtime's stack still names.
  const few = (count: unknown) => typeof count === "number" && count <= 3
  const { collector, made, nobody, oneKept, letGo, present }: Record<string, unknown> = JSON.parse(report)
  assert.equal(collector, true)
  assert.ok(few(nobody), `${nobody} of ${made} chunks left`)
  assert.equal(oneKept, made)
  assert.ok(few(letGo), `${letGo} of ${made} chunks left`)
  assert.equal(present, 50 * 64)
})
