import assert from "node:assert/strict"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, before, describe, it } from "node:test"
import { COMMAND } from "../adapters/cli/command.ts"
import { type Scene, scene } from "./client-router.ts"
import { lacking, type Running } from "./namespace.ts"
import { again, answering, asking, externalOf, heard, unheard } from "./nftables-scene.ts"

const lack = lacking(["nft", "conntrack", "natpmpc", "setpriv"])
if (lack !== undefined) assert.notEqual(process.env.CI, "true", lack)

describe("a home router: serve --nftables with one address outside", { skip: lack ?? false }, () => {
  const folder = mkdtempSync(join(tmpdir(), "sallyport-nftables-"))
  let there: Scene
  let server: Running
  before(async () => {
    there = await scene()
    there.host.sh("ip -6 route del default")
    there.world.sh("ip addr add 11.22.33.2/24 dev world")
    // Somebody else's table, which is to be there in the end as it was.
    there.router.sh("nft add table ip other; nft add chain ip other mine; nft add rule ip other mine counter")
    server = await serve()
    await answering(there.host, "tcp", 8080)
    await answering(there.host, "udp", 8080)
  })
  after(() => {
    there.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  const serve = async (more = ""): Promise<Running> => {
    const control = `--control ${folder}/control.sock`
    const options = `--nftables --outside outside --json --listen 10.0.0.1 --min-lifetime 2 ${control} ${more}`
    // All that it may is what a service file would give it.
    const least = ["--inh-caps=-all,+net_admin", "--bounding-set=-all,+net_admin", "--no-new-privs"]
    const words = ["setpriv", ...least, "env", "NO_COLOR=1", ...COMMAND, "serve", ...options.trim().split(" ")]
    const running = there.router.start(words)
    await running.until(/"event":"listening"/)
    return running
  }
  const map = async (what: string): Promise<{ readonly address: string; readonly port: number }> => {
    const { code, stdout, stderr } = await there.sallyport(`map ${what} --json --server 10.0.0.1`)
    assert.equal(code, 0, stderr)
    return externalOf(stdout)
  }
  const unmap = async (what: string): Promise<void> => {
    // Its traffic would keep it for a while (S-131): see nftables-track.test.ts.
    there.router.sh("conntrack -F 2>/dev/null")
    const { code, stderr } = await there.sallyport(`unmap ${what} --server 10.0.0.1`)
    assert.equal(code, 0, stderr)
  }
  const doctor = async (): Promise<unknown> => {
    const { code, stdout, stderr } = await there.router.run([
      ...["env", "NO_COLOR=1"],
      ...COMMAND,
      ...["doctor", "--json", "--control", `${folder}/control.sock`],
    ])
    assert.equal(code, 0, stderr)
    return JSON.parse(stdout)
  }
  const ruleset = async (what: string): Promise<string> => (await there.router.run(["nft", ...what.split(" ")])).stdout

  it("needs CAP_NET_ADMIN and nothing else, and says when it has not even that", async () => {
    const status = readFileSync(`/proc/${server.child.pid}/status`, "utf8")
    // linux/capability.h: CAP_NET_ADMIN is bit 12.
    assert.equal(Number.parseInt(/CapEff:\s*(\w+)/.exec(status)?.[1] ?? "", 16), 1 << 12)
    const none = ["setpriv", "--inh-caps=-all", "--bounding-set=-all", ...COMMAND]
    const refused = await there.router.run([...none, "serve", "--nftables", "--outside", "outside", "--no-control"])
    assert.equal(refused.code, 1)
    assert.match(refused.stderr, /'--nftables': it takes the capability CAP_NET_ADMIN/)
    assert.doesNotMatch(refused.stderr, /root/)
  })

  it("TCP and UDP reach the host through mappings of natpmpc and of sallyport map, and nobody does without", async () => {
    const at = { address: "11.22.33.44", port: 8080 } as const
    assert.equal(await unheard(there.world, { protocol: "tcp", ...at }), "nobody")
    const made = await there.host.run(["natpmpc", "-g", "10.0.0.1", "-a", "8080", "8080", "tcp", "600"])
    assert.equal(made.code, 0, made.stdout)
    assert.deepEqual(await map("8080/udp --external-port 8080"), at)
    for (const protocol of ["tcp", "udp"] as const)
      assert.match(await heard(there.world, { protocol, ...at, source: "11.22.33.2" }), /^11\.22\.33\.2 \d+$/)
  })

  it("RFC 4787 REQ-9: a host reaches another by its external end, and is seen as its own", async () => {
    const asked = { protocol: "udp", address: "11.22.33.44", port: 8080, sourcePort: 7777 } as const
    assert.match(await heard(there.host, { ...asked, sourcePort: 7776 }), /^11\.22\.33\.44 \d+$/)
    const { port } = await map("7777/udp")
    assert.equal(await heard(there.host, asked), `11.22.33.44 ${port}`)
    await unmap("7777/udp")
  })

  it("S-56: what a mapped port sends has the mapping's external port, and other connections have ports apart from all mappings'", async () => {
    await answering(there.world, "udp", 53)
    const asked = { protocol: "udp", address: "11.22.33.1", port: 53 } as const
    const { port } = await map("4444/udp")
    assert.ok(port >= 1024 && port <= 32767)
    assert.equal(await heard(there.host, { ...asked, sourcePort: 4444 }), `11.22.33.44 ${port}`)
    const [, implicit] = (await heard(there.host, { ...asked, sourcePort: 4445 })).split(" ")
    assert.ok(Number(implicit) >= 32768, implicit)
    await unmap("4444/udp")
  })

  it("FILTER: only the peer that it names gets through (RFC 6887 section 13.3)", async () => {
    await answering(there.host, "tcp", 8090)
    const { port } = await map("8090/tcp --filter 11.22.33.2/32")
    const asked = { protocol: "tcp", address: "11.22.33.44", port } as const
    assert.match(await heard(there.world, { ...asked, source: "11.22.33.2" }), /^11\.22\.33\.2 /)
    assert.equal(await unheard(there.world, { ...asked, source: "11.22.33.1" }), "nobody")
    await unmap("8090/tcp")
  })

  it("RFC 6887 section 15: a deleted mapping's connections end; one that ran out lets nobody new in", async () => {
    await answering(there.host, "udp", 8091)
    const made = await there.host.run(["natpmpc", "-g", "10.0.0.1", "-a", "0", "8091", "udp", "600"])
    const first = { address: "11.22.33.44", port: Number(/public port (\d+)/.exec(made.stdout)?.[1]) }
    const asked = { protocol: "udp", address: first.address, port: first.port } as const
    const talk = await asking(there.world, asked, "nobody")
    assert.match(await again(talk), /^11\.22\.33\.1 /)
    // NAT-PMP deletes at once, whatever traffic there is.
    const deleted = await there.host.run(["natpmpc", "-g", "10.0.0.1", "-a", "0", "8091", "udp", "0"])
    assert.equal(deleted.code, 0, deleted.stdout)
    // They end beside the server's work.
    for (let tries = 0; tries < 500 && (await again(talk)) !== "nobody"; tries++)
      await new Promise((next) => setTimeout(next, 20))
    assert.equal(await again(talk), "nobody")

    const second = await map("8091/udp --lifetime 2")
    assert.match(await heard(there.world, { ...asked, port: second.port }), /^11\.22\.33\.1 /)
    await server.until(new RegExp(`"event":"expired".*"port":${second.port}`))
    assert.equal(await unheard(there.world, { ...asked, port: second.port }), "nobody")
  })

  it("S-02: nobody outside is served, at the router's address inside either", async () => {
    there.world.sh("ip route add 10.0.0.1 via 11.22.33.44")
    for (const address of ["10.0.0.1", "11.22.33.44"]) {
      const asked = await there.world.run([...COMMAND, "announce", "--server", address, "--timeout", "2"])
      assert.notEqual(asked.code, 0)
    }
    assert.ok(!server.stdout().includes("11.22.33.1"))
  })

  it("doctor and the server's own check mend what others did to the table", async () => {
    const sound = await doctor()
    assert.deepEqual({ ...Object(sound), sound: 0 }, { sound: 0, put: 0, gone: 0, rebuilt: false })
    /** Whoever comes first, the server's own check or the one that is asked for, says what was wrong. */
    const mended = async (damage: string, said: RegExp): Promise<void> => {
      const before = server.stderr().length
      there.router.sh(damage)
      await doctor()
      assert.match(server.stderr().slice(before), said)
      assert.deepEqual(await doctor(), sound)
    }
    await mended("nft delete table ip sallyport", /built anew/)
    await mended("nft flush map ip sallyport inbound", /2 elements put in, 0 taken out/)
    await mended("nft delete element ip sallyport outbound { tcp . 10.0.0.2 . 8080 }", /1 elements put in, 0 taken out/)
    const nobodys = "tcp . 11.22.33.44 . 9 : 10.0.0.9 . 9"
    await mended(`nft add element ip sallyport inbound { ${nobodys} }`, /0 elements put in, 1 taken out/)
    await mended("nft flush chain ip sallyport prerouting", /built anew/)
    // A request finds it out at once.
    there.router.sh("nft flush ruleset; nft add table ip other; nft add chain ip other mine")
    await map("8092/tcp")
    await unmap("8092/tcp")
    assert.deepEqual(await doctor(), sound)
    assert.match(await heard(there.world, { protocol: "tcp", address: "11.22.33.44", port: 8080 }), /^11\./)
  })

  it("S-83: another address outside is noticed, mappings move to it, and it is announced", async () => {
    const client = there.start("host", "map 8093/tcp --keep --json --server 10.0.0.1")
    await client.until(/"event":"mapped"/)
    const asked = { protocol: "udp", address: "11.22.33.1", port: 53, sourcePort: 4446 } as const
    const talk = await asking(there.host, asked, "nobody")
    assert.match(talk.stdout(), /^11\.22\.33\.44 /)
    there.router.sh("ip addr del 11.22.33.44/24 dev outside; ip addr add 11.22.33.55/24 dev outside")
    await client.until(/"event":"changed"/)
    assert.equal(externalOf(client.stdout().split("\n").slice(1).join("\n")).address, "11.22.33.55")
    await server.until(/"event":"reset"/)
    assert.match(await heard(there.world, { protocol: "tcp", address: "11.22.33.55", port: 8080 }), /^11\./)
    // A connection that had the address before ends, some processes later, so that what its host sends is another one.
    for (const end = Date.now() + 20_000; !/^11\.22\.33\.55 /.test(await again(talk)); )
      assert.ok(Date.now() < end, talk.stdout())
    assert.equal(await client.stop("SIGINT"), 0, client.stderr())
    assert.deepEqual(Object(await doctor()).rebuilt, false)
  })

  it("the table goes with the server, or stays with --keep-rules; others' tables are what they were", async () => {
    assert.equal(await server.stop(), 0, server.stderr())
    assert.doesNotMatch(await ruleset("list tables"), /sallyport/)
    const state = `--keep-rules --state ${folder}/state`
    server = await serve(state)
    const { port } = await map("8080/tcp")
    assert.equal(await server.stop(), 0, server.stderr())
    const asked = { protocol: "tcp", address: "11.22.33.55", port } as const
    assert.match(await heard(there.world, asked), /^11\./)
    const talk = await asking(there.world, asked, "heard")
    server = await serve(state)
    assert.match(await again(talk), /^11\./)
    assert.match(await heard(there.world, asked), /^11\./)
    assert.deepEqual(await doctor(), { sound: 2, put: 0, gone: 0, rebuilt: false })
    assert.match(await ruleset("list table ip other"), /chain mine/)
    await server.stop()
  })
})
