/**
 * Overload over loopback UDP: `sallyport serve` is sent five times the requests that it can take (what it answers to a window of
 * 64), renewals and requests that must be refused among them. Held to it: every answer is the right one, answers go on, memory
 * stays bounded, and the next request after the overload is answered at once.
 */
import { execFileSync } from "node:child_process"
import type { Flooded } from "./udp/flood.ts"
import { isPinned, path, pinned, startServer, stopServer } from "./udp/pinned.ts"

const FACTOR = 5
const SECONDS = 5
const PORT = 25361
/**
 * An answer costs the server no more than this many times what it costs otherwise: the processor's time, which other programs on
 * the machine do not change as they change the answers a second.
 */
const MOST_COST = 2
/** MiB that the overload may add. */
const MOST_MEMORY = 64
/** Milliseconds to the first new answer. */
const MOST_RECOVERY = 250

const node = process.execPath
const command = [node, path("adapters/cli/main.ts"), "serve", "--listen", `127.0.0.1:${PORT}`, "--quiet"]
const server = await startServer(command, /ready|Listening/)
const bun = path("node_modules/.bin/bun")
const words = [bun, path("test/bench/udp/flood.ts"), ...[PORT, FACTOR, SECONDS, server.pid].map(String)]
const [name, ...args] = pinned(1, words)
const flooded: Flooded = JSON.parse(execFileSync(name, args, { encoding: "utf8" }))
await stopServer(server)

const { capacity, sent, answered, cpu, wrong, firstWrong, kinds, memory, recovery, before, after } = flooded
const share = answered / capacity
const grown = memory[1] - memory[0]
const ms = (value: number): string => value.toFixed(2)
console.log(`Node ${process.version}, ${isPinned ? "server and load on a core each" : "not pinned"}, ${SECONDS} s`)
console.log("| | |\n| --- | --- |")
const rows: readonly (readonly [string, string])[] = [
  ["requests/s that it can take", Math.round(capacity).toString()],
  ["requests/s sent", `${Math.round(sent)}, ${(sent / capacity).toFixed(1)} times as many`],
  ["answers/s meanwhile", `${Math.round(answered)}, ${share.toFixed(2)} of what it can take`],
  ["CPU µs an answer", `${cpu[0].toFixed(1)}, and ${cpu[1].toFixed(1)} in the overload`],
  ["answers that were wrong", `${wrong}${wrong > 0 ? `, the first: ${firstWrong}` : ""}`],
  [
    "answers by request",
    Object.entries(kinds)
      .map(([kind, count]) => `${kind} ${count}`)
      .join(", "),
  ],
  ["memory, MiB: before, most, after", memory.map((value) => value.toFixed(0)).join(", ")],
  ["first new answer after, ms", ms(recovery)],
  [
    "one request at a time, ms, p50 and p99",
    `${before.map(ms).join(" and ")} before, ${after.map(ms).join(" and ")} after`,
  ],
]
for (const [what, value] of rows) console.log(`| ${what} | ${value} |`)

const limits: readonly (readonly [string, boolean])[] = [
  ["no answer wrong", wrong === 0],
  [`an answer at most ${MOST_COST} times its CPU time`, !(cpu[1] > MOST_COST * cpu[0])],
  [`at most ${MOST_MEMORY} MiB more`, !(grown > MOST_MEMORY)],
  [`a new answer within ${MOST_RECOVERY} ms`, recovery <= MOST_RECOVERY],
]
for (const [limit, met] of limits) console.log(`limit: ${limit}: ${met ? "met" : "MISSED"}`)
if (sent / capacity < FACTOR * 0.9)
  console.log(`The load came to ${(sent / capacity).toFixed(1)} times alone, not ${FACTOR}.`)
process.exitCode = limits.every(([, met]) => met) ? 0 : 1
