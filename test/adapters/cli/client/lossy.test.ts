import assert from "node:assert/strict"
import { createSocket, type RemoteInfo } from "node:dgram"
import { once } from "node:events"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, describe, it } from "node:test"
import { records, sallyport, serving } from "../command.ts"

const folder = mkdtempSync(join(tmpdir(), "sallyport-lossy-"))
after(() => rmSync(folder, { recursive: true }))
const env = { XDG_STATE_HOME: folder, NO_COLOR: "1" }

/**
 * A way on loopback to a server that loses every other request, doubles each answer, and brings the answer before it once more
 * behind it. The server sees the address that the client says it has.
 */
const badWay = async (port: number) => {
  const [near, far] = [createSocket("udp4"), createSocket("udp4")]
  let client: RemoteInfo | undefined
  let asked = 0
  let before: Uint8Array | undefined
  near.on("message", (bytes, from) => {
    client = from
    if (asked++ % 2 === 1) far.send(bytes, port, "127.0.0.1")
  })
  far.on("message", (bytes) => {
    if (client === undefined) return
    for (const one of [bytes, bytes, ...(before === undefined ? [] : [before])])
      near.send(one, client.port, client.address)
    before = Uint8Array.from(bytes)
  })
  near.bind(0, "127.0.0.1")
  far.bind(0, "127.0.0.1")
  await Promise.all([once(near, "listening"), once(far, "listening")])
  return {
    at: `127.0.0.1:${near.address().port}`,
    asked: () => asked,
    close: () => {
      near.close()
      far.close()
    },
  }
}

describe("over a way that loses, doubles and reorders", { concurrency: 3 }, () => {
  for (const [via, port] of [
    ["pcp", 8080],
    ["nat-pmp", 8081],
  ] as const)
    it(`N-20: ${via} maps, renews and deletes one mapping`, async () => {
      const server = await serving(["--json", "--no-control"])
      const way = await badWay(server.port)
      const run = async (text: string) => {
        const { code, stdout, stderr } = await sallyport(
          [...text.split(" "), "--json", "--server", way.at, `--${via}`],
          "",
          env,
        )
        assert.equal(code, 0, `${stdout}${stderr}`)
        return records(stdout)
      }
      const [mapped] = await run(`map ${port}/tcp`)
      const [renewed] = await run(`map ${port}/tcp --lifetime 600`)
      assert.deepEqual([mapped.via, mapped.lifetime, renewed.lifetime], [via, 7200, 600])
      assert.deepEqual(renewed.external, mapped.external)
      const [deleted] = await run(`unmap ${port}/tcp`)
      assert.equal(deleted.event, "deleted")
      assert.ok(way.asked() >= 6)
      way.close()
      const { stdout } = await server.stop()
      const events = records(stdout).map(({ event }) => event)
      assert.deepEqual(
        ["created", "deleted", "refused", "dropped"].map((name) => events.filter((event) => event === name).length),
        [1, 1, 0, 0],
      )
    })
})
