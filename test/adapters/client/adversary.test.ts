import assert from "node:assert/strict"
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { createServer } from "node:net"
import os from "node:os"
import { join } from "node:path"
import { describe, test } from "node:test"
import { inspect } from "node:util"
import { clientFile, listenPublic } from "#runtime"
import {
  drive,
  externalAddress,
  listenPublic as listenPublicOn,
  listenUdp,
  openPort,
  PortControlError,
  probe,
  startClient,
} from "../../../adapters/client/index.ts"
import type { Receiver, Udp } from "../../../adapters/udp.ts"
import { createClient } from "../../../core/client/index.ts"
import { address, LOOPBACK, startServer, testRuntime, until } from "./server-scene.ts"

const TCP_8080 = { protocol: "tcp", internalPort: 8080 } as const
const DEAF = { receive: () => {}, error: () => {} }

const hasCode =
  (code: PortControlError["code"]) =>
  (cause: unknown): boolean =>
    cause instanceof PortControlError && cause.code === code

describe("a client that is used badly", () => {
  test("closing with a timeout that is none closes all the same", async () => {
    const server = await startServer()
    const { runtime, open } = testRuntime()
    const options = { servers: [server.text] }
    for (const timeout of [Number.NaN, -1]) {
      const port = await openPort(runtime, { ...TCP_8080, ...options })
      await port.close({ timeout })
      const client = await startClient(runtime, options)
      await client.close({ timeout })
      const listener = await listenPublicOn(runtime, { protocol: "udp", ...options }, listenUdp(runtime.udp, DEAF))
      await listener.close({ timeout })
      assert.deepEqual(open(), { sockets: 0, timers: 0 })
    }
    await server.stop()
  })

  test("a host that slept renews what it has, since its own clock stood still", async () => {
    const server = await startServer()
    let slept = 0
    const { runtime, open } = testRuntime({ wallClock: () => Date.now() + slept })
    const port = await openPort(runtime, { ...TCP_8080, servers: [server.text], watch: 50 })
    const asked = server.exchanges.length
    slept = 7_200_000
    await until(() => server.exchanges.length > asked)
    await until(() => port.isOpen)
    await port.close()
    // One renewal for the hours slept, and not one a look; then the deletion.
    assert.equal(server.exchanges.length, asked + 2)
    assert.deepEqual(open(), { sockets: 0, timers: 0 })
    await server.stop()
  })

  test("a listener that throws loses no more than its own event", async () => {
    const server = await startServer()
    const { runtime } = testRuntime()
    const ends = [{ address: LOOPBACK, port: server.port, client: LOOPBACK }]
    const created = createClient({
      seed: new Uint8Array(32).fill(1),
      now: runtime.clock.now(),
      servers: [{ name: "lo", ends }],
    })
    assert.ok(created.ok)
    const faults: unknown[] = []
    const heard: string[] = []
    const driven = drive({
      udp: runtime.udp,
      clock: runtime.clock,
      state: created.state,
      listener: {
        event: ({ type }) => {
          heard.push(type)
          throw new Error(type)
        },
        fault: (cause) => faults.push(cause),
      },
    })
    const request = { kind: "inbound", protocol: 6, internalPort: 8080, lifetime: 3600 } as const
    driven.command({ type: "request", id: "web", request })
    await until(() => heard.includes("assigned"))
    assert.equal(faults.length, heard.length)
    assert.ok(driven.state().wake !== undefined)
    await driven.close()
    await server.stop()
  })

  test("probing with a timeout that is none is refused, and is no report of a silent gateway", async () => {
    const { runtime, open } = testRuntime()
    for (const timeout of [Number.NaN, -1])
      await assert.rejects(probe(runtime, { timeout, servers: ["127.0.0.1:9"] }), hasCode("bad-options"))
    assert.deepEqual(open(), { sockets: 0, timers: 0 })
  })

  test("a port that is none is a PortControlError of listenPublic, and the server is as it was", async () => {
    const server = createServer()
    await assert.rejects(
      listenPublic({ protocol: "tcp", server, port: 70_000, servers: ["127.0.0.1:9"] }),
      hasCode("listen"),
    )
    assert.equal(server.listenerCount("error"), 0)
  })

  test("a request that is none is refused by listenPublic though there is no gateway yet", async () => {
    const { runtime, open } = testRuntime()
    const listening = listenPublicOn(runtime, { protocol: "udp", lifetime: 0 }, listenUdp(runtime.udp, DEAF))
    await assert.rejects(listening, hasCode("bad-request"))
    assert.deepEqual(open(), { sockets: 0, timers: 0 })
  })

  test("a refresh ends when its mapping or the client does", async () => {
    const server = await startServer()
    const { runtime, open } = testRuntime()
    const client = await startClient(runtime, { servers: [server.text] })
    const endless = { timeout: Number.POSITIVE_INFINITY }
    const first = client.refreshMapping(await client.mapPort("tcp", 8080, 8080, 100), endless)
    const unmapped = assert.rejects(first, hasCode("closed"))
    await client.unmapPort("tcp", 8080)
    await unmapped
    const second = client.refreshMapping(await client.mapPort("tcp", 8081, 8081, 100), endless)
    const closed = assert.rejects(second, hasCode("closed"))
    await client.close({ keep: true })
    await closed
    assert.deepEqual(open(), { sockets: 0, timers: 0 })
    await server.stop()
  })
})

describe("a client in a bad environment", () => {
  test("what is said of a file that is no JSON quotes nothing of it", async () => {
    const folder = await mkdtemp(join(os.tmpdir(), "sallyport-"))
    const path = join(folder, "client.json")
    await writeFile(path, "aabbccddeeff001122334455")
    const loading = clientFile(path).load()
    await assert.rejects(loading, (cause) => cause instanceof Error && !/aabb/.test(inspect(cause)))
    await rm(folder, { recursive: true })
  })

  test("a socket whose address is gone is closed before another is opened", async () => {
    const open = new Set<Receiver>()
    let most = 0
    const udp: Udp = {
      limits: [],
      bind: async ({ local }, receiver) => {
        open.add(receiver)
        most = Math.max(most, open.size)
        const socket = {
          local,
          buffers: { receive: 0, send: 0 },
          send: () => queueMicrotask(() => receiver.error({ code: "EADDRNOTAVAIL", text: "no such address" }, socket)),
          sendMany: () => {},
          joinMulticast: async () => ({ ok: true, value: undefined }) as const,
          leaveMulticast: async () => ({ ok: true, value: undefined }) as const,
          close: async () => void open.delete(receiver),
        }
        return { ok: true, value: socket }
      },
    }
    let now = 0
    let due: (() => void) | undefined
    const ends = [{ address: address("10.0.0.1"), client: address("10.0.0.2") }]
    const created = createClient({ seed: new Uint8Array(32), now, servers: [{ name: "router", ends }] })
    assert.ok(created.ok)
    const after = (_delay: number, call: () => void) => {
      due = call
      return () => {}
    }
    const clock = { now: () => now, after }
    const driven = drive({ udp, clock, state: created.state, listener: { event: () => {} } })
    const request = { kind: "inbound", protocol: 6, internalPort: 80, lifetime: 100 } as const
    driven.command({ type: "request", id: "web", request })
    for (let n = 0; n < 5; n++) {
      await new Promise((resolve) => setImmediate(resolve))
      now = driven.state().wake ?? now
      due?.()
    }
    await driven.close()
    await new Promise((resolve) => setImmediate(resolve))
    assert.deepEqual([open.size, most], [0, 1])
  })

  test("a server that grants nothing and one that is silent keep nobody from the address that a third one told", async () => {
    const server = await startServer({ pcp: false })
    const { runtime, open } = testRuntime()
    // Nothing listens on port 9; the other one hears, and says nothing.
    const silent = await runtime.udp.bind({ local: { address: LOOPBACK, port: 0 } }, DEAF)
    assert.ok(silent.ok)
    const servers = ["127.0.0.1:9", server.text, `127.0.0.1:${silent.value.local.port}`]
    const { text } = await externalAddress(runtime, { servers, timeout: Number.POSITIVE_INFINITY })
    assert.equal(text, "203.0.113.7")
    await silent.value.close()
    assert.deepEqual(open(), { sockets: 0, timers: 0 })
    await server.stop()
  })

  test("a listener of one family is mapped again on the network that comes after", async () => {
    const at = (text: string) => ({ address: address(text), interfaceName: "lo", metric: 0 })
    // One router of a family that it does not listen on: the others are named.
    const ipv6 = at("fd00::2")
    let gateways = [at("127.0.0.2"), ipv6]
    let own = [at("127.0.0.1"), at("fd00::1")]
    const { runtime, open } = testRuntime({
      ownAddresses: () => own,
      discover: async () => ({ gateways, trials: [], none: undefined }),
    })
    const local = [{ address: LOOPBACK, port: 8080 }]
    const listen = async () => ({ ok: true, value: { local, close: async () => {} } }) as const
    const options = { protocol: "tcp", watch: 20, announcements: false } as const
    const listener = await listenPublicOn(runtime, options, listen)
    const names = (): readonly string[] => listener.servers.map(({ server }) => server)
    await until(() => names().includes("127.0.0.2"))
    gateways = [at("127.0.0.3"), ipv6]
    own = [...own, at("127.0.0.9")]
    await until(() => names().includes("127.0.0.3"))
    assert.deepEqual(names(), ["127.0.0.3"])
    await listener.close()
    assert.deepEqual(open(), { sockets: 0, timers: 0 })
  })
})
