import assert from "node:assert/strict"
import { createSocket } from "node:dgram"
import { createConnection, createServer } from "node:net"
import { networkInterfaces } from "node:os"
import { describe, test } from "node:test"
import { listenPublic } from "#runtime"
import {
  listenPublic as listenPublicOn,
  listenUdp,
  PortControlError,
  type Reachable,
} from "../../../adapters/client/index.ts"
import { address, EXTERNAL, isMapped, LOOPBACK, mappingsOf, startServer, testRuntime, until } from "./server-scene.ts"

const mapped = (set: readonly Reachable[]): readonly Reachable[] => set.filter(({ technique }) => technique !== "local")

const own = Object.values(networkInterfaces())
  .flat()
  .filter((entry) => entry !== undefined && !entry.internal && !entry.address.startsWith("fe80:"))
  .map((entry) => entry?.address)

describe("listenPublic", () => {
  test("TCP: listens, maps on every gateway, and gives the set of addresses", async () => {
    const [one, other] = [await startServer(), await startServer({ pcp: false })]
    const tcp = createServer((socket) => socket.end("hello"))
    const listener = await listenPublic({ protocol: "tcp", server: tcp, servers: [one.text, other.text] })
    for await (const set of listener.changes) if (mapped(set).length === 2) break
    assert.deepEqual(
      mapped(listener.current).map(({ technique, protocol, text, port, server }) => [
        technique,
        protocol,
        text,
        port,
        server,
      ]),
      [
        ["pcp", "tcp", EXTERNAL, listener.port, one.text],
        ["nat-pmp", "tcp", EXTERNAL, listener.port, other.text],
      ],
    )
    // The host's own addresses are the set's first, on both families.
    const local = listener.current.filter(({ technique }) => technique === "local")
    assert.deepEqual(local.map(({ text }) => text).sort(), [...own].sort())
    assert.ok(local.every(({ port }) => port === listener.port))
    const text = await new Promise<string>((resolve) => {
      createConnection(listener.port, "127.0.0.1").on("data", (data) => resolve(String(data)))
    })
    assert.equal(text, "hello")
    await listener.close()
    assert.equal(tcp.listening, false)
    assert.deepEqual([isMapped(one, listener.port), isMapped(other, listener.port)], [false, false])
    await one.stop()
    await other.stop()
  })

  test("a server of node:net that listens already is left to its caller", async () => {
    const server = await startServer()
    const tcp = createServer()
    await new Promise<void>((resolve) => tcp.listen(0, "127.0.0.1", resolve))
    const listener = await listenPublic({ protocol: "tcp", server: tcp, servers: [server.text] })
    await until(() => mapped(listener.current).length === 1)
    assert.deepEqual(
      listener.current.map(({ text }) => text),
      ["127.0.0.1", EXTERNAL],
    )
    await listener.close()
    assert.equal(tcp.listening, true)
    tcp.close()
    await server.stop()
  })

  test("UDP: what arrives is the caller's, and can be answered", async () => {
    const server = await startServer()
    const { runtime, open } = testRuntime()
    const listener = await listenPublicOn(
      runtime,
      { protocol: "udp", servers: [server.text] },
      listenUdp(runtime.udp, {
        receive: ({ bytes, source }, socket) => socket.send(Uint8Array.from([...bytes, 33]), source),
        error: () => {},
      }),
    )
    await until(() => mapped(listener.current).length === 1)
    const client = createSocket("udp4")
    const answer = await new Promise<string>((resolve) => {
      client.on("message", (bytes) => resolve(String(bytes)))
      client.send("hello", listener.port, "127.0.0.1")
    })
    assert.equal(answer, "hello!")
    client.close()
    await listener.close()
    assert.deepEqual(open(), { sockets: 0, timers: 0 })
    await server.stop()
  })

  test("without a gateway the host's own addresses are the set, until there is one", async () => {
    // A discovered gateway has no port but PCP's own: an address of loopback that nobody else uses.
    const gateway = address("127.53.51.1")
    const server = await startServer({ at: gateway, port: 5351 })
    let isThere = false
    const { runtime, open } = testRuntime({
      ownAddresses: () => (isThere ? [{ address: LOOPBACK, interfaceName: "lo" }] : []),
      discover: async () => ({
        gateways: isThere ? [{ address: gateway, interfaceName: "lo", metric: 0 }] : [],
        trials: [],
        none: isThere ? undefined : "no-default-route",
      }),
    })
    const listen = listenUdp(runtime.udp, { receive: () => {}, error: () => {} })
    const listener = await listenPublicOn(runtime, { protocol: "udp", watch: 20 }, listen)
    assert.deepEqual([listener.current, listener.servers], [[], []])
    isThere = true
    for await (const set of listener.changes) if (mapped(set).length === 1) break
    assert.deepEqual(
      mapped(listener.current).map(({ text, server: name }) => [text, name]),
      [[EXTERNAL, "127.53.51.1"]],
    )
    await listener.close()
    assert.deepEqual(mappingsOf(server), [])
    assert.deepEqual(open(), { sockets: 0, timers: 0 })
    await server.stop()
  })

  test("a port that is taken is a typed error", async () => {
    const taken = createServer()
    await new Promise<void>((resolve) => taken.listen(0, resolve))
    const bound = taken.address()
    assert.ok(bound !== null && typeof bound !== "string")
    await assert.rejects(
      listenPublic({ protocol: "tcp", server: createServer(), port: bound.port }),
      (error) => error instanceof PortControlError && error.code === "listen",
    )
    taken.close()
  })
})
