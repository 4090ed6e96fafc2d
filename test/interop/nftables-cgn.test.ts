import assert from "node:assert/strict"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, before, describe, it } from "node:test"
import { COMMAND, records } from "../adapters/cli/command.ts"
import { type Scene, scene } from "./client-router.ts"
import { lacking, type Running } from "./namespace.ts"
import { answering, asking, externalOf, heard } from "./nftables-scene.ts"

const lack = lacking(["nft", "conntrack"])
if (lack !== undefined) assert.notEqual(process.env.CI, "true", lack)

const SUBSCRIBERS = [2, 3, 4, 5, 6].map((last) => `10.0.0.${last}`)
const POOL = /^203\.0\.113\.(?:8|9|1[0-5])$/

/** Asks for one mapping after another, as fast as it can, by NAT-PMP: `port` and up, UDP, for ten minutes. */
const FLOOD = `
const [port, count] = process.argv.slice(1).map(Number)
const socket = require("dgram").createSocket("udp4")
let answers = 0
socket.on("message", () => { if (++answers % 50 === 0) console.log("answers " + answers) })
let sent = 0
const send = () => {
  for (let i = 0; i < 20 && sent < count; i++, sent++) {
    const bytes = Buffer.from([0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 2, 88])
    bytes.writeUInt16BE(port + sent, 4)
    socket.send(bytes, 5351, "10.0.0.1")
  }
  if (sent < count) setTimeout(send, 5)
}
send()`

describe("a small CGN: serve --nftables with a pool of eight addresses", { skip: lack ?? false }, () => {
  const folder = mkdtempSync(join(tmpdir(), "sallyport-cgn-"))
  let there: Scene
  let server: Running
  before(async () => {
    there = await scene()
    there.host.sh("ip -6 route del default")
    for (const address of SUBSCRIBERS.slice(1)) there.host.sh(`ip addr add ${address}/24 dev lan`)
    there.world.sh("ip route add 203.0.113.8/29 via 11.22.33.44")
    server = await serve()
  })
  after(() => {
    there.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  const serve = async (): Promise<Running> => {
    const options = `--external 203.0.113.8/29 --quota 0 --state ${folder}/state --control ${folder}/control.sock`
    const running = there.start("router", `serve --nftables --outside outside --json --listen 10.0.0.1 ${options}`)
    await running.until(/"event":"listening"/)
    return running
  }
  const control = async (command: string): Promise<string> => {
    const run = [...COMMAND, command, "--json", "--control", join(folder, "control.sock")]
    const { code, stdout, stderr } = await there.router.run(run)
    assert.equal(code, 0, stderr)
    return stdout
  }

  it("each subscriber is reached from outside at an end of the pool of its own", async () => {
    await answering(there.host, "tcp", 8080)
    const ends = new Set<string>()
    for (const internal of SUBSCRIBERS) {
      const map = `map 8080/tcp --json --server 10.0.0.1 --internal-address ${internal}`
      const { code, stdout, stderr } = await there.sallyport(map)
      assert.equal(code, 0, stderr)
      const { address, port } = externalOf(stdout)
      assert.match(address, POOL)
      assert.match(await heard(there.world, { protocol: "tcp", address, port }), /^11\.22\.33\.1 /)
      ends.add(`${address} ${port}`)
    }
    assert.equal(ends.size, SUBSCRIBERS.length)
  })

  it("RFC 4787 REQ-2: all other connections of a subscriber have one address of the pool, and ports of no mapping", async () => {
    await answering(there.world, "udp", 53)
    for (const source of SUBSCRIBERS) {
      const seen: string[] = []
      for (let i = 0; i < 4; i++) {
        const talk = await asking(there.host, { protocol: "udp", address: "11.22.33.1", port: 53, source }, "heard")
        seen.push(talk.stdout().trim())
        await talk.stop("SIGKILL")
      }
      const addresses = new Set(seen.map((end) => end.split(" ")[0]))
      assert.equal(addresses.size, 1, seen.join())
      for (const address of addresses) assert.match(address, POOL)
      for (const end of seen) assert.ok(Number(end.split(" ")[1]) >= 32768, end)
    }
  })

  it("after kill -9 in the middle of a flood, kernel and server agree, and no external end is two hosts'", async () => {
    for (let round = 0; round < 3; round++) {
      const flood = there.host.start([COMMAND[0], "-e", FLOOD, `${20000 + 1000 * round}`, "900"])
      await flood.until(/answers 100\n/)
      server.child.kill("SIGUSR2")
      await server.until(/octets written/)
      await server.stop("SIGKILL")
      await flood.stop("SIGKILL")
      server = await serve()
      const { sound, ...rest } = Object(JSON.parse(await control("doctor")))
      assert.deepEqual(rest, { put: 0, gone: 0, rebuilt: false })
      const held = records(await control("mappings")).map((record) =>
        JSON.stringify([record.protocol, record.external]),
      )
      assert.ok(held.length > 50, `${held.length}`)
      assert.equal(new Set(held).size, held.length)
      assert.equal(sound, 2 * held.length)
      // The kernel's own count, by a listing that is not the server's.
      const { stdout } = await there.router.run(["nft", "list", "map", "ip", "sallyport", "inbound"])
      assert.equal(stdout.match(/ timeout /g)?.length, held.length)
    }
    assert.equal(await server.stop(), 0, server.stderr())
  })
})
