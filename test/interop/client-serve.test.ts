import assert from "node:assert/strict"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { after, before, describe, it } from "node:test"
import { records } from "../adapters/cli/command.ts"
import { type Scene, scene } from "./client-router.ts"
import { lacking, type Running } from "./namespace.ts"

const lack = lacking([])
if (lack !== undefined) assert.notEqual(process.env.CI, "true", lack)

describe("mappings that are kept at a sallyport serve that changes", { skip: lack ?? false }, () => {
  let there: Scene
  before(async () => {
    there = await scene()
    // One family is enough to hear by.
    there.host.sh("ip -6 route del default")
  })
  after(() => there.stop())

  const serve = async (more: string): Promise<Running> => {
    const server = there.start("router", `serve --json --no-control --listen 10.0.0.1 ${more}`)
    await server.until(/"event":"listening"/)
    return server
  }
  const keep = async (what: string): Promise<Running> => {
    const client = there.start("host", `map ${what} --keep --json`)
    await client.until(/"event":"mapped"/)
    return client
  }
  /** A server that has only just begun looks the same after it begins again (RFC 6887 section 8.5): until it is 5 s old. */
  const aged = async (): Promise<void> => {
    for (let epoch = 0; epoch < 5; ) {
      const { stdout } = await there.sallyport("announce --json --server 10.0.0.1")
      epoch = Number(records(stdout)[0].epoch)
    }
  }
  const eventsOf = ({ stdout }: Running): readonly unknown[] => records(stdout()).map(({ event }) => event)

  it("C-54, C-55: after a restart without its state the announcement is heard on port 5350, and the mapping made again", async () => {
    const first = await serve("--external 203.0.113.7")
    const client = await keep("8080/tcp")
    await aged()
    await first.stop("SIGKILL")
    const second = await serve("--external 203.0.113.7")
    await client.until(/"event":"state-lost"/)
    await second.until(/"event":"created".*"port":8080/)
    await client.until(/"event":"(renewed|changed)"/)
    const [mapped, ...later] = records(client.stdout())
    // The same end was suggested, and was to be had.
    assert.deepEqual(later.find(({ external }) => external !== undefined)?.external, mapped.external)
    assert.equal(await client.stop("SIGINT"), 0, client.stderr())
    await second.until(/"event":"deleted"/)
    await second.stop()
  })

  it("C-54: after a crash with a state file, the mapping is renewed where it was", async () => {
    const state = `--external 203.0.113.7 --state ${join(there.folder, "crash")}`
    const first = await serve(state)
    const client = await keep("8081/tcp")
    first.child.kill("SIGUSR2")
    await first.until(/octets written/)
    await aged()
    await first.stop("SIGKILL")
    const second = await serve(state)
    await client.until(/"event":"state-lost"/)
    await client.until(/"event":"renewed"/)
    assert.equal(await client.stop("SIGINT"), 0, client.stderr())
    await second.until(/"event":"deleted".*"port":8081/)
    await second.stop()
  })

  it("C-140: after an orderly restart with its state, nothing was lost and nothing is made again", async () => {
    const state = `--external 203.0.113.7 --state ${join(there.folder, "orderly")}`
    const first = await serve(state)
    const client = await keep("8082/tcp")
    assert.equal(await first.stop("SIGTERM"), 0)
    const second = await serve(state)
    const again = await there.sallyport("announce --json --server 10.0.0.1")
    assert.equal(again.code, 0)
    assert.equal(await client.stop("SIGTERM"), 0, client.stderr())
    assert.deepEqual(eventsOf(client), ["mapped", "deleted"])
    await second.until(/"event":"deleted".*"port":8082/)
    assert.ok(!second.stdout().includes('"event":"created"'))
    await second.stop()
  })

  it("C-51, N-23: another external address is told at once, of PCP and NAT-PMP, and so is the port", async () => {
    const config = join(there.folder, "serve.jsonc")
    const settings = (external: string): void => writeFileSync(config, JSON.stringify({ external: [external] }))
    settings("203.0.113.7")
    const server = await serve(`--config ${config}`)
    const pcp = await keep("8083/tcp")
    const natPmp = await keep("8084/udp --nat-pmp")
    settings("203.0.113.9")
    server.child.kill("SIGHUP")
    for (const client of [pcp, natPmp]) {
      await client.until(/"event":"changed"/)
      const changed = records(client.stdout()).find(({ event }) => event === "changed")
      assert.match(JSON.stringify(changed?.external), /"203\.0\.113\.9"/)
    }
    for (const client of [pcp, natPmp]) assert.equal(await client.stop("SIGINT"), 0, client.stderr())
    await server.stop()
  })

  it("two clients of one host both hear announcements: port 5350 is shared", async () => {
    const first = await serve("--external 203.0.113.7")
    const clients = [await keep("8085/tcp"), await keep("8086/tcp")]
    await aged()
    await first.stop("SIGKILL")
    const second = await serve("--external 203.0.113.7")
    for (const client of clients) await client.until(/"event":"state-lost"/)
    for (const client of clients) await client.until(/"event":"(renewed|changed)"/)
    for (const client of clients) assert.equal(await client.stop("SIGINT"), 0, client.stderr())
    await second.stop()
  })
})
