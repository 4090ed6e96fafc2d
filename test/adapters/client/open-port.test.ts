import assert from "node:assert/strict"
import { createSocket } from "node:dgram"
import { describe, test } from "node:test"
import { openPort as openPortOnNode } from "#runtime"
import { openPort, type PortChange, PortControlError } from "../../../adapters/client/index.ts"
import type { Discovery } from "../../../adapters/gateway/index.ts"
import type { Udp, UdpSocket } from "../../../adapters/udp.ts"
import { EXTERNAL, isMapped, startServer, testRuntime, until } from "./server-scene.ts"

const TCP_8080 = { protocol: "tcp", internalPort: 8080 } as const
const NOTHING = { sockets: 0, timers: 0 }

/** A socket of loopback that nobody answers at. */
const silence = async () => {
  const socket = createSocket("udp4")
  await new Promise<void>((resolve) => socket.bind(0, "127.0.0.1", resolve))
  return { text: `127.0.0.1:${socket.address().port}`, close: () => socket.close() }
}

const codeOf = async (promise: Promise<unknown>): Promise<PortControlError> => {
  try {
    await promise
  } catch (cause) {
    assert.ok(cause instanceof PortControlError, String(cause))
    return cause
  }
  assert.fail("it did not reject")
}

describe("openPort", () => {
  test("maps, says where, and deletes on close (C-07: from a connected socket's own address)", async () => {
    const server = await startServer()
    const { runtime, open } = testRuntime()
    const port = await openPort(runtime, { ...TCP_8080, servers: [server.text] })
    assert.equal(port.isOpen, true)
    assert.equal(port.external.text, EXTERNAL)
    assert.equal(port.external.port, 8080)
    assert.equal(port.external.class, "documentation")
    assert.equal(port.lifetime, 7200)
    assert.equal(port.protocol, "pcp")
    assert.equal(isMapped(server, 8080), true)
    const [{ request }] = server.exchanges
    assert.ok(request?.kind === "pcp-request")
    assert.equal(request.client, "\0\0\0\0\0\uffff\u7f00\u0001")
    await port.close()
    await port.close()
    assert.equal(isMapped(server, 8080), false)
    assert.equal(port.isOpen, false)
    assert.equal(port.external.text, EXTERNAL)
    assert.deepEqual(open(), NOTHING)
    await server.stop()
  })

  test("await using closes it", async () => {
    const server = await startServer()
    {
      await using port = await openPortOnNode({ ...TCP_8080, servers: [server.text] })
      assert.equal(port.external.port, 8080)
      assert.equal(isMapped(server, 8080), true)
    }
    assert.equal(isMapped(server, 8080), false)
    await server.stop()
  })

  test("using closes it without waiting", async () => {
    const server = await startServer()
    const { runtime, open } = testRuntime()
    {
      using port = await openPort(runtime, { ...TCP_8080, servers: [server.text] })
      assert.equal(port.isOpen, true)
    }
    await until(() => !isMapped(server, 8080) && open().sockets === 0)
    await server.stop()
  })

  test("several loops hear each change, and end with close", async () => {
    const server = await startServer()
    const { runtime } = testRuntime()
    const port = await openPort(runtime, { ...TCP_8080, servers: [server.text] })
    const listen = async (): Promise<PortChange[]> => {
      const heard: PortChange[] = []
      for await (const change of port.changes) heard.push(change)
      return heard
    }
    const loops = [listen(), listen()]
    port.renew()
    // Renewals keep four seconds between datagrams (RFC 6887 section 11.2.1).
    for await (const change of port.changes) if (change.type === "renewed") break
    await port.close()
    const [one, other] = await Promise.all(loops)
    assert.deepEqual(
      one.map(({ type }) => type),
      ["renewed"],
    )
    assert.deepEqual(one, other)
    await server.stop()
  })

  test("PEER: a mapping for one remote peer", async () => {
    const server = await startServer()
    const { runtime } = testRuntime()
    const port = await openPort(runtime, {
      protocol: "udp",
      internalPort: 5000,
      remote: "198.51.100.9",
      remotePort: 53,
      servers: [server.text],
    })
    assert.equal(port.external.text, EXTERNAL)
    const [{ request }] = server.exchanges
    assert.ok(request?.kind === "pcp-request" && request.body.kind === "peer")
    assert.equal(request.body.remotePort, 53)
    await port.close()
    await server.stop()
  })

  test("what cannot be sent rejects at the call, and nothing is sent", async () => {
    const server = await startServer()
    const { runtime, bound } = testRuntime()
    const wrong = [
      [{ ...TCP_8080, internalPort: 70000 }, "range"],
      [{ ...TCP_8080, lifetime: 0 }, "lifetime-zero"],
      [{ ...TCP_8080, remote: "198.51.100.9", remotePort: 1, preferFailure: true }, "contradiction"],
      [{ ...TCP_8080, remote: "nobody", remotePort: 1 }, "remote"],
      [{ ...TCP_8080, remotePort: 1 }, "remote"],
      [{ ...TCP_8080, externalPort: 0, preferFailure: true }, "suggestion"],
      [{ ...TCP_8080, filters: [{ remote: "10.0.0.0", prefixLength: 33 }] }, "remote"],
    ] as const
    for (const [request, code] of wrong) {
      const error = await codeOf(openPort(runtime, { ...request, servers: [server.text] }))
      assert.equal(error.code, "bad-request", JSON.stringify(request))
      assert.equal(error.request?.code, code, JSON.stringify(request))
    }
    assert.equal((await codeOf(openPort(runtime, { ...TCP_8080, servers: ["router"] }))).code, "bad-options")
    assert.equal(
      (await codeOf(openPort(runtime, { ...TCP_8080, servers: [server.text], timeout: -1 }))).code,
      "bad-options",
    )
    assert.deepEqual(server.exchanges, [])
    assert.ok(bound() < 10)
    await server.stop()
  })

  test("without a gateway it says so", async () => {
    const { runtime, open } = testRuntime()
    const error = await codeOf(openPort(runtime, TCP_8080))
    assert.equal(error.code, "no-server")
    assert.equal(error.failures[0]?.problem?.code, "no-gateway")
    assert.deepEqual(open(), NOTHING)
  })

  test("looking for the gateways ends with the caller's patience", async () => {
    const never = (signal?: AbortSignal) =>
      new Promise<Discovery>((resolve) => {
        signal?.addEventListener("abort", () => resolve({ gateways: [], trials: [], none: "aborted" }), { once: true })
      })
    const { runtime, open } = testRuntime({ discover: never })
    assert.equal((await codeOf(openPort(runtime, { ...TCP_8080, timeout: 20 }))).code, "timeout")
    const stop = new AbortController()
    setTimeout(() => stop.abort(), 20)
    assert.equal((await codeOf(openPort(runtime, { ...TCP_8080, signal: stop.signal }))).code, "aborted")
    assert.deepEqual(open(), NOTHING)
  })

  test("several servers: one that is dead does not keep it from opening, and is there to see", async () => {
    const [server, dead] = [await startServer(), await silence()]
    const { runtime, open } = testRuntime()
    const port = await openPort(runtime, { ...TCP_8080, servers: [dead.text, server.text] })
    assert.equal(port.external.text, EXTERNAL)
    assert.deepEqual(
      port.servers.map(({ server: name, granted }) => [name, granted?.external.port]),
      [
        [dead.text, undefined],
        [server.text, 8080],
      ],
    )
    await port.close({ timeout: 200 })
    assert.equal(isMapped(server, 8080), false)
    assert.deepEqual(open(), NOTHING)
    dead.close()
    await server.stop()
  })

  test("each server's refusal is listed", async () => {
    const server = await startServer({ quota: 1 })
    const { runtime, open } = testRuntime()
    const first = await openPort(runtime, { ...TCP_8080, servers: [server.text] })
    const error = await codeOf(openPort(runtime, { protocol: "tcp", internalPort: 8081, servers: [server.text] }))
    assert.equal(error.code, "failed")
    assert.deepEqual(
      error.failures.map(({ server: name, failure }) => [name, failure?.kind === "result" && failure.code]),
      [[server.text, 10]],
    )
    assert.match(error.message, /USER_EX_QUOTA/)
    await first.close()
    assert.deepEqual(open(), NOTHING)
    await server.stop()
  })

  test("an ICMP error ends the attempt early: nobody waits for a timeout, but where none is heard", async () => {
    const closed = await silence()
    closed.close()
    const { runtime, open } = testRuntime()
    const isDeaf = runtime.udp.limits.includes("connect")
    const timeout = isDeaf ? 50 : 60_000
    const error = await codeOf(openPort(runtime, { ...TCP_8080, servers: [closed.text], timeout }))
    assert.equal(error.code, isDeaf ? "timeout" : "failed")
    assert.equal(error.failures[0]?.failure?.kind, isDeaf ? undefined : "unreachable")
    assert.deepEqual(open(), NOTHING)
  })

  test("a timeout, or a signal before or during the call, leaves no sockets and no timers", async () => {
    const dead = await silence()
    const { runtime, open } = testRuntime()
    const options = { ...TCP_8080, servers: [dead.text] }
    const late = await codeOf(openPort(runtime, { ...options, timeout: 50 }))
    assert.equal(late.code, "timeout")
    assert.deepEqual(
      late.failures.map(({ server, text }) => [server, text]),
      [[dead.text, "no answer yet"]],
    )
    assert.deepEqual(open(), NOTHING)

    const reason = new Error("changed my mind")
    const before = await codeOf(openPort(runtime, { ...options, signal: AbortSignal.abort(reason) }))
    assert.equal(before.code, "aborted")
    assert.equal(before.cause, reason)
    assert.deepEqual(open(), NOTHING)

    const stop = new AbortController()
    const opening = codeOf(openPort(runtime, { ...options, signal: stop.signal }))
    setTimeout(() => stop.abort(reason), 20)
    const during = await opening
    assert.equal(during.code, "aborted")
    assert.equal(during.cause, reason)
    assert.deepEqual(open(), NOTHING)
    dead.close()
  })

  test("what a late answer would grant is deleted when the call is given up", async () => {
    const server = await startServer()
    const { runtime, open } = testRuntime()
    const stop = new AbortController()
    const { udp } = runtime
    const giveUp: Udp = {
      ...udp,
      bind: async (options, receiver) => {
        const bound = await udp.bind(options, receiver)
        if (!bound.ok) return bound
        const send: UdpSocket["send"] = (bytes, destination) => {
          bound.value.send(bytes, destination)
          queueMicrotask(() => stop.abort())
        }
        return { ok: true, value: { ...bound.value, send } }
      },
    }
    const options = { ...TCP_8080, servers: [server.text], signal: stop.signal }
    const error = await codeOf(openPort({ ...runtime, udp: giveUp }, options))
    assert.equal(error.code, "aborted")
    assert.deepEqual(open(), NOTHING)
    await until(() => server.exchanges.length === 2)
    assert.equal(isMapped(server, 8080), false)
    await server.stop()
  })

  test("a thousand times open and closed: no socket, timer or mapping is left", async () => {
    const server = await startServer()
    const { runtime, open } = testRuntime()
    const before = process.getActiveResourcesInfo().length
    for (let n = 0; n < 1000; n++) {
      const port = await openPort(runtime, { ...TCP_8080, servers: [server.text] })
      await port.close()
    }
    assert.deepEqual(open(), NOTHING)
    assert.ok(process.getActiveResourcesInfo().length <= before)
    assert.equal(isMapped(server, 8080), false)
    await server.stop()
  })
})
