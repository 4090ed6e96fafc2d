/** Every row of the state table of A8, and what is asked of names. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { createFlowLayer, type FlowSettings, FlowState, nameView, QOS_CUBES } from "../../../core/flow/index.ts"
import { hex, toHex } from "../wire/hex.ts"
import { allocated, pair, SERVER, scene, text, types } from "./scene.ts"
import { FLOW_REPLY, FLOW_REQUEST, OECHO_HASH } from "./vectors.ts"

const NAME = "oecho"

describe("A8: the states of a flow", () => {
  test("the enumeration has the reference's numbers", () => {
    assert.deepEqual(Object.entries(FlowState), [
      ["INIT", 0],
      ["ALLOC_PENDING", 1],
      ["ACCEPT_PENDING", 2],
      ["ALLOCATED", 3],
      ["DEALLOC_PENDING", 4],
      ["DEALLOCATED", 5],
    ])
  })

  test("INIT -> ALLOC_PENDING by flow_alloc: FLOW_REQ leaves from the layer's port", () => {
    const { there, client, server } = pair()
    const flow = client.flow({ type: "alloc", name: NAME, peer: server.at })
    assert.equal(flow, 64)
    assert.equal(client.stateOf(flow), "ALLOC_PENDING")
    assert.deepEqual(there.wire, [{ from: client.at, to: server.at, bytes: FLOW_REQUEST }])
  })

  test("INIT -> ACCEPT_PENDING by flow_accept", () => {
    const { server } = pair()
    const flow = server.flow({ type: "accept", name: NAME })
    assert.equal(server.stateOf(flow), "ACCEPT_PENDING")
  })

  test("ALLOC_PENDING -> ALLOCATED by a reply with response 0, whose data the application gets", () => {
    const { there, client, server } = pair()
    const flow = client.flow({ type: "alloc", name: NAME, peer: server.at })
    there.wire.length = 0
    there.deliver({ from: server.at, to: client.at, bytes: Uint8Array.from([...FLOW_REPLY, 1, 2, 3]) })
    assert.equal(client.stateOf(flow), "ALLOCATED")
    assert.deepEqual(client.events(), [{ type: "allocated", flow, data: Uint8Array.of(1, 2, 3), peer: server.at }])
    client.give({ type: "write", flow, data: text("hello") })
    assert.deepEqual(there.wire, [{ from: client.at, to: server.at, bytes: hex("00000041 68656c6c6f") }])
  })

  test("ALLOC_PENDING -> DEALLOCATED by a reply that refuses: its response is told", () => {
    const { there, client, server } = pair()
    const offered = server.flow({ type: "accept", name: NAME })
    const flow = client.flow({ type: "alloc", name: NAME, peer: server.at })
    there.settle()
    server.give({ type: "respond", flow: offered, response: -13 })
    there.settle()
    assert.deepEqual(client.events(), [{ type: "refused", flow, response: -13, error: undefined }])
    assert.deepEqual([client.stateOf(flow), server.stateOf(offered)], ["DEALLOCATED", "DEALLOCATED"])
  })

  test("a reply that refuses has no data: what follows in it goes to nobody", () => {
    const { there, client, server } = pair()
    const flow = client.flow({ type: "alloc", name: NAME, peer: server.at })
    const refusal = Uint8Array.from([...FLOW_REPLY, 1, 2, 3])
    refusal.set(hex("00000000 fffffffa"), 8)
    there.deliver({ from: server.at, to: client.at, bytes: refusal })
    assert.deepEqual(client.events(), [{ type: "refused", flow, response: -6, error: undefined }])
  })

  test("ALLOC_PENDING -> DEALLOCATED by time: ETIMEDOUT", () => {
    const { there, client } = pair()
    const flow = client.flow({ type: "alloc", name: NAME, peer: SERVER, timeout: 3000 })
    there.pass(2980)
    assert.equal(client.stateOf(flow), "ALLOC_PENDING")
    there.pass(40)
    assert.deepEqual(client.events(), [{ type: "failed", flow, error: "ETIMEDOUT" }])
    assert.equal(client.stateOf(flow), "DEALLOCATED")
  })

  test("ALLOC_PENDING -> DEALLOCATED by time, 20000 ms where the caller gave none: EPERM", () => {
    const { there, client } = pair()
    const flow = client.flow({ type: "alloc", name: NAME, peer: SERVER })
    there.pass(19980)
    assert.deepEqual(client.events(), [])
    there.pass(40)
    assert.deepEqual(client.events(), [{ type: "failed", flow, error: "EPERM" }])
  })

  test("ACCEPT_PENDING -> ALLOCATED by a request, with its data and its timeout", () => {
    const { there, client, server } = pair()
    const flow = server.flow({ type: "accept", name: NAME, auto: true })
    client.flow({
      type: "alloc",
      name: NAME,
      peer: server.at,
      data: text("hi"),
      qos: { ...QOS_CUBES.voice, timeout: 7000 },
    })
    there.settle()
    assert.deepEqual(server.events(), [{ type: "allocated", flow, data: text("hi"), peer: client.at }])
    assert.equal(server.stateOf(flow), "ALLOCATED")
    there.wire.length = 0
    there.pass(6990)
    assert.equal(server.stateOf(flow), "ALLOCATED")
    there.wire.length = 0
    there.pass(20)
    assert.deepEqual(types(server.events()), ["down EFLOWPEER"])
  })

  test("ACCEPT_PENDING -> ALLOCATED by a request that was offered and answered with 0", () => {
    const { there, client, server } = pair()
    const flow = server.flow({ type: "accept", name: NAME })
    const here = client.flow({ type: "alloc", name: NAME, peer: server.at, qos: QOS_CUBES.video, data: text("?") })
    there.settle()
    assert.deepEqual(server.events(), [
      { type: "request", flow, name: NAME, qos: QOS_CUBES.video, data: text("?"), peer: client.at },
    ])
    assert.deepEqual([server.stateOf(flow), client.stateOf(here)], ["ACCEPT_PENDING", "ALLOC_PENDING"])
    server.give({ type: "respond", flow, response: 0, data: text("!") })
    assert.equal(toHex(there.wire[0]?.bytes ?? hex("")), `${toHex(FLOW_REPLY).replace("00000041", "00000040")}21`)
    there.settle()
    assert.deepEqual(client.events(), [{ type: "allocated", flow: here, data: text("!"), peer: server.at }])
    assert.deepEqual([server.stateOf(flow), client.stateOf(here)], ["ALLOCATED", "ALLOCATED"])
  })

  test("ACCEPT_PENDING -> DEALLOCATED by time: ETIMEDOUT; without a timeout it waits for ever", () => {
    const { there, server } = pair()
    const flow = server.flow({ type: "accept", name: NAME, timeout: 500 })
    const other = server.flow({ type: "accept", name: NAME })
    there.pass(520)
    assert.deepEqual(server.events(), [{ type: "failed", flow, error: "ETIMEDOUT" }])
    there.pass(1_000_000)
    assert.equal(server.stateOf(other), "ACCEPT_PENDING")
  })

  test("ACCEPT_PENDING -> DEALLOCATED by teardown of its name: EPIPE", () => {
    const { server } = pair()
    const flow = server.flow({ type: "accept", name: NAME })
    server.give({ type: "destroy-name", name: NAME })
    assert.deepEqual(server.events(), [{ type: "failed", flow, error: "EPIPE" }])
    assert.equal(server.stateOf(flow), "DEALLOCATED")
  })

  test("ALLOCATED -> DEALLOC_PENDING by flow_dealloc, and nothing is sent: there is no message for it", () => {
    const both = pair()
    const { here } = allocated(both)
    both.client.give({ type: "dealloc", flow: here })
    assert.equal(both.client.result(), "ok")
    assert.equal(both.client.stateOf(here), "DEALLOC_PENDING")
    assert.deepEqual(both.there.wire, [])
    both.client.give({ type: "write", flow: here, data: text("x") })
    assert.equal(both.client.result(), "ENOTALLOC")
    both.client.give({ type: "dealloc", flow: here })
    assert.equal(both.client.result(), "ENOTALLOC")
  })

  test("DEALLOC_PENDING -> DEALLOCATED -> destroyed, once the peer has noticed and no datagram can be under way", () => {
    const both = pair({ linger: 4000 })
    const { here } = allocated(both)
    both.client.give({ type: "dealloc", flow: here })
    both.there.pass(120_000 + 3990)
    assert.equal(both.client.stateOf(here), "DEALLOC_PENDING")
    both.there.pass(20)
    assert.deepEqual(both.client.events(), [{ type: "destroyed", flow: here }])
    assert.equal(both.client.stateOf(here), undefined)
  })

  test("any pending -> DEALLOCATED when the process exits", () => {
    const both = pair()
    const { here } = allocated(both)
    const pending = both.client.flow({ type: "alloc", name: NAME, peer: SERVER })
    both.client.give({ type: "create-name", name: "x" })
    const waiting = both.client.flow({ type: "accept", name: "x" })
    both.client.give({ type: "exit" })
    assert.deepEqual(
      [here, pending, waiting].map((flow) => both.client.stateOf(flow)),
      ["DEALLOC_PENDING", "DEALLOCATED", "DEALLOCATED"],
    )
  })

  test("a late reply on a flow that is over, or was destroyed, is refused", () => {
    const { there, client, server } = pair()
    const flow = client.flow({ type: "alloc", name: NAME, peer: server.at, timeout: 100 })
    there.wire.length = 0
    there.pass(200)
    const late = { from: server.at, to: client.at, bytes: FLOW_REPLY }
    there.deliver(late)
    assert.deepEqual(types(client.events()), ["failed ETIMEDOUT", "dropped late-reply"])
    there.wire.length = 0
    there.pass(200_000)
    there.deliver(late)
    assert.deepEqual(types(client.events()), ["destroyed", "dropped late-reply"])
    client.give({ type: "dealloc", flow })
    assert.equal(client.result(), "EBADF")
  })

  test("several requests are in flight at once, and each gets its own answer", () => {
    const { there, client, server } = pair()
    const far = [1, 2, 3].map(() => server.flow({ type: "accept", name: NAME }))
    const here = [1, 2, 3].map(() => client.flow({ type: "alloc", name: NAME, peer: server.at }))
    there.settle()
    server.give({ type: "respond", flow: far[2], response: 0 })
    server.give({ type: "respond", flow: far[1], response: -1 })
    server.give({ type: "respond", flow: far[0], response: 0 })
    there.wire.reverse()
    there.settle()
    assert.deepEqual(
      here.map((flow) => client.stateOf(flow)),
      ["ALLOCATED", "DEALLOCATED", "ALLOCATED"],
    )
  })
})

describe("A8: a request arrives", () => {
  test("an unknown name, and one that is not registered: ENAME, and the requester is told", () => {
    const { there, client, server } = pair()
    const one = client.flow({ type: "alloc", name: "nobody", peer: server.at })
    server.give({ type: "create-name", name: "quiet" })
    const two = client.flow({ type: "alloc", name: "quiet", peer: server.at })
    there.settle()
    assert.deepEqual(types(server.events()), ["dropped unknown-name", "dropped unknown-name"])
    assert.deepEqual(client.events(), [
      { type: "refused", flow: one, response: -1007, error: "ENAME" },
      { type: "refused", flow: two, response: -1007, error: "ENAME" },
    ])
  })

  test("nobody accepts: it waits 1000 ms, and whoever accepts meanwhile gets it", () => {
    const { there, client, server } = pair()
    const here = client.flow({ type: "alloc", name: NAME, peer: server.at })
    there.settle()
    there.pass(900)
    there.wire.length = 0
    const far = server.flow({ type: "accept", name: NAME })
    assert.deepEqual(types(server.events()), ["request"])
    server.give({ type: "respond", flow: far, response: 0 })
    there.settle()
    assert.deepEqual([client.stateOf(here), server.stateOf(far)], ["ALLOCATED", "ALLOCATED"])
  })

  test("nobody accepts at all: refused after 1000 ms, where the reference is silent", () => {
    for (const refusals of [true, false]) {
      const { there, client, server } = pair({ refusals, retransmitFirst: 60_000, retransmitMost: 60_000 })
      client.flow({ type: "alloc", name: NAME, peer: server.at })
      there.settle()
      there.pass(990)
      assert.deepEqual(there.wire, [])
      there.pass(20)
      there.settle()
      assert.deepEqual(types(client.events()), refusals ? ["refused"] : [])
    }
  })

  test("a bound program is started, and gets 1000 ms more", () => {
    const { there, client, server } = pair({ retransmitFirst: 60_000, retransmitMost: 60_000 })
    server.give({ type: "bind-program", name: NAME, program: "/usr/bin/oecho --listen", auto: true })
    client.flow({ type: "alloc", name: NAME, peer: server.at })
    there.settle()
    there.pass(1010)
    assert.deepEqual(server.events(), [{ type: "spawn", name: NAME, program: "/usr/bin/oecho --listen" }])
    there.pass(980)
    assert.deepEqual(there.wire, [])
    there.pass(20)
    assert.equal(there.wire.length, 1)
    server.give({ type: "unbind-program", name: NAME })
    client.flow({ type: "alloc", name: NAME, peer: server.at })
    there.settle()
    there.pass(1010)
    assert.deepEqual(server.events(), [])
  })

  test("an offered request that the application does not answer is refused in time", () => {
    const { there, client, server } = pair({ respondTimeout: 700, keepAlive: false })
    const far = server.flow({ type: "accept", name: NAME })
    client.flow({ type: "alloc", name: NAME, peer: server.at })
    there.settle()
    there.pass(720)
    there.settle()
    assert.deepEqual(types(server.events()), ["request", "failed ETIMEDOUT", "dropped duplicate"])
    assert.equal(types(client.events())[0], "refused")
    server.give({ type: "respond", flow: far, response: 0 })
    assert.equal(server.result(), "ENOTALLOC")
  })

  test("first come, first served, of those who accept and of requests that wait; more than the bound are dropped", () => {
    const { there, client, server } = pair({ maxWaiting: 2, retransmitFirst: 60_000, retransmitMost: 60_000 })
    const here = [1, 2, 3].map(() => client.flow({ type: "alloc", name: NAME, peer: server.at }))
    there.settle()
    assert.deepEqual(types(server.events()), ["dropped no-room"])
    const far = [1, 2].map(() => server.flow({ type: "accept", name: NAME, auto: true }))
    there.settle()
    assert.deepEqual(
      here.map((flow) => client.stateOf(flow)),
      ["ALLOCATED", "ALLOCATED", "ALLOC_PENDING"],
    )
    assert.deepEqual(
      far.map((flow) => server.stateOf(flow)),
      ["ALLOCATED", "ALLOCATED"],
    )
  })

  test("unregistering refuses the requests that wait, with ENAME", () => {
    const { there, client, server } = pair()
    client.flow({ type: "alloc", name: NAME, peer: server.at })
    there.settle()
    server.give({ type: "unregister-name", name: NAME })
    there.settle()
    assert.deepEqual(
      client.events().map((event) => (event.type === "refused" ? event.error : event.type)),
      ["ENAME"],
    )
  })
})

describe("names", () => {
  test("create, bind, register, unregister and destroy, with the label that the directory gets", () => {
    const server = scene().peer(SERVER)
    const effects = (type: "create-name" | "register-name" | "unregister-name" | "destroy-name") =>
      server
        .give({ type, name: NAME })
        .map((effect) =>
          effect.type === "publish" || effect.type === "withdraw"
            ? `${effect.type} ${effect.label}`
            : effect.type === "result"
              ? effect.ok
              : effect.type,
        )
    assert.deepEqual(effects("create-name"), [true])
    assert.deepEqual(nameView(server.layer(), NAME), { name: NAME, registered: false })
    assert.deepEqual(effects("create-name"), [false])
    assert.equal(server.result(), "EEXIST")
    assert.deepEqual(effects("register-name"), [`publish ${OECHO_HASH}`, true])
    assert.deepEqual(nameView(server.layer(), NAME), { name: NAME, registered: true })
    assert.deepEqual(effects("register-name"), [false])
    assert.equal(server.result(), "EEXIST")
    assert.deepEqual(effects("unregister-name"), [`withdraw ${OECHO_HASH}`, true])
    assert.deepEqual(effects("unregister-name"), [false])
    assert.equal(server.result(), "ENAME")
    effects("register-name")
    assert.deepEqual(effects("destroy-name"), [`withdraw ${OECHO_HASH}`, true])
    assert.equal(nameView(server.layer(), NAME), undefined)
    assert.deepEqual(effects("destroy-name"), [false])
    assert.equal(server.result(), "ENAME")
  })

  test("A9: a name has 255 octets at most, and there are as many names as the settings say", () => {
    const server = scene().peer(SERVER, { maxNames: 2 })
    const result = (name: string): string => {
      server.give({ type: "create-name", name })
      return server.result()
    }
    assert.deepEqual(["x".repeat(256), "é".repeat(128), "", "a\0"].map(result), [
      "EINVAL",
      "EINVAL",
      "EINVAL",
      "EINVAL",
    ])
    assert.deepEqual(["x".repeat(255), "é".repeat(127), "third"].map(result), ["ok", "ok", "ENOMEM"])
    server.give({ type: "bind-program", name: "third", program: "x", auto: false })
    assert.equal(server.result(), "ENAME")
    server.give({ type: "bind-program", name: "x".repeat(255), program: "", auto: false })
    assert.equal(server.result(), "EINVAL")
    server.give({ type: "accept", name: "nobody" })
    assert.equal(server.result(), "ENAME")
  })

  for (const count of [1000, 100_000])
    test(`A2: ${count} names are registered and unregistered`, () => {
      const server = scene().peer(SERVER, { maxNames: count })
      const all = (type: "create-name" | "register-name" | "unregister-name" | "destroy-name"): void => {
        for (let i = 0; i < count; i++) {
          server.give({ type, name: `name-${i}` })
          assert.equal(server.result(), "ok")
        }
      }
      all("create-name")
      all("register-name")
      assert.deepEqual(nameView(server.layer(), `name-${count - 1}`), { name: `name-${count - 1}`, registered: true })
      all("unregister-name")
      all("destroy-name")
      assert.equal(nameView(server.layer(), "name-0"), undefined)
    })
})

describe("commands that cannot be", () => {
  test("say why, and change nothing", () => {
    const client = scene().peer(SERVER)
    const peer = SERVER
    const results = [
      client.give({ type: "alloc", name: "", peer }),
      client.give({ type: "alloc", name: "a", peer: { ...peer, port: 0 } }),
      client.give({ type: "alloc", name: "a", peer, timeout: 0 }),
      client.give({ type: "alloc", name: "a", peer, qos: { ...QOS_CUBES.raw, timeout: -1 } }),
      client.give({ type: "alloc", name: "a", peer, data: new Uint8Array(8918) }),
      client.give({ type: "write", flow: 64, data: text("x") }),
      client.give({ type: "respond", flow: 64, response: 0 }),
      client.give({ type: "dealloc", flow: 2 ** 40 }),
    ].map(([effect]) => (effect?.type === "result" && !effect.ok ? effect.error : "?"))
    assert.deepEqual(results, ["EINVAL", "EINVAL", "EINVAL", "EINVAL", "EMSGSIZE", "EBADF", "EBADF", "EBADF"])
  })

  test("settings out of their bounds make no layer", () => {
    const wrong: readonly Partial<FlowSettings>[] = [
      { linger: 0 },
      { firstEid: 0 },
      { lastEid: 2 ** 31 },
      { firstEid: 100, lastEid: 99 },
      { maxFlows: 5000 },
      { maxNames: 0 },
      { maxWaiting: -1 },
      { allocTimeout: Number.NaN },
      { mostTimeout: 0 },
    ]
    const right: readonly Partial<FlowSettings>[] = [
      { maxFlows: 1, firstEid: 7, lastEid: 7 },
      { linger: 1 },
      { maxNames: 1 },
    ]
    for (const settings of right) assert.ok(createFlowLayer({ seed: new Uint8Array(32), now: 0, settings }).ok)
    for (const settings of wrong) {
      const made = createFlowLayer({ seed: new Uint8Array(32), now: 0, settings })
      assert.equal(made.ok, false)
      assert.ok(!made.ok && made.error.setting in settings)
    }
    assert.equal(createFlowLayer({ seed: new Uint8Array(31), now: 0 }).ok, false)
    assert.equal(createFlowLayer({ seed: new Uint8Array(32), now: Number.NaN }).ok, false)
  })
})
