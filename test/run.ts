/**
 * `npm test`: format, lint and types, the tests of the core and of a runtime's sockets under Deno and under Bun, then every test under
 * Node. The cheap phases come first, two at a time, and a failure ends the run, so that the last lines are either the failure or
 * Node's summary. The tests that start the command start a bundle of it, made of the sources as they are now.
 */
import { spawn } from "node:child_process"
import { join } from "node:path"
import { bundleCommand } from "../build.ts"

type Phase = { readonly name: string; readonly script: string; readonly loud?: boolean }

/** The phases of one row run side by side. */
const rows: readonly (readonly Phase[])[] = [
  [
    { name: "format and lint", script: "lint" },
    { name: "types", script: "types" },
  ],
  [
    { name: "core and sockets under Deno", script: "test:deno" },
    { name: "core and sockets under Bun", script: "test:bun" },
  ],
  [{ name: "all tests under Node", script: "test:node", loud: true }],
]

/** Runs a phase and says how it went, with all that a failed one printed. True: it passed. */
const run = async ({ name, script, loud = false }: Phase): Promise<boolean> => {
  const start = performance.now()
  // One command string and a shell: npm is a .cmd file on Windows.
  const child = spawn(`npm run --silent ${script}`, {
    shell: true,
    stdio: loud ? "inherit" : ["ignore", "pipe", "pipe"],
  })
  let output = ""
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    output += text
  })
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    output += text
  })
  const { code, signal } = await new Promise<{ code: number | null; signal: string | null }>((resolve, reject) => {
    child.on("error", reject)
    child.on("close", (code, signal) => resolve({ code, signal }))
  })
  if (code !== 0) {
    process.stdout.write(`${output}✖ ${name} failed${signal === null ? "" : ` (${signal})`}: npm run ${script}\n`)
    return false
  }
  // Node's own summary says how many it skipped; those of Deno and Bun are not shown.
  const skipped = /\b[1-9]\d* (?:ignored|skip|todo)\b/.exec(output)
  if (skipped !== null && process.env.CI === "true") {
    process.stdout.write(`✖ ${name}: ${skipped[0]}, and CI runs every test: npm run ${script}\n`)
    return false
  }
  if (!loud) console.log(`✔ ${name} (${((performance.now() - start) / 1000).toFixed(1)} s)`)
  return true
}

await bundleCommand({ outdir: "build/command", runtime: "node" })
process.env.SALLYPORT_COMMAND = join(import.meta.dirname, "../build/command/main.js")

for (const row of rows) {
  const passed = await Promise.all(row.map(run))
  if (passed.includes(false)) {
    // Not process.exit, which leaves unsaid what a pipe has not taken yet.
    process.exitCode = 1
    break
  }
}
