import assert from "node:assert/strict"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { describe, test } from "node:test"
import { EXTERNAL, isMapped, startServer } from "./client/server-scene.ts"
import type { Runtime } from "./runtime.ts"

/** What a client keeps of the process that it runs in. */
export const processSuite = ({ name, command, scene }: Runtime): void => {
  describe(`${name}: an open port and its process`, () => {
    const run = async (...args: readonly string[]): Promise<{ code: number | null; out: string }> => {
      const child = spawn(command[0], [...command.slice(1), scene, "open-port", ...args], {
        stdio: ["ignore", "pipe", "inherit"],
      })
      let out = ""
      child.stdout.setEncoding("utf8").on("data", (chunk) => {
        out += chunk
      })
      await once(child, "close")
      return { code: child.exitCode, out }
    }

    test("with unref the process may end though the port is open, but not while a call is under way", async () => {
      const server = await startServer()
      assert.deepEqual(await run(server.text, "left"), { code: 0, out: `${EXTERNAL}\ntrue\n` })
      // Nobody has deleted it: it ends by itself.
      assert.equal(isMapped(server, 8080), true)
      const other = await startServer()
      assert.deepEqual(await run(other.text, "closed"), { code: 0, out: `${EXTERNAL}\nclosed\ntrue\n` })
      assert.equal(isMapped(other, 8080), false)
      await server.stop()
      await other.stop()
    })

    test("without it the process runs until the port is closed", async () => {
      const server = await startServer()
      assert.deepEqual(await run(server.text, "held"), { code: 0, out: `${EXTERNAL}\ntrue\nclosed\n` })
      assert.equal(isMapped(server, 8080), false)
      await server.stop()
    })
  })
}
