/**
 * Cost of a request against the number of mappings: `sallyport serve` and Debian's miniupnpd with its nftables back end, one after
 * the other in the same network namespace, one PCP MAP request at a time from the same client. miniupnpd programs a kernel
 * rule for each mapping, which an in-memory server does not: it is the curve that is compared.
 */
import { execFileSync, spawn } from "node:child_process"
import { createSocket } from "node:dgram"
import { once } from "node:events"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { median, path } from "./udp/pinned.ts"
import { unshared } from "./udp/unshared.ts"

const ROUTER = "10.0.0.1"
/** Requests timed at each point. */
const SAMPLE = 25
/** Seconds that filling up one server may take: miniupnpd's cost grows with every mapping. */
const BUDGET = 90
/** Milliseconds until a request is sent again: miniupnpd loses some. */
const AGAIN = 5000
const POINTS = [100, 300, 1000, 2000, 5000, 20_000, 100_000]

const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, "0")

/** MAP for mapping `i`, each with an internal end of its own; the external port suggested is the internal one. */
const request = (i: number): Uint8Array => {
  const port = hex(1024 + (i >>> 1), 4)
  const client = "00000000000000000000ffff0a000001"
  const text = `02010000 00000e10 ${client} ${hex(i + 1, 24)} ${i % 2 === 0 ? "06" : "11"}000000 ${port} ${port}`
  return Uint8Array.from(Buffer.from(`${text} 00000000000000000000ffff00000000`.replaceAll(" ", ""), "hex"))
}

interface Point {
  readonly mappings: number
  /** Median milliseconds of a request. */
  readonly create: number
  readonly renew: number
}

const measure = async (): Promise<Point[]> => {
  const socket = createSocket("udp4")
  socket.bind(0, ROUTER)
  await once(socket, "listening")
  const ask = async (i: number): Promise<number> => {
    const start = performance.now()
    const again = setInterval(() => socket.send(request(i), 5351, ROUTER), AGAIN)
    socket.send(request(i), 5351, ROUTER)
    const [answer] = await once(socket, "message")
    clearInterval(again)
    if (answer[3] !== 0) throw new Error(`mapping ${i}: result ${answer[3]}`)
    return performance.now() - start
  }
  const points: Point[] = []
  const start = performance.now()
  let made = 0
  for (const mappings of POINTS) {
    while (made < mappings && performance.now() - start < BUDGET * 1000) await ask(made++)
    if (made < mappings) break
    const create: number[] = []
    for (let i = 0; i < SAMPLE; i++) create.push(await ask(made++))
    const renew: number[] = []
    for (let i = 0; i < SAMPLE; i++) renew.push(await ask(Math.floor((i * made) / SAMPLE)))
    points.push({ mappings, create: median(create), renew: median(renew) })
  }
  socket.close()
  return points
}

const measureServe = async (): Promise<Point[]> => {
  const words = [
    "serve",
    "--quiet",
    "--listen",
    ROUTER,
    "--external",
    "11.22.33.44-11.22.33.47",
    "--ports",
    "1024-65535",
    "--quota",
    "0",
  ]
  const child = spawn(process.execPath, [path("adapters/cli/main.ts"), ...words], {
    stdio: ["ignore", "ignore", "pipe"],
  })
  await once(child.stderr, "data")
  try {
    return await measure()
  } finally {
    child.kill("SIGTERM")
    await once(child, "exit")
  }
}

const measureMiniupnpd = async (): Promise<Point[]> => {
  const folder = mkdtempSync(join(tmpdir(), "sallyport-"))
  const pid = join(folder, "miniupnpd.pid")
  execFileSync("miniupnpd", ["-f", path("test/interop/miniupnpd.conf"), "-P", pid], { stdio: "ignore" })
  try {
    await new Promise((resolve) => setTimeout(resolve, 500))
    return await measure()
  } finally {
    process.kill(Number(readFileSync(pid, "utf8")), "SIGTERM")
    rmSync(folder, { recursive: true })
  }
}

const inside = async (): Promise<void> => {
  const serve = await measureServe()
  const miniupnpd = await measureMiniupnpd()
  const text = (value: number | undefined): string => (value === undefined ? "–" : value.toFixed(value < 10 ? 2 : 0))
  console.log("| live mappings | serve: create ms | renew ms | miniupnpd: create ms | renew ms |")
  console.log("| --- | --- | --- | --- | --- |")
  for (const { mappings, create, renew } of serve) {
    const peer = miniupnpd.find((point) => point.mappings === mappings)
    console.log(`| ${mappings} | ${text(create)} | ${text(renew)} | ${text(peer?.create)} | ${text(peer?.renew)} |`)
  }
  console.log(`miniupnpd had ${BUDGET} s to fill up; it programs a kernel rule for each mapping as well`)
}

await unshared(import.meta.filename, inside)
