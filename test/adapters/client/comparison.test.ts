/** The faults of the published JavaScript clients that take sockets to show: see docs/clients.md, and test/core/client/comparison.test.ts. */
import assert from "node:assert/strict"
import { createSocket, type Socket } from "node:dgram"
import { once } from "node:events"
import { describe, test } from "node:test"
import { clock, entropy, udp } from "#runtime"
import { type Driven, drive } from "../../../adapters/client/drive.ts"
import { type ClientEvent, type ClientServer, type ClientSettings, createClient } from "../../../core/client/index.ts"
import { type Address, Protocol, parseAddress } from "../../../core/wire/index.ts"
import { natPmpAnswer, pcpAnswer } from "../../core/client/gateway.ts"

const address = (text: string): Address => {
  const parsed = parseAddress(text)
  assert.ok(parsed !== undefined)
  return parsed
}

const LOOPBACK = address("127.0.0.1")

/** A gateway on loopback that answers as it is told, and remembers who asked. */
const gateway = async (answer: (bytes: Uint8Array, count: number) => Uint8Array | undefined) => {
  const socket = createSocket("udp4")
  const heard: { readonly bytes: Uint8Array; readonly port: number }[] = []
  socket.on("message", (bytes, { port, address: from }) => {
    heard.push({ bytes, port })
    const reply = answer(bytes, heard.length)
    if (reply !== undefined) socket.send(reply, port, from)
  })
  socket.bind(0, "127.0.0.1")
  await once(socket, "listening")
  return { port: socket.address().port, heard, socket, close: () => closed(socket) }
}

const closed = async (socket: Socket): Promise<void> => {
  socket.close()
  await once(socket, "close")
}

/** A client of gateways on loopback, and what it tells. */
const connect = (
  ports: readonly number[],
  settings: Partial<ClientSettings> = {},
  protocol: ClientServer["protocol"] = "auto",
) => {
  const created = createClient({
    seed: entropy(32),
    now: clock.now(),
    servers: ports.map((port, index) => ({
      name: `gateway ${index + 1}`,
      ends: [{ address: LOOPBACK, port, client: LOOPBACK }],
      protocol,
    })),
    settings,
  })
  assert.ok(created.ok)
  const events: ClientEvent[] = []
  const countOf = (type: ClientEvent["type"]) => events.filter((event) => event.type === type).length
  const waiting: { readonly type: ClientEvent["type"]; readonly count: number; readonly resolve: () => void }[] = []
  const driven: Driven = drive({
    udp: udp,
    clock: clock,
    state: created.state,
    listener: {
      event: (event) => {
        events.push(event)
        for (const one of waiting.splice(0)) {
          if (countOf(one.type) >= one.count) one.resolve()
          else waiting.push(one)
        }
      },
    },
  })
  return {
    ...driven,
    events,
    request: (id = "web", internalPort = 8080) =>
      driven.command({
        type: "request",
        id,
        request: { kind: "inbound", protocol: Protocol.TCP, internalPort, lifetime: 3600 },
      }),
    /** So many events of a type were told. */
    told: (type: ClientEvent["type"], count = 1): Promise<void> =>
      countOf(type) >= count ? Promise.resolve() : new Promise((resolve) => waiting.push({ type, count, resolve })),
  }
}

const mapped = (events: readonly ClientEvent[]) =>
  events.flatMap((event) => (event.type === "assigned" ? [event.mapping] : []))

describe("faults of published JavaScript clients, over sockets", { timeout: 30_000 }, () => {
  test("JS-05: each client has a port that the system chooses: two at once, with 5350 taken by somebody else", async () => {
    const taken = createSocket("udp4")
    // Taken by somebody else already: that will do as well.
    await new Promise<void>((resolve) => {
      taken.once("listening", resolve).once("error", () => resolve())
      taken.bind(5350, "127.0.0.1")
    })
    const router = await gateway((bytes) => pcpAnswer(bytes))
    const clients = [connect([router.port]), connect([router.port])]
    try {
      for (const client of clients) client.request()
      await Promise.all(clients.map((client) => client.told("assigned")))
      const ports = new Set(router.heard.map(({ port }) => port))
      assert.equal(ports.size, 2)
      assert.ok(!ports.has(5350))
    } finally {
      await Promise.all(clients.map((client) => client.close()))
      await router.close()
      await closed(taken)
    }
  })

  test("JS-04: an answer from another port of the gateway's host never arrives, the gateway's own one does", async () => {
    const stranger = createSocket("udp4")
    const router = await gateway(() => undefined)
    const client = connect([router.port])
    try {
      client.request()
      const [bytes, { port }] = await once(router.socket, "message")
      const forged = pcpAnswer(bytes, { external: "6.6.6.6" })
      await new Promise<void>((resolve) => stranger.send(forged, port, "127.0.0.1", () => resolve()))
      // On loopback what was sent first is there first.
      router.socket.send(pcpAnswer(bytes, { external: "198.51.100.4" }), port, "127.0.0.1")
      await client.told("assigned")
      assert.deepEqual(
        mapped(client.events).map(({ external }) => external),
        [address("198.51.100.4")],
      )
    } finally {
      await client.close()
      await router.close()
      await closed(stranger)
    }
  })

  test("JS-06: a datagram that the network lost is sent again from the same port", async () => {
    const router = await gateway((bytes, count) => (count === 1 ? undefined : pcpAnswer(bytes)))
    const client = connect([router.port], { initialRetransmission: 0.05 })
    try {
      client.request()
      await client.told("assigned")
      assert.equal(router.heard.length, 2)
      assert.equal(router.heard[0].port, router.heard[1].port)
      assert.deepEqual(router.heard[0].bytes, router.heard[1].bytes)
    } finally {
      await client.close()
      await router.close()
    }
  })

  test("JS-07: one lost datagram holds up neither its own mapping nor the next ones", async () => {
    const router = await gateway((bytes, count) => (count === 1 ? undefined : natPmpAnswer(bytes)))
    const client = connect([router.port], { natPmpInterval: 50 }, "nat-pmp")
    try {
      for (const [id, port] of [
        ["a", 8081],
        ["b", 8082],
        ["c", 8083],
      ] as const)
        client.request(id, port)
      await client.told("assigned", 3)
      assert.deepEqual(
        mapped(client.events)
          .map(({ internalPort }) => internalPort)
          .sort(),
        [8081, 8082, 8083],
      )
    } finally {
      await client.close()
      await router.close()
    }
  })

  test("JS-03: deleting sends one datagram that is answered, and the sockets are quiet after it", async () => {
    const router = await gateway((bytes) => pcpAnswer(bytes))
    const client = connect([router.port])
    try {
      client.request()
      await client.told("assigned")
      client.command({ type: "stop", revoke: true })
      await client.told("stopped")
      assert.equal(router.heard.length, 2)
      assert.deepEqual([...router.heard[1].bytes.subarray(4, 8)], [0, 0, 0, 0])
      assert.equal(client.state().wake, undefined)
    } finally {
      await client.close()
      await router.close()
    }
  })
})
