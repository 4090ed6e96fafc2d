import assert from "node:assert/strict"
import { describe, test } from "node:test"
import fc from "fast-check"
import {
  type ClientStore,
  openPort,
  PortControlError,
  savedFromJson,
  savedToJson,
  startClient,
} from "../../../adapters/client/index.ts"
import { noteOutbound } from "../../../core/cgn/index.ts"
import type { SavedMapping } from "../../../core/client/index.ts"
import { parseNonce, ZERO_NONCE } from "../../../core/wire/index.ts"
import { address, EXTERNAL, isMapped, LOOPBACK, mappingsOf, startServer, testRuntime, until } from "./server-scene.ts"

const NONCE = parseNonce("000102030405060708090a0b") ?? ZERO_NONCE

const EVERYTHING: readonly SavedMapping[] = [
  {
    id: "a",
    mode: { kind: "repeat", times: 3 },
    request: {
      kind: "inbound",
      protocol: 6,
      internalPort: 8080,
      lifetime: 3600,
      externalPort: 80,
      external: address("203.0.113.7"),
      thirdParty: address("192.0.2.5"),
      thirdPartyId: Uint8Array.of(0, 255),
      description: "a web server ☃",
      options: [{ kind: "unknown", code: 200, data: Uint8Array.of(1, 2, 3, 4) }],
      filters: [{ remote: address("2001:db8::"), prefixLength: 32, remotePort: 0 }],
      portSet: { size: 10, parity: true },
      prefix64: true,
    },
    leases: [
      {
        server: "fe80::1%eth0",
        protocol: "pcp",
        nonce: NONCE,
        external: address("203.0.113.7"),
        externalPort: 80,
        remaining: 3000,
      },
    ],
  },
  {
    id: "b",
    mode: { kind: "keep" },
    request: {
      kind: "outbound",
      protocol: 17,
      internalPort: 5000,
      lifetime: 60,
      remote: address("198.51.100.9"),
      remotePort: 53,
    },
    leases: [{ server: "r", protocol: "nat-pmp", nonce: NONCE, external: undefined, externalPort: 0, remaining: 0 }],
  },
]

/** What JSON would not tell apart. */
const plain = (mappings: readonly SavedMapping[]): unknown => JSON.parse(JSON.stringify(mappings))

describe("saved mappings as JSON", () => {
  test("come back as they were", () => {
    const json: unknown = JSON.parse(JSON.stringify(savedToJson(EVERYTHING, 1000)))
    const read = savedFromJson(json, 1000)
    assert.ok(read.ok, read.ok ? "" : JSON.stringify(read.errors))
    assert.deepEqual(plain(read.mappings), plain(EVERYTHING))
    assert.deepEqual(read.mappings[0].request.options, EVERYTHING[0].request.options)
  })

  test("addresses are text, and nonces 24 hex digits", () => {
    const [{ request, leases }] = savedToJson(EVERYTHING, 0).mappings
    assert.equal(request.external, "203.0.113.7")
    assert.equal(leases[0].nonce, "000102030405060708090a0b")
    assert.equal(request.options, "c800000401020304")
  })

  test("what is left of a lifetime is less by the time since; a clock that was set back adds nothing", () => {
    const json = savedToJson(EVERYTHING, 1_000_000)
    const left = (wallClock: number): number | undefined => {
      const read = savedFromJson(json, wallClock)
      return read.ok ? read.mappings[0].leases[0].remaining : undefined
    }
    assert.deepEqual([left(1_000_000), left(1_060_500), left(9_000_000), left(0)], [3000, 2939, 0, 3000])
  })

  test("foreign JSON is a typed error, never a throw", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (json) => {
        const read = savedFromJson(json, 0)
        assert.equal(read.ok, false)
        assert.ok(!read.ok && read.errors.length > 0)
      }),
    )
  })

  test("any one value replaced by another is read, or is a typed error", () => {
    const json = JSON.stringify(savedToJson(EVERYTHING, 0))
    const values = [...json.matchAll(/("[^"]*"|\d+|true|false)(?=[,}\]])/g)]
    assert.ok(values.length > 30)
    fc.assert(
      fc.property(fc.nat(values.length - 1), fc.jsonValue(), (which, value) => {
        const { index, 0: text } = values[which]
        const other: unknown = JSON.parse(
          json.slice(0, index) + JSON.stringify(value) + json.slice(index + text.length),
        )
        const read = savedFromJson(other, 0)
        assert.ok(read.ok || read.errors.every(({ path, text: why }) => path !== "" && why !== ""))
      }),
    )
  })

  test("the error says where", () => {
    const json = JSON.parse(JSON.stringify(savedToJson(EVERYTHING, 0)))
    json.mappings[1].leases[0].nonce = "00"
    json.mappings[1].request.remotePort = 0
    json.mappings[0].id = "b"
    const read = savedFromJson(json, 0)
    assert.deepEqual(read.ok ? [] : read.errors.map(({ path }) => path), [
      "mappings[1].request.remotePort",
      "mappings[1].leases[0].nonce",
      "mappings[1].id",
    ])
  })
})

const UNSAVED: unknown = undefined

/** A store in memory. */
const memory = (): ClientStore & { json: unknown } => {
  const store = {
    json: UNSAVED,
    load: async () => store.json,
    save: async (json: unknown) => {
      store.json = JSON.parse(JSON.stringify(json))
    },
  }
  return store
}

const TCP_8080 = { protocol: "tcp", internalPort: 8080 } as const

describe("a store", () => {
  test("C-03: a restarted program renews with the same nonce, gets the same end, and can delete", async () => {
    const server = await startServer()
    const { runtime } = testRuntime()
    const store = memory()
    const options = { ...TCP_8080, externalPort: 0, servers: [server.text], store }
    const first = await openPort(runtime, options)
    const [{ nonce, externalPort }] = mappingsOf(server)
    // The program ends without deleting.
    await first.close({ keep: true })
    assert.ok(isMapped(server, 8080))

    const second = await openPort(runtime, options)
    assert.equal(second.external.port, externalPort)
    assert.deepEqual(
      mappingsOf(server).map((mapping) => [mapping.nonce, mapping.externalPort]),
      [[nonce, externalPort]],
    )
    await second.close()
    assert.equal(isMapped(server, 8080), false)
    const read = savedFromJson(store.json, Date.now())
    assert.deepEqual(read, { ok: true, mappings: [] })
    await server.stop()
  })

  test("what nobody asks for again stays, until its lifetime is over", async () => {
    const server = await startServer()
    const { runtime } = testRuntime()
    const store = memory()
    await using first = await startClient(runtime, { servers: [server.text], store })
    await first.openPort(TCP_8080)
    await first.close({ keep: true })
    await using second = await startClient(runtime, { servers: [server.text], store })
    assert.deepEqual(
      second.stored.map(({ id }) => id),
      ["tcp 8080"],
    )
    await second.openPort({ protocol: "udp", internalPort: 53 })
    await second.close({ keep: true })
    const read = savedFromJson(store.json, Date.now())
    assert.deepEqual(read.ok && read.mappings.map(({ id }) => id).sort(), ["tcp 8080", "udp 53"])
    const late = savedFromJson(store.json, Date.now() + 7_200_000)
    assert.deepEqual(late.ok && late.mappings.map(({ leases }) => leases[0].remaining), [0, 0])
    await server.stop()
  })

  test("a mapping whose deletion nobody has answered is kept for the next run", async () => {
    const server = await startServer()
    const { runtime } = testRuntime()
    const store = memory()
    const port = await openPort(runtime, { ...TCP_8080, servers: [server.text], store })
    const { nonce } = mappingsOf(server)[0]
    const state = await server.stop()
    await port.close({ timeout: 20 })
    const read = savedFromJson(store.json, Date.now())
    assert.deepEqual(read.ok && read.mappings.map(({ leases }) => leases[0].nonce), [nonce])
    const again = await startServer({ port: server.port, state })
    await using client = await startClient(runtime, { servers: [server.text], store })
    await client.openPort(TCP_8080)
    await client.close()
    assert.equal(isMapped(again, 8080), false)
    await again.stop()
  })

  test("S-131: a deleted mapping that its traffic keeps can be had again by the next run, with its nonce", async () => {
    const server = await startServer({ ports: { first: 5000, last: 5000 } })
    const { runtime } = testRuntime()
    const store = memory()
    const traffic = (protocol: number, internalPort: number): void =>
      server.host.act((state, now) => {
        const end = { protocol, internal: LOOPBACK, internalPort }
        const { state: cgnState } = noteOutbound(state.cgnState, end, now)
        return [
          { ...state, cgnState },
          { send: [], next: undefined, events: [] },
        ]
      })
    const options = { servers: [server.text], store }
    const port = await openPort(runtime, { ...TCP_8080, ...options })
    traffic(6, 8080)
    await port.close()
    await using second = await startClient(runtime, options)
    const again = await second.openPort(TCP_8080)
    assert.equal(again.external.port, 5000)
    await second.mapPort("udp", 53, 5000, 600)
    traffic(17, 53)
    await again.close()
    await second.close({ keep: true })
    await using third = await startClient(runtime, options)
    await third.unmapPort("udp", 53)
    await third.close()
    const read = savedFromJson(store.json, Date.now())
    const nonces = new Set(mappingsOf(server).flatMap(({ kind, nonce }) => (kind === "map" ? [nonce] : [])))
    assert.equal(nonces.size, 2)
    assert.ok(read.ok)
    assert.deepEqual(new Set(read.mappings.map(({ leases }) => leases[0].nonce)), nonces)
    assert.ok(server.exchanges.every(({ reply }) => reply?.kind === "pcp-response" && reply.result === 0))
    await server.stop()
  })

  test("one that cannot be read rejects, and is left as it is", async () => {
    const { runtime, open } = testRuntime()
    const store = memory()
    store.json = { format: "something else" }
    await assert.rejects(
      openPort(runtime, { ...TCP_8080, servers: ["127.0.0.1:9"], store }),
      (error) => error instanceof PortControlError && error.code === "bad-store",
    )
    assert.deepEqual(store.json, { format: "something else" })
    assert.deepEqual(open(), { sockets: 0, timers: 0 })
  })

  test("one that cannot be written is told, and the client goes on", async () => {
    const server = await startServer()
    const { runtime } = testRuntime()
    const broken: ClientStore = { load: async () => undefined, save: () => Promise.reject(new Error("full")) }
    await using client = await startClient(runtime, { servers: [server.text], store: broken })
    const port = await client.openPort(TCP_8080)
    assert.equal(port.external.text, EXTERNAL)
    const error = await client.waitError({ timeout: 5000 })
    assert.equal(error?.type, "store")
    await client.close()
    await until(() => !isMapped(server, 8080))
    await server.stop()
  })
})
