/** A listener behind a real NAT of Linux, which miniupnpd opens, and a client behind another: the command on both, in namespaces. */
import assert from "node:assert/strict"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, before, describe, it } from "node:test"
import { COMMAND, records } from "../adapters/cli/command.ts"
import { type Scene, scene } from "./client-router.ts"
import { lacking, type Namespace, namespace, type Running, wire } from "./namespace.ts"
import { openRouter } from "./open-router.ts"

const lack = lacking(["nft", "miniupnpd"])
if (lack !== undefined) assert.notEqual(process.env.CI, "true", lack)

describe("sallyport flow across two NATs of Linux", { skip: lack ?? false }, () => {
  const folder = mkdtempSync(join(tmpdir(), "sallyport-flow-"))
  let there: Scene
  let home: Namespace
  let daemon: Running
  before(async () => {
    there = await scene()
    home = await namespace()
    wire(there.world, "homes", home, "lan")
    there.world.sh(`
      ip addr add 10.9.0.1/24 dev homes; echo 1 > /proc/sys/net/ipv4/ip_forward
      nft 'add table ip nat'
      nft 'add chain ip nat post { type nat hook postrouting priority 100; }'
      nft 'add rule ip nat post oifname "world" masquerade'`)
    home.sh("ip addr add 10.9.0.2/24 dev lan; ip route add default via 10.9.0.1")
    daemon = await openRouter(there.router, folder)
  })
  after(async () => {
    await daemon.stop()
    there.stop()
    home.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  const ask = (text: string) => home.run(["env", "NO_COLOR=1", ...COMMAND, "flow", ...text.split(" ")])

  it("the port is mapped, its end is told, and messages go both ways", async () => {
    const listener = there.start("host", "flow listen oecho --echo --map --server 10.0.0.1 --json")
    await listener.until(/"event":"mapped"/)
    const endOf = (): string => `${records(listener.stdout()).findLast(({ event }) => event === "mapped")?.external}`
    const first = endOf()
    assert.match(first, /^11\.22\.33\.44:\d+$/)
    const pinged = await ask(`ping oecho --to ${first} -c 3 -i 0.1 --json`)
    assert.deepEqual([pinged.code, records(pinged.stdout).at(-1)?.received], [0, 3], pinged.stderr)
    const run = await ask(`perf oecho --to ${first} -d 1 --json`)
    assert.equal(run.code, 0, run.stderr)
    assert.ok(Number(records(run.stdout)[0]?.received) > 100, run.stdout)
    // Whoever asks is seen as its own NAT.
    const peers = records(listener.stdout()).flatMap(({ event, peer }) => (event === "flow" ? [`${peer}`] : []))
    assert.ok(peers.length === 2 && peers.every((peer) => peer.startsWith("11.22.33.1:")), peers.join())

    assert.equal(await listener.stop("SIGINT"), 0, listener.stderr())
  })

  it("when the mapping moves, the name is published at its new end", async () => {
    await daemon.stop()
    const config = join(folder, "serve.jsonc")
    const settings = (external: string): void => writeFileSync(config, JSON.stringify({ external: [external] }))
    settings("203.0.113.7")
    const server = there.start("router", `serve --json --no-control --listen 10.0.0.1 --config ${config}`)
    await server.until(/"event":"listening"/)
    const listener = there.start("host", "flow listen oecho --echo --map --server 10.0.0.1 --json")
    await listener.until(/"event":"mapped","external":"203\.0\.113\.7:/)
    settings("203.0.113.9")
    server.child.kill("SIGHUP")
    await listener.until(/"event":"mapped","external":"203\.0\.113\.9:/)
    assert.equal(await listener.stop("SIGINT"), 0, listener.stderr())
    await server.until(/"event":"deleted"/)
    await server.stop()
  })
})
