/**
 * `npm run bench [-- NAME…]`: runs the files of test/bench one after another, each in a process of its own so that no
 * heap or compiled code carries over; with names, those files, or where there is none of a name those whose name contains
 * it. Files in subfolders are shared pieces, not benchmarks.
 */
import { spawnSync } from "node:child_process"
import { readdirSync } from "node:fs"
import { join } from "node:path"

const folder = join(import.meta.dirname, "bench")
const wanted = process.argv.slice(2)
const all = readdirSync(folder)
  .filter((file) => file.endsWith(".ts"))
  .sort()
const named = wanted.map((name) => all.filter((file) => file === `${name}.ts`))
const files = all.filter(
  (file) =>
    wanted.length === 0 ||
    wanted.some((name, i) => (named[i].length > 0 ? named[i].includes(file) : file.includes(name))),
)

if (files.length === 0) {
  console.error(`no benchmark in test/bench has a name with: ${wanted.join(", ")}`)
  process.exit(1)
}

let failed = false
for (const file of files) {
  console.log(`\n== ${file}`)
  const run = spawnSync(process.execPath, ["--expose-gc", join(folder, file)], { stdio: "inherit" })
  if (run.status !== 0) {
    failed = true
    console.error(`${file} ended with ${run.status ?? run.signal}`)
  }
}
process.exitCode = failed ? 1 : 0
