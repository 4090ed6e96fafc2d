import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { clock, entropy, udp } from "#runtime"
import { FlowError, parseEnd, startFlowService, staticDirectory } from "../../../adapters/flow/index.ts"
import { countFlows, listFlows, QOS_CUBES } from "../../../core/flow/index.ts"
import { address } from "../udp-suite.ts"
import { bytes, codeOf, echo, endOf, LOOPBACK, layer, text } from "./layers.ts"

for (const form of ["current", "first"] as const)
  describe(`flows over UDP, ${form} form`, () => {
    const settings = { form }

    test("messages go both ways, each whole, of any octets", async (t) => {
      const [server, client] = [await layer(t, { settings }), await layer(t, { settings })]
      void echo(server, "oecho")
      const flow = await client.flowAlloc("oecho", { to: endOf(server) })
      assert.equal(flow.name, "oecho")
      for (const size of [1, 2, 100, 1400, 8000]) {
        const message = Uint8Array.from({ length: size }, (_, i) => i * 7)
        await flow.write(message)
        assert.deepEqual(await flow.read(), message)
      }
      await flow.dealloc()
      await flow.dealloc()
      assert.equal(await flow.read(), undefined)
      assert.equal(await codeOf(flow.write(bytes("x"))), "ENOTALLOC")
    })

    test("many flows at once, each with its own messages", async (t) => {
      const [server, client] = [await layer(t, { settings }), await layer(t, { settings })]
      void echo(server, "oecho")
      const flows = await Promise.all(
        Array.from({ length: 20 }, () => client.flowAlloc("oecho", { to: endOf(server) })),
      )
      assert.equal(new Set(flows.map(({ id }) => id)).size, 20)
      const answers = await Promise.all(
        flows.map(async (flow) => {
          await flow.write(bytes(`flow ${flow.id}`))
          return text(await flow.read({ timeout: 5000 }))
        }),
      )
      assert.deepEqual(
        answers,
        flows.map(({ id }) => `flow ${id}`),
      )
    })

    test("a name that nobody serves, and one that nobody accepts on", async (t) => {
      const [server, client] = [await layer(t, { settings }), await layer(t, { settings })]
      server.createName("idle")
      await server.registerName("idle")
      const options = { to: endOf(server), timeout: 1800 }
      const [nobody, idle] = await Promise.all([
        codeOf(client.flowAlloc("nobody", options)),
        codeOf(client.flowAlloc("idle", options)),
      ])
      assert.deepEqual([nobody, idle], form === "first" ? ["ETIMEDOUT", "ETIMEDOUT"] : ["ENAME", "ETIMEDOUT"])
    })

    test("a refusal is told by its reason; the first form has none and times out", async (t) => {
      const [server, client] = [await layer(t, { settings }), await layer(t, { settings })]
      void (async () => {
        const reasons = ["EAUTH", 77, undefined] as const
        let at = 0
        for await (const request of server.flowAccept("closed")) await request.refuse(reasons[at++])
      })()
      const call = (): Promise<unknown> => client.flowAlloc("closed", { to: endOf(server), timeout: 700 })
      if (form === "first") {
        assert.equal(await codeOf(call()), "ETIMEDOUT")
        assert.deepEqual(
          listFlows(client.state()).map(({ state }) => state),
          ["DEALLOCATED"],
        )
        return
      }
      assert.equal(await codeOf(call()), "EAUTH")
      await assert.rejects(
        call,
        (error) => error instanceof FlowError && error.response === -77 && error.code === "ECONNREFUSED",
      )
      assert.equal(await codeOf(call()), "ECONNREFUSED")
    })
  })

describe("flows of today's form", () => {
  test("data goes with the request and with the reply, and the spec is seen there", async (t) => {
    const [server, client] = [await layer(t), await layer(t)]
    const served = (async () => {
      for await (const request of server.flowAccept("greet")) {
        assert.deepEqual([request.name, request.qos, text(request.data)], ["greet", QOS_CUBES.voice, "hello"])
        const flow = await request.accept({ data: bytes("welcome") })
        await flow.write(bytes("first"))
        return flow
      }
      return undefined
    })()
    const flow = await client.flowAlloc("greet", { to: endOf(server), qos: QOS_CUBES.voice, data: bytes("hello") })
    assert.equal(text(flow.data), "welcome")
    assert.equal(text(await flow.read()), "first")
    assert.equal((await served)?.peer.port, client.local[0]?.port)
  })

  test("a layer that is full asks nobody else in, and goes on listening", async (t) => {
    const [server, client] = [await layer(t, { settings: { maxFlows: 3 } }), await layer(t)]
    let taken = 0
    let ended = "listening"
    const accepting = (async () => {
      for await (const request of server.flowAccept("few")) {
        await request.accept()
        taken++
      }
    })().then(
      () => {
        ended = "closed"
      },
      (cause) => {
        ended = String(cause)
      },
    )
    const codes: string[] = []
    for (let i = 0; i < 5; i++)
      codes.push(await codeOf(client.flowAlloc("few", { to: endOf(server), timeout: i < 3 ? 20_000 : 300 })))
    assert.deepEqual(codes, ["resolved", "resolved", "resolved", "ETIMEDOUT", "ETIMEDOUT"])
    assert.deepEqual([taken, ended], [3, "listening"])
    await server.close()
    await accepting
    assert.doesNotMatch(ended, /ENOMEM/)
  })

  test("a caller gives up by its signal, or by its timeout", async (t) => {
    const client = await layer(t)
    const silent = await udp.bind({ local: LOOPBACK }, { receive: () => {}, error: () => {} })
    assert.ok(silent.ok)
    t.after(() => silent.value.close())
    const to = silent.value.local
    const stop = new AbortController()
    const call = codeOf(client.flowAlloc("x", { to, signal: stop.signal }))
    setTimeout(() => stop.abort(), 30)
    assert.equal(await call, "ECANCELED")
    assert.equal(await codeOf(client.flowAlloc("x", { to, signal: stop.signal })), "ECANCELED")
    assert.equal(await codeOf(client.flowAlloc("x", { to, timeout: 50 })), "ETIMEDOUT")
    assert.equal(await codeOf(client.flowAlloc("x".repeat(256), { to })), "EINVAL")
    assert.equal(await codeOf(client.flowAlloc("x")), "ENAME")
  })

  test("a peer that ends its flow is noticed by the timeout: EFLOWPEER, after what came before", async (t) => {
    const settings = { minTimeout: 100 }
    const [server, client] = [await layer(t, { settings }), await layer(t, { settings })]
    void (async () => {
      for await (const request of server.flowAccept("short")) {
        const flow = await request.accept()
        await flow.write(bytes("last words"))
        await flow.dealloc()
      }
    })()
    const flow = await client.flowAlloc("short", { to: endOf(server), qos: { ...QOS_CUBES.raw, timeout: 200 } })
    const heard: (string | undefined)[] = []
    const end = await codeOf(
      (async () => {
        for await (const message of flow) heard.push(text(message))
      })(),
    )
    assert.deepEqual([heard, end], [["last words"], "EFLOWPEER"])
    assert.equal(await codeOf(flow.write(bytes("x"))), "EFLOWPEER")
    await flow.dealloc()
  })

  test("a flow with nothing to say stays, by keep-alives that nobody sees", async (t) => {
    const settings = { minTimeout: 100 }
    const [server, client] = [await layer(t, { settings }), await layer(t, { settings })]
    void echo(server, "oecho")
    const flow = await client.flowAlloc("oecho", { to: endOf(server), qos: { ...QOS_CUBES.raw, timeout: 400 } })
    assert.equal(await codeOf(flow.read({ timeout: 1500 })), "ETIMEDOUT")
    await flow.write(bytes("still there"))
    assert.equal(text(await flow.read()), "still there")
  })

  test("A9: a read of fewer octets than a message has gives it in parts, and marks the end of one that filled it", async (t) => {
    const [server, client] = [await layer(t), await layer(t)]
    void echo(server, "oecho")
    const flow = await client.flowAlloc("oecho", { to: endOf(server) })
    const read = async (options: Parameters<typeof flow.read>[0]): Promise<string | undefined> =>
      text(await flow.read(options))
    for (const message of ["abcdefgh", "12345", "xyz", "0123456789", "after"]) await flow.write(bytes(message))
    assert.deepEqual([await read({ size: 5 }), await read({ size: 5 })], ["abcde", "fgh"])
    assert.deepEqual([await read({ size: 5 }), await read({ size: 5 })], ["12345", ""])
    assert.equal(await read({ size: 5 }), "xyz")
    assert.deepEqual(
      [await read({ size: 5 }), await read({ size: 5 }), await read({ size: 5 })],
      ["01234", "56789", ""],
    )
    assert.equal(await read({ size: 9 }), "after")
    assert.equal(await codeOf(flow.read({ wait: false })), "EAGAIN")
    await flow.write(bytes("too long for it"))
    await flow.write(bytes("fits"))
    assert.equal(await codeOf(flow.read({ size: 4, partial: false })), "EMSGSIZE")
    assert.equal(await read({ size: 4, partial: false }), "fits")
    assert.equal(await codeOf(flow.read({ size: 0 })), "EINVAL")
    const stop = new AbortController()
    const waiting = codeOf(flow.read({ signal: stop.signal }))
    stop.abort()
    assert.equal(await waiting, "ECANCELED")
    assert.equal(await codeOf(flow.write(new Uint8Array(8977))), "EMSGSIZE")
  })

  test("A9: on a flow for reading a write is EPERM; on one for writing what comes is dropped; and both again", async (t) => {
    const [server, client] = [await layer(t), await layer(t)]
    void echo(server, "oecho")
    const flow = await client.flowAlloc("oecho", { to: endOf(server) })
    const other = await client.flowAlloc("oecho", { to: endOf(server) })
    assert.equal(flow.access, "rdwr")
    await flow.write(bytes("one"))
    assert.equal(text(await flow.read()), "one")
    flow.setAccess("rdonly")
    assert.equal(await codeOf(flow.write(bytes("two"))), "EPERM")
    flow.setAccess("wronly")
    await flow.write(bytes("three"))
    // Its echo comes before that of another flow's message, which was sent after it.
    await other.write(bytes("after it"))
    assert.equal(text(await other.read()), "after it")
    assert.equal(await codeOf(flow.read({ wait: false })), "EAGAIN")
    flow.setAccess("rdwr")
    await flow.write(bytes("four"))
    assert.deepEqual([text(await flow.read()), flow.lost], ["four", 0])
  })

  test("what nobody reads is bounded: the newest is lost, and counted", async (t) => {
    const server = await layer(t)
    const client = await layer(t, { inbox: { messages: 10, octets: 1000 } })
    void (async () => {
      for await (const request of server.flowAccept("flood")) {
        const flow = await request.accept()
        for (let i = 0; i < 40; i++) await flow.write(bytes(`${i}`))
      }
    })()
    const flow = await client.flowAlloc("flood", { to: endOf(server) })
    while (flow.lost < 30) await new Promise((resolve) => setTimeout(resolve, 5))
    const read: (string | undefined)[] = []
    for (let i = 0; i < 10; i++) read.push(text(await flow.read()))
    assert.deepEqual(
      read,
      Array.from({ length: 10 }, (_, i) => `${i}`),
    )
  })

  test("a writer of much waits for the runtime's turns: what comes back is read meanwhile", async (t) => {
    const [server, client] = [await layer(t), await layer(t)]
    void echo(server, "oecho")
    const flow = await client.flowAlloc("oecho", { to: endOf(server) })
    let back = 0
    const reading = (async () => {
      for await (const message of flow) back += message.length > 0 ? 1 : 0
    })()
    for (let i = 0; i < 3000; i++) await flow.write(bytes(`message ${i}`))
    assert.ok(back > 0)
    await flow.dealloc()
    await reading
  })

  test("a listener is not stopped by what strangers send", async (t) => {
    const reasons: string[] = []
    const [server, client] = [await layer(t, { dropped: (reason) => reasons.push(reason) }), await layer(t)]
    void echo(server, "oecho")
    const stranger = await udp.bind({ local: LOOPBACK }, { receive: () => {}, error: () => {} })
    assert.ok(stranger.ok)
    t.after(() => stranger.value.close())
    const to = { address: LOOPBACK.address, port: server.local[0]?.port ?? 0 }
    for (const octets of [[], [0], [0, 0, 0, 0], [0, 0, 0, 64, 1], new Array<number>(63).fill(255)])
      stranger.value.send(Uint8Array.from(octets), to)
    const flow = await client.flowAlloc("oecho", { to: endOf(server) })
    await flow.write(bytes("fine"))
    assert.equal(text(await flow.read()), "fine")
    assert.ok(reasons.length >= 4)
    assert.equal(countFlows(server.state()).dropped["unknown-eid"], 2)
  })

  test("a name that is destroyed ends who accepts on it, also where the layer was full", async (t) => {
    const server = await layer(t, { settings: { maxFlows: 1 } })
    const [first, second] = [server.flowAccept("first").next(), server.flowAccept("second").next()]
    await new Promise((resolve) => setImmediate(resolve))
    assert.equal(countFlows(server.state()).flows, 1)
    await server.destroyName("second")
    assert.deepEqual(await second, { done: true, value: undefined })
    await server.destroyName("first")
    assert.deepEqual(await first, { done: true, value: undefined })
  })

  test("two layers cannot listen at one port, and settings have bounds", async (t) => {
    const one = await layer(t)
    const [local] = one.local
    assert.ok(local !== undefined)
    assert.equal(await codeOf(startFlowService({ udp, clock, entropy, local: [local] })), "EIPCP")
    assert.equal(await codeOf(startFlowService({ udp, clock, entropy, settings: { linger: 0 } })), "EINVAL")
  })

  test("closing a layer ends what waits on it", async (t) => {
    const [server, client] = [await layer(t), await layer(t)]
    void echo(server, "oecho")
    const flow = await client.flowAlloc("oecho", { to: endOf(server) })
    const accepting = server.flowAccept("other")[Symbol.asyncIterator]().next()
    const reading = flow.read()
    const asking = codeOf(client.flowAlloc("nobody", { to: { address: address("127.0.0.1"), port: 9 } }))
    await new Promise((resolve) => setTimeout(resolve, 20))
    await Promise.all([server.close(), client.close(), client.close()])
    assert.deepEqual([await reading, (await accepting).done, await asking], [undefined, true, "EPIPE"])
    assert.equal(await codeOf(client.flowAlloc("oecho", { to: endOf(server) })), "EIRMD")
  })

  test("a bound program is asked to start where nobody accepts", async (t) => {
    const started: string[] = []
    const client = await layer(t)
    const server = await layer(t, {
      settings: { arrivalTimeout: 50 },
      spawn: (name, program) => {
        started.push(`${name} ${program}`)
        void echo(server, name)
      },
    })
    server.createName("lazy")
    server.bindProgram("lazy", "/usr/bin/lazy")
    await server.registerName("lazy")
    const flow = await client.flowAlloc("lazy", { to: endOf(server) })
    await flow.write(bytes("up"))
    assert.equal(text(await flow.read()), "up")
    assert.deepEqual(started, ["lazy /usr/bin/lazy"])
  })
})

describe("names in a directory", () => {
  test("a list of hosts says where a name is, with a port or without", async (t) => {
    const server = await layer(t)
    void echo(server, "oecho")
    const directory = staticDirectory({ oecho: `127.0.0.1:${server.local[0]?.port}`, six: "[::1]:5" })
    const client = await layer(t, { directory })
    const flow = await client.flowAlloc("oecho")
    await flow.write(bytes("found"))
    assert.equal(text(await flow.read()), "found")
    assert.equal(await codeOf(client.flowAlloc("nobody")), "ENAME")
    // It listens on IPv4 alone.
    assert.equal(await codeOf(client.flowAlloc("six")), "EAFNOSUPPORT")
    assert.deepEqual(parseEnd("2001:db8::1"), { address: address("2001:db8::1") })
    assert.deepEqual(parseEnd("[2001:db8::1]"), { address: address("2001:db8::1") })
    assert.deepEqual(parseEnd("[fe80::1%eth0]"), { address: address("fe80::1"), zone: "eth0" })
    assert.deepEqual(parseEnd("[2001:db8::1]:80"), { address: address("2001:db8::1"), port: 80 })
    assert.deepEqual(parseEnd("fe80::1%eth0"), { address: address("fe80::1"), zone: "eth0" })
    assert.deepEqual(parseEnd("[fe80::1%2]:80"), { address: address("fe80::1"), zone: "2", port: 80 })
    for (const wrong of [
      "192.0.2.1%eth0",
      "fe80::1%",
      "fe80::1%a%b",
      "",
      "x",
      "1.2.3.4:0",
      "1.2.3.4:65536",
      "[::1",
      "[]",
      "[[::1]]",
      "[::1]:",
      "::1:x",
    ])
      assert.throws(() => parseEnd(wrong), RangeError, wrong)
  })

  test("a name with several ends: one after the other, those of the layer's family alone, until one has the name", async (t) => {
    const [deaf, other, server] = [
      await udp.bind({ local: LOOPBACK }, { receive: () => {}, error: () => {} }),
      await layer(t),
      await layer(t),
    ]
    assert.ok(deaf.ok)
    t.after(() => deaf.value.close())
    void echo(server, "oecho")
    const ends = [
      `[::1]:9`,
      `127.0.0.1:${deaf.value.local.port}`,
      ...[other, server].map(({ local }) => `127.0.0.1:${local[0]?.port}`),
    ]
    const asked: string[] = []
    const hosts = { oecho: ends, nowhere: ends.slice(0, 3), silent: ends.slice(0, 2) }
    const known = staticDirectory(hosts)
    const client = await layer(t, {
      directory: {
        lookup: async (name) => {
          asked.push(name.name)
          return known.lookup(name)
        },
      },
    })
    const flow = await client.flowAlloc("oecho", { timeout: 1500 })
    assert.equal(flow.peer.port, server.local[0]?.port)
    await flow.write(bytes("the third"))
    assert.equal(text(await flow.read()), "the third")
    // Of two that do not have it, the one that said so is believed.
    const nowhere = client.flowAlloc("nowhere", { timeout: 600 })
    await assert.rejects(nowhere, (error) => error instanceof FlowError && error.response === -1007)
    assert.equal(await codeOf(client.flowAlloc("silent", { timeout: 300 })), "ETIMEDOUT")
    assert.deepEqual(asked, ["oecho", "nowhere", "silent"])
    // An application that refuses is asked once.
    let refused = 0
    void (async () => {
      for await (const request of server.flowAccept("closed")) {
        refused++
        await request.refuse("EAUTH")
      }
    })()
    const twice = await layer(t, {
      directory: staticDirectory({
        closed: [`127.0.0.1:${server.local[0]?.port}`, `127.0.0.1:${server.local[0]?.port}`],
      }),
    })
    assert.equal(await codeOf(twice.flowAlloc("closed")), "EAUTH")
    assert.equal(refused, 1)
    // A caller that gives up is not sent on.
    const stop = new AbortController()
    const call = codeOf(client.flowAlloc("silent", { signal: stop.signal }))
    setTimeout(() => stop.abort(), 30)
    assert.equal(await call, "ECANCELED")
  })

  test("registering publishes, unregistering takes out, other ends are published again; a failure is not registered", async (t) => {
    const said: string[] = []
    let fails = false
    const directory = {
      lookup: async () => [],
      publish: async ({ name }: { readonly name: string }, ends: readonly { readonly port: number }[]) => {
        if (fails) throw new Error("the directory is down")
        said.push(`${name} ${ends.map(({ port }) => port).join()}`)
      },
    }
    const server = await layer(t, { directory })
    const port = server.local[0]?.port
    server.createName("a")
    await server.registerName("a")
    await server.publishAt([{ address: address("203.0.113.7"), port: 4000 }])
    await server.unregisterName("a")
    assert.deepEqual(said, [`a ${port}`, "a 4000", "a "])
    fails = true
    assert.equal(await codeOf(server.registerName("a")), "EIPCP")
    fails = false
    await server.registerName("a")
    await server.close()
    assert.deepEqual(said.slice(3), ["a 4000", "a "].slice(0, said.length - 3))
    assert.equal(said.at(-1), "a ")
  })

  test("a directory that fails is EIPCP, one that is slow ETIMEDOUT", async (t) => {
    const broken = await layer(t, { directory: { lookup: () => Promise.reject(new Error("down")) } })
    assert.equal(await codeOf(broken.flowAlloc("a")), "EIPCP")
    const slow = await layer(t, { directory: { lookup: () => new Promise(() => {}) } })
    assert.equal(await codeOf(slow.flowAlloc("a", { timeout: 30 })), "ETIMEDOUT")
  })
})
