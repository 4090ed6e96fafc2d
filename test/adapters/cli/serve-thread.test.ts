import assert from "node:assert/strict"
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, describe, it } from "node:test"
import { openLibc } from "../../../adapters/linux/index.ts"
import { records, sallyport, serving } from "./command.ts"
import { ask, endOf, HOSTS, listed, mapOf, startWorkers } from "./workers/hosts.ts"

const folder = mkdtempSync(join(tmpdir(), "sallyport-thread-"))
after(() => rmSync(folder, { recursive: true }))

const libc = openLibc()

/** What a thread of its own has on a system, besides the runtime's sockets. */
const kinds = [
  { name: "--workers 1", args: [], skip: false },
  { name: "--workers 1 --fast", args: ["--fast"], skip: libc.ok ? false : libc.text },
]

for (const { name, args, skip } of kinds)
  describe(`sallyport serve ${name}: a thread of its own that owns the state`, { skip, concurrency: 2 }, () => {
    const start = (more: readonly string[]) => startWorkers([...args, ...more], "1")
    const place = (file: string): string => join(folder, `${args.length}-${file}`)

    it("has all of the pool and of its ports, and goes on from the state of a server on the main thread, as that from its", async () => {
      const state = place("state")
      const pool = ["--external", "198.51.100.0/30", "--ports", "3000-3001", "--state", state]
      const plain = await serving(["--json", "--no-control", ...pool])
      const hosts = HOSTS.slice(0, 8)
      const ends = new Map<string, string>()
      for (const host of hosts.slice(0, 4)) ends.set(host, endOf(await ask(host, mapOf(host, 5000, 3600), plain.port)))
      assert.equal((await plain.stop()).code, 0)
      const server = await start(["--no-control", ...pool])
      for (const host of hosts) {
        const answer = await ask(host, mapOf(host, 5000, 3600), server.port)
        assert.equal(answer[3], 0)
        if (ends.has(host)) assert.equal(endOf(answer), ends.get(host))
        ends.set(host, endOf(answer))
      }
      assert.equal(new Set(ends.values()).size, 8, "two ports of each of four addresses")
      const full = await ask(HOSTS[8], mapOf(HOSTS[8], 5000, 3600), server.port)
      assert.equal(full[3], 8, "NO_RESOURCES")
      const { code, stderr } = await server.stop()
      assert.equal(code, 0)
      assert.doesNotMatch(stderr, /internal error|ended/)
      assert.deepEqual(
        readdirSync(folder).filter((file) => file.startsWith(`${args.length}-state`)),
        [`${args.length}-state`],
      )
      const again = await serving(["--json", "--no-control", ...pool])
      for (const host of hosts)
        assert.equal(endOf(await ask(host, mapOf(host, 5000, 3600), again.port)), ends.get(host))
      assert.equal((await again.stop()).code, 0)
    })

    it("is asked, revoked and set anew like any other; a limit of all sources together is its own", async () => {
      const [path, file] = [place("asked.sock"), place("asked.jsonc")]
      const settings = (external: string, ports: string): string =>
        JSON.stringify({ external: [external], ports, rateLimits: { global: { perSecond: 1000, burst: 1000 } } })
      writeFileSync(file, settings("198.51.100.1", "2000-2999"))
      const server = await start(["--config", file, "--control", path])
      const made = await ask(HOSTS[0], mapOf(HOSTS[0], 5000, 3600), server.port)
      assert.match(endOf(made), /^198\.51\.100\.1:2\d\d\d$/)
      assert.equal((await listed(path)).length, 1)
      // Workers that divide ports among them would have to be started anew.
      writeFileSync(file, settings("198.51.100.2", "6000-6001"))
      server.child.kill("SIGHUP")
      await server.untilError(/read again/)
      const moved = await ask(HOSTS[0], mapOf(HOSTS[0], 5000, 3600), server.port)
      assert.match(endOf(moved), /^198\.51\.100\.2:600[01]$/)
      const revoked = await sallyport(["revoke", HOSTS[0], "--json", "--control", path])
      assert.equal(revoked.stdout, '{"deleted":1}\n')
      const counters = records((await sallyport(["counters", "--json", "--control", path])).stdout)
      assert.ok(counters.length > 0)
      assert.equal((await server.stop()).code, 0)
      assert.equal(server.records().at(-1)?.count, 0)
    })
  })

it("with --playground and with --nftables there is no thread of its own, and a line says so", async () => {
  for (const [args, line] of [
    [["--playground"], /'--playground' shows a server on one thread: it cannot be used with '--workers'/],
    [["--nftables"], /not with '--workers'/],
  ] as const) {
    const { code, stderr } = await sallyport(["serve", "--listen", "127.0.0.1:0", "--workers", "1", ...args])
    assert.equal(code, 1)
    assert.match(stderr, line)
  }
})
