/**
 * How long `sallyport serve` takes to end at SIGTERM while two processes in C send it requests for new mappings as fast as they can: milliseconds from
 * the signal to the end of its process, with all that it lists and writes. Argument: stops of each kind.
 */
import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, rmSync } from "node:fs"
import { availableParallelism, loadavg, tmpdir } from "node:os"
import { join } from "node:path"
import { openLibc } from "../../adapters/linux/index.ts"
import { compile } from "./udp/compiled.ts"
import { median, path } from "./udp/pinned.ts"

/** Milliseconds. */
const LIMIT = 1000
const [TIMES = 10] = process.argv.slice(2).map(Number)
const [PORT, FLOODS] = [25371, 2]

const started = async (name: string, words: readonly string[], ready?: RegExp): Promise<ChildProcess> => {
  const child = spawn(name, words, { stdio: ["ignore", "ignore", "pipe"] })
  for (let text = ""; ready !== undefined && !ready.test(text); )
    for (const chunk of await once(child.stderr, "data")) text += String(chunk)
  return child
}

const ended = async (child: ChildProcess, signal: NodeJS.Signals): Promise<number> => {
  const exit = once(child, "exit")
  const began = performance.now()
  child.kill(signal)
  await exit
  return performance.now() - began
}

const stop = async (flood: string, args: readonly string[]): Promise<number> => {
  const folder = mkdtempSync(join(tmpdir(), "sallyport-bench-"))
  const serve = [path("adapters/cli/main.ts"), "serve", "--quiet", "--no-control", "--quota", "0"]
  const where = ["--listen", `127.0.0.1:${PORT}`, "--state", join(folder, "state")]
  const server = await started(process.execPath, [...serve, ...where, ...args], /Listening/)
  const floods = await Promise.all(
    Array.from({ length: FLOODS }, (_, number) => started(flood, [`${PORT}`, `${number}`])),
  )
  await new Promise((resolve) => setTimeout(resolve, 2000 + 1000 * Math.random()))
  const took = await ended(server, "SIGTERM")
  for (const one of floods) await ended(one, "SIGKILL")
  rmSync(folder, { recursive: true })
  if (server.exitCode !== 0)
    throw new Error(`serve ${args.join(" ")} ended with ${server.exitCode ?? server.signalCode}`)
  return took
}

const flood = compile(["flood"])?.get("flood")
if (flood === undefined) console.log("skipped: no C compiler here (Debian: build-essential)")
else {
  console.log(`Node ${process.version}, ${availableParallelism()} cores, ${FLOODS} floods, ${TIMES} stops of each kind`)
  console.log(`load average at the start ${loadavg()[0].toFixed(1)}`)
  console.log("| `serve` | median ms | most ms |")
  console.log("| --- | --- | --- |")
  const fast = openLibc().ok ? [["--fast"], ["--fast", "--workers", "1"], ["--fast", "--workers", "2"]] : []
  let worst = 0
  for (const args of [[], ["--workers", "2"], ...fast]) {
    const times: number[] = []
    for (let n = 0; n < TIMES; n++) times.push(await stop(flood, args))
    worst = Math.max(worst, ...times)
    console.log(
      `| \`${["serve", ...args].join(" ")}\` | ${Math.round(median(times))} | ${Math.round(Math.max(...times))} |`,
    )
  }
  console.log(`limit: each within ${LIMIT} ms: ${worst <= LIMIT ? "met" : "MISSED"}`)
}
