/** Sallyport's endpoint between VXLAN devices of the Linux kernel: ARP, neighbour discovery, ping, DHCP with a real server, TCP. */
import assert from "node:assert/strict"
import { after, before, describe, it } from "node:test"
import { records } from "../adapters/cli/command.ts"
import { eventually } from "./eventually.ts"
import { lacking } from "./namespace.ts"
import { overlayHosts } from "./overlay-hosts.ts"
import { FAR, FAR_MAC, GUEST_MAC, NEAR, type OverlayScene, overlayScene, VNETID } from "./overlay-scene.ts"

const lack = lacking(["ping", "dnsmasq", "udhcpc"])
if (lack !== undefined) assert.notEqual(process.env.CI, "true", lack)

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
  overlayHosts(() => there, true)

  it("a host that the file moves is followed, and one that it has not is not there", async () => {
    const { guest, ask, write } = there
    const shown = async (): Promise<string> => (await ask(`lookup ${FAR_MAC}`)).stdout
    assert.equal(await shown(), `${FAR}:4789\n`)
    write("hosts.json", { ...table, [FAR_MAC]: { ...table[FAR_MAC], ip: "10.9.0.77" } })
    await eventually(shown, "10.9.0.77:4789\n")
    const lost = await guest.run(["ping", "-c", "1", "-W", "1", "10.55.0.1"])
    assert.match(lost.stdout, /1 packets transmitted, 0 received/)
    write("hosts.json", table)
    await eventually(shown, `${FAR}:4789\n`)
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
    await eventually(async () => `${(await there.ask(`lookup ${FAR_MAC}`)).code}`, "0")
  })
  after(() => there.stop())
  // It has no operation for DHCP (B6).
  overlayHosts(() => there, false)

  it("a host that moves is followed by the server's log: the guest's cache forgets it", async () => {
    const { ask, write } = there
    const shown = async (): Promise<string> => (await ask("cache list --json")).stdout
    assert.deepEqual(records(await shown()), [{ overlay: "blue", mac: FAR_MAC, target: { address: FAR, port: 4789 } }])
    write("svp.json", { [VNETID]: { ...fleet, [FAR_MAC]: { ...fleet[FAR_MAC], ip: "10.9.0.77" } } })
    await eventually(shown, "")
    assert.equal((await ask(`lookup ${FAR_MAC}`)).stdout, "10.9.0.77:4789\n")
  })
})
