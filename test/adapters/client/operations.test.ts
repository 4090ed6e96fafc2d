import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { after, before, describe, test } from "node:test"
import {
  listenPublic,
  listenUdp,
  type Mapping,
  type PortClient,
  PortControlError,
  startClient,
} from "../../../adapters/client/index.ts"
import type { InboundRequest } from "../../../core/client/index.ts"
import { Protocol } from "../../../core/wire/index.ts"
import {
  address,
  EXTERNAL,
  isMapped,
  mappingsOf,
  startServer,
  type TestServer,
  testRuntime,
  until,
} from "./server-scene.ts"

/** The rows of a table of the page under a heading: what the original has, and what is here. */
const rowsOf = (heading: string): readonly (readonly [string, string])[] => {
  const page = readFileSync(join(import.meta.dirname, "../../../docs/client-api.md"), "utf8")
  const section = page.split("\n## ").find((part) => part.startsWith(heading)) ?? ""
  return [...section.matchAll(/^\| (.*?) \| (.*?) \|$/gm)].slice(2).map(([, one, other]) => [one, other])
}

const inbound = (internalPort: number, lifetime = 3600): InboundRequest => ({
  kind: "inbound",
  protocol: Protocol.TCP,
  internalPort,
  lifetime,
})

describe("each operation in the page's tables is there and works", () => {
  let server: TestServer
  let client: PortClient
  let runtime: ReturnType<typeof testRuntime>
  before(async () => {
    server = await startServer()
    runtime = testRuntime()
    client = await startClient(runtime.runtime, { servers: [server.text], client: "127.0.0.1" })
  })
  after(async () => {
    await client.close()
    // What is outbound cannot be deleted (RFC 6887 section 12.1).
    assert.deepEqual(
      mappingsOf(server).map(({ kind }) => kind),
      ["peer"],
    )
    assert.deepEqual(runtime.open(), { sockets: 0, timers: 0 })
    await server.stop()
  })

  const mapped = async (mapping: Mapping): Promise<number> =>
    (await mapping.assigned({ timeout: 5000 })).granted.external.port

  /** What each row does, by its first column. */
  const RUST: Readonly<Record<string, () => Promise<void>>> = {
    "`Client::start(client, server)`": async () => assert.equal(client.servers[0].ends[0].client, address("127.0.0.1")),
    "`Handle::request(map, RequestType::Once)`": async () => {
      const mapping = client.request(inbound(2001), { mode: { kind: "once" } })
      await mapped(mapping)
      assert.ok(isMapped(server, 2001))
    },
    "`Handle::request(map, RequestType::Repeat(n))`": async () => {
      const mapping = client.request(inbound(2002), { mode: { kind: "repeat", times: 2 } })
      await mapped(mapping)
      assert.deepEqual(client.save().find(({ id }) => id === mapping.id)?.mode, { kind: "repeat", times: 2 })
    },
    "`Handle::request(map, RequestType::KeepAlive)`": async () => {
      const mapping = client.request(inbound(2003))
      await mapped(mapping)
      assert.deepEqual(client.save().find(({ id }) => id === mapping.id)?.mode, { kind: "keep" })
    },
    "`Handle::wait_err()`": async () => {
      // A client whose own address the system does not have.
      const other = await startClient(runtime.runtime, { servers: ["127.0.0.1:9"], client: "192.0.2.1" })
      other.request(inbound(2004))
      const error = await other.waitError({ timeout: 5000 })
      assert.ok(error?.type === "socket" && error.error.code === "EADDRNOTAVAIL")
      await other.close({ timeout: 0 })
    },
    "`Handle::poll_err()`": async () => assert.equal(client.pollError(), undefined),
    "`Handle::shutdown()`": async () => {
      const other = await startClient(runtime.runtime, { servers: [server.text] })
      await mapped(other.request(inbound(2005)))
      const saved = other.save()
      await other.close({ keep: true })
      assert.ok(isMapped(server, 2005))
      assert.throws(() => other.request(inbound(1)), { code: "closed" })
      const third = client.request(inbound(2005), { resume: saved[0].leases })
      await mapped(third)
    },
    "`Drop` of `Handle`": async () => {
      {
        await using other = await startClient(runtime.runtime, { servers: [server.text] })
        await mapped(other.request(inbound(2006)))
        assert.ok(isMapped(server, 2006))
      }
      assert.ok(!isMapped(server, 2006))
    },
    "`InboundMap::new(…)` with its builder": async () => {
      const mapping = client.request({
        ...inbound(2007),
        external: address(EXTERNAL),
        externalPort: 4007,
        preferFailure: true,
        filters: [
          { remote: address("198.51.100.0"), prefixLength: 24, remotePort: 0 },
          { remote: address("192.0.2.1"), prefixLength: 32, remotePort: 80 },
        ],
      })
      assert.equal(await mapped(mapping), 4007)
    },
    "`OutboundMap::new(…)` with its builder": async () => {
      const remote = address("198.51.100.9")
      const mapping = client.request({ ...inbound(2008), kind: "outbound", remote, remotePort: 80 })
      await mapped(mapping)
      assert.equal(mappingsOf(server).find(({ internalPort }) => internalPort === 2008)?.kind, "peer")
    },
    "`MapHandle::state()`": async () => {
      const mapping = client.request(inbound(2009))
      assert.equal(mapping.results()[0].state.kind, "starting")
      await mapped(mapping)
      assert.equal(mapping.results()[0].state.kind, "running")
    },
    "`MapHandle::renew(lifetime)`": async () => {
      const mapping = client.request(inbound(2010, 600))
      await mapped(mapping)
      mapping.renew(1200)
      await until(() => mapping.results()[0].granted?.lifetime === 1200)
    },
    "`MapHandle::revoke()`": async () => {
      const mapping = client.request(inbound(2011))
      await mapped(mapping)
      const [{ state }] = await mapping.revoke()
      assert.deepEqual(state, { kind: "revoked", answered: true })
      assert.ok(!isMapped(server, 2011))
    },
    "`MapHandle::wait_alert()`": async () => {
      const mapping = client.request(inbound(2012))
      const kinds: string[] = []
      while (!kinds.includes("assigned")) kinds.push((await mapping.waitAlert({ timeout: 5000 }))?.type ?? "the end")
      assert.deepEqual(kinds, ["state", "state", "state", "assigned"])
      await mapping.revoke()
      while ((await mapping.waitAlert({ timeout: 5000 })) !== undefined);
    },
    "`MapHandle::poll_alert()`": async () => {
      const mapping = client.request(inbound(2013))
      assert.equal(mapping.pollAlert()?.type, "state")
      await mapped(mapping)
    },
    "`client.request(id, map, kind)` of `new-dev`": async () => {
      const mapping = client.request(inbound(2014), { id: "mine", mode: { kind: "once" } })
      assert.equal(mapping.id, "mine")
      assert.throws(
        () => client.request(inbound(2015), { id: "mine" }),
        (error) => error instanceof PortControlError && error.request?.code === "id",
      )
      await mapped(mapping)
    },
    "`client.wait()` of `new-dev`": async () => {
      while (client.pollEvent() !== undefined);
      client.request(inbound(2016), { id: "waited" })
      const event = await client.waitEvent({ timeout: 5000 })
      assert.ok(event?.type === "state" && event.id === "waited")
    },
  }

  const RACKET: Readonly<Record<string, () => Promise<void>>> = {
    "`(gateway-ip-address)`": async () => assert.equal(client.gatewayAddress, "127.0.0.1"),
    "`(external-ip-address)`": async () => {
      const { text, class: kind, servers } = await client.externalAddress()
      assert.deepEqual([text, kind, servers.length], [EXTERNAL, "documentation", 1])
      await until(() => !isMapped(server, 9))
    },
    "`(map-port! protocol port requested lifetime)`": async () => {
      const mapping = await client.mapPort("udp", 3001, 4001, 600)
      assert.deepEqual(
        [mapping.protocol, mapping.internalPort, mapping.externalPort, mapping.lifetime, mapping.external.text],
        ["udp", 3001, 4001, 600, EXTERNAL],
      )
      await assert.rejects(client.mapPort("udp", 3002, 0, 0), { code: "bad-request" })
    },
    "`(unmap-port! protocol port)`": async () => {
      await client.mapPort("tcp", 3003, 0, 600)
      await client.unmapPort("tcp", 3003)
      assert.ok(!isMapped(server, 3003))
      // What is not there is deleted already (RFC 6887 section 15.1).
      await client.unmapPort("tcp", 3003)
      // What another client has is not ours to delete: it has the nonce.
      await using other = await startClient(runtime.runtime, { servers: [server.text] })
      await other.mapPort("tcp", 3004, 0, 600)
      await assert.rejects(
        client.unmapPort("tcp", 3004),
        (error) => error instanceof PortControlError && error.code === "failed" && /NOT_AUTHORIZED/.test(error.message),
      )
    },
    "`(unmap-all-ports! protocol)`": async () => {
      // NAT-PMP has no nonce: what PCP has mapped for this host it may not delete.
      const own = await startServer()
      await using other = await startClient(runtime.runtime, { servers: [own.text], speak: "nat-pmp" })
      await other.mapPort("tcp", 3005, 0, 600)
      await other.mapPort("udp", 3006, 0, 600)
      await other.unmapAllPorts("tcp")
      assert.deepEqual([isMapped(own, 3005), isMapped(own, 3006)], [false, true])
    },
    "`(refresh-mapping! mapping)`": async () => {
      const mapping = await client.mapPort("tcp", 3007, 0, 600)
      const again = await client.refreshMapping({ ...mapping, lifetime: 900 })
      assert.deepEqual([again.externalPort, again.lifetime], [mapping.externalPort, 900])
    },
    "`(delete-mapping! mapping)`": async () => {
      const mapping = await client.mapPort("tcp", 3008, 0, 600)
      await client.deleteMapping(mapping)
      assert.ok(!isMapped(server, 3008))
    },
    "`(make-persistent-mapping … #:on-mapping f)`": async () => {
      const heard: number[] = []
      const persistent = client.makePersistentMapping("tcp", 3009, 4009, {
        refreshInterval: 3600,
        onMapping: ({ externalPort }) => heard.push(externalPort),
      })
      await until(() => heard.length > 0)
      assert.deepEqual(heard, [4009])
      await persistent.stop()
      const failing = client.makePersistentMapping("tcp", 3010, 0, {
        onMapping: () => {
          throw new Error("the caller's own")
        },
      })
      const error = await client.waitError({ timeout: 5000 })
      assert.equal(error?.type, "callback")
      assert.ok(failing.current() !== undefined)
    },
    "`(current-persistent-mapping p)`": async () => {
      const persistent = client.makePersistentMapping("tcp", 3011, 4011)
      assert.equal(persistent.current(), undefined)
      await until(() => persistent.current() !== undefined)
      assert.equal(persistent.current()?.externalPort, 4011)
    },
    "`(refresh-persistent-mapping! p)`": async () => {
      const persistent = client.makePersistentMapping("tcp", 3012, 0)
      await until(() => persistent.current() !== undefined)
      const before = server.exchanges.length
      persistent.refresh()
      await until(() => server.exchanges.length > before)
    },
    "`(stop-persistent-mapping! p)`": async () => {
      const persistent = client.makePersistentMapping("tcp", 3013, 0)
      await until(() => persistent.current() !== undefined)
      await persistent.stop()
      assert.ok(!isMapped(server, 3013))
    },
    "`udp-bind!/public`, `tcp-listen/public`": async () => {
      const options = { protocol: "udp", servers: [server.text] } as const
      const listen = listenUdp(runtime.runtime.udp, { receive: () => {}, error: () => {} })
      await using listener = await listenPublic(runtime.runtime, options, listen)
      await until(() => listener.current.some(({ technique }) => technique === "pcp"))
      assert.ok(isMapped(server, listener.port))
    },
  }

  for (const [heading, does] of [
    ["The operations of the Rust crate", RUST],
    ["The operations of racket-nat-pmp", RACKET],
  ] as const) {
    test(`${heading}: the page and this test have the same rows`, () =>
      assert.deepEqual(
        rowsOf(heading).map(([one]) => one),
        Object.keys(does),
      ))
    for (const [original, here] of rowsOf(heading)) test(`${original} is ${here}`, () => does[original]?.())
  }
})
