import assert from "node:assert/strict"
import { spawn } from "node:child_process"
import { createSocket } from "node:dgram"
import { once } from "node:events"
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, describe, test } from "node:test"
import { clientFile, openPort, PortControlError, startClient } from "../../../adapters/node/index.ts"
import { EXTERNAL, isMapped, mappingsOf, startServer, until } from "../client/server-scene.ts"

const folder = mkdtempSync(join(tmpdir(), "sallyport-client-"))
after(() => rmSync(folder, { recursive: true }))

const TCP_8080 = { protocol: "tcp", internalPort: 8080 } as const

describe("a client's file", () => {
  test("C-03: keeps the nonce over a restart, for its owner alone", async () => {
    const server = await startServer()
    const path = join(folder, "mappings.json")
    const options = { ...TCP_8080, servers: [server.text], store: clientFile(path) }
    const first = await openPort(options)
    const [{ nonce }] = mappingsOf(server)
    await first.close({ keep: true })
    if (process.platform !== "win32") assert.equal(statSync(path).mode & 0o777, 0o600)
    const second = await openPort(options)
    assert.deepEqual(
      mappingsOf(server).map((mapping) => mapping.nonce),
      [nonce],
    )
    await second.close()
    assert.deepEqual(JSON.parse(readFileSync(path, "utf8")).mappings, [])
    await server.stop()
  })

  test("one that is no JSON, or not ours, is left as it is", async () => {
    const path = join(folder, "foreign.json")
    for (const text of ["{", "[]", '{"format":"sallyport-client","version":2}']) {
      writeFileSync(path, text)
      await assert.rejects(
        openPort({ ...TCP_8080, servers: ["127.0.0.1:9"], store: clientFile(path) }),
        (error) => error instanceof PortControlError && error.code === "bad-store",
      )
      assert.equal(readFileSync(path, "utf8"), text)
    }
  })

  test("one that cannot be written is told among the client's errors", async () => {
    const server = await startServer()
    await using client = await startClient({
      servers: [server.text],
      store: clientFile(join(folder, "no", "such", "folder.json")),
    })
    await client.openPort(TCP_8080)
    const error = await client.waitError({ timeout: 10_000 })
    assert.ok(error?.type === "store" && error.cause instanceof Error)
    assert.match(error.cause.message, /folder\.json/)
    await client.close()
    await server.stop()
  })
})

describe("what a client keeps of the process", () => {
  const run = async (script: string, text: string): Promise<{ code: number | null; out: string }> => {
    const entry = new URL("../../../adapters/node/index.ts", import.meta.url).href
    const child = spawn(
      process.execPath,
      ["--input-type=module", "-e", `const { openPort } = await import(${JSON.stringify(entry)})\n${script}`, text],
      { stdio: ["ignore", "pipe", "inherit"] },
    )
    let out = ""
    child.stdout.setEncoding("utf8").on("data", (chunk) => {
      out += chunk
    })
    await once(child, "close")
    return { code: child.exitCode, out }
  }
  const OPEN = 'const options = { protocol: "tcp", internalPort: 8080, servers: [process.argv[1]] }\n'

  test("with unref the process may end though the port is open, but not while a call is under way", async () => {
    const server = await startServer()
    const script = `${OPEN}const port = await openPort({ ...options, unref: true })\nconsole.log(port.external.text)`
    assert.deepEqual(await run(script, server.text), { code: 0, out: `${EXTERNAL}\n` })
    // Nobody has deleted it: it ends by itself.
    assert.equal(isMapped(server, 8080), true)
    const closing = `${OPEN}const port = await openPort({ ...options, unref: true })\nawait port.close()\nconsole.log("closed")`
    const other = await startServer()
    assert.deepEqual(await run(closing, other.text), { code: 0, out: "closed\n" })
    assert.equal(isMapped(other, 8080), false)
    await server.stop()
    await other.stop()
  })

  test("without it the process runs until the port is closed", async () => {
    const server = await startServer()
    const script = `${OPEN}const port = await openPort(options)
      console.log(process.getActiveResourcesInfo().length > 0)
      setTimeout(() => port.close(), 10)`
    assert.deepEqual(await run(script, server.text), { code: 0, out: "true\n" })
    assert.equal(isMapped(server, 8080), false)
    await server.stop()
  })

  test("a call that is given up leaves nothing: no socket, no timer", async () => {
    const dead = createSocket("udp4")
    await new Promise<void>((resolve) => dead.bind(0, "127.0.0.1", resolve))
    const servers = [`127.0.0.1:${dead.address().port}`]
    const count = (kind: string): number => process.getActiveResourcesInfo().filter((one) => one === kind).length
    const timers = count("Timeout")
    const stop = new AbortController()
    const calls = [
      openPort({ ...TCP_8080, servers: ["127.0.0.1:9"] }),
      openPort({ ...TCP_8080, servers, timeout: 30 }),
      openPort({ ...TCP_8080, servers, signal: stop.signal }),
    ]
    setTimeout(() => stop.abort(), 20)
    const settled = await Promise.allSettled(calls)
    assert.ok(settled.every(({ status }) => status === "rejected"))
    await until(() => count("UDPWrap") === 1 && count("Timeout") <= timers)
    dead.close()
  })
})
