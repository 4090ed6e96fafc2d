import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { saveMappings } from "../../../core/client/index.ts"
import { formatNonce, type Packet, Protocol } from "../../../core/wire/index.ts"
import { CLIENT, realServer, router, scene, TCP_8080 } from "./scene.ts"

/** PCP requests of MAP, by what the server must copy and what it is asked. */
const mapsOf = (packets: readonly Packet[]) =>
  packets.flatMap((packet) =>
    packet.kind === "pcp-request" && packet.body.kind === "map"
      ? [[packet.lifetime, packet.body.externalPort, formatNonce(packet.body.nonce)] as const]
      : [],
  )

/** What a first run leaves behind: its mapping at the server, and what it saved. */
const firstRun = () => {
  const server = realServer()
  const client = scene()
  client.respond(server.respond)
  client.command({ type: "request", id: "web", request: TCP_8080, mode: { kind: "once" } })
  client.run(1000)
  return { server, leases: saveMappings(client.state(), client.now())[0].leases }
}

const isThere = (server: ReturnType<typeof realServer>): boolean => {
  const client = scene({ seed: new Uint8Array(32).fill(9) })
  client.respond(server.respond)
  client.command({ type: "request", id: "other", request: TCP_8080, mode: { kind: "once" } })
  client.run(1000)
  // Whoever has another nonce is refused while the mapping is there (RFC 6887 section 11.3).
  return client.events().some((event) => event.type === "state" && event.state.kind === "error")
}

describe("a later run deletes what an earlier one mapped", () => {
  test("C-03, C-132: with one datagram, the saved nonce, lifetime 0 and no suggestion", () => {
    const { server, leases } = firstRun()
    assert.ok(isThere(server))
    const later = scene({ seed: new Uint8Array(32).fill(8) })
    later.respond(server.respond)
    later.command({ type: "delete", id: "web", request: TCP_8080, resume: leases })
    later.run(1000)
    assert.deepEqual(mapsOf(later.packets()), [[0, 0, formatNonce(leases[0].nonce)]])
    assert.deepEqual(later.events().at(-1), {
      type: "state",
      id: "web",
      server: "router",
      state: { kind: "revoked", answered: true },
    })
    assert.equal(later.wake(), undefined)
    assert.ok(!isThere(server))
  })

  test("RFC 6887 15: what the server leaves for its traffic's sake is told with the lifetime that it has", () => {
    const { server, leases } = firstRun()
    const later = scene({ seed: new Uint8Array(32).fill(8) })
    later.respond((sent) =>
      server.respond(sent).map((bytes) => {
        const left = bytes.slice()
        new DataView(left.buffer).setUint32(4, 7440)
        return left
      }),
    )
    later.command({ type: "delete", id: "web", request: TCP_8080, resume: leases })
    later.run(1000)
    assert.deepEqual(later.told("state").at(-1)?.state, { kind: "revoked", answered: true, lifetime: 7440 })
    assert.equal(later.wake(), undefined)
  })

  test("RFC 6887 11.3: without the nonce the server says no, and nothing was asked for", () => {
    const { server } = firstRun()
    const later = scene({ seed: new Uint8Array(32).fill(8) })
    later.respond(server.respond)
    later.command({ type: "delete", id: "web", request: TCP_8080 })
    later.run(1000)
    const last = later.events().at(-1)
    assert.ok(last?.type === "state" && last.state.kind === "error" && last.state.failure.kind === "result")
    assert.equal(last.state.failure.code, 2)
    assert.deepEqual(
      mapsOf(later.packets()).map(([lifetime]) => lifetime),
      [0],
    )
  })

  test("RFC 6886 3.4: one of NAT-PMP is deleted by NAT-PMP at once", () => {
    const later = scene()
    const [lease] = firstRun().leases
    later.command({ type: "delete", id: "web", request: TCP_8080, resume: [{ ...lease, protocol: "nat-pmp" }] })
    // RFC 6886 section 3.4: version 0, opcode 2, the internal port, external port and lifetime 0.
    assert.deepEqual([...later.sent[0].bytes], [0, 2, 0, 0, 0x1f, 0x90, 0, 0, 0, 0, 0, 0])
    // However little is known of it.
    const last = scene()
    const gone = { ...lease, protocol: "nat-pmp", external: undefined, remaining: 0 } as const
    last.command({ type: "delete", id: "web", request: TCP_8080, resume: [gone] })
    assert.deepEqual(last.sent[0].bytes, later.sent[0].bytes)
  })

  test("no answer: it ends by itself, after three tries", () => {
    const later = scene()
    later.command({ type: "delete", id: "web", request: TCP_8080 })
    later.run(3_600_000)
    assert.equal(later.sent.length, 3)
    const last = later.events().at(-1)
    assert.deepEqual(last?.type === "state" && last.state, { kind: "revoked", answered: false })
  })

  test("what cannot be deleted is refused and sends nothing", () => {
    const client = scene({
      servers: [router(), router({ name: "second", ends: [{ address: CLIENT, client: CLIENT }] })],
    })
    const nonce = firstRun().leases[0].nonce
    const outbound = { ...TCP_8080, kind: "outbound", remote: CLIENT, remotePort: 80 } as const
    client.command({ type: "delete", id: "peer", request: outbound })
    client.command({ type: "delete", id: "ports", request: { ...TCP_8080, protocol: Protocol.ALL } })
    client.command({ type: "delete", id: "both", request: TCP_8080, nonce })
    client.command({ type: "delete", id: "none", request: TCP_8080, servers: ["third"] })
    assert.deepEqual(
      client.events().map((event) => event.type === "refused" && event.error.code),
      ["contradiction", "ports", "contradiction", "server"],
    )
    assert.equal(client.sent.length, 0)
  })
})
