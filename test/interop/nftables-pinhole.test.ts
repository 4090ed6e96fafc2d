import assert from "node:assert/strict"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, before, describe, it } from "node:test"
import { type Scene, scene } from "./client-router.ts"
import { lacking, type Running } from "./namespace.ts"
import { again, answering, asking, heard, unheard } from "./nftables-scene.ts"

const lack = lacking(["nft", "conntrack"])
if (lack !== undefined) assert.notEqual(process.env.CI, "true", lack)

const HOST = "2001:db8:1::2"
const [WORLD, OTHER] = ["2001:db8:f::1", "2001:db8:f::2"]

describe("an IPv6 router with pinholes: serve --nftables as a firewall", { skip: lack ?? false }, () => {
  const folder = mkdtempSync(join(tmpdir(), "sallyport-pinhole-"))
  let there: Scene
  let server: Running
  before(async () => {
    there = await scene()
    there.router.sh(`
      ip -6 addr add 2001:db8:f::44/64 dev outside nodad
      echo 1 > /proc/sys/net/ipv6/conf/all/forwarding`)
    there.host.sh("ip -6 route replace default via 2001:db8:1::1 dev lan")
    there.world.sh(`
      ip -6 addr add ${WORLD}/64 dev world nodad; ip -6 addr add ${OTHER}/64 dev world nodad
      ip -6 route add 2001:db8:1::/64 via 2001:db8:f::44`)
    const config = join(folder, "serve.jsonc")
    writeFileSync(config, JSON.stringify({ profile: "firewall6", inside: ["2001:db8:1::/64"], lifetimes: { min: 2 } }))
    server = there.start(
      "router",
      `serve --nftables --outside outside --json --no-control --config ${config} --listen 2001:db8:1::1`,
    )
    await server.until(/"event":"listening"/)
    for (const protocol of ["tcp", "udp"] as const) await answering(there.host, protocol, 8080)
  })
  after(() => {
    there.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  const sallyport = async (text: string): Promise<void> => {
    const { code, stderr } = await there.sallyport(`${text} --server 2001:db8:1::1`)
    assert.equal(code, 0, stderr)
  }

  it("nobody outside gets in without a pinhole; the host gets out, and hears its answers", async () => {
    for (const protocol of ["tcp", "udp"] as const)
      assert.equal(await unheard(there.world, { protocol, address: HOST, port: 8080, source: WORLD }), "nobody")
    await answering(there.world, "tcp", 53)
    const asked = { protocol: "tcp", address: WORLD, port: 53, sourcePort: 5555 } as const
    assert.equal(await heard(there.host, asked), `${HOST} 5555`)
  })

  it("a pinhole of TCP lets TCP in and no UDP; nothing is translated (RFC 6887 section 11.1)", async () => {
    await sallyport("map 8080/tcp")
    const asked = { address: HOST, port: 8080, source: WORLD, sourcePort: 6001 } as const
    assert.equal(await heard(there.world, { protocol: "tcp", ...asked }), `${WORLD} 6001`)
    assert.equal(await unheard(there.world, { protocol: "udp", ...asked }), "nobody")
    await sallyport("unmap 8080/tcp")
    assert.equal(await unheard(there.world, { protocol: "tcp", ...asked, sourcePort: 6002 }), "nobody")
  })

  it("S-120: FILTERs let in the peers that they name, and another one shuts out who was in", async () => {
    await sallyport(`map 8080/udp --filter ${WORLD}/128`)
    const asked = { protocol: "udp", address: HOST, port: 8080 } as const
    const talk = await asking(there.world, { ...asked, source: WORLD }, "nobody")
    assert.match(talk.stdout(), new RegExp(`^${WORLD} `))
    assert.equal(await unheard(there.world, { ...asked, source: OTHER }), "nobody")
    await sallyport("unmap 8080/udp")
    await sallyport(`map 8080/udp --filter ${OTHER}/128`)
    assert.match(await heard(there.world, { ...asked, source: OTHER }), new RegExp(`^${OTHER} `))
    assert.equal(await again(talk), "nobody")
    await sallyport("unmap 8080/udp")
  })

  it("a mapping of all ports of a protocol, and of a whole host", async () => {
    const asked = { address: HOST, port: 8080, source: WORLD } as const
    await sallyport("map all/tcp")
    assert.match(await heard(there.world, { protocol: "tcp", ...asked }), new RegExp(`^${WORLD} `))
    assert.equal(await unheard(there.world, { protocol: "udp", ...asked }), "nobody")
    await sallyport("unmap all/tcp")
    await sallyport("map all/all")
    for (const protocol of ["tcp", "udp"] as const)
      assert.match(await heard(there.world, { protocol, ...asked }), new RegExp(`^${WORLD} `))
    await sallyport("unmap all/all")
  })

  it("a pinhole that ran out lets nobody new in", async () => {
    await sallyport("map 8080/udp --lifetime 2")
    await server.until(/"event":"expired"/)
    assert.equal(await unheard(there.world, { protocol: "udp", address: HOST, port: 8080, source: OTHER }), "nobody")
    assert.equal(await server.stop(), 0, server.stderr())
  })
})
