import assert from "node:assert/strict"
import { createServer } from "node:net"
import { describe, test } from "node:test"
import fc from "fast-check"
import * as node from "#runtime"
import * as client from "../../../adapters/client/index.ts"
import { LOOPBACK, startServer, testRuntime } from "./server-scene.ts"

const { PortControlError } = client
const TCP = { protocol: "tcp", internalPort: 8080 } as const
const NOBODY = { servers: ["127.0.0.1:9"], timeout: 50 } as const

/** What a caller without types does: any function, with anything. */
const call = async (made: object, name: string, ...args: readonly unknown[]): Promise<unknown> => {
  const found: unknown = Reflect.get(made, name)
  assert.ok(typeof found === "function", name)
  return Reflect.apply(found, made, args)
}

const rejected = async (made: object, name: string, ...args: readonly unknown[]): Promise<node.PortControlError> => {
  const error: unknown = await call(made, name, ...args).then(
    () => undefined,
    (cause) => cause,
  )
  assert.ok(error instanceof PortControlError, `${name}: ${error}`)
  return error
}

describe("options of a caller without types", () => {
  test("of another type than they are documented with are bad-options, which name the option and what it is", async () => {
    for (const [options, text] of [
      [undefined, "options are an object, not undefined"],
      [null, "options are an object, not null"],
      ["tcp", 'options are an object, not "tcp"'],
      [{ ...TCP, ...NOBODY, speak: "upnp" }, 'speak is "auto" or "pcp" or "nat-pmp", not "upnp"'],
      [{ ...TCP, ...NOBODY, family: 4 }, 'family is "ipv4" or "ipv6", not 4'],
      [{ ...TCP, servers: "127.0.0.1" }, 'servers is a list of texts, not "127.0.0.1"'],
      [{ ...TCP, servers: [5351] }, "servers is a list of texts, not such a list"],
      [{ ...TCP, ...NOBODY, timeout: "5" }, 'timeout is a number, not "5"'],
      [{ ...TCP, ...NOBODY, settings: { serverBudget: 5 } }, /^settings is/],
      [{ ...TCP, ...NOBODY, store: "file.json" }, /^store is/],
      [{ ...TCP, ...NOBODY, signal: true }, /^signal is/],
      [{ ...TCP, ...NOBODY, filters: ["192.0.2.1"] }, /^filters is/],
      [{ ...NOBODY, protocol: "tcp", internalPort: "8080" }, 'internalPort is a number, not "8080"'],
    ] as const) {
      const { code, message } = await rejected(node, "openPort", options)
      assert.equal(code, "bad-options")
      if (typeof text === "string") assert.equal(message, text)
      else assert.match(message, text)
    }
  })

  test("a protocol that is none is told as the caller wrote it", async () => {
    for (const [protocol, text] of [
      ["xyz", '"xyz"'],
      ["toString", '"toString"'],
      [undefined, "undefined"],
      [256, "256"],
    ] as const) {
      const { code, message } = await rejected(node, "openPort", { ...NOBODY, internalPort: 80, protocol })
      assert.equal(code, "bad-request")
      assert.ok(message.startsWith(`Protocol ${text} is none: `), message)
    }
  })

  test("listenPublic says what it needs for TCP, and for UDP", async () => {
    for (const [options, text] of [
      [{ protocol: "tcp", port: 0 }, "server is one of node:net, and TCP needs it"],
      [{ protocol: "tcp", server: {}, unref: true }, "server is one of node:net, and TCP needs it"],
      [{ protocol: "udp", port: 0 }, "onDatagram is a function, and UDP needs it"],
      [{ protocol: "udp", onDatagram: () => {}, onError: "log" }, "onError is a function"],
      [{ protocol: "sctp" }, 'protocol is "tcp" or "udp", not "sctp"'],
      [{}, 'protocol is "tcp" or "udp", not undefined'],
      [{ protocol: "tcp", server: createServer(), port: "80" }, 'port is a number, not "80"'],
    ] as const) {
      const { code, message } = await rejected(node, "listenPublic", options)
      assert.deepEqual([code, message], ["bad-options", text])
    }
  })

  test("whatever any option is, a call rejects with a PortControlError, and nothing stays open", async () => {
    const names = ["servers", "dhcp", "interfaceName", "family", "client", "speak", "acceptResponsesFrom", "anycast"]
    names.push("announcements", "settings", "seed", "store", "watch", "signal", "timeout", "external", "lifetime")
    names.push("externalPort", "remote", "remotePort", "thirdParty", "thirdPartyId", "description", "preferFailure")
    names.push("filters", "portSet", "prefix64", "options", "id", "nonce", "protocol", "internalPort", "map")
    const value = fc.oneof(
      fc.anything({ maxDepth: 2 }),
      fc.constantFrom("1.2.3.4", [], {}, [{}], 0, -1, Number.NaN, new Uint8Array()),
    )
    const calls = fc.constantFrom("openPort", "externalAddress", "probe", "startClient", "listenPublic")
    await fc.assert(
      fc.asyncProperty(calls, fc.constantFrom(...names), value, async (name, option, given) => {
        const { runtime, open } = testRuntime()
        // Nobody is there to ask, unless the option says otherwise.
        const servers = option === "dhcp" ? undefined : []
        const options = { ...TCP, servers, timeout: 20, [option]: given }
        const local = [{ address: LOOPBACK, port: 8080 }]
        const listen = async () => ({ ok: true, value: { local, close: async () => {} } }) as const
        try {
          const made = await call(client, name, runtime, options, listen)
          if (name === "startClient" || name === "openPort" || name === "listenPublic")
            await call(Object(made), "close", { timeout: 0 })
        } catch (cause) {
          assert.ok(cause instanceof PortControlError, `${name} ${option}: ${cause}`)
        }
        assert.deepEqual(open(), { sockets: 0, timers: 0 })
      }),
      { numRuns: 500 },
    )
  })

  test("a client's own calls hold to the same", async () => {
    const server = await startServer()
    await using own = await node.startClient({ servers: [server.text] })
    for (const [name, ...args] of [
      ["openPort"],
      ["openPort", { ...TCP, filters: 5 }],
      ["probe", 5],
      ["probe", { map: "no" }],
      ["externalAddress", { signal: 5 }],
      ["request"],
      ["request", { kind: "outside", ...TCP }],
      ["request", { kind: "inbound", ...TCP }, { mode: { kind: "twice" } }],
    ] as const)
      assert.equal((await rejected(own, name, ...args)).code, "bad-options", name)
    await own.close()
    await server.stop()
  })
})

test("a client's request takes a protocol's name, and asks for 7200 s where no lifetime is given", async () => {
  const server = await startServer({ natPmp: false })
  await using own = await node.startClient({ servers: [server.text] })
  const mapping = own.request({ kind: "inbound", protocol: "udp", internalPort: 4000 })
  await mapping.assigned()
  assert.deepEqual([mapping.request.protocol, mapping.request.lifetime], [17, 7200])
  const [asked] = server.exchanges
  assert.ok(asked.request?.kind === "pcp-request" && asked.request.body.kind === "map")
  assert.deepEqual([asked.request.lifetime, asked.request.body.protocol], [7200, 17])
  await own.close()
  await server.stop()
})

test("milliseconds are rounded for people", async () => {
  const { runtime } = testRuntime()
  const silent = await runtime.udp.bind(
    { local: { address: LOOPBACK, port: 0 } },
    { receive: () => {}, error: () => {} },
  )
  assert.ok(silent.ok)
  const servers = [`127.0.0.1:${silent.value.local.port}`]
  const options = { ...TCP, servers, timeout: 40.4 }
  const { code, message } = await rejected(client, "openPort", runtime, options)
  assert.equal(code, "timeout")
  assert.match(message, /^nothing came of it within \d+ ms: /)
  await silent.value.close()
})
