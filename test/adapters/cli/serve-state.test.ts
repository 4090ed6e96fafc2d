import assert from "node:assert/strict"
import { createSocket } from "node:dgram"
import { once } from "node:events"
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, describe, it } from "node:test"
import { u16, u32 } from "../../../core/wire/index.ts"
import { assertNoStack, client, mapRequest, octets, sallyport, serving } from "./command.ts"

const folder = mkdtempSync(join(tmpdir(), "sallyport-state-"))
after(() => rmSync(folder, { recursive: true }))

const OTHER_NONCE = "ff".repeat(12)

/** A server with a state file, and a client of it. */
const start = async (name: string, args: readonly string[] = []) => {
  const path = join(folder, name)
  const server = await serving(["--state", path, "--no-control", ...args])
  const peer = await client()
  const ask = async (bytes: Uint8Array) => {
    const answer = await peer.ask(bytes, server.port)
    return { result: answer[3], epoch: u32(answer, 8), port: u16(answer, 42) }
  }
  const stop = async (signal?: NodeJS.Signals) => {
    peer.close()
    return server.stop(signal)
  }
  return { path, server, ask, stop }
}

const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

describe("sallyport serve --state", { concurrency: 3 }, () => {
  it("S-140: goes on after an orderly end: mappings, nonces, ports, and the epoch", async () => {
    const first = await start("orderly")
    const { port } = await first.ask(mapRequest(5000, 3600))
    await wait(2100)
    const { epoch } = await first.ask(mapRequest(5000, 3600))
    assert.ok(epoch >= 2)
    const ended = await first.stop()
    assert.equal(ended.code, 0)
    assert.equal(statSync(first.path).mode & 0o777, 0o600)
    const second = await start("orderly")
    const again = await second.ask(mapRequest(5000, 3600))
    assert.deepEqual([again.result, again.port], [0, port])
    assert.ok(again.epoch >= epoch, `${again.epoch} after ${epoch}`)
    assert.equal((await second.ask(mapRequest(5000, 3600, OTHER_NONCE))).result, 2)
    const { stdout, stderr } = await second.stop()
    assert.match(stdout, /1 mapping\n/)
    assert.doesNotMatch(stderr, /epoch begins again/)
  })

  it("S-140: after a crash keeps what the last snapshot has, and its epoch begins again", async () => {
    const first = await start("crash")
    const { port } = await first.ask(mapRequest(5000, 3600))
    first.server.child.kill("SIGUSR2")
    await first.server.untilError(/^sallyport: .*crash: \d+ octets written$/m)
    await wait(1100)
    await first.stop("SIGKILL")
    const second = await start("crash")
    const again = await second.ask(mapRequest(5000, 3600))
    assert.deepEqual([again.result, again.port, again.epoch], [0, port, 0])
    assert.match((await second.stop()).stderr, /crash: the last run did not end in order: mappings are kept/)
  })

  it("S-140: goes on with other settings: mappings move to the new pool, and the epoch begins again", async () => {
    const first = await start("moved", ["--external", "198.51.100.7"])
    await first.ask(mapRequest(5000, 3600))
    await wait(1100)
    await first.stop()
    const second = await start("moved", ["--external", "198.51.100.8"])
    await second.server.until(/moved +UDP +127\.0\.0\.1:5000 +-> 198\.51\.100\.8:\d+ +from 198\.51\.100\.7:\d+\n/)
    const { result, epoch } = await second.ask(mapRequest(5000, 3600))
    assert.deepEqual([result, epoch], [0, 0])
    await second.stop()
  })

  it("S-140: keeps a firewall's epoch too, and no state of a device that has none", async () => {
    const config = join(folder, "firewall.jsonc")
    writeFileSync(config, '{ "profile": "firewall4", "quota": 5 }')
    const announce = octets("02000000 00000000 00000000000000000000ffff7f000001")
    const first = await start("firewall", ["--config", config])
    await wait(1100)
    const { epoch } = await first.ask(announce)
    assert.equal((await first.stop()).code, 0)
    const second = await start("firewall", ["--config", config])
    assert.ok(epoch > 0 && (await second.ask(announce)).epoch >= epoch)
    assert.doesNotMatch((await second.stop()).stderr, /epoch begins again/)
    writeFileSync(
      config,
      '{ "profile": "nptv6", "prefixes": [{ "internal": "fd00::/48", "external": "2001:db8::/48" }] }',
    )
    const { code, stderr } = await sallyport(["serve", "--config", config, "--state", join(folder, "none")])
    assert.equal(code, 1)
    assert.match(stderr, /^sallyport: option '--state': nptv6 has no such setting\n$/)
  })

  it("writes by itself once in a period", async () => {
    const path = join(folder, "period")
    const config = join(folder, "period.jsonc")
    writeFileSync(config, JSON.stringify({ state: { file: path, period: 1 }, control: false }))
    const server = await serving(["--config", config, "--listen", "127.0.0.1:0"])
    while (!existsSync(path)) await wait(50)
    await server.stop("SIGKILL")
    assert.ok(statSync(path).size > 0)
  })

  it("keeps a torn, a damaged and a foreign file aside, says so, and begins anew", async () => {
    const whole = await start("whole")
    await whole.ask(mapRequest(5000, 3600))
    await whole.stop()
    const bytes = readFileSync(whole.path)
    const damaged = Uint8Array.from(bytes)
    damaged[bytes.length >> 1] ^= 1
    for (const [name, text, rule] of [
      ["torn", bytes.subarray(0, bytes.length - 100), /cut short/],
      ["damaged", damaged, /damaged|digest/],
      ["foreign", "a letter, and no snapshot", /no snapshot of a Sallyport server/],
      ["empty", "", /empty/],
    ] as const) {
      writeFileSync(join(folder, name), text)
      const server = await start(name)
      assert.equal((await server.ask(mapRequest(5000, 3600, OTHER_NONCE))).result, 0, "nobody has this mapping")
      const { code, stderr } = await server.stop()
      assert.equal(code, 0)
      assert.match(stderr, rule)
      assert.match(stderr, new RegExp(`^sallyport: .*${name}: .*; kept as .*${name}\\.bad-1: no mappings`))
      assert.deepEqual(readFileSync(join(folder, `${name}.bad-1`)), Buffer.from(text))
      assertNoStack(stderr)
    }
  })

  it("is one server's: a second one says who has the file, and touches nothing", async () => {
    const first = await start("shared")
    const { port } = await first.ask(mapRequest(5000, 3600))
    writeFileSync(first.path, "what a second server would set aside")
    const second = await sallyport(["serve", "--state", first.path, "--listen", "127.0.0.1:0"])
    assert.equal(second.code, 1)
    const [pid, lock] = [first.server.child.pid, `${first.path}.lock`]
    assert.equal(
      second.stderr,
      `sallyport: state file ${first.path}: another server has it: process ${pid} (${lock})\n`,
    )
    assert.equal(existsSync(`${first.path}.bad-1`), false)
    await first.stop()
    assert.equal(existsSync(lock), false)
    const third = await start("shared")
    assert.equal((await third.ask(mapRequest(5000, 3600))).port, port)
    await third.stop("SIGKILL")
    // A killed one leaves its lock behind.
    assert.equal(existsSync(lock), true)
    await (await start("shared")).stop()
  })

  it("is one server's by the name of a link too, and the link stays one", async () => {
    const first = await start("linked")
    await first.ask(mapRequest(5000, 3600))
    await first.stop()
    const link = join(folder, "link")
    symlinkSync(first.path, link)
    const through = await start("link")
    const second = await sallyport(["serve", "--state", first.path, "--listen", "127.0.0.1:0", "--no-control"])
    assert.equal(second.code, 1)
    assert.match(second.stderr, /another server has it/)
    assert.match((await through.stop()).stdout, /1 mapping\n/)
    assert.ok(lstatSync(link).isSymbolicLink())
  })

  it("puts a bad file back when the server does not come up", async () => {
    const path = join(folder, "put-back")
    writeFileSync(path, "no snapshot")
    const socket = createSocket("udp4")
    socket.bind(0, "127.0.0.1")
    await once(socket, "listening")
    const taken = await sallyport(["serve", "--state", path, "--listen", `127.0.0.1:${socket.address().port}`])
    socket.close()
    assert.equal(taken.code, 1)
    assert.equal(readFileSync(path, "utf8"), "no snapshot")
    assert.equal(existsSync(`${path}.bad-1`), false)
    assert.equal(existsSync(`${path}.lock`), false)
  })

  it("leaves an orderly end as it was when the server does not come up", async () => {
    const first = await start("again")
    await first.ask(mapRequest(5000, 3600))
    await wait(1100)
    const { epoch } = await first.ask(mapRequest(5000, 3600))
    await first.stop()
    const socket = createSocket("udp4")
    socket.bind(0, "127.0.0.1")
    await once(socket, "listening")
    const taken = await sallyport(["serve", "--state", first.path, "--listen", `127.0.0.1:${socket.address().port}`])
    socket.close()
    assert.equal(taken.code, 1)
    const second = await start("again")
    assert.ok((await second.ask(mapRequest(5000, 3600))).epoch >= epoch)
    await second.stop()
  })

  it("says in a line where it cannot be read or written", async () => {
    const unread = await sallyport(["serve", "--listen", "127.0.0.1:0", "--state", folder])
    assert.equal(unread.code, 1)
    assert.match(unread.stderr, /^sallyport: state file .*: it is a folder\n$/)
    const nowhere = await sallyport(["serve", "--listen", "127.0.0.1:0", "--state", join(folder, "nowhere/file")])
    assert.equal(nowhere.code, 1)
    assert.match(nowhere.stderr, /^sallyport: state file .*nowhere\/file: there is no such file or folder\n$/)
    mkdirSync(join(folder, "gone"))
    const server = await start("gone/file")
    rmSync(join(folder, "gone"), { recursive: true })
    server.server.child.kill("SIGUSR2")
    await server.server.untilError(/state file .*gone\/file: not written: there is no such file or folder/)
    const { code } = await server.stop()
    assert.equal(code, 4)
  })

  it("SIGUSR2 without a file says that there is none", async () => {
    const server = await serving(["--no-control"])
    server.child.kill("SIGUSR2")
    await server.untilError(/there is no state file to write: --state names one/)
    const peer = await client()
    assert.equal((await peer.ask(octets("0000"), server.port))[1], 128)
    peer.close()
    assert.equal((await server.stop()).code, 0)
  })
})
