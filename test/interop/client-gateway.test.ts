import assert from "node:assert/strict"
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { after, before, describe, it } from "node:test"
import { records } from "../adapters/cli/command.ts"
import { type Scene, scene } from "./client-router.ts"
import { lacking, type Running } from "./namespace.ts"

const lack = lacking([])
if (lack !== undefined) assert.notEqual(process.env.CI, "true", lack)

describe("a host whose default gateway runs sallyport serve", { skip: lack ?? false }, () => {
  let there: Scene
  const servers: Running[] = []
  before(async () => {
    there = await scene()
    writeFileSync(join(there.folder, "firewall.jsonc"), '{ "profile": "firewall6", "listen": ["fe80::1%inside"] }')
    for (const text of [
      `serve --json --listen 10.0.0.1 --external 203.0.113.7 --control ${join(there.folder, "nat.sock")}`,
      `serve --json --no-control --config ${join(there.folder, "firewall.jsonc")}`,
    ]) {
      const server = there.start("router", text)
      servers.push(server)
      await server.until(/"event":"listening"/)
    }
  })
  after(async () => {
    await Promise.all(servers.map((server) => server.stop()))
    there.stop()
  })

  it("C-02, C-06: map needs nothing but the port; IPv6 gets a pinhole for an address that the Internet reaches", async () => {
    const { code, stdout, stderr } = await there.sallyport("map 8080/tcp --json")
    assert.equal(code, 0, stderr)
    assert.deepEqual(
      records(stdout).map(({ server, internal, external }) => [server, internal, external]),
      [
        [
          { address: "10.0.0.1", port: 5351 },
          { address: "10.0.0.2", port: 8080 },
          { address: "203.0.113.7", port: 8080 },
        ],
        [
          { address: "fe80::1%lan", port: 5351 },
          { address: "2001:db8:1::2", port: 8080 },
          { address: "2001:db8:1::2", port: 8080 },
        ],
      ],
    )
    const deleted = await there.sallyport("unmap 8080/tcp")
    assert.deepEqual(
      [deleted.code, deleted.stdout],
      [0, "8080/tcp is deleted at 10.0.0.1\n8080/tcp is deleted at fe80::1%lan\n"],
      deleted.stderr,
    )
  })

  it("gateways lists both, and our addresses", async () => {
    const { code, stdout } = await there.sallyport("gateways --json")
    assert.equal(code, 0)
    assert.deepEqual(
      records(stdout).map(({ address, interface: name, own }) => [address, name, own]),
      [
        ["10.0.0.1", "lan", "10.0.0.2"],
        ["fe80::1%lan", "lan", "2001:db8:1::2"],
      ],
    )
  })

  it("--nat-pmp asks the IPv4 gateway alone, and --interface those of one interface", async () => {
    const old = await there.sallyport("map 8081/tcp --nat-pmp --json")
    assert.deepEqual([old.code, records(old.stdout).map(({ via }) => via)], [0, ["nat-pmp"]], old.stderr)
    assert.equal((await there.sallyport("map 8082/udp --interface lan")).code, 0)
    const none = await there.sallyport("map 8082/udp --interface lo")
    assert.equal(none.code, 4)
    assert.match(none.stderr, /no gateway was found/)
  })

  it("where one gateway is silent, the other one's mapping is enough, and it is said", async () => {
    await servers[1].stop()
    const { code, stdout, stderr } = await there.sallyport("map 8083/tcp")
    assert.equal(code, 0, stderr)
    assert.equal(stdout, "8083/tcp is reached at 203.0.113.7:8083 for 2 h, by PCP of 10.0.0.1\n")
    assert.match(stderr, /gateway fe80::1%lan does not answer: it may speak neither PCP nor NAT-PMP/)
    // Named, it is missed.
    const named = await there.sallyport("map 8083/tcp --server 10.0.0.1 --server fe80::1%lan --timeout 2")
    assert.equal(named.code, 5, named.stderr)
  })

  it("README: each client command that it shows works as it stands there", async () => {
    const readme = readFileSync(new URL("../../README.md", import.meta.url), "utf8")
    const section = /^## Open a port\n(.*?)^## /ms.exec(readme)?.[1] ?? ""
    const shown = [...section.matchAll(/^npx sallyport (.*?)\s*(?:#.*)?$/gm)].map(([, text]) => text)
    assert.ok(shown.length >= 4, section)
    for (const text of shown) {
      if (text.startsWith("watch")) {
        const watching = there.start("host", text)
        await watching.until(/udp is reached at/)
        assert.equal(await watching.stop("SIGINT"), 0, watching.stderr())
        continue
      }
      const { code, stdout, stderr } = await there.sallyport(text)
      // The gateway's addresses outside are for documentation: probe says that the Internet has no way there.
      assert.equal(code, text === "probe" ? 5 : 0, `${text}: ${stdout}${stderr}`)
    }
  })

  it("without a default route there is nobody to ask, which is said", async () => {
    there.host.sh("ip route del default; ip -6 route del default")
    for (const text of ["map 8084/tcp", "probe", "external", "announce", "gateways"]) {
      const { code, stdout, stderr } = await there.sallyport(text)
      assert.deepEqual([code, stdout], [4, ""])
      assert.match(stderr, /no gateway was found: this host has no default route/)
    }
    there.host.sh("ip route add default via 10.0.0.1")
  })
})
