/**
 * `sallyport serve --workers` against the same on one thread: MAP renewals of 64 hosts, which the system spreads over the workers, and
 * these over each other. Nothing is pinned: on a machine of two cores the load takes one of them from the workers, and what two
 * gain on three and more is not to be seen. Each round runs all, so that a slow machine is slow for all.
 */
import { execFileSync, spawn } from "node:child_process"
import { once } from "node:events"
import { availableParallelism } from "node:os"
import { median, path } from "./udp/pinned.ts"

const ROUNDS = 3
const [SECONDS, HOSTS, MAPPINGS, WINDOW] = [3, 64, 16, 8]
const PORT = 25353
const WORKERS = [1, 2]

const measure = async (workers: number): Promise<number> => {
  const command = [path("adapters/cli/main.ts"), "serve", "--quiet", "--no-control", "--workers", `${workers}`]
  const server = spawn(process.execPath, [...command, "--listen", `127.0.0.1:${PORT}`], {
    stdio: ["ignore", "ignore", "pipe"],
  })
  await once(server.stderr, "data")
  const words = [path("test/bench/udp/load-hosts.ts"), ...[PORT, SECONDS, HOSTS, MAPPINGS, WINDOW].map(String)]
  const result: unknown = JSON.parse(execFileSync(path("node_modules/.bin/bun"), words, { encoding: "utf8" }))
  const ended = once(server, "exit")
  server.kill("SIGTERM")
  await ended
  if (typeof result !== "object" || result === null || !("rate" in result) || !("refused" in result))
    throw new Error("the load generator printed something else")
  if (result.refused !== 0) throw new Error(`${workers} workers: ${result.refused} requests were refused`)
  return Number(result.rate)
}

const rates = WORKERS.map((): number[] => [])
for (let round = 0; round < ROUNDS; round++)
  for (const [i, workers] of WORKERS.entries()) rates[i].push(await measure(workers))

console.log(
  `Node ${process.version}, ${availableParallelism()} cores, the load among them, ${HOSTS} hosts, window ${WINDOW} each`,
)
console.log("| workers | requests/s | of one |\n| --- | --- | --- |")
for (const [i, workers] of WORKERS.entries())
  console.log(`| ${workers} | ${Math.round(median(rates[i]))} | ${(median(rates[i]) / median(rates[0])).toFixed(2)} |`)
