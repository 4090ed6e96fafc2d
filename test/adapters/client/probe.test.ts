import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { externalAddress, openPort, PortControlError, probe } from "../../../adapters/client/index.ts"
import { address, EXTERNAL, mappingsOf, startServer, testRuntime, until } from "./server-scene.ts"

const QUICK = { settings: { initialRetransmission: 0.05, natPmpInterval: 20 } }

describe("externalAddress", () => {
  test("RFC 6887 11.6: PCP tells it with a mapping of the discard port, which is deleted at once", async () => {
    const server = await startServer({ natPmp: false })
    const { runtime, open } = testRuntime()
    const { text, protocol, servers } = await externalAddress(runtime, { servers: [server.text] })
    assert.deepEqual([text, protocol, servers[0].server], [EXTERNAL, "pcp", server.text])
    const asked = server.exchanges.map(({ request }) =>
      request?.kind === "pcp-request" && request.body.kind === "map"
        ? [request.body.internalPort, request.lifetime]
        : [],
    )
    assert.deepEqual(asked.filter(({ length }) => length > 0)[0], [9, 60])
    await until(() => mappingsOf(server).length === 0)
    assert.deepEqual(open(), { sockets: 0, timers: 0 })
    await server.stop()
  })

  test("NAT-PMP is asked for it, and maps nothing", async () => {
    const server = await startServer({ pcp: false })
    const { runtime, open } = testRuntime()
    const { text, protocol } = await externalAddress(runtime, { servers: [server.text] })
    assert.deepEqual([text, protocol], [EXTERNAL, "nat-pmp"])
    assert.ok(server.exchanges.every(({ request }) => request?.kind !== "natpmp-map-request"))
    assert.deepEqual(open(), { sockets: 0, timers: 0 })
    await server.stop()
  })

  test("a public address rather than one of another NAT, and each server's is there to see", async () => {
    const [hidden, open] = [
      await startServer({ external: [address("100.64.0.9")] }),
      await startServer({ external: [address("198.51.100.1")] }),
    ]
    const { runtime } = testRuntime()
    const found = await externalAddress(runtime, { servers: [hidden.text, open.text] })
    assert.deepEqual(
      found.servers.map(({ external }) => [external?.text, external?.class, external?.isDoubleNat]),
      [
        ["100.64.0.9", "shared", true],
        ["198.51.100.1", "documentation", false],
      ],
    )
    await hidden.stop()
    await open.stop()
  })

  test("nobody there rejects, with each server's failure", async () => {
    const { runtime, open } = testRuntime()
    const isDeaf = runtime.udp.limits.includes("connect")
    const kind = isDeaf ? undefined : "unreachable"
    await assert.rejects(
      externalAddress(runtime, { servers: ["127.0.0.1:9"], ...(isDeaf ? { timeout: 50 } : {}) }),
      (error) => error instanceof PortControlError && error.failures[0].failure?.kind === kind,
    )
    assert.deepEqual(open(), { sockets: 0, timers: 0 })
  })
})

describe("probe", () => {
  const report = async (...servers: readonly string[]) => {
    const { runtime, open } = testRuntime()
    const found = await probe(runtime, { servers, ...QUICK })
    assert.deepEqual(open(), { sockets: 0, timers: 0 })
    return found
  }

  test("both protocols, their epochs and the external address", async () => {
    const server = await startServer({ external: [address("8.8.8.8")] })
    const { servers, hints, problems } = await report(server.text)
    assert.equal(servers.length, 1)
    const [{ pcp, natPmp, versions, external }] = servers
    assert.deepEqual(
      [pcp, natPmp].map((one) => one?.speaks),
      [true, true],
    )
    assert.ok(pcp.speaks && pcp.epoch !== undefined && pcp.epoch < 10 && pcp.result === 0)
    assert.deepEqual(versions, [2, 0])
    assert.equal(external?.text, "8.8.8.8")
    assert.deepEqual([hints, problems], [[], []])
    await until(() => mappingsOf(server).length === 0)
    await server.stop()
  })

  test("one protocol alone, a double NAT, nobody there, and nobody to ask: each has its hint", async () => {
    const [natPmpOnly, pcpOnly] = [
      await startServer({ pcp: false }),
      await startServer({ natPmp: false, external: [address("192.168.1.7")] }),
    ]
    const { servers, hints } = await report(natPmpOnly.text, pcpOnly.text, "127.0.0.1:9")
    assert.deepEqual(
      servers.map(({ versions, external }) => [versions, external?.class]),
      [
        [[0], "documentation"],
        [[2], "private"],
        [[], undefined],
      ],
    )
    assert.deepEqual(
      hints.map(({ code, server }) => [code, server]),
      [
        ["nat-pmp-only", natPmpOnly.text],
        ["not-public", natPmpOnly.text],
        ["double-nat", pcpOnly.text],
        ["no-answer", "127.0.0.1:9"],
      ],
    )
    assert.ok(hints[1].text.startsWith(`Its external address is ${EXTERNAL}, an address for examples: nobody has it: `))
    const { runtime } = testRuntime()
    const nobody = await probe(runtime)
    assert.deepEqual([nobody.servers, nobody.hints.map(({ code }) => code)], [[], ["no-server"]])
    await natPmpOnly.stop()
    await pcpOnly.stop()
  })

  test("a server that grants no mapping: the hint has what it says", async () => {
    const server = await startServer({ natPmp: false, quota: 1 })
    const { runtime } = testRuntime()
    const first = await openPort(runtime, { protocol: "tcp", internalPort: 8080, servers: [server.text] })
    const { servers, hints } = await report(server.text)
    assert.ok(servers[0].refusal?.kind === "result" && servers[0].refusal.code === 10)
    assert.deepEqual(
      hints.map(({ code }) => code),
      ["refused"],
    )
    assert.match(hints[0].text, /USER_EX_QUOTA/)
    await first.close()
    await server.stop()
  })

  test("map: false leaves PCP's mapping out", async () => {
    const server = await startServer({ natPmp: false })
    const { runtime } = testRuntime()
    const { servers } = await probe(runtime, { servers: [server.text], map: false, ...QUICK })
    assert.equal(servers[0].external, undefined)
    assert.ok(server.exchanges.every(({ request }) => request?.kind !== "pcp-request" || request.body.kind !== "map"))
    await server.stop()
  })

  test("looking for the gateways is part of the time that the caller waits, here and in externalAddress", async () => {
    const discover = (signal?: AbortSignal) =>
      new Promise<{ gateways: []; none: "aborted" }>((resolve) =>
        signal?.addEventListener("abort", () => resolve({ gateways: [], none: "aborted" })),
      )
    const { runtime, open } = testRuntime({ discover })
    await assert.rejects(probe(runtime, { timeout: 30 }), { code: "timeout" })
    await assert.rejects(externalAddress(runtime, { timeout: 30 }), { code: "timeout" })
    assert.deepEqual(open(), { sockets: 0, timers: 0 })
  })

  test("a signal ends it", async () => {
    const { runtime, open } = testRuntime()
    const stop = new AbortController()
    const asked = probe(runtime, { servers: ["127.0.0.1:9"], signal: stop.signal })
    stop.abort()
    await assert.rejects(asked, { code: "aborted" })
    assert.deepEqual(open(), { sockets: 0, timers: 0 })
  })
})
