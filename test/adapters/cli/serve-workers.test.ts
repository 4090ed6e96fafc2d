import assert from "node:assert/strict"
import { once } from "node:events"
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, describe, it } from "node:test"
import { ownerOf } from "../../../adapters/cli/workers/owner.ts"
import { u32 } from "../../../core/wire/index.ts"
import { address } from "../udp-suite.ts"
import { assertNoStack, octets, records, sallyport } from "./command.ts"
import { ask, endOf, HOSTS, listed, mapOf, startWorkers as start } from "./workers/hosts.ts"

const folder = mkdtempSync(join(tmpdir(), "sallyport-workers-"))
after(() => rmSync(folder, { recursive: true }))

/** Whose host is whose, of two workers of default settings. */
const RULE = { workers: 2, prefix: { ipv4: 32, ipv6: 64 }, dslite: false }

describe("sallyport serve --workers", () => {
  it("is one server: each host finds its mappings from any port, no external end is given twice, commands see all", async () => {
    const path = join(folder, "one.sock")
    const server = await start(["--control", path, "--quota", "3", "--external", "198.51.100.0/30"])
    const ends = new Map<string, string>()
    for (const host of HOSTS)
      for (const port of [5000, 5001, 5002]) {
        const made = await ask(host, mapOf(host, port, 3600), server.port)
        assert.deepEqual([made[1], made[3], u32(made, 4)], [129, 0, 3600])
        ends.set(`${host}:${port}`, endOf(made))
      }
    assert.equal(new Set(ends.values()).size, 3 * HOSTS.length)
    for (const host of HOSTS) {
      const own = [5000, 5001, 5002].map((port) => ends.get(`${host}:${port}`)?.split(":")[0])
      assert.equal(new Set(own).size, 1, "one address a host (RFC 4787 REQ-2)")
      for (let n = 0; n < 6; n++) {
        const renewed = await ask(host, mapOf(host, 5000, 3600), server.port)
        assert.deepEqual([renewed[3], endOf(renewed)], [0, ends.get(`${host}:5000`)])
        const stranger = await ask(host, mapOf(host, 5000, 3600, "ff".repeat(12)), server.port)
        assert.equal(stranger[3], 2, "NOT_AUTHORIZED")
        const many = await ask(host, mapOf(host, 5003 + n, 3600), server.port)
        assert.equal(many[3], 10, "USER_EX_QUOTA")
      }
    }
    const rows = await listed(path)
    assert.equal(rows.length, 3 * HOSTS.length)
    assert.deepEqual(new Set(rows.map(({ external }) => JSON.stringify(external))).size, new Set(ends.values()).size)
    const counters = records((await sallyport(["counters", "--json", "--control", path])).stdout)
    const count = (name: string) => counters.find((counter) => counter.name === name)?.count
    assert.deepEqual([count("NOT_AUTHORIZED"), count("USER_EX_QUOTA")], [6 * HOSTS.length, 6 * HOSTS.length])
    const revoked = await sallyport(["revoke", HOSTS[0], "--json", "--control", path])
    assert.equal(revoked.stdout, '{"deleted":3}\n')
    const announced = await sallyport(["announce", "--control", path])
    assert.equal(announced.code, 0)
    const { code, stderr } = await server.stop()
    assert.deepEqual([code, stderr], [0, ""])
    const told = server.records()
    assert.equal(told[0].event, "listening")
    assert.equal(told.filter(({ event }) => event === "created").length, 3 * HOSTS.length)
    assert.equal(told.filter(({ event }) => event === "reset").length, 1, "that host's own epoch, told once")
    assert.equal(told.at(-1)?.count, 3 * (HOSTS.length - 1))
  })

  it("divides the ports of an address that all workers have, and answers as one thread does but for the external end", async () => {
    const args = ["--external", "198.51.100.7", "--ports", "2000-2999", "--quota", "4"]
    const [two, one] = [await start(args), await start(args, "1")]
    const ends = new Set<string>()
    let made = 0
    const run = async (port: number, isFirst: boolean): Promise<string[]> => {
      const answers: string[] = []
      const note = (answer: Uint8Array): void => {
        // All but the epoch and the external end, which each server has its own of.
        const shown = Buffer.from(answer)
        shown.fill(0, 8, 12)
        if (answer.length === 60) shown.fill(0, 42, 44)
        else if (answer[0] === 0) shown.fill(0, 4, 8).fill(0, 10, 12)
        answers.push(shown.toString("hex"))
      }
      for (const host of HOSTS)
        for (const [internal, lifetime, nonce] of [
          [6000, 600],
          [6001, 999_999],
          [6000, 600],
          [6000, 0, "ff".repeat(12)],
          [6001, 0],
          [6002, 600],
          [6003, 600],
          [6004, 600],
          [6005, 600],
        ] as const) {
          const answer = await ask(host, mapOf(host, internal, lifetime, nonce), port)
          note(answer)
          if (!isFirst || answer[3] !== 0 || lifetime !== 600 || internal < 6002) continue
          ends.add(endOf(answer))
          made++
        }
      for (const host of HOSTS) {
        note(await ask(host, octets("0000"), port))
        note(await ask(host, octets("00010000 1770 0000 00000000"), port))
        note(await ask(host, octets("00000000"), port))
        note(await ask(host, octets("0100"), port))
        note(await ask(host, octets("00010000 0000 0000 00000000"), port))
      }
      return answers
    }
    assert.deepEqual(await run(two.port, true), await run(one.port, false))
    assert.deepEqual([ends.size, made > 0], [made, true])
    await Promise.all([two.stop(), one.stop()])
  })

  it("goes on from its state files, and not from another number's", async () => {
    const state = join(folder, "state")
    const first = await start(["--state", state, "--external", "198.51.100.0/29"])
    const ends = new Map<string, string>()
    for (const host of HOSTS) ends.set(host, endOf(await ask(host, mapOf(host, 5000, 3600), first.port)))
    assert.equal((await first.stop()).code, 0)
    assert.deepEqual(
      readdirSync(folder).filter((name) => name.startsWith("state")),
      ["state.1-of-2", "state.2-of-2"],
    )
    for (const workers of ["1", "3"]) {
      const other = await sallyport(["serve", "--listen", "127.0.0.1:0", "--state", state, "--workers", workers])
      assert.equal(other.code, 1)
      assert.match(
        other.stderr,
        /there is a state of 2 workers, .*state\.1-of-2 and so on: start it with --workers 2, /,
      )
    }
    // A pool of one address more: who had an address has it still.
    const second = await start(["--state", state, "--external", "198.51.100.0/29,198.51.100.8"])
    for (const host of HOSTS) {
      const renewed = await ask(host, mapOf(host, 5000, 3600), second.port)
      assert.equal(endOf(renewed), ends.get(host))
    }
    await second.stop()
  })

  it("takes other settings at SIGHUP in all workers or in none, and maps what the administrator does once", async () => {
    const file = join(folder, "serve.json")
    const path = join(folder, "hup.sock")
    const write = (settings: object): void => writeFileSync(file, JSON.stringify(settings))
    const base = { external: ["198.51.100.0/30"], quota: 1 }
    write(base)
    const server = await start(["--config", file, "--control", path])
    const host = HOSTS[3]
    await ask(host, mapOf(host, 5000, 600), server.port)
    assert.equal((await ask(host, mapOf(host, 5001, 600), server.port))[3], 10)
    const staticMappings = [{ protocol: "tcp", internal: `${host}:80`, external: "198.51.100.1:80" }]
    write({ ...base, quota: 2, staticMappings })
    server.child.kill("SIGHUP")
    await server.untilError(/serve\.json: read again/)
    assert.equal((await ask(host, mapOf(host, 5001, 600), server.port))[3], 0)
    const rows = await listed(path)
    assert.deepEqual(rows.map(({ kind }) => kind).sort(), ["map", "map", "static"])
    for (const [settings, line] of [
      [
        { ...base, rateLimits: { global: { perSecond: 1, burst: 1 } } },
        /rateLimits: with --workers there is no limit of all/,
      ],
      [{ ...base, subscriberPrefix: { ipv4: 24 } }, /subscriberPrefix: .*start it anew/],
      [{ ...base, external: ["198.51.100.1"] }, /external: how it is divided among 2 workers is not changed/],
    ] as const) {
      write(settings)
      server.child.kill("SIGHUP")
      await server.untilError(line)
    }
    assert.equal((await listed(path)).length, 3)
    const { code, stdout } = await server.stop()
    assert.equal(code, 0)
    const created = records(stdout).filter(({ event }) => event === "created")
    assert.equal(created.length, 3, "the static mapping is told once")
  })

  it("adds up what the metrics tell", async () => {
    const server = await start(["--metrics", "127.0.0.1:0", "--external", "198.51.100.0/31", "--ports", "2000-2099"])
    for (const host of HOSTS) await ask(host, mapOf(host, 5000, 600), server.port)
    const metrics = String(server.records()[0].metrics)
    const text = await (await fetch(metrics)).text()
    await server.stop()
    for (const line of [
      `sallyport_mappings{kind="map"} ${HOSTS.length}`,
      "sallyport_pool_addresses 2",
      'sallyport_pool_ports{protocol="udp"} 200',
      `sallyport_pool_ports_used{protocol="udp"} ${HOSTS.length}`,
      `sallyport_requests_total{protocol="pcp",opcode="MAP"} ${HOSTS.length}`,
      `sallyport_request_duration_seconds_count ${HOSTS.length}`,
    ])
      assert.ok(text.split("\n").includes(line), line)
  })

  it("ends, with the others' states written, when a worker ends, and says which", async () => {
    const [state, signal] = [join(folder, "dies"), join(folder, "die")]
    const code = `import { existsSync } from "node:fs"; import { workerData } from "node:worker_threads";
      if (workerData?.number === 1) setInterval(() => existsSync(${JSON.stringify(signal)}) && process.exit(7), 20)`
    const NODE_OPTIONS = `--import=data:text/javascript,${encodeURIComponent(code)}`
    const server = await start(["--state", state, "--no-control"], "2", { NODE_OPTIONS })
    const ends = new Map<string, string>()
    for (const host of HOSTS) ends.set(host, endOf(await ask(host, mapOf(host, 5000, 600), server.port)))
    const ended = once(server.child, "close")
    writeFileSync(signal, "")
    await ended
    assert.equal(server.child.exitCode, 4)
    assert.match(server.stderr(), /worker 2 of 2 ended \(exit code 7\): so does the server\n/)
    assertNoStack(server.stderr())
    assert.ok(existsSync(`${state}.1-of-2`))
    assert.ok(!existsSync(`${state}.lock`))
    // Whoever had a mapping in a worker that lived has it still.
    const again = await start(["--state", state, "--no-control"])
    const [owner] = HOSTS.filter((host) => ownerOf(RULE, { internal: address(host) }) === 0)
    assert.equal(endOf(await ask(owner, mapOf(owner, 5000, 600), again.port)), ends.get(owner))
    assert.equal((await again.stop()).code, 0)
  })

  it("says in a line what is wrong", async () => {
    for (const [args, line] of [
      [["--workers", "0"], /Expected a whole number from 1 to 64, or auto\.\n$/],
      [["--workers", "2", "--external", "192.0.2.1", "--ports", "2000-2002"], /3 ports are too few for 2 workers\n$/],
    ] as const) {
      const { code, stderr } = await sallyport(["serve", "--listen", "127.0.0.1:0", ...args])
      assert.equal(code, 1)
      assert.match(stderr, line)
    }
    const server = await start([])
    for (const workers of ["1", "2"]) {
      const args = ["serve", "--listen", `127.0.0.1:${server.port}`, "--workers", workers]
      const { code, stderr } = await sallyport(args)
      assert.deepEqual([code, /is in use already/.test(stderr)], [1, true], stderr)
    }
    await server.stop()
  })
})
