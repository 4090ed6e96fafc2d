import assert from "node:assert/strict"
import { spawn } from "node:child_process"
import { once } from "node:events"
import process from "node:process"
import { describe, it } from "node:test"
import type { Signal } from "../../adapters/signal.ts"
import { kill } from "./cli/command.ts"
import type { Runtime } from "./runtime.ts"

/** What an adapter hears of signals. */
export const signalSuite = ({ name, command, scene }: Runtime): void => {
  describe(`${name}: signals`, { skip: process.platform === "win32" ? "Windows sends none" : false }, () => {
    const start = async () => {
      const child = spawn(command[0], [...command.slice(1), scene, "signal"], { stdio: ["ignore", "pipe", "inherit"] })
      const ended = once(child, "exit")
      let text = ""
      let wake = (): void => {}
      child.stdout.setEncoding("utf8").on("data", (chunk) => {
        text += chunk
        wake()
      })
      const says = async (expected: string): Promise<void> => {
        while (text.length < expected.length)
          await new Promise<void>((resolve) => {
            wake = resolve
          })
        assert.equal(text, expected)
      }
      await says("listening\n")
      return { kill: (signal: Signal) => kill(child, signal), ended, says }
    }

    it("calls for each one, and lets the program end by itself", async () => {
      const { kill: send, ended, says } = await start()
      send("SIGHUP")
      await says("listening\nSIGHUP\n")
      send("SIGUSR2")
      await says("listening\nSIGHUP\nSIGUSR2\n")
      send("SIGHUP")
      await says("listening\nSIGHUP\nSIGUSR2\nSIGHUP\n")
      send("SIGINT")
      assert.deepEqual(await ended, [0, null])
    })

    it("means what it does everywhere when nobody listens any more", async () => {
      const { kill: send, ended, says } = await start()
      send("SIGTERM")
      await says("listening\nSIGTERM\n")
      send("SIGTERM")
      assert.deepEqual(await ended, [null, "SIGTERM"])
    })
  })
}
