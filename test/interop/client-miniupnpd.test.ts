import assert from "node:assert/strict"
import { after, before, describe, it } from "node:test"
import { records } from "../adapters/cli/command.ts"
import { type Scene, scene } from "./client-router.ts"
import { lacking, type Running } from "./namespace.ts"
import { MINIUPNPD_CONFIG, openRouter } from "./open-router.ts"

const lack = lacking(["nft", "miniupnpd"])
if (lack !== undefined) assert.notEqual(process.env.CI, "true", lack)

describe("sallyport's client and Debian's miniupnpd", { skip: lack ?? false }, () => {
  let there: Scene
  let daemon: Running
  before(async () => {
    there = await scene()
    daemon = await openRouter(there.router, there.folder)
  })
  after(async () => {
    await daemon.stop()
    there.stop()
  })

  for (const [via, port, more] of [
    ["pcp", 8080, ""],
    ["nat-pmp", 8081, " --nat-pmp"],
  ] as const)
    it(`a connection from outside arrives through the mapping that ${via} made, and none without it`, async () => {
      const server = await there.listen(port)
      assert.equal(await there.connect("11.22.33.44", port), "nobody")

      const mapped = await there.sallyport(`map ${port}/tcp --server 10.0.0.1 --json${more}`)
      assert.equal(mapped.code, 0, mapped.stderr)
      const [record] = records(mapped.stdout)
      assert.deepEqual([record.via, record.class, record.lifetime], [via, "public", 7200])
      assert.deepEqual(record.external, { address: "11.22.33.44", port })
      assert.equal(await there.connect("11.22.33.44", port), "reached from ::ffff:11.22.33.1")

      // Again is a renewal: miniupnpd refuses another nonce.
      const renewed = await there.sallyport(`map ${port}/tcp --server 10.0.0.1 --lifetime 600 --json${more}`)
      assert.equal(renewed.code, 0, renewed.stderr)
      const [again] = records(renewed.stdout)
      assert.deepEqual([again.lifetime, again.external], [600, { address: "11.22.33.44", port }])
      assert.equal(await there.connect("11.22.33.44", port), "reached from ::ffff:11.22.33.1")

      const deleted = await there.sallyport(`unmap ${port}/tcp`)
      assert.equal(deleted.code, 0, deleted.stderr)
      assert.equal(deleted.stdout, `${port}/tcp is deleted at 10.0.0.1\n`)
      assert.equal(await there.connect("11.22.33.44", port), "nobody")
      await server.stop("SIGKILL")
    })

  it("says who is there, what the external address is, and that ports can be opened", async () => {
    const external = await there.sallyport("external --server 10.0.0.1")
    assert.deepEqual([external.code, external.stdout.split(" ")[0]], [0, "11.22.33.44"], external.stderr)
    const announced = await there.sallyport("announce --json --server 10.0.0.1")
    assert.deepEqual([announced.code, records(announced.stdout)[0].via], [0, "pcp"])
    const probed = await there.sallyport("probe --json --server 10.0.0.1")
    assert.deepEqual([probed.code, records(probed.stdout)[0].finding], [0, "works"], probed.stdout)
  })

  it("maps where the suggested port is taken: another is assigned, which is said and no error", async () => {
    const other = await there.sallyport("map 9000/udp --external-port 7000 --json --server 10.0.0.1")
    assert.equal(other.code, 0, other.stderr)
    const taken = await there.sallyport("map 9001/udp --external-port 7000 --server 10.0.0.1")
    assert.equal(taken.code, 0, taken.stderr)
    assert.match(taken.stderr, /7000 was asked for outside and \d+ assigned, which is no error/)
    const all = await there.sallyport("unmap --all --json --server 10.0.0.1")
    assert.equal(all.code, 0, `${all.stdout}${all.stderr}`)
  })

  it("with wrong chains it cannot map: PCP's NO_RESOURCES (8), NAT-PMP's Network Failure (3), short errors both", async () => {
    await daemon.stop()
    const wrong = MINIUPNPD_CONFIG.replace("upnp_nat_chain=prerouting_miniupnpd", "upnp_nat_chain=no_such_chain")
    daemon = await openRouter(there.router, there.folder, wrong)
    const pcp = await there.sallyport("map 8082/tcp --json --server 10.0.0.1")
    assert.deepEqual([pcp.code, records(pcp.stdout)[0].code], [3, 8], `${pcp.stdout}${pcp.stderr}`)
    const natPmp = await there.sallyport("map 8082/tcp --json --nat-pmp --server 10.0.0.1")
    assert.deepEqual([natPmp.code, records(natPmp.stdout)[0].code], [3, 3], `${natPmp.stdout}${natPmp.stderr}`)
  })
})
