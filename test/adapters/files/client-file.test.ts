import assert from "node:assert/strict"
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import process from "node:process"
import { after, describe, test } from "node:test"
import { clientFile, openPort, PortControlError, startClient } from "#runtime"
import { mappingsOf, startServer } from "../client/server-scene.ts"

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
