/**
 * `sallyport serve` over loopback UDP against a bare echo server on the same runtime under the same load: MAP renewals, a
 * window of 64, the server on core 0 and the load on core 1. Each round runs all servers, so that a slow machine is slow for all.
 */
import { isPinned, load, median, path, startServer, stopServer } from "./udp/pinned.ts"

const LEAST_RATIO = 0.7
const ROUNDS = 3
const SECONDS = 3
const WINDOW = 64
const MAPPINGS = 1000
const PORT = 25351

const node = process.execPath
const serve = [node, path("adapters/cli/main.ts"), "serve", "--listen", `127.0.0.1:${PORT}`]
const toNowhere = (words: readonly string[]): readonly string[] => ["sh", "-c", 'exec "$@" > /dev/null', "sh", ...words]
const READY = /ready|Listening/

const servers: readonly (readonly [string, readonly string[]])[] = [
  ["bare echo, node:dgram", [node, path("test/bench/udp/echo.ts"), `${PORT}`]],
  ["serve --quiet", [...serve, "--quiet"]],
  ["serve, a line an event to /dev/null", toNowhere(serve)],
]

const rates = servers.map((): number[] => [])
const costs = servers.map((): number[] => [])
for (let round = 0; round < ROUNDS; round++) {
  for (const [i, [name, command]] of servers.entries()) {
    const server = await startServer(command, READY)
    const { rate, refused, cpu } = load(server, PORT, SECONDS, MAPPINGS, WINDOW)
    costs[i].push(cpu)
    await stopServer(server)
    if (refused > 0) throw new Error(`${name}: ${refused} requests were refused`)
    rates[i].push(rate)
  }
}

const echo = median(rates[0])
console.log(
  `Node ${process.version}, ${isPinned ? "server and load on a core each" : "not pinned"}, window ${WINDOW}, ${MAPPINGS} mappings`,
)
console.log("| server | requests/s | of the echo | CPU µs a request |\n| --- | --- | --- | --- |")
for (const [i, [name]] of servers.entries()) {
  const rate = median(rates[i])
  console.log(`| ${name} | ${Math.round(rate)} | ${(rate / echo).toFixed(2)} | ${median(costs[i]).toFixed(1)} |`)
}
const ratio = median(rates[1]) / echo
console.log(`limit: serve --quiet at least ${LEAST_RATIO} of the echo: ${ratio >= LEAST_RATIO ? "met" : "MISSED"}`)
process.exitCode = ratio >= LEAST_RATIO ? 0 : 1
