/** All that two hosts of an overlay do with each other, whatever is between them. */
import assert from "node:assert/strict"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { it } from "node:test"
import { COMMAND, type Ended, records } from "../adapters/cli/command.ts"
import type { Namespace } from "./namespace.ts"
import { FAR_MAC, GUEST_MAC } from "./overlay-scene.ts"

/** What takes a file over TCP, at its port, and says how much that was and what it is. */
const SINK = `
const hash = require("crypto").createHash("sha256")
let octets = 0
require("net").createServer((socket) => {
  socket.on("data", (part) => { hash.update(part); octets += part.length })
  socket.on("end", () => { console.log("got " + octets + " " + hash.digest("hex")); socket.end("thanks") })
}).listen({ port: 7000, host: "::" }, () => console.log("listens"))`

/** What sends so many octets there, and waits until they are taken. */
const SOURCE = `
const [host, count] = process.argv.slice(1)
const octets = Buffer.alloc(Number(count))
for (let i = 0; i < octets.length; i++) octets[i] = (i * 2654435761) >>> 24
console.log("sent " + octets.length + " " + require("crypto").createHash("sha256").update(octets).digest("hex"))
const socket = require("net").connect({ host, port: 7000 })
socket.on("data", (data) => process.stdout.write(data))
socket.end(octets)`

/** Sends a file over TCP from one host to the other's address: what the one says it sent, and the other that it got. */
const transfer = async (
  from: Namespace,
  to: Namespace,
  address: string,
  octets: number,
): Promise<readonly [string, string]> => {
  const [node = ""] = COMMAND
  const sink = to.start([node, "-e", SINK])
  await sink.until(/listens/)
  const sent = await from.run([node, "-e", SOURCE, address, `${octets}`])
  if (!/thanks/.test(sent.stdout)) throw new Error(`nothing was taken: ${sent.stdout}${sent.stderr}`)
  await sink.until(/got/)
  await sink.stop()
  return [sent.stdout.replace(/thanks$/, "").trim(), sink.stdout().replace("listens\n", "").trim()]
}

/** Two hosts with the kernel's VXLAN device `vx`: `far` has 10.55.0.1 and fd55::1, `guest` 10.55.0.2 and fd55::2. */
export interface OverlayHosts {
  readonly far: Namespace
  readonly guest: Namespace
  /** A folder for files. */
  readonly folder: string
  /** Asks the endpoint that gives the guest its link. */
  ask(text: string): Promise<Ended>
}

/** What the endpoint has counted. */
const counterOf = async ({ ask }: OverlayHosts, name: string): Promise<number> => {
  const [{ counters } = {}] = records((await ask("status --json")).stdout)
  assert.ok(typeof counters === "object" && counters !== null)
  return Number(Object.entries(counters).find(([key]) => key === name)?.[1])
}

/** @param dhcp The plugin has the guest's DHCP broadcasts go to the far host. */
export const overlayHosts = (there: () => OverlayHosts, dhcp: boolean): void => {
  it("ping over IPv4: ARP is answered by the proxy", async () => {
    const { guest, far } = there()
    const out = await guest.run(["ping", "-c", "3", "-i", "0.2", "-W", "5", "10.55.0.1"])
    assert.match(out.stdout, /3 packets transmitted, 3 received/, out.stdout + out.stderr)
    const neighbours = await guest.run(["ip", "neigh", "show", "10.55.0.1", "dev", "vx"])
    assert.match(neighbours.stdout, new RegExp(`lladdr ${FAR_MAC}`))
    far.sh("ip neigh flush dev vx")
    const back = await far.run(["ping", "-c", "2", "-i", "0.2", "-W", "5", "10.55.0.2"])
    assert.match(back.stdout, /2 packets transmitted, 2 received/, back.stdout + back.stderr)
    assert.ok((await counterOf(there(), "injected")) >= 1)
  })

  it("ping over IPv6: neighbour discovery is answered by the proxy", async () => {
    const { guest, far } = there()
    const out = await guest.run(["ping", "-6", "-c", "3", "-i", "0.2", "-W", "5", "fd55::1"])
    assert.match(out.stdout, /3 packets transmitted, 3 received/, out.stdout + out.stderr)
    const neighbours = await guest.run(["ip", "-6", "neigh", "show", "fd55::1", "dev", "vx"])
    assert.match(neighbours.stdout, new RegExp(`lladdr ${FAR_MAC}`))
    far.sh("ip -6 neigh flush dev vx")
    const back = await far.run(["ping", "-6", "-c", "2", "-i", "0.2", "-W", "5", "fd55::2"])
    assert.match(back.stdout, /2 packets transmitted, 2 received/, back.stdout + back.stderr)
    assert.ok((await counterOf(there(), "injected")) >= 2)
  })

  it("packets of the whole MTU, and none beyond it", async () => {
    const { guest } = there()
    const most = await guest.run(["ping", "-c", "2", "-i", "0.2", "-W", "5", "-M", "do", "-s", "1372", "10.55.0.1"])
    assert.match(most.stdout, /2 packets transmitted, 2 received/, most.stdout + most.stderr)
    guest.sh("ip link set vx mtu 1420")
    const over = await guest.run(["ping", "-c", "1", "-W", "1", "-M", "do", "-s", "1392", "10.55.0.1"])
    guest.sh("ip link set vx mtu 1400")
    assert.match(over.stdout, /1 packets transmitted, 0 received/)
    assert.equal(await counterOf(there(), "tooBig"), 1, over.stdout + over.stderr)
  })

  it("TCP: some megabytes each way come whole", async () => {
    const { guest, far } = there()
    for (const [from, to, address] of [
      [guest, far, "10.55.0.1"],
      [far, guest, "fd55::2"],
    ] as const) {
      const [sent, got] = await transfer(from, to, address, 8_000_000)
      assert.match(sent, /^sent 8000000 /)
      assert.equal(got, sent.replace("sent", "got"))
    }
  })

  if (dhcp)
    it("DHCP: the proxy has the broadcasts go to the one server, and the guest gets its lease", async () => {
      const { guest, far, folder } = there()
      const server = far.start([
        ...["dnsmasq", "--keep-in-foreground", "--port=0", "--interface=vx", "--bind-interfaces", "--log-dhcp"],
        ...["--conf-file=/dev/null", "--log-facility=-", "--user=root", "--dhcp-range=10.55.0.100,10.55.0.110,1h"],
        ...[`--dhcp-leasefile=${join(folder, "leases")}`, "--pid-file=", `--dhcp-host=${GUEST_MAC},10.55.0.105`],
      ])
      await server.until(/DHCP, IP range|DHCP, sockets bound/)
      const script = join(folder, "leased.sh")
      writeFileSync(script, '#!/bin/sh\n[ "$1" = bound ] && echo "lease $ip of $serverid"\nexit 0\n', { mode: 0o755 })
      const client = await guest.run(["udhcpc", "-i", "vx", "-f", "-n", "-q", "-t", "5", "-T", "3", "-s", script])
      assert.equal(client.code, 0, client.stdout + client.stderr + server.stderr())
      assert.match(client.stdout, /^lease 10\.55\.0\.105 of 10\.55\.0\.1$/m)
      assert.match(server.stderr(), new RegExp(`DHCPACK\\(vx\\) 10\\.55\\.0\\.105 ${GUEST_MAC}`))
      await server.stop()
      assert.ok((await counterOf(there(), "resent")) >= 2)
    })
}
