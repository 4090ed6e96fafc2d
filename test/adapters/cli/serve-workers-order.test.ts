/** `serve --workers`: what comes at the same time, or in another order than it should. */
import assert from "node:assert/strict"
import { createSocket } from "node:dgram"
import { once } from "node:events"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, describe, it } from "node:test"
import { u32 } from "../../../core/wire/index.ts"
import { kill, sallyport } from "./command.ts"
import { ask, endOf, HOSTS, listed, mapFor, mapOf, startWorkers as start } from "./workers/hosts.ts"

const folder = mkdtempSync(join(tmpdir(), "sallyport-order-"))
after(() => rmSync(folder, { recursive: true }))

const nonceOf = (host: number): string => host.toString(16).padStart(24, "0")

describe("sallyport serve --workers, whatever comes when", () => {
  it("answers hosts that ask while it starts, each with one mapping", async () => {
    const probe = createSocket("udp4").bind(0, "127.0.0.1")
    await once(probe, "listening")
    const { port } = probe.address()
    probe.close()
    const sockets = HOSTS.map((host) => createSocket("udp4").bind(0, host))
    await Promise.all(sockets.map((socket) => once(socket, "listening")))
    const answers = sockets.map((): Uint8Array[] => [])
    for (const [i, socket] of sockets.entries())
      socket.on("message", (bytes) => answers[i].push(bytes)).on("error", () => {})
    const asking = setInterval(() => {
      for (const [i, socket] of sockets.entries()) socket.send(mapOf(HOSTS[i], 5000, 600), port, "127.0.0.1")
    }, 10)
    const path = join(folder, "start.sock")
    const server = await start(["--control", path, "--listen", `127.0.0.1:${port}`])
    while (answers.some(({ length }) => length < 3)) await new Promise((resolve) => setTimeout(resolve, 20))
    clearInterval(asking)
    for (const own of answers) assert.deepEqual(new Set(own.map((answer) => `${answer[3]} ${endOf(answer)}`)).size, 1)
    assert.equal((await listed(path)).length, HOSTS.length)
    for (const socket of sockets) socket.close()
    assert.equal((await server.stop()).code, 0)
    const told = server.records().map(({ event }) => event)
    assert.deepEqual([told[0], told.filter((event) => event === "created").length], ["listening", HOSTS.length])
  })

  it("has after a restart, and a SIGTERM amid requests, what it had answered", async () => {
    const state = join(folder, "amid")
    const [path, other] = [join(folder, "amid.sock"), join(folder, "amid2.sock")]
    const first = await start(["--state", state, "--control", path, "--quota", "0"])
    const ends = new Map<string, string>()
    const sockets = HOSTS.map((host) => createSocket("udp4").bind(0, host))
    await Promise.all(sockets.map((socket) => once(socket, "listening")))
    for (const [i, socket] of sockets.entries()) {
      let internal = 2000
      const next = (): void => socket.send(mapOf(HOSTS[i], internal++, 3600), first.port, "127.0.0.1")
      socket.on("error", () => {})
      socket.on("message", (answer) => {
        assert.equal(answer[3], 0)
        ends.set(`${HOSTS[i]}:${(answer[40] << 8) | answer[41]}`, endOf(answer))
        next()
      })
      for (let n = 0; n < 4; n++) next()
    }
    while (ends.size < 1200) await new Promise((resolve) => setTimeout(resolve, 10))
    const stopped = await first.stop()
    assert.equal(stopped.code, 0)
    for (const socket of sockets) socket.close()
    const second = await start(["--state", state, "--control", other])
    const rows = await listed(other)
    const kept = new Map(rows.map(({ internal, external }) => [textOf(internal), textOf(external)]))
    assert.equal(kept.size, rows.length, "over several pages of either worker each mapping is there once")
    assert.equal(new Set(kept.values()).size, kept.size, "nothing is two hosts'")
    for (const [internal, external] of ends) assert.equal(kept.get(internal), external)
    // No epoch began again: every state was the last of its run.
    assert.equal((await second.stop()).stderr, "")
  })

  it("lists the mappings of all workers at SIGUSR1, and writes the states of all at SIGUSR2", async () => {
    const state = join(folder, "asked")
    const server = await start(["--state", state, "--no-control"])
    for (const host of HOSTS) await ask(host, mapOf(host, 5000, 600), server.port)
    kill(server.child, "SIGUSR1")
    await server.until(/"event":"mappings","count":12\}/)
    assert.equal(server.records().filter(({ event }) => event === "mapping").length, HOSTS.length)
    kill(server.child, "SIGUSR2")
    const [, octets] = await server.untilError(/asked: (\d+) octets written/)
    const sizes = ["1", "2"].map((number) => readFileSync(`${state}.${number}-of-2`).length)
    assert.equal(Number(octets), sizes[0] + sizes[1])
    assert.equal((await server.stop()).code, 0)
  })

  it("begins no run from a state whose mappings would change hands, and leaves that as it was", async () => {
    const [state, file, path] = [join(folder, "hands"), join(folder, "hands.json"), join(folder, "hands.sock")]
    writeFileSync(file, JSON.stringify({ subscriberPrefix: { ipv4: 8 } }))
    const first = await start(["--state", state, "--no-control"])
    for (const host of HOSTS) await ask(host, mapOf(host, 5000, 600), first.port)
    await first.stop()
    const args = ["serve", "--listen", "127.0.0.1:0", "--state", state, "--no-control", "--workers", "2"]
    const other = await sallyport([...args, "--config", file])
    assert.equal(other.code, 1)
    assert.match(
      other.stderr,
      /hands: \d+ mappings in one worker's share are another's now: the last run had another subscriberPrefix or profile\n$/,
    )
    const second = await start(["--state", state, "--control", path])
    assert.equal((await listed(path)).length, HOSTS.length)
    assert.equal((await second.stop()).stderr, "", "and the epoch goes on")
  })

  it("S-140: an address that one worker gets has one epoch begin again in all, told once", async () => {
    const file = join(folder, "grows.json")
    const write = (external: string, ports = "2000-2999"): void =>
      writeFileSync(file, JSON.stringify({ external, ports, control: false }))
    write("198.51.100.0/31,198.51.100.2")
    const server = await start(["--config", file])
    const epochOf = async (host: string): Promise<number> =>
      u32(await ask(host, mapOf(host, 5000, 600), server.port), 8)
    for (const host of HOSTS) await epochOf(host)
    // RFC 6887 section 8.5: seconds since it began.
    while ((await epochOf(HOSTS[0])) < 3) await new Promise((resolve) => setTimeout(resolve, 100))
    const before = performance.now()
    write("198.51.100.0/30")
    kill(server.child, "SIGHUP")
    await server.untilError(/grows\.json: read again/)
    for (const host of HOSTS) {
      const epoch = await epochOf(host)
      assert.ok(epoch <= (performance.now() - before) / 1000, `${host}: ${epoch} s`)
    }
    await server.stop()
    const resets = server.records().filter(({ event }) => event === "reset")
    assert.deepEqual(
      resets.map(({ internal }) => internal),
      [undefined],
    )
  })

  it("keeps the parts of ports with whom they are while it runs", async () => {
    const file = join(folder, "parts.json")
    const write = (ports: string): void =>
      writeFileSync(file, JSON.stringify({ external: "198.51.100.7", ports, control: false }))
    write("2000-2999")
    const server = await start(["--config", file])
    const ends = new Map<string, string>()
    for (const host of HOSTS) ends.set(host, endOf(await ask(host, mapOf(host, 5000, 600), server.port)))
    write("2000-3999")
    kill(server.child, "SIGHUP")
    await server.untilError(
      /ports: how it is divided among 2 workers is not changed while workers run: start it anew\n/,
    )
    for (const host of HOSTS) assert.equal(endOf(await ask(host, mapOf(host, 5000, 600), server.port)), ends.get(host))
    await server.stop()
    assert.equal(server.records().filter(({ event }) => event === "moved").length, 0)
  })

  it("S-44: a third party's mapping is its host's, whoever asks, and so are the nonce and the quota", async () => {
    const [file, path] = [join(folder, "third.json"), join(folder, "third.sock")]
    const profile = { kind: "nat444", thirdParty: true }
    writeFileSync(file, JSON.stringify({ profile, threatModel: "advanced", quota: 2, control: path }))
    const server = await start(["--config", file])
    const ends = new Map<string, string>()
    for (const [i, host] of HOSTS.entries()) {
      const made = await ask("127.0.0.101", mapFor("127.0.0.101", host, 5000, nonceOf(i)), server.port)
      assert.equal(made[3], 0)
      ends.set(host, endOf(made))
    }
    assert.equal(new Set(ends.values()).size, HOSTS.length)
    for (const [i, host] of HOSTS.entries()) {
      const own = await ask(host, mapOf(host, 5000, 3600, nonceOf(i)), server.port)
      const other = await ask("127.0.0.102", mapFor("127.0.0.102", host, 5000, nonceOf(i)), server.port)
      assert.deepEqual([own[3], endOf(own), endOf(other)], [0, ends.get(host), ends.get(host)])
      const thief = await ask("127.0.0.102", mapFor("127.0.0.102", host, 5000, nonceOf(99)), server.port)
      assert.equal(thief[3], 2, "NOT_AUTHORIZED")
      assert.equal((await ask(host, mapOf(host, 5001, 3600), server.port))[3], 0)
      const many = await ask("127.0.0.101", mapFor("127.0.0.101", host, 5002), server.port)
      assert.equal(many[3], 10, "USER_EX_QUOTA")
    }
    const revoked = await sallyport(["revoke", HOSTS[5], "--json", "--control", path])
    assert.equal(revoked.stdout, '{"deleted":2}\n')
    assert.equal((await listed(path)).length, 2 * (HOSTS.length - 1))
    assert.equal((await server.stop()).code, 0)
  })
})

/** An end of a mapping as a listing has it. */
const textOf = (end: unknown): string => {
  assert.ok(typeof end === "object" && end !== null && "address" in end && "port" in end)
  return `${end.address}:${end.port}`
}
