/**
 * Mappings made with the kernel in the path: `sallyport serve --nftables` and Debian's miniupnpd with its nftables back end, one after the other in
 * the same network namespace, asked the same PCP MAP requests by the same load: 64 hosts at once, each with an address of its own and one request
 * under way, and then one alone. The server on core 0, the load on core 1. Arguments: rounds of serve, seconds that miniupnpd may take.
 */
import { execFileSync } from "node:child_process"
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { loadavg, tmpdir } from "node:os"
import { join } from "node:path"
import { compile, type Load, startLoad } from "./udp/compiled.ts"
import { isPinned, median, path, pinned, startServer, stopServer } from "./udp/pinned.ts"
import { unshared } from "./udp/unshared.ts"

const [ROUNDS = 3, BUDGET = 120] = process.argv.slice(2).map(Number)
const ROUTER = "10.0.0.1"
const HOSTS = 64
/**
 * Live mappings, and how many are made then: of `serve` enough to take some hundredths of a second; of miniupnpd, whose cost grows
 * while they are made, one for each host.
 */
const POINTS = [
  { live: 100, sample: 600 },
  { live: 1000, sample: 512 },
  { live: 5000, sample: 1024 },
  { live: 10_000, sample: 1024 },
] as const
/** Times as many as miniupnpd at least. */
const FLOORS: ReadonlyMap<number, number> = new Map([
  [100, 30],
  [5000, 1000],
])

interface Point {
  readonly live: number
  /** Mappings made a second, by 64 hosts at once. */
  readonly rate: number
  /** Microseconds of one that is made while nobody else asks. */
  readonly p50: number
  readonly p99: number
}

interface Measuring {
  readonly sample: (point: (typeof POINTS)[number]) => number
  readonly alone: number
  /** Milliseconds after which a request is sent again; seconds in all. */
  readonly again: number
  readonly budget: number
}

const measure = async (load: Load, { sample, alone, again, budget }: Measuring): Promise<readonly Point[]> => {
  const points: Point[] = []
  const start = performance.now()
  const left = (): number => budget - (performance.now() - start) / 1000
  let made = 0
  const make = async (count: number, window: number) => {
    if (left() <= 0) return undefined
    const loaded = await load.create(count, window, { again, budget: Math.ceil(left()) })
    made += count
    return loaded.answered === count ? loaded : undefined
  }
  for (const point of POINTS) {
    if ((await make(point.live - made, HOSTS)) === undefined) break
    const many = await make(sample(point), HOSTS)
    const one = many && (await make(alone, 1))
    if (many === undefined || one === undefined) break
    points.push({ live: point.live, rate: many.rate, p50: one.p50, p99: one.p99 })
  }
  return points
}

const hostsOf = (program: string): Load =>
  startLoad({ program, address: ROUTER, port: 5351, firstHost: "10.0.0.2", hosts: HOSTS })

/** Mappings made and run out before anything counts, so that the server's code is compiled; and seconds until they are gone. */
const [WARM, GONE] = [20_000, 5]

const measureServe = async (program: string, more: readonly string[]): Promise<readonly Point[]> => {
  const folder = mkdtempSync(join(tmpdir(), "sallyport-bench-"))
  const config = join(folder, "serve.json")
  // What ran out stays held: that an end is free for others is not what is measured.
  writeFileSync(config, JSON.stringify({ lifetimes: { min: 1 }, recycleDelay: { udp: 86_400, tcp: 86_400 } }))
  const words = ["serve", "--quiet", "--no-control", "--nftables", "--outside", "outside", "--quota", "0"]
  const where = ["--config", config, "--listen", ROUTER, "--external", "11.22.33.44-11.22.33.47"]
  const command = [process.execPath, path("adapters/cli/main.ts"), ...words, ...where, ...more]
  const server = await startServer(command, /Listening/)
  const load = hostsOf(program)
  try {
    await load.create(WARM, HOSTS, { lifetime: 1 })
    await load.forget()
    await new Promise((resolve) => setTimeout(resolve, GONE * 1000))
    return await measure(load, { sample: ({ sample }) => sample, alone: 200, again: 1000, budget: 60 })
  } finally {
    await load.stop()
    await stopServer(server)
    rmSync(folder, { recursive: true })
  }
}

const readIfThere = (file: string): string => (existsSync(file) ? readFileSync(file, "utf8") : "")

const measureMiniupnpd = async (program: string): Promise<readonly Point[]> => {
  const folder = mkdtempSync(join(tmpdir(), "sallyport-bench-"))
  const pid = join(folder, "miniupnpd.pid")
  const [name, ...args] = pinned(0, ["miniupnpd", "-f", path("test/interop/miniupnpd.conf"), "-P", pid])
  execFileSync(name, args, { stdio: "ignore" })
  const load = hostsOf(program)
  try {
    await new Promise((resolve) => setTimeout(resolve, 500))
    // A daemon is a session of its own, which does not inherit how much of the machine this one has.
    const priority = / nice (-?\d+)/.exec(readIfThere("/proc/self/autogroup"))?.[1]
    if (priority !== undefined) writeFileSync(`/proc/${Number(readFileSync(pid, "utf8"))}/autogroup`, priority)
    return await measure(load, { sample: () => HOSTS, alone: 10, again: 60_000, budget: BUDGET })
  } finally {
    await load.stop()
    process.kill(Number(readFileSync(pid, "utf8")), "SIGTERM")
    rmSync(folder, { recursive: true })
  }
}

/** The medians of several rounds. */
const together = (rounds: readonly (readonly Point[])[]): readonly Point[] =>
  POINTS.flatMap(({ live }) => {
    const found = rounds.flatMap((points) => points.filter((point) => point.live === live))
    if (found.length < rounds.length) return []
    const of = (what: (point: Point) => number): number => median(found.map(what))
    return [{ live, rate: of(({ rate }) => rate), p50: of(({ p50 }) => p50), p99: of(({ p99 }) => p99) }]
  })

const inside = async (): Promise<void> => {
  const program = compile(["load"])?.get("load")
  if (program === undefined) {
    console.log("skipped: no C compiler here (Debian: build-essential)")
    return
  }
  for (let i = 0; i < HOSTS; i++) execFileSync("ip", ["addr", "add", `10.0.0.${2 + i}/24`, "dev", "inside"])
  const main = path("adapters/cli/main.ts")
  const hasFast = execFileSync(process.execPath, [main, "serve", "--help"], { encoding: "utf8" }).includes("--fast")
  const [before] = loadavg()
  const ways = hasFast ? [["--no-fast"], ["--fast"]] : [[]]
  const rounds = ways.map((): (readonly Point[])[] => [])
  for (let round = 0; round < ROUNDS; round++)
    for (const [i, way] of ways.entries()) rounds[i].push(await measureServe(program, way))
  const peer = await measureMiniupnpd(program)
  const serves = rounds.map(together)

  console.log(`Node ${process.version}, ${isPinned ? "server and load on a core each" : "not pinned"}, ${HOSTS} hosts`)
  console.log(`${ROUNDS} rounds of serve, medians; load average at the start ${before.toFixed(1)}`)
  console.log(`miniupnpd had ${BUDGET} s`)
  const head = "made/s by 64 at once | alone: p50, p99 ms"
  console.log(
    `| live mappings | ${ways.map((way) => `serve --nftables ${way.join(" ")}: ${head} | of miniupnpd`).join(" | ")} | miniupnpd: ${head} |`,
  )
  console.log(`| --- |${" --- | --- | --- |".repeat(ways.length)} --- | --- |`)
  let isMissed = false
  const ms = (microseconds: number): string => (microseconds / 1000).toFixed(microseconds < 10_000 ? 2 : 0)
  const cells = (point: Point | undefined): string =>
    point === undefined
      ? `not reached in ${BUDGET} s | –`
      : `${point.rate.toFixed(point.rate < 100 ? 1 : 0)} | ${ms(point.p50)}, ${ms(point.p99)}`
  for (const { live } of POINTS) {
    const at = (points: readonly Point[]): Point | undefined => points.find((point) => point.live === live)
    const other = at(peer)
    const floor = FLOORS.get(live)
    const mine = serves.map((points) => {
      const own = at(points)
      const ratio = own === undefined || other === undefined ? undefined : own.rate / other.rate
      if (floor !== undefined && ratio !== undefined && ratio < floor) isMissed = true
      const text = ratio === undefined ? "–" : `${Math.round(ratio)}`
      return `${cells(own)} | ${text}${floor === undefined ? "" : ` (floor ${floor})`}`
    })
    console.log(`| ${live} | ${mine.join(" | ")} | ${cells(other)} |`)
  }
  console.log(`floors: ${isMissed ? "MISSED" : "met where miniupnpd got there"}`)
  process.exitCode = isMissed ? 1 : 0
}

await unshared(import.meta.filename, inside)
