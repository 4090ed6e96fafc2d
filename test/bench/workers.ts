/**
 * `sallyport serve --workers` against the same on one thread: MAP renewals of 64 hosts, which the system spreads over the workers, and
 * these over each other. Nothing is pinned: on a machine of two cores the load takes one of them from the workers, and what two
 * gain on three and more is not to be seen. Each round runs all, so that a slow machine is slow for all. Under 90 s in all.
 */
import { execFileSync, spawn } from "node:child_process"
import { once } from "node:events"
import { availableParallelism, loadavg } from "node:os"
import { median, path } from "./udp/pinned.ts"

const ROUNDS = 3
const [SECONDS, HOSTS, MAPPINGS, WINDOW] = [3, 64, 16, 8]
const PORT = 25353
const WORKERS = [1, 2]
/** Milliseconds for one load, with its warm-up. */
const LIMIT = 12_000

interface Measured {
  /** Answers a second. */
  readonly rate: number
  /** Microseconds of processor time of a request, all threads together. */
  readonly cpu: number
}

const isMeasured = (result: object): result is Measured & { readonly refused: number } =>
  "rate" in result && "cpu" in result && "refused" in result

const measure = async (workers: number): Promise<Measured> => {
  const command = [
    path("adapters/cli/main.ts"),
    "serve",
    "--quiet",
    "--no-control",
    ...(workers === 1 ? [] : ["--workers", `${workers}`]),
  ]
  const server = spawn(process.execPath, [...command, "--listen", `127.0.0.1:${PORT}`], {
    stdio: ["ignore", "ignore", "pipe"],
  })
  const ended = once(server, "exit")
  try {
    await once(server.stderr, "data")
    const numbers = [PORT, SECONDS, HOSTS, MAPPINGS, WINDOW, server.pid]
    const words = [path("test/bench/udp/load-hosts.ts"), ...numbers.map(String)]
    const output = execFileSync(path("node_modules/.bin/bun"), words, { encoding: "utf8", timeout: LIMIT })
    const result: unknown = JSON.parse(output)
    if (typeof result !== "object" || result === null || !isMeasured(result))
      throw new Error(`${workers} workers were not warm in time: this machine is too busy (${output.trim()})`)
    if (result.refused !== 0) throw new Error(`${workers} workers: ${result.refused} requests were refused`)
    return result
  } finally {
    server.kill("SIGTERM")
    await ended
  }
}

const cores = availableParallelism()
const [load] = loadavg()
const all = WORKERS.map((): Measured[] => [])
for (let round = 0; round < ROUNDS; round++)
  for (const [i, workers] of WORKERS.entries()) all[i].push(await measure(workers))

console.log(`Node ${process.version}, ${HOSTS} hosts, window ${WINDOW} each, ${ROUNDS} rounds of ${SECONDS} s each`)
console.log(`${cores} cores, the load generator on them too; load average at the start ${load.toFixed(1)}`)
if (cores <= Math.max(...WORKERS))
  console.log("NOTE too few cores for the workers and the load: what they gain is not seen")
if (load > 1)
  console.log("NOTE the machine was not quiet: more threads get more of its cores, and the ratio means little")
console.log("| workers | requests/s, median | least to most | of one, in each round | CPU µs a request |")
console.log("| --- | --- | --- | --- | --- |")
for (const [i, workers] of WORKERS.entries()) {
  const rates = all[i].map(({ rate }) => rate)
  const ratios = rates.map((rate, round) => (rate / all[0][round].rate).toFixed(2)).join(", ")
  const [least, most] = [Math.min(...rates), Math.max(...rates)].map(Math.round)
  const cpu = median(all[i].map((one) => one.cpu)).toFixed(1)
  console.log(`| ${workers} | ${Math.round(median(rates))} | ${least} to ${most} | ${ratios} | ${cpu} |`)
}
