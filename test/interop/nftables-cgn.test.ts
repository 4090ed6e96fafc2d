import assert from "node:assert/strict"
import { after, before, describe, it } from "node:test"
import { type Scene, scene } from "./client-router.ts"
import { lacking, type Running } from "./namespace.ts"
import { answering, asking, externalOf, heard } from "./nftables-scene.ts"

const lack = lacking(["nft", "conntrack"])
if (lack !== undefined) assert.notEqual(process.env.CI, "true", lack)

const SUBSCRIBERS = [2, 3, 4, 5, 6].map((last) => `10.0.0.${last}`)
const POOL = /^203\.0\.113\.(?:8|9|1[0-5])$/

describe("a small CGN: serve --nftables with a pool of eight addresses", { skip: lack ?? false }, () => {
  let there: Scene
  let server: Running
  before(async () => {
    there = await scene()
    there.host.sh("ip -6 route del default")
    for (const address of SUBSCRIBERS.slice(1)) there.host.sh(`ip addr add ${address}/24 dev lan`)
    there.world.sh("ip route add 203.0.113.8/29 via 11.22.33.44")
    const options = "--external 203.0.113.8/29 --no-control"
    server = there.start("router", `serve --nftables --outside outside --json --listen 10.0.0.1 ${options}`)
    await server.until(/"event":"listening"/)
  })
  after(async () => {
    assert.equal(await server.stop(), 0, server.stderr())
    there.stop()
  })

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
})
