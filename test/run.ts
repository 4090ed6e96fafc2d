/**
 * `npm test`: format and lint, types, the tests of the core and of a runtime's sockets under Deno and under Bun, then every test under Node. The cheap
 * phases come first and a failure ends the run, so that the last lines are either the failure or Node's summary.
 */
import { spawnSync } from "node:child_process"

type Phase = { readonly name: string; readonly script: string; readonly loud?: boolean }

const phases: readonly Phase[] = [
  { name: "format and lint", script: "lint" },
  { name: "types", script: "types" },
  { name: "core and sockets under Deno", script: "test:deno" },
  { name: "core and sockets under Bun", script: "test:bun" },
  { name: "all tests under Node", script: "test:node", loud: true },
]

for (const { name, script, loud = false } of phases) {
  const start = performance.now()
  // One command string and a shell: npm is a .cmd file on Windows.
  const run = spawnSync(`npm run --silent ${script}`, {
    shell: true,
    encoding: "utf8",
    stdio: loud ? "inherit" : ["ignore", "pipe", "pipe"],
    maxBuffer: 1 << 28,
  })
  if (run.status !== 0) {
    if (!loud) process.stdout.write(`${run.stdout}${run.stderr}`)
    const how = run.signal === null ? "" : ` (${run.signal})`
    process.stdout.write(`✖ ${name} failed${how}: npm run ${script}\n`)
    // Not process.exit, which leaves unsaid what a pipe has not taken yet.
    process.exitCode = 1
    break
  }
  // Node's own summary says how many it skipped; those of Deno and Bun are not shown.
  const skipped = loud ? null : /\b[1-9]\d* (?:ignored|skip|todo)\b/.exec(`${run.stdout}${run.stderr}`)
  if (skipped !== null && process.env.CI === "true") {
    console.error(`✖ ${name}: ${skipped[0]}, and CI runs every test: npm run ${script}`)
    process.exit(1)
  }
  if (!loud) console.log(`✔ ${name} (${((performance.now() - start) / 1000).toFixed(1)} s)`)
}
