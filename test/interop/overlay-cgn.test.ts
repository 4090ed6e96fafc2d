/** An overlay whose host is behind a real NAT of Linux: the plugin `portmap`, with the port that the NAT has opened by PCP. */
import assert from "node:assert/strict"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, before, describe, it } from "node:test"
import { COMMAND, records } from "../adapters/cli/command.ts"
import { type Scene, scene } from "./client-router.ts"
import { eventually } from "./eventually.ts"
import { lacking, type Namespace, namespace, type Running, wire } from "./namespace.ts"
import { openRouter } from "./open-router.ts"
import { overlayHosts } from "./overlay-hosts.ts"
import { device, FAR_MAC, GUEST_MAC, VNETID } from "./overlay-scene.ts"

const lack = lacking(["nft", "miniupnpd", "ping", "dnsmasq", "udhcpc"])
if (lack !== undefined) assert.notEqual(process.env.CI, "true", lack)

describe("an overlay across a NAT of Linux, with lookups by portmap", { skip: lack ?? false }, () => {
  const folder = mkdtempSync(join(tmpdir(), "sallyport-overlay-"))
  let there: Scene
  let daemon: Running
  let [inner, outer]: Namespace[] = []
  let inside: Running
  const paths = { ends: "", inside: "", outside: "" }
  /** A guest with the kernel's device, whose other end is the endpoint in a namespace. */
  const guest = async (host: Namespace, mac: string, last: number): Promise<Namespace> => {
    const one = await namespace()
    wire(host, "port", one, "port")
    host.sh("ip addr add 169.254.77.1/30 dev port")
    one.sh("ip addr add 169.254.77.2/30 dev port")
    device(one, mac, "169.254.77.2", "169.254.77.1")
    one.sh(`ip addr add 10.55.0.${last}/24 dev vx; ip -6 addr add fd55::${last}/64 dev vx nodad`)
    return one
  }
  const config = (path: string, listen: string, more: object): void =>
    writeFileSync(
      path,
      JSON.stringify({
        overlays: [
          {
            name: "blue",
            vnetid: VNETID,
            listen,
            plugin: "portmap",
            properties: { "portmap/source": "files", "portmap/config": paths.ends },
            kernel: { listen: "169.254.77.1", device: "169.254.77.2" },
            ...more,
          },
        ],
        control: `${path}.sock`,
      }),
    )
  const run = (where: Namespace, path: string): Running =>
    where.start([...COMMAND, "overlay", "run", "--json", "--config", path])
  const askOf = (where: Namespace, path: string, text: string) =>
    where.run([...COMMAND, "overlay", ...text.split(" "), "--control", `${path}.sock`])
  const ask = async (text: string): Promise<string> => (await askOf(there.world, paths.outside, text)).stdout
  const mapped = (): string => `${records(inside.stdout()).findLast(({ event }) => event === "mapped")?.external}`

  before(async () => {
    there = await scene()
    for (const name of ["ends", "inside", "outside"] as const) paths[name] = join(folder, `${name}.json`)
    daemon = await openRouter(there.router, folder)
    inner = await guest(there.host, GUEST_MAC, 2)
    outer = await guest(there.world, FAR_MAC, 1)
    // The host outside has no NAT in front: its end is known. Of the other one nothing but its addresses in the overlay is.
    const hosts = {
      [FAR_MAC]: { ip: "11.22.33.1", port: 4789, arp: "10.55.0.1", ndp: "fd55::1" },
      [GUEST_MAC]: { arp: "10.55.0.2", ndp: "fd55::2", "dhcp-proxy": FAR_MAC },
    }
    writeFileSync(paths.ends, JSON.stringify(hosts))
    config(paths.outside, "11.22.33.1", {})
    config(paths.inside, "10.0.0.2", { map: { servers: ["10.0.0.1"], macs: [GUEST_MAC], file: paths.ends } })
    await run(there.world, paths.outside).until(/"event":"overlay"/)
  })
  after(() => {
    there.stop()
    inner?.stop()
    outer?.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  it("a host that has published no end is not reached", async () => {
    assert.equal(await ask(`lookup ${GUEST_MAC}`), "drop\n")
  })

  it("its end is what the NAT gave it, and a ping from outside is the first packet there", async () => {
    inside = run(there.host, paths.inside)
    await inside.until(/"event":"mapped"/)
    assert.match(mapped(), /^11\.22\.33\.44:\d+$/)
    const ends = JSON.parse(readFileSync(paths.ends, "utf8"))[GUEST_MAC]
    assert.deepEqual([`${ends.ip}:${ends.port}`, ends.arp], [mapped(), "10.55.0.2"])
    await eventually(() => ask(`lookup ${GUEST_MAC}`), `${mapped()}\n`)
    const pinged = await outer?.run(["ping", "-c", "3", "-i", "0.2", "-W", "5", "10.55.0.2"])
    assert.match(`${pinged?.stdout}`, /3 packets transmitted, 3 received/, pinged?.stderr)
  })

  overlayHosts(() => {
    assert.ok(inner !== undefined && outer !== undefined)
    return { far: outer, guest: inner, folder, ask: (text) => askOf(there.host, paths.inside, text) }
  }, true)

  it("when the NAT gives it another end, others follow; when it ends, they know of none", async () => {
    await daemon.stop()
    const first = mapped()
    const path = join(folder, "serve.jsonc")
    writeFileSync(path, JSON.stringify({ external: ["203.0.113.9"] }))
    const server = there.start("router", `serve --json --no-control --listen 10.0.0.1 --config ${path}`)
    await server.until(/"event":"listening"/)
    await inside.until(/"external":"203\.0\.113\.9:\d+"/)
    assert.notEqual(mapped(), first)
    await eventually(() => ask(`lookup ${GUEST_MAC}`), `${mapped()}\n`)
    assert.equal(await inside.stop("SIGINT"), 0, inside.stderr())
    await eventually(() => ask(`lookup ${GUEST_MAC}`), "drop\n")
    // What else the file says of it stays.
    assert.deepEqual(JSON.parse(readFileSync(paths.ends, "utf8"))[GUEST_MAC], {
      arp: "10.55.0.2",
      ndp: "fd55::2",
      "dhcp-proxy": FAR_MAC,
    })
  })
})
