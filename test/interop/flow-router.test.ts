/** A listener behind a real NAT of Linux, which miniupnpd opens, and a client behind another: the command on both, in namespaces. */
import assert from "node:assert/strict"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, before, describe, it } from "node:test"
import { COMMAND, records } from "../adapters/cli/command.ts"
import { KNOT_READY, knotFiles } from "../adapters/flow/knot.ts"
import { type Scene, scene } from "./client-router.ts"
import { lacking, type Namespace, namespace, type Running, wire } from "./namespace.ts"
import { MINIUPNPD_CONFIG, openRouter } from "./open-router.ts"

process.env.PATH = `${process.env.PATH}:/usr/sbin`
const lack = lacking(["nft", "miniupnpd", "conntrack", "knotd", "nsupdate"])
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

  /**
   * The NAT in front of the listener begins anew at another address, as after a loss of power: it knows nothing of any mapping or flow. That is
   * told by its epoch time alone, which in the first two seconds of a server cannot go back by so much that it shows (RFC 6887 section 8.5).
   */
  const restart = async (external: string, before: () => void = () => {}): Promise<void> => {
    await daemon.stop("SIGKILL")
    before()
    there.router.sh(`
      nft flush ruleset; ip addr flush dev outside scope global; ip addr add ${external}/24 dev outside
      conntrack -F >/dev/null 2>&1`)
    daemon = await openRouter(there.router, folder, MINIUPNPD_CONFIG.replace(/^ext_ip=.*$/m, `ext_ip=${external}`))
  }

  it("a NAT that begins anew in the middle: the flow goes down, the name moves in DNS, and the next flow is had there", async () => {
    const dns = there.world.start(["knotd", "-c", knotFiles(folder, "11.22.33.1@53", "flows.test")])
    await dns.until(KNOT_READY)
    const names = "--dns 11.22.33.1 --zone flows.test"
    const listener = there.start("host", `flow listen oecho --echo --map --server 10.0.0.1 ${names} --json`)
    await listener.until(/"event":"mapped","external":"11\.22\.33\.44:\d+"/)
    await listener.until(/"event":"listening"/)
    const ping = (more: string) =>
      home.start([
        "env",
        "NO_COLOR=1",
        ...COMMAND,
        ..."flow ping oecho --json -i 0.2".split(" "),
        ...`${names} ${more}`.split(" "),
      ])
    // The name is in DNS from when the first waits for a request.
    let flow = ping("--peer-timeout 4")
    for (let tries = 0; ; tries++) {
      await flow.until(/"event":"reply","number":20\b|"event":"failed"/)
      if (!/ENAME/.test(flow.stdout())) break
      assert.ok(tries < 100, `the name is not in DNS: ${flow.stdout()}`)
      flow = ping("--peer-timeout 4")
    }
    await restart("11.22.33.55")
    await listener.until(/"event":"mapped","external":"11\.22\.33\.55:\d+"/)
    await flow.until(/"event":"failed","code":"EFLOWPEER"/)
    assert.equal(await flow.stop(), 2, flow.stdout())
    const again = ping("-c 3")
    await again.until(/"event":"statistics"/)
    assert.deepEqual([await again.stop(), records(again.stdout()).at(-1)?.received], [0, 3], again.stdout())
    // The listener is told of the end of the first flow by silence as well, and goes on.
    await listener.until(/"event":"ended"/)

    // Once more, and this time the NAT's announcement does not arrive: the silence of the flow is what makes the listener ask.
    const last = ping("--peer-timeout 4")
    await last.until(/"event":"reply","number":10\b/)
    await restart("11.22.33.66", () =>
      there.host.sh(`
        nft add table inet deaf; nft 'add chain inet deaf in { type filter hook input priority 0; }'
        nft 'add rule inet deaf in udp dport 5350 drop'`),
    )
    await last.until(/"event":"failed","code":"EFLOWPEER"/)
    await listener.until(/"event":"mapped","external":"11\.22\.33\.66:\d+"/)
    there.host.sh("nft delete table inet deaf")
    const moved = ping("-c 3")
    await moved.until(/"event":"statistics"/)
    assert.equal(records(moved.stdout()).at(-1)?.received, 3, moved.stdout())
    assert.equal(await listener.stop("SIGINT"), 0, listener.stderr())
    await dns.stop()
  })

  it("link-local addresses: one and the same on two links is two ends, told apart by the zone", async () => {
    there.host.sh("ip -6 addr add fe80::77/64 dev lan nodad")
    there.world.sh("ip -6 addr add fe80::77/64 dev world nodad")
    const listening = [
      "env",
      "NO_COLOR=1",
      ...COMMAND,
      ..."flow listen oecho --listen [::]:3440 --echo --json".split(" "),
    ]
    const [near, far] = [there.host.start(listening), there.world.start(listening)]
    for (const one of [near, far]) await one.until(/"event":"listening"/)
    for (const [zone, zoneThere, heard, other] of [
      ["inside", "lan", near, far],
      ["outside", "world", far, near],
    ] as const) {
      const asks = `flow ping oecho --listen [::]:0 --to [fe80::77%${zone}]:3440 -c 3 -i 0.1 --json`
      const before = records(other.stdout()).length
      const pinged = await there.router.run(["env", "NO_COLOR=1", ...COMMAND, ...asks.split(" ")])
      assert.deepEqual([pinged.code, records(pinged.stdout).at(-1)?.received], [0, 3], pinged.stderr)
      await heard.until(/"event":"flow"/)
      assert.match(`${records(heard.stdout()).at(-1)?.peer}`, new RegExp(`^\\[fe80::[0-9a-f:]+%${zoneThere}\\]:\\d+$`))
      assert.equal(records(other.stdout()).length, before)
    }
    for (const one of [near, far]) assert.equal(await one.stop("SIGINT"), 0, one.stderr())
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
