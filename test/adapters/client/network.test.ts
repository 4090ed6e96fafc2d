import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { clock } from "#runtime"
import { openPort, type PortChange, PortControlError, startClient } from "../../../adapters/client/index.ts"
import { pushedOutput } from "../../../adapters/host.ts"
import { reconfigure } from "../../../core/server/index.ts"
import { startRelay } from "./relay.ts"
import { address, EXTERNAL, isMapped, startServer, testRuntime, until } from "./server-scene.ts"

const TCP_8080 = { protocol: "tcp", internalPort: 8080 } as const
/** Retransmissions and recovery that a test need not wait for. */
const QUICK = { initialRetransmission: 0.05, recoveryDelay: 0.05 }

const next = async (changes: AsyncIterable<PortChange>, type: PortChange["type"]): Promise<PortChange> => {
  for await (const change of changes) if (change.type === type) return change
  assert.fail(`it ended without ${type}`)
}

describe("a client on a bad network", () => {
  test("C-50: loss, doubling and reordering, both ways: one mapping, once assigned", async () => {
    const server = await startServer()
    // Of each five datagrams, two are lost, one is doubled, and one overtaken.
    const relay = await startRelay(server.port, (n, direction) => {
      const kind = direction === "there" ? n % 5 : (n + 2) % 5
      return kind < 2 ? [] : kind === 2 ? [0, 30] : kind === 3 ? [60] : [0]
    })
    const { runtime, open } = testRuntime()
    const client = await startClient(runtime, { servers: [relay.text], settings: QUICK })
    const ports = await Promise.all(
      [8080, 8081, 8082, 8083].map((internalPort) => client.openPort({ protocol: "tcp", internalPort })),
    )
    assert.deepEqual(
      ports.map(({ external }) => [external.text, external.port]),
      [8080, 8081, 8082, 8083].map((port) => [EXTERNAL, port]),
    )
    const assigned: string[] = []
    for (let event = client.pollEvent(); event !== undefined; event = client.pollEvent())
      if (event.type === "assigned") assigned.push(event.id)
    assert.deepEqual(assigned.sort(), ["tcp 8080", "tcp 8081", "tcp 8082", "tcp 8083"])
    await client.close()
    assert.deepEqual(open(), { sockets: 0, timers: 0 })
    relay.stop()
    await server.stop()
  })

  test("C-55: a server that has lost its state gets the mapping again, at the same external end", async () => {
    const first = await startServer({ now: clock.now() - 3_600_000 })
    const { runtime } = testRuntime()
    const port = await openPort(runtime, { ...TCP_8080, servers: [first.text], settings: QUICK })
    const heard: PortChange[] = []
    const loop = (async () => {
      for await (const change of port.changes) heard.push(change)
    })()
    await first.stop()
    const second = await startServer({ port: first.port })
    assert.equal(isMapped(second, 8080), false)
    // Its next answer has an Epoch Time of 0: the renewal is the answer that says so.
    await new Promise((resolve) => setTimeout(resolve, 4000))
    port.renew()
    await until(() => isMapped(second, 8080))
    assert.equal(port.external.port, 8080)
    assert.ok(port.isOpen)
    await until(() => heard.some(({ type }) => type === "recovering"))
    await port.close()
    await loop
    assert.equal(isMapped(second, 8080), false)
    await second.stop()
  })

  test("a server that went on with its state after a restart loses nothing", async () => {
    const first = await startServer()
    const { runtime } = testRuntime()
    const client = await startClient(runtime, { servers: [first.text], settings: QUICK })
    const port = await client.openPort(TCP_8080)
    const state = await first.stop()
    const second = await startServer({ port: first.port, state })
    await new Promise((resolve) => setTimeout(resolve, 4000))
    const renewed = next(port.changes, "renewed")
    port.renew()
    await renewed
    for (let event = client.pollEvent(); event !== undefined; event = client.pollEvent())
      assert.notEqual(event.type, "state-lost")
    await client.close()
    assert.equal(isMapped(second, 8080), false)
    await second.stop()
  })

  test("C-51: an external address that changes is told by a mapping update, and the handle has it", async () => {
    const server = await startServer()
    const { runtime } = testRuntime()
    const port = await openPort(runtime, { ...TCP_8080, servers: [server.text] })
    const moved = next(port.changes, "assigned")
    server.host.act((state, now) => {
      const made = reconfigure(state, { external: [address("198.51.100.77")] }, now)
      assert.ok(made.ok, made.ok ? "" : made.error.text)
      return [made.state, pushedOutput(made.pushed)]
    })
    const change = await moved
    assert.ok(change.type === "assigned")
    assert.equal(change.previous?.text, EXTERNAL)
    assert.equal(change.external.text, "198.51.100.77")
    assert.equal(port.external.text, "198.51.100.77")
    await port.close()
    await server.stop()
  })

  test("CARP: an answer from another address counts only where the caller says so", async () => {
    const server = await startServer()
    const relay = await startRelay(server.port, () => [0], "127.0.0.2")
    const { runtime, open } = testRuntime()
    const options = { ...TCP_8080, servers: [relay.text], settings: QUICK }
    await assert.rejects(
      openPort(runtime, { ...options, timeout: 300 }),
      (error) => error instanceof PortControlError && error.code === "timeout",
    )
    const port = await openPort(runtime, { ...options, internalPort: 8090, acceptResponsesFrom: ["127.0.0.2"] })
    assert.equal(port.external.text, EXTERNAL)
    await port.close()
    assert.deepEqual(open(), { sockets: 0, timers: 0 })
    relay.stop()
    await server.stop()
  })

  test("NAT-PMP: a server that knows no other is asked in it, and says its address", async () => {
    const server = await startServer({ pcp: false })
    const { runtime } = testRuntime()
    const port = await openPort(runtime, { ...TCP_8080, servers: [server.text] })
    assert.equal(port.protocol, "nat-pmp")
    assert.equal(port.external.text, EXTERNAL)
    assert.equal(port.external.port, 8080)
    await port.close()
    assert.equal(isMapped(server, 8080), false)
    await server.stop()
  })
})
