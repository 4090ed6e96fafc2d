/**
 * `sallyport serve --fast` (batched sockets) over loopback UDP, against an echo in C by the same system calls, and beside serve on
 * Node's own sockets and a bare echo on these: MAP renewals of 100,000 mappings of four hosts, a window of 64, the server on core 0 and the load, which is
 * in C too, on core 1. Each round runs all servers, so that a slow machine is slow for all.
 * Arguments, for a short look: rounds, seconds.
 */
import { execFileSync } from "node:child_process"
import { loadavg } from "node:os"
import { compile, type Loaded, startLoad } from "./udp/compiled.ts"
import { cpuSeconds } from "./udp/cpu.ts"
import { isPinned, median, path, startServer, stopServer } from "./udp/pinned.ts"

/** Of `serve --fast`: of the echo in C at least, and as a goal; of serve on Node's sockets at least. */
const [LEAST_OF_ECHO, GOAL, LEAST_OF_DGRAM] = [0.6, 0.9, 1.8]
const [ROUNDS = 3, SECONDS = 3] = process.argv.slice(2).map(Number)
const [WINDOW, MAPPINGS, HOSTS] = [64, 100_000, 4]
const PORT = 25371

interface Row {
  readonly name: string
  /** `undefined`: it is not there. */
  readonly command: readonly string[] | undefined
  readonly isEcho: boolean
  readonly runs: (Loaded & { readonly cpu: number })[]
}

const measure = async (program: string, { command = [], isEcho, runs }: Row): Promise<void> => {
  const server = await startServer(command, /ready|Listening/)
  const load = startLoad({ program, address: "127.0.0.1", port: PORT, firstHost: "127.0.0.1", hosts: HOSTS, isEcho })
  try {
    const made = await load.create(MAPPINGS, WINDOW)
    if (made.answered !== MAPPINGS) throw new Error(`${made.answered} of ${MAPPINGS} mappings were made`)
    // Until the server's code is compiled.
    await load.renew(SECONDS, WINDOW)
    const spent = cpuSeconds(server.pid ?? 0)
    const renewed = await load.renew(SECONDS, WINDOW)
    runs.push({ ...renewed, cpu: ((cpuSeconds(server.pid ?? 0) - spent) / renewed.answered) * 1e6 })
  } finally {
    await load.stop()
    await stopServer(server)
  }
}

const programs = compile(["echo", "load"])
const [echo, load] = [programs?.get("echo"), programs?.get("load")]
if (echo === undefined || load === undefined) console.log("skipped: no C compiler here (Debian: build-essential)")
else {
  const main = path("adapters/cli/main.ts")
  const serve = [process.execPath, main, "serve", "--quiet", "--no-control", "--quota", "0"]
  const listening = [...serve, "--listen", `127.0.0.1:${PORT}`]
  const hasFast = execFileSync(process.execPath, [main, "serve", "--help"], { encoding: "utf8" }).includes("--fast")
  const row = (name: string, command: readonly string[] | undefined, isEcho = false): Row => {
    return { name, command, isEcho, runs: [] }
  }
  const bare = row("echo in C, recvmmsg and sendmmsg", [echo, "127.0.0.1", `${PORT}`], true)
  const bareDgram = row("bare echo, node:dgram", [process.execPath, path("test/bench/udp/echo.ts"), `${PORT}`], true)
  const dgram = row("serve --quiet", listening)
  const fast = row("serve --quiet --fast", hasFast ? [...listening, "--fast"] : undefined)
  const thread = row(
    "serve --quiet --fast --workers 1",
    hasFast ? [...listening, "--fast", "--workers", "1"] : undefined,
  )
  const rows = [bare, bareDgram, dgram, fast, thread]
  const [before] = loadavg()
  for (let round = 0; round < ROUNDS; round++)
    for (const one of rows) if (one.command !== undefined) await measure(load, one)

  const of = ({ runs }: Row, what: (run: Row["runs"][number]) => number): number => median(runs.map(what))
  const rate = (one: Row): number => of(one, (run) => run.rate)
  const kept = isPinned ? "server and load on a core each" : "not pinned"
  console.log(`Node ${process.version}, ${kept}, window ${WINDOW}, ${MAPPINGS} mappings of ${HOSTS} hosts`)
  console.log(`${ROUNDS} rounds of ${SECONDS} s, medians; load average at the start ${before.toFixed(1)}`)
  console.log("| server | requests/s | of the echo in C | p50 µs | p99 µs | CPU µs a request | the load's own core |")
  console.log("| --- | --- | --- | --- | --- | --- | --- |")
  for (const one of rows) {
    if (one.runs.length === 0) {
      console.log(`| ${one.name} | there is none here | | | | | |`)
      continue
    }
    const ratio = (rate(one) / rate(bare)).toFixed(2)
    const [p50, p99] = [of(one, (run) => run.p50), of(one, (run) => run.p99)]
    const [cpu, busy] = [of(one, (run) => run.cpu).toFixed(1), Math.round(100 * of(one, (run) => run.busy))]
    console.log(`| ${one.name} | ${Math.round(rate(one))} | ${ratio} | ${p50} | ${p99} | ${cpu} | ${busy} % |`)
  }
  if (fast.runs.length > 0) {
    const [ofEcho, ofDgram] = [rate(fast) / rate(bare), rate(fast) / rate(dgram)]
    const word = (isMet: boolean): string => (isMet ? "met" : "MISSED")
    console.log(`limit: --fast at least ${LEAST_OF_ECHO} of the echo in C: ${word(ofEcho >= LEAST_OF_ECHO)}`)
    console.log(`limit: --fast at least ${LEAST_OF_DGRAM} of serve on dgram: ${word(ofDgram >= LEAST_OF_DGRAM)}`)
    console.log(`goal: ${GOAL} of the echo in C: ${word(ofEcho >= GOAL)}`)
    process.exitCode = ofEcho >= LEAST_OF_ECHO && ofDgram >= LEAST_OF_DGRAM ? 0 : 1
  }
}
