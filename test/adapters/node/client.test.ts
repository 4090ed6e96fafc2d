import assert from "node:assert/strict"
import { createSocket } from "node:dgram"
import { describe, test } from "node:test"
import { openPort } from "../../../adapters/node/index.ts"
import { until } from "../client/server-scene.ts"

const TCP_8080 = { protocol: "tcp", internalPort: 8080 } as const

describe("what a client leaves of Node's resources", () => {
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
