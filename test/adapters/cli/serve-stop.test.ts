import assert from "node:assert/strict"
import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, describe, it } from "node:test"
import { fileURLToPath } from "node:url"
import { openLibc } from "../../../adapters/linux/index.ts"
import { COMMAND, kill, records, serving, startedBy } from "./command.ts"

const folder = mkdtempSync(join(tmpdir(), "sallyport-stop-"))
const floods = new Set<ChildProcess>()
after(() => {
  for (const flood of floods) flood.kill("SIGKILL")
  rmSync(folder, { recursive: true })
})

const libc = openLibc()
const kinds = [
  { args: [], skip: false },
  { args: ["--workers", "2"], skip: false },
  ...[["--fast"], ["--fast", "--workers", "1"], ["--fast", "--workers", "2"]].map((args) => ({
    args,
    skip: libc.ok ? false : libc.text,
  })),
]

/** Requests for new mappings of loopback hosts, as many as one process can send, that wait for no answer. */
const flood = async (port: number, number: number): Promise<ChildProcess> => {
  const script = fileURLToPath(new URL("./workers/flood.ts", import.meta.url))
  const child = spawn(process.execPath, [script, `${port}`, `${number}`], { stdio: ["ignore", "pipe", "inherit"] })
  floods.add(child)
  await once(child.stdout, "data")
  return child
}

for (const [i, { args, skip }] of kinds.entries()) {
  const name = ["serve", ...args].join(" ")
  describe(`SIGTERM: ${name}`, { skip }, () => {
    it("under a flood ends it in order: what it lists is what it has after a restart", async () => {
      const state = join(folder, `flood-${i}`)
      const common = ["--json", "--no-control", "--quota", "0", "--state", state, ...args]
      const server = await serving([...common, "--quiet"])
      const running = await Promise.all([0, 1].map((number) => flood(server.port, number)))
      await new Promise((resolve) => setTimeout(resolve, 300))
      const { code } = await server.stop()
      for (const one of running) {
        const ended = once(one, "exit")
        one.kill("SIGKILL")
        await ended
      }
      assert.equal(code, 0)
      assert.ok(!existsSync(`${state}.lock`))
      const keyOf = ({ internal, external, protocol }: Record<string, unknown>): string =>
        JSON.stringify([protocol, internal, external])
      const last = server.records()
      const kept = last.filter(({ event }) => event === "mapping").map(keyOf)
      assert.equal(last.at(-1)?.count, kept.length)
      assert.ok(kept.length > 0)
      const again = await serving(common)
      assert.equal((await again.stop()).code, 0)
      const has = again.records().filter(({ event }) => event === "mapping")
      assert.deepEqual(has.map(keyOf).sort(), kept.sort())
    })

    it("while it starts ends it too: nothing is left locked, and no state half begun", async () => {
      for (let wait = 0; wait < 200; wait += 40) {
        const state = join(folder, `start-${i}-${wait}`)
        const words = ["serve", "--json", "--no-control", "--listen", "127.0.0.1:0", "--state", state, ...args]
        const server = startedBy(COMMAND, words)
        // From then on there is something to put in order.
        while (!existsSync(`${state}.lock`) && server.child.exitCode === null)
          await new Promise((resolve) => setTimeout(resolve, 1))
        await new Promise((resolve) => setTimeout(resolve, wait))
        kill(server.child, "SIGTERM")
        const { code, stdout, stderr } = await server.ended
        assert.deepEqual([code, server.child.signalCode], [0, null], `after ${wait} ms: ${stderr}`)
        const left = readdirSync(folder).filter((file) => file.startsWith(`start-${i}-${wait}`))
        // Either it never listened, or it wrote its last state as ever.
        if (stdout === "") assert.deepEqual(left, [])
        else {
          assert.deepEqual(records(stdout)[0].event, "listening")
          assert.ok(!left.includes(`start-${i}-${wait}.lock`))
        }
      }
    })

    it("a terminal that goes, whose SIGHUP comes twice, has it write its last state", {
      skip: process.platform === "win32" && "has no such signal",
    }, async () => {
      const state = join(folder, `gone-${i}`)
      const server = await serving(["--json", "--no-control", "--state", state, ...args])
      kill(server.child, "SIGHUP")
      const { code } = await server.stop("SIGHUP")
      assert.deepEqual([code, server.child.signalCode], [0, null])
      assert.ok(existsSync(state) || existsSync(`${state}.1-of-2`))
      assert.ok(!existsSync(`${state}.lock`))
    })

    it("SIGHUP, SIGUSR1 and SIGUSR2 while it starts and while it ends do not kill it: what they ask for waits until it listens", {
      skip: process.platform === "win32" && "has no such signals",
    }, async () => {
      const [state, config] = [join(folder, `asked-${i}`), join(folder, `asked-${i}.jsonc`)]
      writeFileSync(config, "{}")
      const words = ["serve", "--json", "--no-control", "--listen", "127.0.0.1:0", "--state", state, "--config", config]
      const server = startedBy(COMMAND, [...words, ...args])
      while (!existsSync(`${state}.lock`) && server.child.exitCode === null)
        await new Promise((resolve) => setTimeout(resolve, 1))
      const asks = ["SIGHUP", "SIGUSR1", "SIGUSR2"] as const
      for (const signal of asks) kill(server.child, signal)
      await server.untilError(/read again/)
      await server.untilError(/octets written/)
      await server.until(/"event":"mappings"/)
      kill(server.child, "SIGTERM")
      for (const signal of asks) kill(server.child, signal)
      const { code, stdout, stderr } = await server.ended
      assert.deepEqual([code, server.child.signalCode], [0, null], stderr)
      assert.deepEqual(records(stdout)[0].event, "listening")
      assert.ok(existsSync(state) || existsSync(`${state}.1-of-2`))
      assert.ok(!existsSync(`${state}.lock`))
    })
  })
}
