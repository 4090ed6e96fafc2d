import assert from "node:assert/strict"
import { after, before, describe, it } from "node:test"
import { openLibc } from "../../adapters/linux/index.ts"
import { type Scene, scene } from "./client-router.ts"
import { lacking } from "./namespace.ts"

const lack = lacking(["nft", "conntrack"])
if (lack !== undefined) assert.notEqual(process.env.CI, "true", lack)
const libc = openLibc()

describe("sockets of serve --nftables", { skip: lack ?? (libc.ok ? false : libc.text) }, () => {
  let there: Scene
  before(async () => {
    there = await scene()
    there.router.sh("ip addr add 10.0.0.9/24 dev inside")
  })
  after(() => there.stop())

  const announced = async (more: string, said: RegExp): Promise<number | null> => {
    const server = there.start(
      "router",
      `serve --nftables --outside outside --listen 0.0.0.0 --json --no-control${more}`,
    )
    await server.until(/"event":"listening"/)
    // A client hears nobody but the address that it asked, and the system answers from the first that it has.
    const { code } = await there.sallyport("announce --server 10.0.0.9 --timeout 2")
    assert.equal(await server.stop(), 0, server.stderr())
    assert.match(server.stderr(), said)
    return code
  }

  it("answer from the address that was asked, as those of --fast, which it is by itself", async () => {
    assert.equal(await announced("", /, datagrams many a call; outside: outside/), 0)
  })

  it("are the runtime's own where that is asked for", async () => {
    assert.notEqual(await announced(" --no-fast", /, datagrams one a call; outside: outside/), 0)
  })
})
