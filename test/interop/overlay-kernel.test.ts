/** Sallyport's endpoint between VXLAN devices of the Linux kernel: ARP, neighbour discovery, ping, DHCP with a real server, TCP. */
import assert from "node:assert/strict"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { after, before, describe, it } from "node:test"
import { records } from "../adapters/cli/command.ts"
import { lacking } from "./namespace.ts"
import { FAR, FAR_MAC, GUEST_MAC, NEAR, type OverlayScene, overlayScene, VNETID } from "./overlay-scene.ts"

const lack = lacking(["ping", "dnsmasq", "udhcpc"])
if (lack !== undefined) assert.notEqual(process.env.CI, "true", lack)

const MILLION = 1_000_000

/** All that two hosts of an overlay do, whatever the endpoint asks where the other one is. */
const hosts = (there: () => OverlayScene): void => {
  it("ping over IPv4: ARP is answered by the proxy, and asked of it", async () => {
    const { guest, far } = there()
    const out = await guest.run(["ping", "-c", "3", "-i", "0.2", "-W", "5", "10.55.0.1"])
    assert.match(out.stdout, /3 packets transmitted, 3 received/, out.stdout + out.stderr)
    // The frame's own ARP was dropped: who answered has the far host's MAC all the same.
    const neighbours = await guest.run(["ip", "neigh", "show", "10.55.0.1", "dev", "vx"])
    assert.match(neighbours.stdout, new RegExp(`lladdr ${FAR_MAC}`))
    far.sh("ip neigh flush dev vx")
    const back = await far.run(["ping", "-c", "2", "-i", "0.2", "-W", "5", "10.55.0.2"])
    assert.match(back.stdout, /2 packets transmitted, 2 received/, back.stdout + back.stderr)
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
  })

  it("packets of the whole MTU, and none beyond it", async () => {
    const { guest } = there()
    const most = await guest.run(["ping", "-c", "2", "-i", "0.2", "-W", "5", "-M", "do", "-s", "1372", "10.55.0.1"])
    assert.match(most.stdout, /2 packets transmitted, 2 received/, most.stdout + most.stderr)
    guest.sh("ip link set vx mtu 1420")
    const over = await guest.run(["ping", "-c", "1", "-W", "1", "-M", "do", "-s", "1392", "10.55.0.1"])
    guest.sh("ip link set vx mtu 1400")
    assert.match(over.stdout, /1 packets transmitted, 0 received/)
    const [{ counters } = {}] = records((await there().ask("status --json")).stdout)
    assert.ok(typeof counters === "object" && counters !== null && "tooBig" in counters)
    assert.equal(counters.tooBig, 1, over.stdout + over.stderr)
  })

  it("TCP: some megabytes each way come whole", async () => {
    const { guest, far, transfer } = there()
    for (const [from, to, address] of [
      [guest, far, "10.55.0.1"],
      [far, guest, "fd55::2"],
    ] as const) {
      const [sent, got] = await transfer(from, to, address, 8 * MILLION)
      assert.match(sent, /^sent 8000000 /)
      assert.equal(got, sent.replace("sent", "got"))
    }
  })
}

describe("the kernel's VXLAN, with lookups by files", { skip: lack ?? false }, () => {
  let there: OverlayScene
  const table = {
    [FAR_MAC]: { ip: FAR, port: 4789, arp: "10.55.0.1", ndp: "fd55::1" },
    [GUEST_MAC]: { ip: NEAR, port: 4789, arp: "10.55.0.2", ndp: "fd55::2", "dhcp-proxy": FAR_MAC },
  }
  before(async () => {
    there = await overlayScene()
    await there.run("files", { "files/config": there.write("hosts.json", table) })
  })
  after(() => there.stop())
  hosts(() => there)

  it("DHCP: the proxy has the broadcasts go to the one server, and the guest gets its lease", async () => {
    const { guest, far, folder } = there
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
    const [{ counters } = {}] = records((await there.ask("status --json")).stdout)
    assert.ok(typeof counters === "object" && counters !== null && "resent" in counters)
    assert.ok(Number(counters.resent) >= 2, JSON.stringify(counters))
  })

  it("a host that the file moves is followed, and one that it has not is not there", async () => {
    const { guest, ask, write } = there
    const shown = async (): Promise<string> => (await ask(`lookup ${FAR_MAC}`)).stdout
    assert.equal(await shown(), `${FAR}:4789\n`)
    write("hosts.json", { ...table, [FAR_MAC]: { ...table[FAR_MAC], ip: "10.9.0.77" } })
    while ((await shown()) !== "10.9.0.77:4789\n");
    const lost = await guest.run(["ping", "-c", "1", "-W", "1", "10.55.0.1"])
    assert.match(lost.stdout, /1 packets transmitted, 0 received/)
    write("hosts.json", table)
    while ((await shown()) !== `${FAR}:4789\n`);
    const found = await guest.run(["ping", "-c", "1", "-W", "5", "10.55.0.1"])
    assert.match(found.stdout, /1 packets transmitted, 1 received/)
    assert.equal((await ask("lookup 02:00:00:00:00:0c")).code, 4)
  })
})

describe("the kernel's VXLAN, with lookups by svp", { skip: lack ?? false }, () => {
  let there: OverlayScene
  const fleet = {
    [FAR_MAC]: { ip: FAR, port: 4789, arp: "10.55.0.1", ndp: "fd55::1" },
    [GUEST_MAC]: { ip: NEAR, port: 4789, arp: "10.55.0.2", ndp: "fd55::2" },
  }
  before(async () => {
    there = await overlayScene()
    await there.svpServer(fleet)
    await there.run("svp", { "svp/host": FAR, "svp/underlay_ip": NEAR })
    // Its connection is there within a second.
    while ((await there.ask(`lookup ${FAR_MAC}`)).code !== 0);
  })
  after(() => there.stop())
  hosts(() => there)

  it("a host that moves is followed by the server's log: the guest's cache forgets it", async () => {
    const { ask, write } = there
    const shown = async (): Promise<string> => (await ask("cache list --json")).stdout
    assert.deepEqual(records(await shown()), [{ overlay: "blue", mac: FAR_MAC, target: { address: FAR, port: 4789 } }])
    write("svp.json", { [VNETID]: { ...fleet, [FAR_MAC]: { ...fleet[FAR_MAC], ip: "10.9.0.77" } } })
    while ((await shown()) !== "");
    assert.equal((await ask(`lookup ${FAR_MAC}`)).stdout, "10.9.0.77:4789\n")
  })
})
