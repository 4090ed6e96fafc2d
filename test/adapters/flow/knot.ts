/** A DNS server of Debian, knot, for one zone whose names anybody may update. */
import assert from "node:assert/strict"
import { type ChildProcess, spawn, spawnSync } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import process from "node:process"
import { udp } from "#runtime"
import { address } from "../udp-suite.ts"

/** What it has said when it answers. */
export const KNOT_READY = /loaded, serial[\s\S]*server started|server started[\s\S]*loaded, serial/

/** Writes its files into a folder; the path of its configuration. `listen` is `address@port`. */
export const knotFiles = (folder: string, listen: string, zone: string): string => {
  const [address] = listen.split("@")
  writeFileSync(
    join(folder, "zone"),
    `${zone}. 60 SOA ns.${zone}. admin.${zone}. 1 60 60 60 60\n${zone}. 60 NS ns.${zone}.\nns.${zone}. 60 A ${address}\n`,
  )
  const path = join(folder, "knot.conf")
  writeFileSync(
    path,
    `server:
    rundir: ${folder}
    listen: ${listen}
database:
    storage: ${folder}
log:
  - target: stderr
    any: info
acl:
  - id: all
    address: 0.0.0.0/0
    action: update
zone:
  - domain: ${zone}
    storage: ${folder}
    file: zone
    zonefile-sync: -1
    journal-content: none
    acl: all
`,
  )
  return path
}

/** What is not installed; `undefined`: nothing is missing. */
export const lackingKnot = (): string | undefined => {
  process.env.PATH = `${process.env.PATH}:/usr/sbin`
  const missing = [
    ["knotd", "knot"],
    ["nsupdate", "bind9-dnsutils"],
  ].filter(([program]) => spawnSync("sh", ["-c", `command -v ${program}`]).status !== 0)
  if (missing.length === 0) return undefined
  const lack = `${missing.map(([program]) => program).join(", ")} missing: install Debian's ${missing.map(([, name]) => name).join(" ")}`
  assert.notEqual(process.env.CI, "true", lack)
  return lack
}

export interface Knot {
  /** `127.0.0.1:40000`, as a directory's option. */
  readonly server: string
  stop(): Promise<void>
}

/** Answers and takes updates on loopback. */
export const startKnot = async (zone: string): Promise<Knot> => {
  const folder = mkdtempSync(join(tmpdir(), "sallyport-dns-"))
  const free = await udp.bind(
    { local: { address: address("127.0.0.1"), port: 0 } },
    { receive: () => {}, error: () => {} },
  )
  assert.ok(free.ok)
  const { port } = free.value.local
  await free.value.close()
  const knot: ChildProcess = spawn("knotd", ["-c", knotFiles(folder, `127.0.0.1@${port}`, zone)], {
    stdio: ["ignore", "pipe", "pipe"],
  })
  let said = ""
  await new Promise<void>((resolve, reject) => {
    for (const stream of [knot.stdout, knot.stderr])
      stream?.on("data", (part) => {
        said += part
        if (KNOT_READY.test(said)) resolve()
      })
    knot.once("exit", () => reject(new Error(said)))
  })
  return {
    server: `127.0.0.1:${port}`,
    stop: async () => {
      if (knot.exitCode === null) {
        knot.removeAllListeners("exit").kill("SIGTERM")
        await once(knot, "exit")
      }
      rmSync(folder, { recursive: true })
    },
  }
}
