/** The directory against a real DNS server of Debian, knot, that takes updates by RFC 2136. */
import assert from "node:assert/strict"
import { type ChildProcess, spawn, spawnSync } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import process from "node:process"
import { after, before, describe, test } from "node:test"
import { udp } from "#runtime"
import { dnsDirectory, FlowError } from "../../../adapters/flow/index.ts"
import { labelOfName } from "../../../core/flow/index.ts"
import { address } from "../udp-suite.ts"
import { KNOT_READY, knotFiles } from "./knot.ts"
import { bytes, codeOf, echo, LOOPBACK, layer, text } from "./layers.ts"

process.env.PATH = `${process.env.PATH}:/usr/sbin`
const missing = [
  ["knotd", "knot"],
  ["nsupdate", "bind9-dnsutils"],
].filter(([program]) => spawnSync("sh", ["-c", `command -v ${program}`]).status !== 0)
const lack =
  missing.length === 0
    ? undefined
    : `${missing.map(([program]) => program).join(", ")} missing: install Debian's ${missing.map(([, name]) => name).join(" ")}`
if (lack !== undefined) assert.notEqual(process.env.CI, "true", lack)

const ZONE = "flows.test"

describe("names in DNS, with knot", { skip: lack ?? false }, () => {
  const folder = mkdtempSync(join(tmpdir(), "sallyport-dns-"))
  let server = ""
  let knot: ChildProcess | undefined
  before(async () => {
    const free = await udp.bind({ local: LOOPBACK }, { receive: () => {}, error: () => {} })
    assert.ok(free.ok)
    const { port } = free.value.local
    await free.value.close()
    server = `127.0.0.1:${port}`
    knot = spawn("knotd", ["-c", knotFiles(folder, `127.0.0.1@${port}`, ZONE)], { stdio: ["ignore", "pipe", "pipe"] })
    let said = ""
    await new Promise<void>((resolve, reject) => {
      for (const stream of [knot?.stdout, knot?.stderr])
        stream?.on("data", (part) => {
          said += part
          if (KNOT_READY.test(said)) resolve()
        })
      knot?.once("exit", () => reject(new Error(said)))
    })
  })
  after(async () => {
    if (knot !== undefined && knot.exitCode === null) {
      knot.removeAllListeners("exit").kill("SIGTERM")
      await once(knot, "exit")
    }
    rmSync(folder, { recursive: true })
  })

  const name = (text: string) => ({ name: text, label: labelOfName(text) ?? assert.fail() })

  test("A7: a name is published by an update, found with its port, moved, and taken out", async () => {
    const directory = dnsDirectory({ server, zone: ZONE, ttl: 0 })
    const oecho = name("oecho")
    assert.deepEqual(await directory.lookup(oecho), [])
    await directory.publish?.(oecho, [{ address: address("192.0.2.7"), port: 40000 }])
    assert.deepEqual(await directory.lookup(oecho), [{ address: address("192.0.2.7"), port: 40000 }])
    await directory.publish?.(oecho, [
      { address: address("192.0.2.9"), port: 3435 },
      { address: address("2001:db8::9"), port: 3435 },
    ])
    assert.deepEqual(await directory.lookup(oecho), [
      { address: address("2001:db8::9"), port: 3435 },
      { address: address("192.0.2.9"), port: 3435 },
    ])
    await directory.publish?.(oecho, [])
    assert.deepEqual(await directory.lookup(oecho), [])
  })

  test("A7: a flow to a name that its server has registered there", async (t) => {
    const directory = dnsDirectory({ server, zone: ZONE, ttl: 0 })
    const [there, here] = [await layer(t, { directory }), await layer(t, { directory })]
    const serving = echo(there, "over dns")
    while ((await directory.lookup(name("over dns"))).length === 0) await new Promise((next) => setTimeout(next, 10))
    const flow = await here.flowAlloc("over dns")
    await flow.write(bytes("resolved"))
    assert.equal(text(await flow.read()), "resolved")
    await there.close()
    await serving
    assert.deepEqual(await directory.lookup(name("over dns")), [])
    assert.equal(await codeOf(here.flowAlloc("over dns")), "ENAME")
  })

  test("A7: what the server refuses is not registered: EIPCP, with the server's word", async (t) => {
    const directory = dnsDirectory({ server, zone: "elsewhere.test" })
    const there = await layer(t, { directory })
    there.createName("a")
    await assert.rejects(there.registerName("a"), (error) => {
      assert.ok(error instanceof FlowError && error.cause instanceof FlowError)
      assert.equal(error.code, "EIPCP")
      assert.match(error.cause.message, /nsupdate: .*(?:REFUSED|NOTAUTH|failed)/)
      return true
    })
    assert.equal(await codeOf(there.registerName("a")), "EIPCP")
  })
})

describe("what a DNS directory is told", () => {
  test("servers, zones and times that are none are refused before anything is sent", async () => {
    for (const options of [
      { server: "x" },
      { zone: "a b" },
      { zone: "a\nsend" },
      { zone: "a..b" },
      { ttl: -1 },
      { server: "127.0.0.1:0" },
    ])
      assert.throws(() => dnsDirectory(options), RangeError, JSON.stringify(options))
    assert.equal(dnsDirectory({}).publish, undefined)
    const missing = dnsDirectory({ server: "127.0.0.1:9", nsupdate: "/nowhere/nsupdate" })
    const publish = async () => missing.publish?.({ name: "a", label: "0".repeat(32) }, [])
    assert.equal(await codeOf(publish()), "EIPCP")
  })
})
