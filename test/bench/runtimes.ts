/**
 * A server on each runtime's adapter against a bare echo server on the same runtime's own sockets, under the same load: MAP renewals,
 * a window of 64, the server on core 0 and the load on core 1. Each round runs all servers, so that a slow machine is slow for all.
 * Arguments, for a short look: rounds, seconds.
 */
import { execFileSync } from "node:child_process"
import { isPinned, load, median, path, startServer, stopServer } from "./udp/pinned.ts"

const LEAST_RATIO = 0.7
const [ROUNDS = 3, SECONDS = 3] = process.argv.slice(2).map(Number)
const WINDOW = 64
const MAPPINGS = 1000
const PORT = 25361

/** The program itself: npm's command for it starts it as a child, which would outlive the command and hide its time. */
const deno = execFileSync(path("node_modules/.bin/deno"), ["eval", "console.log(Deno.execPath())"], {
  encoding: "utf8",
}).trim()

/** A runtime, what runs a source on it, and its bare echo server. */
const runtimes: readonly (readonly [string, readonly string[], string])[] = [
  ["node", [process.execPath], "echo"],
  ["deno", [deno, "run", "--allow-all", "--no-check"], "echo-deno"],
  ["bun", [path("node_modules/.bin/bun")], "echo-bun"],
]

const server = (name: string, command: readonly string[], file: string) => {
  const rates: number[] = []
  const costs: number[] = []
  return { name, command: [...command, path(`test/bench/udp/${file}.ts`), `${PORT}`], rates, costs }
}

const servers = runtimes.flatMap(([name, command, echo]) => [
  server(name, command, echo),
  server(name, command, `host-${name}`),
])

for (let round = 0; round < ROUNDS; round++) {
  for (const { name, command, rates, costs } of servers) {
    const child = await startServer(command, /ready/)
    const { rate, refused, cpu } = load(child, PORT, SECONDS, MAPPINGS, WINDOW)
    await stopServer(child)
    if (refused > 0) throw new Error(`${name}: ${refused} requests were refused`)
    rates.push(rate)
    costs.push(cpu)
  }
}

console.log(
  `${isPinned ? "server and load on a core each" : "not pinned"}, window ${WINDOW}, ${MAPPINGS} mappings, ${ROUNDS} rounds of ${SECONDS} s`,
)
console.log(
  "| runtime | echo/s | served/s | of the echo | CPU µs a datagram | a request |\n| --- | --- | --- | --- | --- | --- |",
)
let missed = false
for (const [i, [name]] of runtimes.entries()) {
  const [echo, host] = servers.slice(2 * i, 2 * i + 2)
  const ratio = median(host.rates) / median(echo.rates)
  missed ||= ratio < LEAST_RATIO
  const rates = `${Math.round(median(echo.rates))} | ${Math.round(median(host.rates))} | ${ratio.toFixed(2)}`
  console.log(`| ${name} | ${rates} | ${median(echo.costs).toFixed(1)} | ${median(host.costs).toFixed(1)} |`)
}
console.log(`limit: each at least ${LEAST_RATIO} of its runtime's echo: ${missed ? "MISSED" : "met"}`)
