import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { createClient } from "../../../core/client/index.ts"
import { CLIENT, EXTERNAL, realServer, scene, TCP_8080 } from "./scene.ts"

describe("a client and a real server", () => {
  test("a mapping is made, kept for a day, and deleted", () => {
    const client = scene()
    const server = realServer()
    client.respond(server.respond)
    client.command({ type: "request", id: "web", request: TCP_8080 })
    client.run(86_400_000)
    const assigned = client.events().filter((event) => event.type === "assigned")
    assert.deepEqual(
      assigned.map(({ mapping }) => [mapping.protocol, mapping.external, mapping.class]),
      [["pcp", EXTERNAL, "documentation"]],
    )
    // One at the start, then one an hour's half to five eighths.
    assert.ok(client.sent.length >= 39 && client.sent.length <= 49, `${client.sent.length}`)
    client.command({ type: "revoke", id: "web" })
    client.run(1000)
    assert.deepEqual(client.events().at(-1), {
      type: "state",
      id: "web",
      server: "router",
      state: { kind: "revoked", answered: true },
    })
    assert.equal(client.wake(), undefined)
  })

  test("a server whose protocol is none is refused, and not asked in some other", () => {
    const ends = [{ address: EXTERNAL, client: CLIENT }]
    // What a caller without types may say.
    const servers = JSON.parse(JSON.stringify([{ name: "router", ends, protocol: "upnp" }]))
    assert.deepEqual(createClient({ seed: new Uint8Array(32), now: 0, servers }), {
      ok: false,
      error: { setting: "servers", text: "server router has protocol upnp" },
    })
    const client = scene()
    client.command({ type: "network-changed", servers })
    assert.deepEqual(client.events(), [
      { type: "refused", id: undefined, error: { code: "server", text: "server router has protocol upnp." } },
    ])
  })

  test("C-01: the first request says whose it is", () => {
    const client = scene()
    client.command({ type: "request", id: "web", request: TCP_8080 })
    const [packet] = client.packets()
    assert.ok(packet.kind === "pcp-request" && packet.body.kind === "map")
    assert.equal(packet.client, CLIENT)
    assert.equal(packet.lifetime, 3600)
    assert.equal(packet.body.internalPort, 8080)
  })
})

describe("names of servers", () => {
  test("a NUL, which parts a task's id from its server, is refused: ids may have any", () => {
    const ends = [{ address: CLIENT, client: CLIENT }]
    const created = createClient({ seed: new Uint8Array(32), now: 0, servers: [{ name: "b\0router", ends }] })
    assert.deepEqual(created, {
      ok: false,
      error: { setting: "servers", text: "the name of a server has no NUL" },
    })
  })
})
