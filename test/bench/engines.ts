/**
 * `parse`, `encode` and `process` on the three engines, and how long the command takes to start: a packet decoded against an empty program in
 * the same folder, laid out as the package is, on the same runtime, in turns. Argument, for a short look: rounds of starts.
 */
import { execFileSync, spawnSync } from "node:child_process"
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { path } from "./udp/pinned.ts"

const [ROUNDS = 40] = process.argv.slice(2).map(Number)
const LEAST = 2

/** The programs themselves: npm's commands for them are started first, and take time of their own. */
const deno = execFileSync(path("node_modules/.bin/deno"), ["eval", "console.log(Deno.execPath())"], {
  encoding: "utf8",
}).trim()
const runtimes: readonly (readonly [string, readonly string[]])[] = [
  ["node", [process.execPath]],
  ["deno", [deno, "run", "--allow-all", "--no-check"]],
  ["bun", [path("node_modules/bun/bin/bun.exe")]],
]

const run = ([program, ...first]: readonly string[], args: readonly string[]): string => {
  const { status, stdout, stderr } = spawnSync(program, [...first, ...args], { encoding: "utf8" })
  if (status !== 0) throw new Error(`${program} ${args.join(" ")}: ${stderr}`)
  return stdout
}

console.log("| engine | parse/s | encode/s | process/s (16,384 mappings, renewals) |\n| --- | --- | --- | --- |")
for (const [name, command] of runtimes) {
  const rates: Readonly<Record<string, number>> = JSON.parse(run(command, [path("test/bench/engine/work.ts")]))
  console.log(`| ${name} | ${rates.parse} | ${rates.encode} | ${rates.process} |`)
}

run([process.execPath], [path("build.ts")])
// As it is installed: what starts the command, and the bundle beside it, without the sources, in a project that depends on it.
const project = mkdtempSync(join(tmpdir(), "sallyport-start-"))
writeFileSync(join(project, "package.json"), JSON.stringify({ dependencies: { sallyport: "*" } }))
const folder = join(project, "node_modules/sallyport")
mkdirSync(folder, { recursive: true })
for (const name of ["package.json", "bin", "dist"]) cpSync(path(name), join(folder, name), { recursive: true })
const [empty, command] = [join(folder, "bin/empty.js"), join(folder, "bin/sallyport.js")]
writeFileSync(empty, "")
const PACKET = "02000000000000000000ffffc0000201"
const programs: readonly (readonly string[])[] = [[empty], [command, "decode", PACKET], [command, "--version"]]
const times = runtimes.map(() => programs.map((): number[] => []))
for (let round = 0; round < ROUNDS; round++)
  for (const [i, [, runtime]] of runtimes.entries())
    for (const [k, args] of programs.entries()) {
      const start = performance.now()
      run(runtime, args)
      times[i][k].push(performance.now() - start)
    }
rmSync(project, { recursive: true })

// The quickest tenth: whatever else the machine does only slows.
const quick = (samples: readonly number[]): number => samples.toSorted((a, b) => a - b)[Math.floor(samples.length / 10)]
console.log(
  `\n${ROUNDS} starts each, the quickest tenth\n| runtime | empty ms | decode ms | of empty | --version ms |\n| --- | --- | --- | --- | --- |`,
)
let missed = false
for (const [i, [name]] of runtimes.entries()) {
  const [none, decode, version] = times[i].map(quick)
  missed ||= decode / none >= LEAST
  console.log(
    `| ${name} | ${none.toFixed(1)} | ${decode.toFixed(1)} | ${(decode / none).toFixed(2)} | ${version.toFixed(1)} |`,
  )
}
console.log(
  `limit: a packet decoded in less than ${LEAST} times the runtime's empty start: ${missed ? "MISSED" : "met"}`,
)
